//! Brings the endpoint of an address to what is wanted of it, whatever else happens to it meanwhile.
//!
//! Each round looks at all endpoints of the account, and then changes what is not as it should be; when a round finds
//! nothing to change, it is done. So a change of somebody else's, an endpoint that is made or removed at the same time
//! and a repeated answer that tells of earlier times are all seen by the next look. Whoever writes last looks last.
//!
//! Where an address has several endpoints of ours (two calls made one each at the same time, or an answer was lost), each
//! gets all event types, and the oldest counts. A call removes the one that it has just made itself, unless another has
//! begun to rely on it; those of others only go where the state says which of them the platform relies on.

use super::endpoint::{self, Change, Endpoint, Kind, Recipe};
use super::labels::Labels;
use super::secret::{self, Secret};
use super::state::State;
use super::types::EventTypes;
use crate::error::{Error, ErrorKind, Outcome, ResourceRef, Result, Retry};
use crate::operation::session::{Metadata, Session};
use crate::stripe::client::Answer;
use crate::triggers::extra::{self, Extra};

/// What is wanted.
#[derive(Debug)]
pub struct Wish<'a> {
    /// What the endpoint delivers.
    pub kind: Kind,
    /// Where to deliver.
    pub url: &'a str,
    /// What to deliver.
    pub types: EventTypes,
    /// What is remembered of the endpoint.
    pub state: Option<&'a State>,
    /// The input field that asks for events of accounts which an endpoint of ours does not hear of.
    pub foreign: Option<String>,
}

/// The endpoint, as it was found last.
pub struct Kept {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What its deliveries are signed with. Empty: the connection's own secret counts.
    pub secrets: Vec<String>,
    /// How it came about: the request that made it, or else the last that changed it, or that looked.
    pub metadata: Metadata,
    /// What else is said.
    pub extras: Vec<Extra>,
}

/// One for each change that may be needed, and a few for those who change something at the same time.
const ROUNDS: u32 = 10;
/// How often an endpoint is made within one call: earlier runs may have made and removed some with the same keys.
const MOST_MADE: u32 = 6;

/// Brings it about.
///
/// # Errors
/// Stripe's refusal; no answer; an endpoint whose secret nobody knows; somebody who keeps changing it.
pub fn keep(session: &Session<'_>, wish: Wish<'_>) -> Result<Kept> {
    let mut upkeep = Upkeep {
        session,
        wish,
        secrets: Vec::new(),
        made: 0,
        own: Vec::new(),
        making: None,
        written: None,
        mended: Vec::new(),
    };
    for number in 0..ROUNDS {
        match upkeep.round(number) {
            Ok(Some(found)) => return Ok(upkeep.finish(found)),
            Ok(None) => {}
            Err(error) => return upkeep.salvage(error),
        }
    }
    let mut error = conflict("the endpoint of this URL is being changed by somebody else all the time");
    error.retry = Retry::After(10_000);
    upkeep.salvage(error)
}

struct Upkeep<'a, 's> {
    session: &'a Session<'s>,
    wish: Wish<'a>,
    /// By endpoint.
    secrets: Vec<(String, Secret)>,
    /// How many were made.
    made: u32,
    /// The endpoints that this call has made.
    own: Vec<String>,
    /// How the last one that was made came about.
    making: Option<Metadata>,
    /// What the last change was answered with, and the endpoint in it where that is as wished.
    written: Option<(Answer, Option<Endpoint>)>,
    mended: Vec<&'static str>,
}

/// What a look found: the endpoint, whose it is, and who else delivers to the address.
struct Found {
    endpoint: Endpoint,
    others: Vec<String>,
    answer: Answer,
}

