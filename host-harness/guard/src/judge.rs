//! The decision: from a policy, an operation, who calls and the request that it would be, to a verdict. Nothing here asks
//! anybody or changes anything.
//!
//! By name first, which decides most calls without a request; then by the request, where the policy speaks of money or of
//! a customer. The first rule that is against a call decides: what is denied, then what has to be asked about.

use std::collections::BTreeSet;

use host::contract::Environment;

use crate::catalogue::{Catalogue, Safety};
use crate::customer::{self, Bound};
use crate::known::Known;
use crate::money::{self, Money};
use crate::policy::{Names, Policy};
use crate::request::Outgoing;
use crate::verdict::{Rule, Ruling, Spend, Verdict};

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What the caller called it.
    pub called: String,
    /// The operation that it means, whatever it is called.
    pub id: String,
    /// Every id that it has: its own, its request's, and that of the operation for people.
    pub names: BTreeSet<String>,
    /// The request that it sends, where it is known.
    pub request: Option<String>,
    /// What it is about.
    pub resource: String,
    /// What it may do.
    pub safety: BTreeSet<Safety>,
}

impl Subject {
    /// Whether it changes nothing.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.safety.iter().all(|safety| *safety == Safety::Read)
    }

    /// Whether it may move money.
    #[must_use]
    pub fn moves_money(&self) -> bool {
        self.safety.contains(&Safety::MoveMoney)
    }
}

/// What a verdict by a request is, or what has to be looked up for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Ruling(Box<Ruling>),
    Needs(String),
}

impl From<Ruling> for Judged {
    fn from(ruling: Ruling) -> Self {
        Self::Ruling(Box::new(ruling))
    }
}

/// The verdict by name. A dry run is no verdict of the name: it has to be shown what would be sent.
#[must_use]
pub fn by_name(policy: &Policy, subject: &Subject, environment: Environment) -> Ruling {
    let id = &subject.id;
    if environment == Environment::Production && !policy.live {
        let rule = Rule::always("live mode needs a switch");
        return Ruling::deny(&rule, "it would run in live mode", "write `live = true` into the guard's file");
    }
    if let Some(rule) = policy.read_only.as_ref().filter(|_| !subject.reads()) {
        return Ruling::deny(rule, format!("`{id}` does not only read"), "take `read_only` out to allow it");
    }
    if let Some(ruling) = denied(policy, subject) {
        return ruling;
    }
    let by_operation = policy.ask_operations.iter().find(|(ids, _)| ids.iter().any(|id| subject.names.contains(id)));
    if let Some((_, rule)) = by_operation {
        return Ruling::ask(rule, format!("`{id}` is to be confirmed"));
    }
    if let Some((safety, rule)) = policy.ask_safety.iter().find(|(safety, _)| subject.safety.contains(safety)) {
        return Ruling::ask(rule, format!("`{id}` may {}", does(*safety)));
    }
    Ruling::allow()
}

fn does(safety: Safety) -> &'static str {
    match safety {
        Safety::Read => "read",
        Safety::Change => "change things",
        Safety::MoveMoney => "move money",
        Safety::Destroy => "remove or end something for good",
    }
}

fn denied(policy: &Policy, subject: &Subject) -> Option<Ruling> {
    let id = &subject.id;
    let deny = |names: &Names, own: &BTreeSet<String>| {
        names.deny.iter().find(|(denied, _)| !denied.is_disjoint(own)).map(|(_, rule)| rule.clone())
    };
    let missing = |names: &Names, fits: &dyn Fn(&BTreeSet<String>) -> bool| {
        names.allow.as_ref().filter(|(allowed, _)| !fits(allowed)).map(|(_, rule)| rule.clone())
    };
    let resource: BTreeSet<String> = [subject.resource.clone()].into();
    let safety: BTreeSet<String> = subject.safety.iter().map(|safety| safety.name().to_owned()).collect();
    if let Some(rule) = deny(&policy.operations, &subject.names) {
        return Some(Ruling::deny(&rule, format!("`{id}` is denied"), "take it out of the list to allow it"));
    }
    let same = policy.denied_requests.iter().find(|(request, ..)| subject.request.as_ref() == Some(request));
    if let Some((_, other, rule)) = same {
        let reason = format!("`{id}` sends the same request as `{other}`, which is denied");
        return Some(Ruling::deny(rule, reason, "take that one out of the list to allow both"));
    }
    if let Some(rule) = deny(&policy.resources, &resource) {
        let reason = format!("`{id}` is about `{}`, which is denied", subject.resource);
        return Some(Ruling::deny(&rule, reason, "take the resource out of the list to allow it"));
    }
    if let Some(rule) = deny(&policy.safety, &safety) {
        let what = subject.safety.iter().map(|safety| does(*safety)).collect::<Vec<_>>().join(" and ");
        return Some(Ruling::deny(&rule, format!("`{id}` may {what}"), "take the kind out of the list to allow it"));
    }
    if let Some(rule) = missing(&policy.operations, &|allowed| !allowed.is_disjoint(&subject.names)) {
        return Some(Ruling::deny(&rule, format!("`{id}` is not in the list"), "add it to allow it"));
    }
    if let Some(rule) = missing(&policy.resources, &|allowed| !allowed.is_disjoint(&resource)) {
        let reason = match subject.resource.as_str() {
            "" => format!("`{id}` is about no resource of the list"),
            resource => format!("`{id}` is about `{resource}`, which is not in the list"),
        };
        return Some(Ruling::deny(&rule, reason, "add the resource to allow it"));
    }
    if let Some(rule) = missing(&policy.safety, &|allowed| safety.is_subset(allowed)) {
        let what = subject.safety.iter().map(|safety| does(*safety)).collect::<Vec<_>>().join(" and ");
        return Some(Ruling::deny(&rule, format!("`{id}` may {what}"), "add the kind to the list to allow it"));
    }
    None
}

