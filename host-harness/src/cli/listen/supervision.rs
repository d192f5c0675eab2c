//! Keeps the program running: takes its secret, starts it again when it dies, ends it with us.

use std::time::Duration;

use host::Secret;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cli::listen::life::{Heard, Life};
use crate::cli::listen::patience::Patience;
use crate::cli::listen::program::{Asked, Program};
use crate::cli::listen::said::Said;

/// So long the end of a life is waited for: longer than its keeper takes.
const END: Duration = Duration::from_secs(4);

/// What there is to know of it.
pub enum News {
    /// It listens. What it posts is signed with this from now on, which may be another secret than before.
    Ready(Secret),
    /// It ended, and is started again after this pause.
    Ended { reason: String, again: Duration },
    /// It was never ready, and is not tried again.
    GivenUp { reason: String },
}

/// A program that is kept running until this is stopped or dropped.
pub struct Listening {
    news: mpsc::Receiver<News>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Starts it.
    pub fn start(program: Program, asked: Asked, patience: Patience) -> Self {
        // Who does not look for long holds the supervision up, and not its end.
        let (sender, news) = mpsc::channel(16);
        let (stop, stopped) = oneshot::channel();
        let supervision = Supervision { program, asked, patience, news: sender, names_what: true };
        let task = tokio::spawn(supervision.run(stopped));
        Self { news, stop: Some(stop), task }
    }

    /// What is new. After it was given up there is nothing, and this does not end.
    pub async fn news(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// Ends it, and waits for its end.
    pub async fn stop(mut self) {
        self.stop = None;
        // It is bounded by itself.
        let _ = (&mut self.task).await;
    }
}

struct Supervision {
    program: Program,
    asked: Asked,
    patience: Patience,
    news: mpsc::Sender<News>,
    names_what: bool,
}

/// How a life was.
enum Lived {
    /// We ended it.
    Stopped,
    /// It is of a version that must be asked in other words.
    Older,
    Ended {
        reason: String,
        was_ready: bool,
        /// To start it again would change nothing.
        settled: bool,
    },
}

impl Supervision {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let (mut ever_ready, mut short_lives) = (false, 0);
        loop {
            let began = Instant::now();
            let (reason, settled) = match self.live(&mut stopped).await {
                Lived::Stopped => return,
                Lived::Older => {
                    self.names_what = false;
                    continue;
                }
                Lived::Ended { reason, was_ready, settled } => {
                    ever_ready |= was_ready;
                    short_lives =
                        if was_ready && began.elapsed() >= self.patience.steady { 1 } else { short_lives + 1 };
                    (reason, settled)
                }
            };
            if !ever_ready && (settled || short_lives >= self.patience.tries) {
                self.tell(News::GivenUp { reason }, &mut stopped).await;
                return;
            }
            let again = self.patience.pause(short_lives);
            if ever_ready && self.tell(News::Ended { reason, again }, &mut stopped).await {
                return;
            }
            tokio::select! {
                () = sleep(again) => {}
                _ = &mut stopped => return,
            }
        }
    }

    /// Tells what is new, and whether an end is wanted meanwhile.
    async fn tell(&self, news: News, stopped: &mut oneshot::Receiver<()>) -> bool {
        tokio::select! {
            _ = self.news.send(news) => false,
            _ = stopped => true,
        }
    }

    /// One life, from its start to its end.
    async fn live(&self, stopped: &mut oneshot::Receiver<()>) -> Lived {
        let ended = |reason: String| Lived::Ended { reason, was_ready: false, settled: true };
        let Some(command) = self.program.command(&self.asked, self.names_what) else {
            return ended("there is nothing to start".to_owned());
        };
        let mut life = match Life::begin(command, &self.asked.key) {
            Ok(life) => life,
            Err(error) => return ended(format!("it cannot be started: {error}")),
        };
        let late = sleep_until(Instant::now() + self.patience.ready);
        tokio::pin!(late);
        let (mut was_ready, mut settled, mut older) = (false, false, false);
        // What it said last is why it ended; a login that it asks for wins.
        let mut last = None;
        let how = loop {
            let heard = tokio::select! {
                heard = life.heard() => heard,
                () = &mut late, if !was_ready => {
                    let waited = self.patience.ready.as_secs_f32();
                    finish(&mut life).await;
                    last = None;
                    break format!("it named no signing secret within {waited} s");
                }
                _ = &mut *stopped => {
                    finish(&mut life).await;
                    return Lived::Stopped;
                }
            };
            match heard {
                None => break "it ended".to_owned(),
                Some(Heard::Ended(how)) => break how,
                Some(Heard::Said(Said::Secret(secret))) if !was_ready => {
                    was_ready = true;
                    if self.tell(News::Ready(secret), stopped).await {
                        finish(&mut life).await;
                        return Lived::Stopped;
                    }
                }
                Some(Heard::Said(Said::Secret(_) | Said::Nothing)) => {}
                Some(Heard::Said(Said::Older)) => older = true,
                Some(Heard::Said(Said::Unknown(text))) => {
                    // An event that speaks of a login is no wish for one.
                    settled = !was_ready;
                    last = Some(text);
                }
                Some(Heard::Said(Said::Other(text))) => {
                    if !settled {
                        last = Some(text);
                    }
                }
            }
        };
        if older && !was_ready && self.names_what {
            return Lived::Older;
        }
        let reason = last.map_or_else(|| how.clone(), |said| format!("{how}: {said}"));
        Lived::Ended { reason, was_ready, settled }
    }
}

