//! The guard: what stands between every caller and a connector, with no way around it.
//!
//! A [`Policy`] is one file, checked whole against the connector's catalogue. [`Guarded`] is the connector behind it: every
//! function is judged before it runs, by its name and, where the policy speaks of money or of one customer, by the very
//! request that it would send. That request is found by a rehearsal that sends nothing which changes anything, and judged
//! again at the gate where it leaves ([`host::Gate`]); so an operation under another name, with another spelling of the
//! same sum or within the whole API is the same request, and has the same verdict.
//!
//! What lives here: the policy, the verdict, its enforcement, the ledger of what was spent and the audit log. What does not: questions to people, which
//! the caller asks ([`Permit::question`]); the command line; any connection's secrets, which nothing here ever sees. Data
//! flows one way: `pattern`, `amount`, `mask`, `flow` → `catalogue`, `verdict` → `policy`, `request`, `known` → `money`,
//! `customer` → `judge` → `gate`, `load`, `audit`, `ledger` → `stopped` → `acting` → `guarded`.

mod acting;
mod amount;
mod audit;
mod catalogue;
mod customer;
mod flow;
mod gate;
mod guarded;
mod judge;
mod known;
mod ledger;
mod load;
mod mask;
mod money;
mod pattern;
mod policy;
mod request;
mod stopped;
mod verdict;

pub use acting::Acting;
pub use amount::{Amount, Currency};
pub use audit::{Audit, AuditError, Verified, verify};
pub use catalogue::{Catalogue, Entry, Safety, Template};
pub use flow::{Flow, Span};
pub use guarded::{Caller, Explained, Guarded, Permit};
pub use judge::{Subject, by_name};
pub use known::Known;
pub use ledger::LedgerError;
pub use mask::Mask;
pub use policy::{Cap, Policy, PolicyError};
pub use request::Outgoing;
pub use stopped::{GuardError, Refusal, Stopped};
pub use verdict::{Rule, Ruling, Spend, Verdict};

/// A whole file, to begin with.
pub const EXAMPLE: &str = include_str!("../example.toml");
