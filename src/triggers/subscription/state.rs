//! What a subscription has to remember between calls, as a text that the host keeps and nobody else reads.
//!
//! `1.FINGERPRINT.PARTS.SECRETS`: the version of the form, a guard against damage, the parts as JSON in hexadecimal, the
//! signing secrets with commas between. Nothing of it ever appears in an error. A host that takes every word of a state out
//! of what it shows finds the secrets as they are, and no word that errors are made of.

use std::borrow::Cow;
use std::fmt;

use super::endpoint::Kind;
use super::types::EventTypes;
use crate::connection;
use crate::error::{Error, Result};
use crate::json::{Doc, Node, Writer};
use crate::stripe::key::Mode;
use crate::triggers::fingerprint;

/// What a subscription remembers: of the endpoint for whole events, of that for thin ones, or of both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct States(pub Vec<State>);

/// Between the states of the two; in neither of them.
const BETWEEN: char = '~';

impl States {
    /// The text.
    pub fn write(&self) -> String {
        let states: Vec<String> = self.0.iter().map(State::write).collect();
        states.join(&BETWEEN.to_string())
    }

    /// Reads a text.
    ///
    /// # Errors
    /// As for [`State::read`]; two states of one kind.
    pub fn read(text: &str) -> Result<Self> {
        let states = text.split(BETWEEN).map(State::read).collect::<Result<Vec<State>>>()?;
        match states.as_slice() {
            [_] => Ok(Self(states)),
            [first, second] if first.kind != second.kind => Ok(Self(states)),
            _ => Err(damaged()),
        }
    }

    /// That of the endpoint of this kind.
    pub fn of(&self, kind: Kind) -> Option<&State> {
        self.0.iter().find(|state| state.kind == kind)
    }
}

fn damaged() -> Box<Error> {
    Error::input(FIELD, "the subscription's state is damaged, or is none")
        .hint("Hand in the state as the last call returned it. Without it, subscribe again.")
}

/// A subscription's state.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    /// What the endpoint delivers.
    pub kind: Kind,
    /// The endpoint's id.
    pub endpoint: String,
    /// Where it delivers.
    pub url: String,
    /// The connected account that it belongs to, where it is not the key's own.
    pub account: Option<String>,
    /// The mode of the key that it was made with.
    pub mode: Mode,
    /// What its deliveries may be signed with. Empty: the connection's own secret counts.
    pub secrets: Vec<String>,
    /// What it delivers to the platform, with spaces between: read where it is needed, and not with every delivery.
    pub types: String,
}

/// Without its secrets.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("endpoint", &self.endpoint).field("url", &self.url).finish_non_exhaustive()
    }
}

const VERSION: &str = "1";
const FIELD: &str = "state";
/// More than any state has: 275 event types of 60 characters, a URL and two secrets.
const LONGEST: usize = 64 * 1024;

impl State {
    /// The text.
    pub fn write(&self) -> String {
        let mut json = Writer::with_capacity(400);
        json.begin_object();
        json.key("endpoint").string(&self.endpoint);
        json.key("url").string(&self.url);
        if let Some(account) = &self.account {
            json.key("account").string(account);
        }
        json.key("live").boolean(self.mode == Mode::Live);
        if self.kind == Kind::Thin {
            json.key("thin").boolean(true);
        }
        json.key("types").string(&self.types);
        json.end_object();
        let parts: String = json.finish().bytes().map(|b| format!("{b:02x}")).collect();
        let content = format!("{parts}.{}", self.secrets.join(","));
        format!("{VERSION}.{}.{content}", fingerprint::written(&content))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// That it is not a state, or not whole; with no part of it.
    pub fn read(text: &str) -> Result<Self> {
        let (version, rest) = text.split_once('.').filter(|_| text.len() <= LONGEST).ok_or_else(damaged)?;
        if version != VERSION && !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::input(FIELD, "the subscription's state was made by a newer version of this connector")
                .hint("Use that version, or subscribe again without a state."));
        }
        let (guard, content) = rest.split_once('.').filter(|_| version == VERSION).ok_or_else(damaged)?;
        if guard != fingerprint::written(content) {
            return Err(damaged());
        }
        let (parts, secrets) = content.split_once('.').ok_or_else(damaged)?;
        let parts = bytes(parts).ok_or_else(damaged)?;
        let doc = Doc::scan(&parts).map_err(|_| damaged())?;
        Self::parts(doc.root(), secrets).ok_or_else(damaged)
    }

    fn parts(root: Node<'_, '_>, secrets: &str) -> Option<Self> {
        let text = |name| root.get(name).and_then(Node::as_str).map(Cow::into_owned);
        Some(Self {
            kind: match root.get("thin") {
                None => Kind::Snapshot,
                Some(thin) => thin.as_bool()?.then_some(Kind::Thin)?,
            },
            endpoint: text("endpoint")?,
            url: text("url")?,
            account: match root.get("account") {
                None => None,
                Some(account) => Some(account.as_str()?.into_owned()),
            },
            mode: if root.get("live")?.as_bool()? { Mode::Live } else { Mode::Test },
            secrets: secrets.split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
            types: text("types")?,
        })
    }

    /// What it delivers to the platform.
    pub fn event_types(&self) -> EventTypes {
        EventTypes::read(&self.types)
    }

    /// Refuses the state of another connection.
    ///
    /// # Errors
    /// Another account, or the other mode where the connection's is known.
    pub fn check_owner(&self, account: Option<&str>, mode: Option<Mode>) -> Result<()> {
        let other = |what: &str| {
            Err(Error::input(FIELD, format!("the subscription's state belongs to another connection: {what}"))
                .hint("Each connection has subscriptions of its own: hand in the state that was made with this one."))
        };
        if self.account.as_deref() != account {
            return other("it was made for another account");
        }
        match mode {
            Some(mode) if mode != self.mode => other("it was made in the other mode (test, live)"),
            _ => Ok(()),
        }
    }

    /// The same for a connection that calls are made with.
    ///
    /// # Errors
    /// As for [`Self::check_owner`].
    pub fn check_connection(&self, connection: &connection::Connection) -> Result<()> {
        self.check_owner(connection.account.as_deref(), Some(connection.key.mode))
    }
}