/// Ends a life and waits for it.
async fn finish(life: &mut Life) {
    life.close();
    let end = async { while !matches!(life.heard().await, None | Some(Heard::Ended(_))) {} };
    // A keeper that does not end by itself is left to the system.
    let _ = timeout(END, end).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::plain;

    const SECRET: &str = "whsec_abcdefghijklmnop0123456789";

    /// Ends when its standard input does, as everything under a keeper.
    const WAITS: &str = "cat >/dev/null";

    struct StandIn {
        listening: Listening,
        folder: tempfile::TempDir,
    }

    impl StandIn {
        /// A program that does this; `$HERE` is a folder of its own.
        fn that(does: &str, ready: Duration) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let script = folder.path().join("stripe");
            std::fs::write(&script, format!("HERE='{}'\n{does}\n", folder.path().display())).unwrap();
            let asked = Asked {
                key: Secret::new("sk_test_hidden".to_owned()),
                forward_to: "http://127.0.0.1:1/webhooks/stripe".to_owned(),
                api_base: None,
            };
            let pause = Duration::from_millis(1);
            let patience = Patience { ready, tries: 3, first: pause, longest: pause * 4, ..Patience::default() };
            Self { listening: Listening::start(Program::standing_in(&script), asked, patience), folder }
        }

        /// What is new, in short. A test that nothing comes to fails by the clock.
        async fn news(&mut self) -> String {
            match timeout(Duration::from_secs(30), self.listening.news()).await.unwrap() {
                News::Ready(secret) => format!("ready {}", secret.expose()),
                News::Ended { reason, .. } => format!("ended: {}", plain(&reason)),
                News::GivenUp { reason } => format!("given up: {}", plain(&reason)),
            }
        }

        fn wrote(&self, name: &str) -> String {
            std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn its_secret_is_taken_and_it_ends_with_us() {
        let does = format!(
            "echo 'Getting ready...' >&2; echo 'Ready! secret is {SECRET} (^C to quit)' >&2; {WAITS}; echo gone >$HERE/gone"
        );
        let mut program = StandIn::that(&does, LONG);
        assert_eq!(program.news().await, format!("ready {SECRET}"));
        let StandIn { listening, folder } = program;
        listening.stop().await;
        assert_eq!(std::fs::read_to_string(folder.path().join("gone")).unwrap(), "gone\n");
    }

    #[tokio::test]
    async fn one_that_dies_is_started_again_and_its_new_secret_taken() {
        // Another secret each time.
        let does =
            format!("echo x >>$HERE/lives; echo {SECRET}$(wc -l <$HERE/lives | tr -d ' '); echo why >&2; exit 7");
        let mut program = StandIn::that(&does, LONG);
        for life in 1..=5 {
            assert_eq!(program.news().await, format!("ready {SECRET}{life}"));
            assert_eq!(program.news().await, "ended: it ended with status 7: why");
        }
        program.listening.stop().await;
    }

    #[tokio::test]
    async fn one_that_crashes_at_once_is_tried_a_few_times() {
        let mut program = StandIn::that("echo x >>$HERE/lives; echo broken >&2; kill -9 $$", LONG);
        assert_eq!(program.news().await, "given up: it was killed: broken");
        assert_eq!(program.wrote("lives").lines().count(), 3);
    }

    #[tokio::test]
    async fn one_that_hangs_and_says_nothing_is_ended_and_given_up() {
        let does = format!("echo x >>$HERE/lives; {WAITS}; echo x >>$HERE/ends");
        let mut program = StandIn::that(&does, Duration::from_millis(300));
        assert_eq!(program.news().await, "given up: it named no signing secret within 0.3 s");
        assert_eq!((program.wrote("lives"), program.wrote("ends")), ("x\n".repeat(3), "x\n".repeat(3)));
    }

    #[tokio::test]
    async fn garbage_is_no_secret_and_holds_nothing_up() {
        let does = format!(
            "head -c 300000 /dev/urandom; head -c 300000 /dev/zero; printf 'whsec_\\nwhsec_short\\n\\033]0;x\\007'; \
             echo; echo {SECRET}; head -c 300000 /dev/zero; {WAITS}"
        );
        let mut program = StandIn::that(&does, LONG);
        assert_eq!(program.news().await, format!("ready {SECRET}"));
        program.listening.stop().await;
    }

    #[tokio::test]
    async fn one_that_wants_a_login_is_not_asked_twice() {
        let does = "echo x >>$HERE/lives; echo 'You have not configured API keys yet'; echo 'To mend it: …'; exit 1";
        let mut program = StandIn::that(does, LONG);
        assert_eq!(program.news().await, "given up: it ended with status 1: You have not configured API keys yet");
        assert_eq!(program.wrote("lives"), "x\n");
    }

    #[tokio::test]
    async fn an_older_one_is_asked_in_its_own_words() {
        let does = format!(
            "case \"$*\" in *--all-snapshot*) echo 'unknown flag: --all-snapshot' >&2; exit 1;; esac; echo {SECRET}; {WAITS}"
        );
        let mut program = StandIn::that(&does, LONG);
        assert_eq!(program.news().await, format!("ready {SECRET}"));
        program.listening.stop().await;
    }

    #[tokio::test]
    async fn no_reason_has_the_key_in_it() {
        let mut program = StandIn::that("echo \"$STRIPE_API_KEY is wrong, as is sk_test_other\"; exit 1", LONG);
        assert_eq!(program.news().await, "given up: it ended with status 1: … is wrong, as is sk_test_…");
    }

    #[tokio::test]
    async fn one_that_cannot_be_started_is_given_up() {
        let program = Program::standing_in(std::path::Path::new("/nowhere/at/all"));
        let asked = Asked { key: Secret::new(String::new()), forward_to: String::new(), api_base: None };
        let patience = Patience { first: Duration::ZERO, ..Patience::default() };
        let mut listening = Listening::start(program, asked, patience);
        assert!(matches!(listening.news().await, News::GivenUp { reason } if reason.contains("/nowhere/at/all")));
    }
}