/// The verdict by a request that the operation would send. What changes nothing moves no money.
pub(crate) fn by_request(
    policy: &Policy,
    catalogue: &Catalogue,
    subject: &Subject,
    request: &Outgoing,
    known: &Known,
) -> Judged {
    let template = catalogue.template_of(&request.method, &request.path);
    let reads = template.map_or(request.method == "GET", |template| template.reads);
    if let Some(rule) = policy.read_only.as_ref().filter(|_| !reads) {
        return Ruling::deny(rule, "its request does not only read", "take `read_only` out to allow it").into();
    }
    if let Some((customer, rule)) = &policy.customer {
        match customer::bound(request, customer, known) {
            Bound::Yes => {}
            Bound::Needs(path) => return Judged::Needs(path),
            Bound::No(reason) => {
                let fix = format!("this caller may only work on {customer}");
                return Ruling::deny(rule, reason, fix).into();
            }
        }
    }
    if reads || (policy.caps.is_empty() && policy.ask_above.is_empty()) {
        return Ruling::allow().into();
    }
    match money::moved(request, template, subject.moves_money(), known) {
        Money::None => Ruling::allow().into(),
        Money::Needs(path) => Judged::Needs(path),
        Money::Sum(spend) => of_spend(policy, &spend).spending(vec![spend]).into(),
        Money::Unknown(why) => of_unknown(policy, &subject.id, &why).into(),
    }
}

fn of_spend(policy: &Policy, spend: &Spend) -> Ruling {
    let Spend { flow, amount } = spend;
    let of_flow = policy.caps.iter().filter(|cap| cap.on == *flow);
    if let Some(any) = policy.caps.first()
        && !of_flow.clone().any(|cap| cap.amount.currency == amount.currency)
    {
        let rule = Rule { name: "caps".to_owned(), line: any.rule.line };
        let reason = format!("no cap is on {} in {}", flow.name(), amount.currency.code());
        return Ruling::deny(&rule, reason, "money moves only under a cap: write one for it");
    }
    let over = of_flow.filter(|cap| cap.amount.currency == amount.currency).find(|cap| amount.minor > cap.amount.minor);
    if let Some(cap) = over {
        let reason = format!("{amount} is over the cap of {} per {}", cap.amount, cap.per.name());
        return Ruling::deny(&cap.rule, reason, format!("move at most {}", cap.amount));
    }
    let Some((_, any)) = policy.ask_above.first() else { return Ruling::allow() };
    match policy.ask_above.iter().find(|(sum, _)| sum.currency == amount.currency) {
        Some((sum, rule)) if amount.minor > sum.minor => {
            Ruling::ask(rule, format!("it moves {amount}, which is above {sum}"))
        }
        Some(_) => Ruling::allow(),
        None => Ruling::ask(any, format!("it moves {amount}, and no sum is named for that currency")),
    }
}

fn of_unknown(policy: &Policy, id: &str, why: &str) -> Ruling {
    if let Some(cap) = policy.caps.first() {
        let rule = Rule { name: "caps".to_owned(), line: cap.rule.line };
        let reason = format!("how much `{id}` moves cannot be known ({why}), which counts as over any cap");
        return Ruling::deny(&rule, reason, "use an operation whose amount stands in its input");
    }
    match policy.ask_above.first() {
        Some((_, rule)) => Ruling::ask(rule, format!("how much `{id}` moves cannot be known: {why}")),
        None => Ruling::allow(),
    }
}

/// The stricter of two verdicts.
pub(crate) fn stricter(one: Ruling, other: Ruling) -> Ruling {
    let rank = |ruling: &Ruling| match ruling.verdict {
        Verdict::Allow => 0,
        Verdict::DryRun => 1,
        Verdict::Ask { .. } => 2,
        Verdict::Deny { .. } => 3,
    };
    let (mut spends, others) = (one.spends.clone(), other.spends.clone());
    spends.extend(others);
    let decides = if rank(&other) > rank(&one) { other } else { one };
    decides.spending(spends)
}

#[cfg(test)]
mod tests;