impl Upkeep<'_, '_> {
    /// One look and what follows from it; the endpoint when all is well.
    fn round(&mut self, number: u32) -> Result<Option<Found>> {
        let (all, answer) = endpoint::list(self.session, self.wish.kind)?;
        // The oldest first.
        let mut here: Vec<Endpoint> = Vec::new();
        for one in all.iter().filter(|e| e.delivers_to(self.wish.url) || self.is_remembered(e)) {
            let place = here.partition_point(|e| (e.created, &e.id) < (one.created, &one.id));
            here.insert(place, one.clone());
        }
        let Some(chosen) = self.choose(&here)? else {
            self.check_own_accounts()?;
            self.make(&all)?;
            return Ok(None);
        };
        if chosen.labels.made.is_some() {
            self.check_own_accounts()?;
        }
        let ours: Vec<&Endpoint> = here.iter().filter(|e| e.id == chosen.id || e.labels.made.is_some()).collect();
        let mut types = self.wish.types.clone();
        ours.iter().for_each(|e| types.add(&e.labels.subscribed()));
        let mut changed = false;
        for one in &ours {
            let change = self.change_of(one, &types, one.id == chosen.id, number == 0);
            changed |= self.apply(one, &change, number)?;
        }
        if !changed {
            let others = ours.iter().filter(|e| e.id != chosen.id);
            for double in others {
                changed |= self.give_up(double, self.is_remembered(&chosen), number)?;
            }
        }
        if changed {
            return Ok(None);
        }
        let others = here.into_iter().map(|e| e.id).filter(|id| *id != chosen.id).collect();
        Ok(Some(Found { endpoint: chosen, others, answer }))
    }

    /// Removes an endpoint beside the one that counts, or takes the next step to it; says whether there was one.
    /// `known`: the state tells which of them the platform relies on.
    fn give_up(&mut self, double: &Endpoint, known: bool, number: u32) -> Result<bool> {
        let labels = &double.labels;
        let is_ready = labels.leaving && !labels.used;
        if known || is_ready && self.own.contains(&double.id) {
            endpoint::remove(self.session, self.wish.kind, &double.id)?;
            return Ok(true);
        }
        // Whoever chooses it from now on sees that it is leaving, and whoever has chosen it before is seen next time.
        let leaving = !labels.used;
        if !self.own.contains(&double.id) || labels.leaving == leaving {
            return Ok(false);
        }
        let mut next = labels.clone();
        next.leaving = leaving;
        let metadata = next.since(labels);
        self.apply(double, &Change { metadata, ..Change::default() }, number)
    }

    /// Whether it is the endpoint of the state.
    fn is_remembered(&self, endpoint: &Endpoint) -> bool {
        self.wish.state.is_some_and(|s| s.endpoint == endpoint.id)
    }

    /// The endpoint that counts, of those of the address, the oldest first.
    fn choose(&mut self, here: &[Endpoint]) -> Result<Option<Endpoint>> {
        let by_connection = self.session.connection.has_webhook_secret;
        if let Some(remembered) = here.iter().find(|e| self.is_remembered(e)) {
            let secrets = self.wish.state.map(|s| s.secrets.as_slice()).unwrap_or_default();
            if secrets.is_empty() && !by_connection {
                return Err(self.unknown_secret(remembered, "the connection has no `webhook_secret` any more"));
            }
            return Ok(Some(remembered.clone()));
        }
        let mut lost = None;
        let stays = |e: &&Endpoint| !e.labels.leaving || self.own.contains(&e.id);
        let marked: Vec<&Endpoint> = here.iter().filter(|e| e.labels.made.is_some()).filter(stays).collect();
        for ours in marked {
            match self.secret_of(ours)? {
                Secret::Known(_) => return Ok(Some(ours.clone())),
                Secret::Lost(why) => {
                    lost.get_or_insert((ours, why));
                }
            }
        }
        let by_hand = here.iter().find(|e| e.labels.made.is_none());
        match (by_hand, lost) {
            (Some(found), _) | (None, Some((found, _))) if by_connection => Ok(Some(found.clone())),
            (_, Some((ours, why))) => Err(self.unknown_secret(ours, &why)),
            (Some(theirs), None) => Err(self.unknown_secret(theirs, "a person made it")),
            (None, None) => Ok(None),
        }
    }

    fn secret_of(&mut self, endpoint: &Endpoint) -> Result<Secret> {
        if let Some(known) = self.known_secret(endpoint) {
            return Ok(known.clone());
        }
        let secret = secret::recover(self.session, self.wish.kind, endpoint, self.wish.url)?;
        self.secrets.push((endpoint.id.clone(), secret.clone()));
        Ok(secret)
    }

    /// The latest that is known.
    fn known_secret(&self, endpoint: &Endpoint) -> Option<&Secret> {
        self.secrets.iter().find(|(id, _)| *id == endpoint.id).map(|(_, secret)| secret)
    }

