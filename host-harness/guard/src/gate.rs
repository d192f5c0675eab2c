//! Where a verdict is enforced: at the gate that every request of a call passes, in a rehearsal or for good.
//!
//! A rehearsal lets what only reads out and stops at the first request that would change something, which is the one to be
//! judged. In the run itself every request is judged again: one to be asked about leaves only when somebody agreed, and one
//! that moves a sum only if it is, to the letter, the one of the rehearsal, whose sum was counted.

use std::sync::{Arc, Mutex, PoisonError};

use host::{Departure, Gate};

use crate::catalogue::Catalogue;
use crate::judge::{self, Judged, Subject};
use crate::known::Known;
use crate::policy::Policy;
use crate::request::Outgoing;
use crate::verdict::{Ruling, Verdict};

/// What calls are judged by.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    pub(crate) catalogue: Catalogue,
}

/// What a gate is there for.
#[derive(Debug)]
pub(crate) enum Stance {
    /// Stops at the first request that would change something; `reads` means at the first of all.
    Rehearsal { reads: bool },
    /// Lets through what was judged.
    Run {
        /// Somebody agreed.
        agreed: bool,
        /// The request of the rehearsal.
        judged: Option<[u8; 32]>,
    },
}

/// Where a gate stopped a call.
#[derive(Debug)]
pub(crate) enum Stop {
    /// This object has to be looked up first.
    Needs(String),
    /// A request is denied.
    Denied(Box<Ruling>),
    /// The request that a rehearsal came to, and the verdict on it.
    At(Box<(Outgoing, Ruling)>),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    rules: Arc<Rules>,
    subject: Subject,
    known: Known,
    stance: Stance,
    stopped: Mutex<Option<Stop>>,
}

impl Checkpoint {
    pub(crate) fn new(rules: Arc<Rules>, subject: Subject, known: Known, stance: Stance) -> Self {
        Self { rules, subject, known, stance, stopped: Mutex::default() }
    }

    /// Where it stopped the call, if it did.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn stop(&self, stop: Stop, reason: &str) -> Result<(), String> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stop);
        Err(reason.to_owned())
    }
}

impl Gate for Checkpoint {
    fn admit(&self, departure: &Departure<'_>) -> Result<(), String> {
        let Rules { policy, catalogue } = &*self.rules;
        let request = Outgoing::of(departure);
        let ruling = match judge::by_request(policy, catalogue, &self.subject, &request, &self.known) {
            Judged::Ruling(ruling) => *ruling,
            Judged::Needs(path) => return self.stop(Stop::Needs(path), "the guard has to look something up first"),
        };
        if let Verdict::Deny { reason, .. } = &ruling.verdict {
            let told = format!("the guard's {}: {reason}", ruling.rule);
            return self.stop(Stop::Denied(Box::new(ruling)), &told);
        }
        let template = catalogue.template_of(&request.method, &request.path);
        let reads = template.map_or(request.method == "GET", |template| template.reads);
        match &self.stance {
            Stance::Rehearsal { reads: all } if reads && !all => Ok(()),
            Stance::Rehearsal { .. } => self.stop(Stop::At(Box::new((request, ruling))), "it is a rehearsal"),
            Stance::Run { agreed, judged } => {
                let asked = matches!(ruling.verdict, Verdict::Ask { .. });
                let is_judged = judged.as_ref().is_none_or(|judged| *judged == request.digest);
                if (asked && !agreed) || (!ruling.spends.is_empty() && !is_judged) {
                    let reason = "it is not the request that was judged";
                    let ruling = Ruling::deny(&ruling.rule, reason, "run it again");
                    return self.stop(Stop::Denied(Box::new(ruling)), reason);
                }
                Ok(())
            }
        }
    }
}

/// Lets one object be read, and nothing else.
#[derive(Debug)]
pub(crate) struct OneLook(pub(crate) String);

impl Gate for OneLook {
    fn admit(&self, departure: &Departure<'_>) -> Result<(), String> {
        match departure.method == "GET" && departure.path == self.0 {
            true => Ok(()),
            false => Err("the guard looks at one object only".to_owned()),
        }
    }
}
