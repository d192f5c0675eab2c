//! Seeing events go by: a line for each thing that happens, and on a terminal a status line below them.
//!
//! What lives here: what can happen ([`Happening`]), how it reads as a line (`line`), what is counted and how far behind we
//! are (`counts`), and which letters go to the terminal so that the status line stays below the last line (`screen`). What
//! does not: taking events and doing runs, which are told from outside, and writing, which is the terminal's. Nothing here
//! looks at a clock or writes: a test feeds what happened and reads the text. Data flows one way: what happened → `line` and
//! `counts` → `screen` → the text that is to be written.

mod counts;
mod happening;
mod line;
mod screen;

use std::time::SystemTime;

pub use self::happening::{Happening, Run};
pub use self::screen::Look;

use self::counts::Counts;
use self::screen::Screen;

/// What is seen.
pub struct Live {
    counts: Counts,
    screen: Screen,
}

impl Live {
    pub fn new(look: Look) -> Self {
        Self { counts: Counts::default(), screen: Screen::new(look) }
    }

    /// Something happened, at a source that is named where there are several. What is to be written, at once and as a
    /// whole; nothing where it shows in the counts alone.
    pub fn happened(&mut self, source: Option<&str>, what: &Happening<'_>, at: SystemTime) -> String {
        let ago = match what {
            Happening::Dispatched { run, .. } => self.counts.ago(run.event, at),
            _ => None,
        };
        let line = line::line(source, what, at, ago);
        self.counts.happened(what, at);
        self.screen.shows(line.as_deref(), || self.counts.status(at))
    }

    /// Time went by: what is to be written, if the status line says something else now.
    pub fn later(&mut self, now: SystemTime) -> String {
        self.screen.shows(None, || self.counts.status(now))
    }

    /// Whether time alone changes what is seen: something waits.
    pub fn moves(&self) -> bool {
        self.screen.is_on() && self.counts.is_behind()
    }

    /// Takes the status line away until something happens: somebody else is going to write.
    pub fn hide(&mut self) -> String {
        self.screen.hides()
    }

    /// Whether there is a status line, which nobody else may write below.
    pub fn is_on(&self) -> bool {
        self.screen.is_on()
    }

    /// Takes the status line away for good. Whatever is written next begins a line.
    pub fn end(&mut self) -> String {
        self.screen.ends()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use host::contract::{Event, Mode, ResourceRecord};

    use super::*;

    /// 21:54:03 of a day.
    const START: u64 = 1_795_298_043;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(START + seconds)
    }

    fn event(id: &str, title: &str) -> Event {
        let record = ResourceRecord {
            resource: "customer".to_owned(),
            internal: "contact".to_owned(),
            id: "cus_1".to_owned(),
            title: title.to_owned(),
            url: None,
            fields: "{}".to_owned(),
        };
        Event {
            id: id.to_owned(),
            event_type: "customer.created".to_owned(),
            triggers: vec!["customer.created".to_owned()],
            occurred_at: START,
            mode: Mode::Test,
            account: None,
            api_version: None,
            complete: true,
            record: Some(record),
            payload: "{}".to_owned(),
            extras: Vec::new(),
        }
    }

    fn run<'a>(event: &'a str, trigger: &'a str, attempt: u32) -> Run<'a> {
        Run { event, trigger, attempt }
    }

    fn plainly() -> Live {
        Live::new(Look { screen: false, color: false })
    }

    #[test]
    fn an_event_is_a_line_when_it_went_somewhere() {
        let mut live = plainly();
        let event = event("evt_1", "Jenny Rosen");
        assert_eq!(live.happened(None, &Happening::Arrived { id: "evt_1", runs: 1 }, at(0)), "");
        let done = Happening::Dispatched {
            event: &event,
            run: run("evt_1", "customer.created", 1),
            to: Some("https://example.com/hook"),
            took: Some(Duration::from_millis(12)),
        };
        assert_eq!(
            live.happened(None, &done, at(0)),
            "21:54:03Z  customer.created                contact “Jenny Rosen” cus_1  → customer.created at \
             https://example.com/hook  12 ms  evt_1\n"
        );
        let here =
            Happening::Dispatched { event: &event, run: run("evt_2", "customer.created", 2), to: None, took: None };
        live.happened(None, &Happening::Arrived { id: "evt_2", runs: 1 }, at(0));
        let line = live.happened(None, &here, at(1));
        assert!(line.ends_with("→ customer.created  try 2  1 s  evt_2\n"), "{line}");
    }

