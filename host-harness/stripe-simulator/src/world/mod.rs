//! The state: accounts, the objects in them, their events, and the answers kept for idempotency keys.
//!
//! An account is what one key mode and one `Stripe-Account` see. What happens in one reaches another by [`errands`]
//! alone, except that the endpoints of the key's own account can hear of those that it acts for. Every account has one
//! lock, held for one operation and never across an await. What the operations *do* to the state is
//! `resources`' business; how they are reached is `protocol`'s.

mod account;
mod chronicle;
mod clock;
mod errands;
mod events;
mod ids;
pub(crate) mod instant;
mod later;
mod shelf;
mod thin_changes;
pub(crate) mod thin_events;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

pub(crate) use account::{Account, Cause, OWN_ACCOUNT, Slot, contains, written};
pub(crate) use chronicle::Chronicle;
pub(crate) use clock::{freeze, machine, moment, now};
pub(crate) use errands::Work;
pub(crate) use events::Event;
pub(crate) use ids::Ids;
pub(crate) use later::{Task, keep};
pub(crate) use shelf::Shelf;
pub(crate) use thin_events::ThinEvent;

use crate::Options;
use crate::older;
use crate::webhooks::{Job, Target};

/// A JSON object of the API.
pub(crate) type Object = serde_json::Map<String, serde_json::Value>;

/// Mode, and the id of an account.
type Owner = (bool, Box<str>);

/// What is the same for every account.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The URL that browsers and clients reach the simulator by.
    pub(crate) base_url: String,
    /// The API version of requests that name none.
    pub(crate) account_version: Arc<str>,
    /// How far the clock is ahead, in seconds.
    pub(crate) skew: Arc<AtomicI64>,
    /// What ids are made from.
    pub(crate) seed: u64,
    /// How long a banking day lasts.
    pub(crate) banking_day: Duration,
    /// Rings when something is due earlier than was known, and when the clock was moved.
    pub(crate) alarm: Notify,
    errands: errands::Errands,
    external_accounts: Mutex<HashMap<Owner, Vec<Object>>>,
    /// Where events of connected accounts go besides, by mode, in the order that the endpoints were created.
    platform: Mutex<Vec<(bool, Arc<Target>)>>,
}

impl Settings {
    pub(crate) fn new(options: &Options, address: SocketAddr) -> Self {
        let version = options.account_version.as_deref().unwrap_or(older::ACCOUNT_DEFAULT);
        let by_clock = || {
            let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_nanos());
            (nanos as u64) ^ u64::from(address.port()).rotate_left(48)
        };
        Self {
            base_url: format!("http://{address}"),
            account_version: version.into(),
            skew: Arc::default(),
            seed: options.seed.unwrap_or_else(by_clock),
            banking_day: options.banking_day,
            alarm: Notify::new(),
            errands: errands::Errands::default(),
            external_accounts: Mutex::default(),
            platform: Mutex::default(),
        }
    }

    /// The external accounts of an account, in the order that they were added. They are kept beside the accounts:
    /// a platform adds them to an account that it is not.
    pub(crate) fn external_accounts(&self, live: bool, account: &str) -> Vec<Object> {
        let all = self.external_accounts.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(live, account.into())).cloned().unwrap_or_default()
    }

    /// Replaces them.
    pub(crate) fn set_external_accounts(&self, live: bool, account: &str, external: Vec<Object>) {
        let mut all = self.external_accounts.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((live, account.into()), external);
    }

    /// Puts the endpoint of a platform in its place, or takes it out of it.
    fn aim(&self, live: bool, id: &str, target: Option<Arc<Target>>) {
        let mut platform = self.platform.lock().unwrap_or_else(PoisonError::into_inner);
        let place = platform.iter().position(|(_, t)| *t.id == *id);
        let target = target.filter(|t| t.connected).map(|t| (live, t));
        match (place, target) {
            (Some(place), Some(new)) => platform.splice(place..=place, [new]).for_each(drop),
            (Some(place), None) => drop(platform.remove(place)),
            (None, Some(new)) => platform.push(new),
            (None, None) => {}
        }
    }

    /// The endpoints of platforms that hear of accounts connected to them.
    fn platform_targets(&self, live: bool) -> Vec<Arc<Target>> {
        let platform = self.platform.lock().unwrap_or_else(PoisonError::into_inner);
        platform.iter().filter(|(l, _)| *l == live).map(|(_, t)| Arc::clone(t)).collect()
    }
}

/// Whose data a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    /// Live mode or test mode.
    pub(crate) live: bool,
    /// The connected account, when the request acts for one.
    pub(crate) account: Option<Box<str>>,
}

/// Everything that the simulator remembers.
#[derive(Debug)]
pub(crate) struct World {
    accounts: RwLock<HashMap<Scope, Arc<Mutex<Account>>>>,
    settings: Arc<Settings>,
    jobs: UnboundedSender<Job>,
    request_ids: Mutex<Ids>,
}

impl World {
    pub(crate) fn new(settings: Settings, jobs: UnboundedSender<Job>) -> Self {
        let request_ids = Mutex::new(Ids::new(settings.seed ^ 0x5eed));
        Self { accounts: RwLock::default(), settings: Arc::new(settings), jobs, request_ids }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A new request id.
    pub(crate) fn request_id(&self) -> String {
        self.request_ids.lock().unwrap_or_else(PoisonError::into_inner).make("req")
    }

    /// The account of a scope; it comes into being when it is first asked for.
    pub(crate) fn account(&self, scope: &Scope) -> Arc<Mutex<Account>> {
        if let Some(account) = self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(scope) {
            return Arc::clone(account);
        }
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let number = accounts.len() as u64;
        let made = accounts.entry(scope.clone()).or_insert_with(|| {
            let ids = Ids::of_account(self.settings.seed, number);
            Arc::new(Mutex::new(Account::new(scope.clone(), Arc::clone(&self.settings), ids, self.jobs.clone())))
        });
        Arc::clone(made)
    }

    /// Every account, in a steady order.
    pub(crate) fn accounts(&self) -> Vec<(Scope, Arc<Mutex<Account>>)> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = accounts.iter().map(|(s, a)| (s.clone(), Arc::clone(a))).collect();
        all.sort_by(|(a, _), (b, _)| (a.live, &a.account).cmp(&(b.live, &b.account)));
        all
    }

    /// The account that an object is in: pages that a browser opens name the object and no key.
    pub(crate) fn account_with(&self, kind: &'static str, id: &str) -> Option<Arc<Mutex<Account>>> {
        let accounts: Vec<_> =
            self.accounts.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        accounts.into_iter().find(|a| lock(a).exists(kind, id))
    }

    /// Whether the same account holds an object in the other mode.
    pub(crate) fn in_other_mode(&self, scope: &Scope, kind: &'static str, id: &str) -> bool {
        let other = Scope { live: !scope.live, account: scope.account.clone() };
        let account = self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(&other).map(Arc::clone);
        account.is_some_and(|a| lock(&a).exists(kind, id))
    }
}

/// Locks an account. A lock poisoned by a panic is taken all the same: no operation leaves an object half
/// written.
pub(crate) fn lock(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    account.lock().unwrap_or_else(PoisonError::into_inner)
}