/// The bytes that are written in hexadecimal.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |d: u8| char::from(d).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn state() -> State {
        State {
            kind: Kind::Snapshot,
            endpoint: "we_1".into(),
            url: "https://example.com/hook?a=\"b\"".into(),
            account: Some("acct_1".into()),
            mode: Mode::Test,
            secrets: vec!["whsec_SECRET".into()],
            types: "customer.created invoice.paid".into(),
        }
    }

    #[test]
    fn survives_the_trip() {
        for state in [state(), State { account: None, mode: Mode::Live, secrets: Vec::new(), ..state() }, thin()] {
            assert_eq!(State::read(&state.write()).expect("whole"), state);
        }
    }

    fn thin() -> State {
        State { kind: Kind::Thin, endpoint: "ed_1".into(), secrets: vec!["whsec_OTHER".into()], ..state() }
    }

    #[test]
    fn a_subscription_remembers_an_endpoint_of_each_kind() {
        for states in [States(vec![state()]), States(vec![thin()]), States(vec![state(), thin()])] {
            assert_eq!(States::read(&states.write()).expect("whole"), states);
            assert_eq!(states.of(Kind::Thin).is_some(), states.write().contains("OTHER"));
        }
        let twice = States(vec![state(), state()]).write();
        let third = States(vec![state(), thin(), state()]).write();
        for bad in [twice, third, String::new(), "~".into(), state().write() + "~"] {
            let error = States::read(&bad).expect_err("refused");
            assert_eq!(error.field.as_deref(), Some("state"), "{bad}");
            assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
        }
    }

    #[test]
    fn a_damaged_state_is_refused_without_showing_the_secret() {
        let text = state().write();
        for bad in [
            String::new(),
            "{}".into(),
            text.replace("whsec_S", "whsec_s"),
            text.replace("SECRET", "SECRET,whsec_SECRET"),
            text.trim_end_matches('T').into(),
            text.replace(".whsec", "whsec"),
            format!("{text} "),
            text.replacen("1.", ".", 1),
            text.replacen("1.", "01.", 1),
            "x".repeat(LONGEST + 1),
        ] {
            let error = State::read(&bad).expect_err("refused");
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("state")), "{bad}");
            assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
        }
        let newer = State::read(&text.replacen("1.", "2.", 1)).expect_err("refused");
        assert!(newer.message.contains("newer version"));
        assert!(!format!("{:?}", state()).contains("SECRET"));
    }

    #[test]
    fn no_word_of_it_but_the_secret_may_stand_in_an_error() {
        let text = state().write();
        for word in ["we_1", "example", "customer", "acct_1", "invoice"] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(text.ends_with(".whsec_SECRET"));
    }

    #[test]
    fn the_state_of_another_account_or_mode_is_refused() {
        assert!(state().check_owner(Some("acct_1"), Some(Mode::Test)).is_ok());
        assert!(state().check_owner(Some("acct_1"), None).is_ok());
        for (account, mode) in [(None, Mode::Test), (Some("acct_2"), Mode::Test), (Some("acct_1"), Mode::Live)] {
            let error = state().check_owner(account, Some(mode)).expect_err("refused");
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("state")));
            assert!(!format!("{error:?}").contains("SECRET"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_state_or_an_error(text in prop_oneof![".{0,60}", "1\\.[0-9a-f]{16}\\.\\{.{0,40}\\}"]) {
            let _ = State::read(&text);
        }

        #[test]
        fn any_json_under_a_right_guard_is_a_state_or_an_error(
            json in r#"\{("(endpoint|url|account|live|types)":("a"|true|\["b"\]|1|null|\{\}),?){0,5}\}"#, more in ".{0,9}",
        ) {
            let parts: String = json.replace(",}", "}").bytes().map(|b| format!("{b:02x}")).collect();
            for content in [format!("{parts}.{more}"), format!("{more}{parts}."), more] {
                let _ = State::read(&format!("1.{}.{content}", fingerprint::written(&content)));
            }
        }

        #[test]
        fn one_changed_character_is_noticed(at in any::<prop::sample::Index>(), other in "[ -~]") {
            let text = state().write();
            let at = at.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(State::read(&changed).is_ok(), changed == text);
        }
    }
}