    /// What is missing at an endpoint. `first`: nothing was changed yet, so what it delivers beyond its labels is what a
    /// person has set.
    fn change_of(&mut self, one: &Endpoint, types: &EventTypes, counts: bool, first: bool) -> Change {
        let mut labels = one.labels.clone();
        if first {
            labels.adopt(&one.types);
        }
        labels.subscribe(types);
        if counts {
            labels.leaving = false;
            labels.used |= labels.made.is_some() && !self.own.contains(&one.id) && !self.is_remembered(one);
        }
        let wanted = labels.wanted();
        let moved = counts && !one.delivers_to(self.wish.url);
        let relied_on = first && self.is_remembered(one);
        let lacks =
            self.wish.state.is_some_and(|s| !one.types.is_all() && !s.event_types().without(&one.types).is_empty());
        for (what, is) in [("status", !one.enabled), ("url", moved), ("event-types", lacks)] {
            if relied_on && is {
                self.mended.push(what);
            }
        }
        Change {
            types: (wanted != one.types).then_some(wanted),
            metadata: labels.since(&one.labels),
            enable: !one.enabled,
            url: moved.then(|| self.wish.url.to_owned()),
        }
    }

    /// Changes an endpoint; says whether there was anything to change.
    fn apply(&mut self, one: &Endpoint, change: &Change, number: u32) -> Result<bool> {
        if change.is_empty() {
            return Ok(false);
        }
        match endpoint::change(self.session, self.wish.kind, &one.id, change, number) {
            Ok(answer) => self.note(answer),
            // Somebody has removed it meanwhile: the next look tells what there is.
            Err(error) if endpoint::is_gone(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Makes an endpoint.
    fn make(&mut self, all: &[Endpoint]) -> Result<()> {
        if self.made >= MOST_MADE {
            let message = "the endpoints that this run made are removed again and again";
            return Err(conflict(message).hint("Run it again as a new run, with another invocation id."));
        }
        let key = endpoint::key_of_making(self.session, self.wish.kind, self.made)?;
        self.made += 1;
        let types = Labels::first_part(&self.wish.types);
        let recipe = Recipe { url: self.wish.url, api_version: endpoint::own_version(), key: &key, types: &types };
        match endpoint::make(self.session, self.wish.kind, &recipe) {
            Ok(made) => {
                let id = made.endpoint.id;
                self.secrets.insert(0, (id.clone(), Secret::Known(made.secret)));
                if !made.answer.replayed {
                    self.own.push(id);
                }
                self.making = Some(self.session.metadata(&made.answer));
                self.note(made.answer);
                Ok(())
            }
            // An earlier run used the key for another URL or other types. The look before has shown that there is no
            // endpoint to be doubled.
            Err(error) if error.kind == ErrorKind::Idempotency && error.http_status == Some(400) => Ok(()),
            Err(error) => Err(of_too_many(error, self.wish.kind, all)),
        }
    }

    /// Remembers a change's answer, and the endpoint in it where that is as wished now.
    fn note(&mut self, answer: Answer) {
        let endpoint = Endpoint::read(self.wish.kind, answer.body.root()).filter(|e| {
            let delivered = e.types.is_all() || self.wish.types.without(&e.types).is_empty();
            delivered && e.enabled && !answer.replayed && self.secrets_for(e).is_some()
        });
        self.written = Some((answer, endpoint));
    }

    /// What an endpoint's deliveries are signed with, where that is known.
    fn secrets_for(&self, endpoint: &Endpoint) -> Option<Vec<String>> {
        let by_connection = self.session.connection.has_webhook_secret.then(Vec::new);
        match (self.wish.state.filter(|_| self.is_remembered(endpoint)), self.known_secret(endpoint)) {
            (Some(state), _) => Some(state.secrets.clone()).filter(|s| !s.is_empty()).or(by_connection),
            (None, Some(Secret::Known(secret))) => Some(vec![secret.clone()]),
            _ => by_connection,
        }
    }

    fn finish(self, found: Found) -> Kept {
        let Found { endpoint, others, answer } = found;
        let mut extras = self.extras(&endpoint);
        if !others.is_empty() {
            extras.push(extra::texts("other-endpoints", others.iter().map(String::as_str)));
        }
        let secrets = self.secrets_for(&endpoint).unwrap_or_default();
        let answer = self.written.as_ref().map_or(&answer, |(written, _)| written);
        Kept { endpoint, secrets, metadata: self.metadata(answer), extras }
    }

    /// What is known when something fails: an endpoint that Stripe has said to be as wished is a success, for its secret
    /// is told once.
    fn salvage(mut self, mut error: Box<Error>) -> Result<Kept> {
        if let Some((answer, Some(endpoint))) = self.written.take() {
            let mut extras = self.extras(&endpoint);
            extras.push(extra::text("not-looked-at-again", &error.message));
            let secrets = self.secrets_for(&endpoint).unwrap_or_default();
            return Ok(Kept { endpoint, secrets, metadata: self.metadata(&answer), extras });
        }
        if !self.own.is_empty() {
            error.outcome = Outcome::Committed;
            if error.retry == Retry::Never {
                error.retry = Retry::SameKey;
            }
            let resource = self.wish.kind.resource();
            let made = self.own.iter().map(|id| ResourceRef { resource: resource.into(), id: id.clone() });
            error.related.extend(made);
        }
        error.attempts = self.session.attempts();
        Err(error)
    }

    fn metadata(&self, answer: &Answer) -> Metadata {
        let metadata = self.making.clone().unwrap_or_else(|| self.session.metadata(answer));
        Metadata { attempts: self.session.attempts(), ..metadata }
    }

    fn extras(&self, endpoint: &Endpoint) -> Vec<Extra> {
        let mut extras = Vec::new();
        if self.secrets_for(endpoint).is_none_or(|s| s.is_empty()) {
            extras.push(extra::text("signed-with", "webhook_secret"));
        }
        if let Some(version) = endpoint.api_version.as_deref().filter(|v| *v != endpoint::own_version()) {
            extras.push(extra::text("endpoint-api-version", version));
        }
        if let Some(state) = self.wish.state.filter(|s| s.endpoint != endpoint.id) {
            extras.push(extra::text("replaces", &state.endpoint));
        }
        if !self.mended.is_empty() {
            extras.push(extra::texts("mended", self.mended.iter().copied()));
        }
        extras
    }

    /// Refuses filters on accounts that an endpoint of ours would never hear of.
    fn check_own_accounts(&self) -> Result<()> {
        let Some(field) = &self.wish.foreign else { return Ok(()) };
        let message = "an endpoint that subscribing makes delivers the events of the connection's own account only";
        let mut error = Error::input(field, message).hint(
            "For events of connected accounts, make an endpoint of this URL for them at https://dashboard.stripe.com/webhooks and put its secret into the connection's `webhook_secret`.",
        );
        error.outcome = self.untouched();
        Err(error)
    }

    fn unknown_secret(&self, endpoint: &Endpoint, why: &str) -> Box<Error> {
        let id = &endpoint.id;
        let mut error = conflict(&format!(
            "this URL has the {} {id} already, and what its deliveries are signed with is not known: {why}",
            self.wish.kind.noun(),
        ));
        error.outcome = self.untouched();
        error.related.push(ResourceRef { resource: self.wish.kind.resource().into(), id: id.clone() });
        error.hint(format!(
            "Hand in the state of its subscription; or put its secret (whsec_…, at https://dashboard.stripe.com/webhooks) into the connection's `webhook_secret`; or delete {id} and subscribe again."
        ))
    }

    /// What the invocation has done where this call has only looked.
    fn untouched(&self) -> Outcome {
        let in_doubt = self.session.invocation.history.is_some_and(|h| h.in_doubt);
        if in_doubt { Outcome::Unknown } else { Outcome::Rejected }
    }
}

fn conflict(message: &str) -> Box<Error> {
    let mut error = Error::new(ErrorKind::Conflict, message);
    error.outcome = Outcome::Rejected;
    error
}

/// Stripe's limit on endpoints: which there are is what one needs to know to remove one.
fn of_too_many(error: Box<Error>, kind: Kind, all: &[Endpoint]) -> Box<Error> {
    const MOST: usize = 16;
    if all.len() < MOST || error.http_status != Some(400) {
        return error;
    }
    let mut error = error;
    let mut listed = Vec::new();
    for one in all {
        let status = if one.enabled { "enabled" } else { "disabled" };
        listed.push([&one.id, " (", status, ") ", &shown(&one.url)].concat());
        error.related.push(ResourceRef { resource: kind.resource().into(), id: one.id.clone() });
    }
    let count = all.len().to_string();
    error.hint(
        [
            "The account has ",
            &count,
            " ",
            kind.noun(),
            "s: remove one that nothing needs, a disabled one first. ",
            &listed.join(", "),
            ".",
        ]
        .concat(),
    )
}

/// An address without what may be secret in it: user and password, query, fragment.
fn shown(url: &str) -> String {
    const LONGEST: usize = 100;
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}").chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        assert_eq!(shown("https://user:pass@example.com/hooks/1?token=abc#x"), "https://example.com/hooks/1");
        assert_eq!(shown("https://example.com"), "https://example.com");
    }
}