    #[test]
    fn where_there_are_several_sources_a_line_names_its_own() {
        let text = plainly().happened(Some("eu\n"), &Happening::Answered { status: 204 }, at(0));
        assert_eq!(text, "21:54:03Z  eu\\n          answered                        204\n");
    }

    #[test]
    fn what_goes_another_way_says_so() {
        let mut live = plainly();
        for (what, text) in [
            (
                Happening::Known { event_type: "customer.created", id: "evt_1" },
                "customer.created                evt_1 was taken before, dropped\n",
            ),
            (
                Happening::Ignored { event_type: "a.b", id: "evt_2", reason: "no trigger" },
                "a.b                             evt_2 ignored: no trigger\n",
            ),
            (
                Happening::Filtered { event_type: "a.b", id: "evt_2", trigger: "a/*" },
                "a.b                             evt_2 does not pass the filters of a/*\n",
            ),
            (Happening::Answered { status: 204 }, "answered                        204\n"),
            (Happening::Refused { reason: "not signed" }, "refused                         not signed\n"),
            (Happening::Failed { reason: "the store is full" }, "failed, will be sent again      the store is full\n"),
            (
                Happening::Retried {
                    run: run("evt_3", "customer.created", 2),
                    reason: "503",
                    wait: Duration::from_secs(4),
                },
                "again in 4 s                    customer.created evt_3, try 2: 503\n",
            ),
            (
                Happening::Dead { run: run("evt_3", "customer.created", 8), reason: "404" },
                "dead                            customer.created evt_3, after 8 tries: 404\n",
            ),
            (Happening::Told { text: "all is well", care: false }, "all is well\n"),
        ] {
            assert_eq!(live.happened(None, &what, at(1)), format!("21:54:04Z  {text}"));
        }
    }

    #[test]
    fn the_status_line_counts_and_tells_how_far_behind_we_are() {
        let mut live = Live::new(Look { screen: true, color: false });
        let last = |text: String| text.rsplit('\n').next().unwrap_or_default().replace(['\r', '\u{1b}'], "");
        let text = last(live.happened(None, &Happening::Arrived { id: "evt_1", runs: 2 }, at(0)));
        assert!(text.contains("1 taken · 2 runs wait"), "{text}");
        assert!(live.moves());
        assert!(last(live.later(at(3))).contains("3 s behind"));
        let event = event("evt_1", "cus_1");
        for trigger in ["customer.created", "customers/*"] {
            let run = run("evt_1", trigger, 1);
            let done = Happening::Dispatched { event: &event, run, to: None, took: None };
            let text = live.happened(None, &done, at(4));
            if trigger == "customers/*" {
                assert!(last(text).contains("1 taken · 2 runs done · nothing waits"));
            }
        }
        assert!(!live.moves());
        live.happened(None, &Happening::Known { event_type: "a.b", id: "evt_1" }, at(4));
        let text = last(live.happened(None, &Happening::Refused { reason: "x" }, at(4)));
        assert!(text.contains("1 known") && text.contains("1 refused"), "{text}");
    }

    #[test]
    fn a_run_that_failed_waits_until_it_is_done_or_dead() {
        let mut live = Live::new(Look { screen: true, color: false });
        live.happened(None, &Happening::Arrived { id: "evt_1", runs: 1 }, at(0));
        let wait = Duration::from_secs(2);
        live.happened(None, &Happening::Retried { run: run("evt_1", "t", 1), reason: "503", wait }, at(0));
        assert!(live.moves());
        let text = live.happened(None, &Happening::Dead { run: run("evt_1", "t", 2), reason: "404" }, at(9));
        assert!(!live.moves() && text.contains("1 dead · 1 tried again · nothing waits"), "{text:?}");
    }

    #[test]
    fn a_run_that_a_filter_keeps_out_waits_no_more() {
        let mut live = Live::new(Look { screen: true, color: false });
        live.happened(None, &Happening::Arrived { id: "evt_1", runs: 1 }, at(0));
        let kept_out = Happening::Filtered { event_type: "a.b", id: "evt_1", trigger: "t" };
        let text = live.happened(None, &kept_out, at(0));
        assert!(text.contains("1 taken · 1 ignored · nothing waits"), "{text:?}");
    }

    #[test]
    fn a_run_that_was_left_by_an_earlier_process_is_counted_and_waits_for_nobody() {
        let mut live = Live::new(Look { screen: true, color: false });
        let event = event("evt_0", "cus_1");
        let run = run("evt_0", "customer.created", 3);
        let text = live.happened(None, &Happening::Dispatched { event: &event, run, to: None, took: None }, at(0));
        assert!(text.contains("0 taken · 1 run done · nothing waits"), "{text:?}");
    }

    #[test]
    fn a_run_that_is_over_before_its_event_is_told_of_waits_no_more() {
        let mut live = Live::new(Look { screen: true, color: false });
        let event = event("evt_1", "cus_1");
        let done = Happening::Dispatched { event: &event, run: run("evt_1", "t", 1), to: None, took: None };
        live.happened(None, &done, at(0));
        let text = live.happened(None, &Happening::Arrived { id: "evt_1", runs: 2 }, at(0));
        assert!(text.contains("1 taken · 1 run done · 1 run waits"), "{text:?}");
        live.happened(None, &done, at(0));
        assert!(!live.moves());
    }

    #[test]
    fn lines_go_above_the_status_line_and_the_end_takes_it_away() {
        let mut live = Live::new(Look { screen: true, color: true });
        let first = live.happened(None, &Happening::Refused { reason: "one" }, at(0));
        let second = live.happened(None, &Happening::Refused { reason: "two" }, at(0));
        assert!(second.starts_with("\r\u{1b}[K"), "the status line is overwritten: {second:?}");
        for text in [&first, &second] {
            assert_eq!(text.matches('\n').count(), 1, "{text:?}");
            assert!(text.ends_with("\u{1b}[?7h"), "what follows wraps as it always did: {text:?}");
        }
        assert_eq!(live.hide(), "\r\u{1b}[K");
        assert_eq!(live.hide(), "");
        assert!(live.later(at(1)).contains("2 refused"), "it comes back");
        assert_eq!(live.end(), "\r\u{1b}[K");
        assert_eq!(live.end(), "");
        assert_eq!(live.later(at(9)), "", "it does not come back");
    }

    #[test]
    fn nothing_is_written_where_nothing_changed() {
        let mut live = Live::new(Look { screen: true, color: true });
        live.happened(None, &Happening::Refused { reason: "one" }, at(0));
        assert_eq!(live.later(at(60)), "");
        assert_eq!(plainly().later(at(60)), "");
    }

    #[test]
    fn a_text_of_somebody_elses_neither_steers_nor_forges_a_line() {
        let bad = "x\u{1b}[2J\r\nrefused  \u{202e}";
        for look in [Look { screen: true, color: true }, Look { screen: false, color: false }] {
            let mut live = Live::new(look);
            let event = event(bad, bad);
            let run = run(bad, bad, 1);
            for what in [
                Happening::Dispatched { event: &event, run, to: Some(bad), took: None },
                Happening::Known { event_type: bad, id: bad },
                Happening::Ignored { event_type: bad, id: bad, reason: bad },
                Happening::Filtered { event_type: bad, id: bad, trigger: bad },
                Happening::Refused { reason: bad },
                Happening::Failed { reason: bad },
                Happening::Retried { run, reason: bad, wait: Duration::ZERO },
                Happening::Dead { run, reason: bad },
                Happening::Told { text: bad, care: true },
            ] {
                let text = live.happened(None, &what, at(0));
                assert_eq!(text.matches('\n').count(), 1, "{text:?}");
                assert!(!text.contains("\u{1b}[2J") && !text.contains('\u{202e}'), "{text:?}");
                let line = text.split('\n').next().unwrap_or_default();
                assert!(!line.trim_start_matches('\r').contains('\r'), "{text:?}");
            }
        }
    }

    #[test]
    fn colour_is_left_out_where_nobody_wants_it_and_the_status_line_stays() {
        let text =
            Live::new(Look { screen: true, color: false }).happened(None, &Happening::Refused { reason: "x" }, at(0));
        assert!(!text.contains("\u{1b}[31m") && !text.contains("\u{1b}[1m") && text.contains("\u{1b}[K"), "{text:?}");
        let text =
            Live::new(Look { screen: false, color: true }).happened(None, &Happening::Refused { reason: "x" }, at(0));
        assert!(text.contains("\u{1b}[1m") && !text.contains("\u{1b}[K"), "{text:?}");
    }
}
