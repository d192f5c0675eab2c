//! A policy: what a guard's file says, checked whole against the connector's catalogue before anything runs.
//!
//! Here is no decision about any call; that is [`judge`](crate::judge). Data flows one way: text → `file` → here, where
//! every name becomes the set of operations that it means.

mod file;
mod problem;

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use self::file::{Document, Lists};
pub use self::problem::PolicyError;
use self::problem::Source;
use crate::amount::{Amount, Currency};
use crate::catalogue::{Catalogue, Safety};
use crate::flow::{Flow, Span};
use crate::mask::Mask;
use crate::pattern;
use crate::verdict::Rule;

/// What may be done.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Only reading.
    pub read_only: Option<Rule>,
    /// Real money may move.
    pub live: bool,
    /// Nothing is sent.
    pub dry_run: Option<Rule>,
    /// Nobody but this customer.
    pub customer: Option<(String, Rule)>,
    pub(crate) operations: Names,
    pub(crate) resources: Names,
    pub(crate) safety: Names,
    /// The requests of denied operations.
    pub(crate) denied_requests: Vec<(String, String, Rule)>,
    pub(crate) ask_operations: Vec<(BTreeSet<String>, Rule)>,
    pub(crate) ask_safety: Vec<(Safety, Rule)>,
    pub(crate) ask_above: Vec<(Amount, Rule)>,
    /// The most that calls may move.
    pub caps: Vec<Cap>,
    /// What of an answer nobody sees.
    pub mask: Mask,
    /// Where every verdict is written, as the file has it.
    pub audit: Option<String>,
    /// Where what was spent is kept, as the file has it.
    pub ledger: Option<String>,
}

/// What is allowed and what is denied, each with its place in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Without a list everything is.
    pub(crate) allow: Option<(BTreeSet<String>, Rule)>,
    pub(crate) deny: Vec<(BTreeSet<String>, Rule)>,
}

/// The most that may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// Which way.
    pub on: Flow,
    /// Counted over what.
    pub per: Span,
    /// How much.
    pub amount: Amount,
    /// Its place in the file.
    pub rule: Rule,
}

impl Policy {
    /// The names of operations that a text has, so that the catalogue can be asked about them.
    pub(crate) fn named(file: &str, text: &str) -> Result<Vec<String>, PolicyError> {
        let document = file::read(&Source { file, text })?;
        let Lists { allow, deny } = document.operations;
        let allow = allow.map(Spanned::into_inner).unwrap_or_default();
        let all = allow.into_iter().chain(deny).chain(document.ask.operations);
        Ok(all.map(Spanned::into_inner).collect())
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// What is wrong, with file, line, column and the fix.
    pub fn parse(file: &str, text: &str, catalogue: &Catalogue) -> Result<Self, PolicyError> {
        let source = Source { file, text };
        let document = file::read(&source)?;
        Checking { source, catalogue }.check(document)
    }

    /// Whether a verdict needs the request that a call would send.
    #[must_use]
    pub fn needs_request(&self) -> bool {
        self.customer.is_some() || !self.caps.is_empty() || !self.ask_above.is_empty()
    }
}

type Result<T, E = PolicyError> = std::result::Result<T, E>;

struct Checking<'a> {
    source: Source<'a>,
    catalogue: &'a Catalogue,
}

impl Checking<'_> {
    fn rule(&self, name: impl Into<String>, at: &Range<usize>) -> Rule {
        Rule { name: name.into(), line: self.source.position(at.start).0 }
    }

    fn wrong<T>(&self, at: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) -> Result<T> {
        Err(self.source.wrong(at, message, fix))
    }

    fn check(&self, document: Document) -> Result<Policy> {
        let Document {
            read_only,
            live,
            dry_run,
            customer,
            operations,
            resources,
            safety,
            ask,
            cap,
            mask,
            audit,
            ledger,
        } = document;
        let switch = |switch: &Option<Spanned<bool>>, name: &str| {
            switch.as_ref().filter(|switch| *switch.get_ref()).map(|switch| self.rule(name, &switch.span()))
        };
        let mut policy = Policy {
            read_only: switch(&read_only, "read_only"),
            live: live.is_some_and(Spanned::into_inner),
            dry_run: switch(&dry_run, "dry_run"),
            audit: audit.map(|path| self.path(path, "audit")).transpose()?,
            ledger: ledger.map(|path| self.path(path, "ledger")).transpose()?,
            ..Policy::default()
        };
        if let Some(customer) = customer {
            policy.customer = Some(self.customer(&customer)?);
        }
        policy.operations = self.names(&operations, "operations", |name| self.operations(name))?;
        policy.resources = self.names(&resources, "resources", |name| self.resources(name))?;
        policy.safety = self.names(&safety, "safety", |name| Ok([self.safety(name)?.name().to_owned()].into()))?;
        for (ids, rule) in &policy.operations.deny {
            for id in ids {
                if let Some(request) = self.catalogue.request_of(id) {
                    policy.denied_requests.push((request.to_owned(), id.clone(), rule.clone()));
                }
            }
        }
        for name in &ask.operations {
            policy.ask_operations.push((self.operations(name)?, self.rule("ask.operations", &name.span())));
        }
        for name in &ask.safety {
            policy.ask_safety.push((self.safety(name)?, self.rule("ask.safety", &name.span())));
        }
        for sum in &ask.above {
            let amount = self.amount(&sum.get_ref().amount, &sum.get_ref().currency)?;
            if policy.ask_above.iter().any(|(other, _)| other.currency == amount.currency) {
                let message = format!("there are two sums of {} to ask above", amount.currency.code());
                return self.wrong(&sum.span(), message, "keep the smaller one");
            }
            policy.ask_above.push((amount, self.rule("ask.above", &sum.span())));
        }
        for cap in &cap {
            policy.caps.push(self.cap(cap, &policy.caps, policy.ledger.is_some())?);
        }
        policy.mask = Mask::new(mask.iter().map(|path| self.mask(path)).collect::<Result<_>>()?);
        self.contradictions(&policy, &safety, cap.first().map(Spanned::span))?;
        Ok(policy)
    }

    fn path(&self, path: Spanned<String>, name: &str) -> Result<String> {
        if path.get_ref().trim().is_empty() {
            return self.wrong(&path.span(), format!("`{name}` names no file"), "name one, or leave it out");
        }
        Ok(path.into_inner())
    }

    fn customer(&self, customer: &Spanned<String>) -> Result<(String, Rule)> {
        let (id, at) = (customer.get_ref().trim(), customer.span());
        let rest = id.strip_prefix("cus_").unwrap_or_default();
        if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return self.wrong(&at, "`customer` is no customer's id", "write one, such as cus_QxYz0123456789");
        }
        if !self.catalogue.tells_requests() {
            let message = "this connector does not tell its requests, so nobody can be kept to one customer";
            return self.wrong(&at, message, "leave `customer` out");
        }
        Ok((id.to_owned(), self.rule("customer", &at)))
    }

    fn names(
        &self,
        lists: &Lists,
        section: &str,
        meant: impl Fn(&Spanned<String>) -> Result<BTreeSet<String>>,
    ) -> Result<Names> {
        let mut names = Names::default();
        let mut allowed: Vec<(&Spanned<String>, BTreeSet<String>)> = Vec::new();
        if let Some(allow) = &lists.allow {
            for name in allow.get_ref() {
                allowed.push((name, meant(name)?));
            }
            let all = allowed.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
            names.allow = Some((all, self.rule(format!("{section}.allow"), &allow.span())));
        }
        for name in &lists.deny {
            let ids = meant(name)?;
            // Within an allowed group some may be denied; what is denied whole is allowed for nothing.
            if let Some((allowed, _)) = allowed.iter().find(|(_, allowed)| allowed.is_subset(&ids)) {
                let (allowed, denied) = (allowed.get_ref(), name.get_ref());
                let message = format!("`{denied}` denies all that `{allowed}` allows");
                return self.wrong(&name.span(), message, format!("take one of the two out of `[{section}]`"));
            }
            names.deny.push((ids, self.rule(format!("{section}.deny"), &name.span())));
        }
        if let Some((all, _)) = names.allow.as_ref().filter(|(all, _)| all.is_empty()) {
            let at = lists.allow.as_ref().map(Spanned::span).unwrap_or_default();
            debug_assert!(all.is_empty());
            return self.wrong(
                &at,
                format!("`{section}.allow` allows nothing"),
                "name what is allowed, or leave it out",
            );
        }
        Ok(names)
    }

    /// The operations that a name or a pattern means, by their ids.
    fn operations(&self, name: &Spanned<String>) -> Result<BTreeSet<String>> {
        let (text, at) = (name.get_ref().trim(), name.span());
        if text.contains('*') {
            let all: BTreeSet<String> =
                self.catalogue.ids().filter(|id| pattern::matches(text, id)).map(str::to_owned).collect();
            if all.is_empty() {
                let message = format!("no operation is called like `{text}`");
                return self.wrong(&at, message, "`harness operations` lists what there is");
            }
            return Ok(all);
        }
        match self.catalogue.meant(text) {
            Ok(id) => Ok([id.to_owned()].into()),
            Err(hint) => self.wrong(&at, format!("there is no operation `{text}`"), hint),
        }
    }

    fn resources(&self, name: &Spanned<String>) -> Result<BTreeSet<String>> {
        let text = name.get_ref().trim();
        let all: BTreeSet<String> =
            self.catalogue.resources().filter(|known| pattern::matches(text, known)).map(str::to_owned).collect();
        if all.is_empty() {
            let fix = "`harness resources` lists them, and `harness call api.search` those of the whole API";
            return self.wrong(&name.span(), format!("there is no resource `{text}`"), fix);
        }
        Ok(all)
    }

    fn safety(&self, name: &Spanned<String>) -> Result<Safety> {
        let text = name.get_ref().trim();
        match Safety::ALL.into_iter().find(|safety| safety.name() == text) {
            Some(safety) => Ok(safety),
            None => {
                let known = Safety::ALL.map(Safety::name).join(", ");
                self.wrong(&name.span(), format!("`{text}` is no kind of operation"), format!("it is one of {known}"))
            }
        }
    }

    fn amount(&self, amount: &Spanned<String>, currency: &Spanned<String>) -> Result<Amount> {
        let code = currency.get_ref();
        let Some(known) = Currency::new(code) else {
            let fix = "write its three letters, such as usd";
            return self.wrong(&currency.span(), format!("`{code}` is no currency"), fix);
        };
        let text = amount.get_ref();
        match Amount::from_decimal(text, known) {
            Some(amount) => Ok(amount),
            None => {
                let message = format!("`{text}` is no sum of {code}");
                self.wrong(&amount.span(), message, "write it as people do, such as \"100.00\"; not below 0")
            }
        }
    }

    fn one_of<T: Copy, const N: usize>(
        &self,
        name: &Spanned<String>,
        all: [T; N],
        named: fn(T) -> &'static str,
    ) -> Result<T> {
        let text = name.get_ref().trim();
        match all.into_iter().find(|one| named(*one) == text) {
            Some(one) => Ok(one),
            None => {
                let known = all.map(named).join(", ");
                self.wrong(&name.span(), format!("a cap knows no `{text}`"), format!("it is one of {known}"))
            }
        }
    }

    fn cap(&self, cap: &Spanned<file::Cap>, others: &[Cap], ledger: bool) -> Result<Cap> {
        let (given, at) = (cap.get_ref(), cap.span());
        let on = self.one_of(&given.on, Flow::ALL, Flow::name)?;
        let per = self.one_of(&given.per, Span::ALL, Span::name)?;
        if per != Span::Call && !ledger {
            let message = format!("a cap per {} needs a ledger of what was spent", per.name());
            return self.wrong(&given.per.span(), message, "name its file: `ledger = \"guard-ledger.jsonl\"`");
        }
        let amount = self.amount(&given.amount, &given.currency)?;
        let rule = self.rule(format!("cap on {} per {} in {}", on.name(), per.name(), amount.currency.code()), &at);
        let same = |other: &&Cap| (other.on, &other.amount.currency) == (on, &amount.currency);
        if let Some(other) = others.iter().filter(same).find(|other| other.per == per) {
            let message = format!("this {} is in line {} already", rule.name, other.rule.line);
            return self.wrong(&at, message, "keep the one that is meant");
        }
        // A cap over a longer time that is under the one of a shorter time makes that one idle.
        let clash = others.iter().filter(same).find(|other| {
            let (longer, shorter) =
                if other.per > per { (other.amount.minor, amount.minor) } else { (amount.minor, other.amount.minor) };
            longer < shorter
        });
        if let Some(other) = clash {
            let message = format!(
                "a {} of {} contradicts the {} in line {}",
                rule.name, amount, other.rule.name, other.rule.line
            );
            return self.wrong(
                &given.amount.span(),
                message,
                "the cap over the longer time must not be the smaller one",
            );
        }
        Ok(Cap { on, per, amount, rule })
    }

    fn mask(&self, path: &Spanned<String>) -> Result<String> {
        let text = path.get_ref().trim();
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-*".contains(&b));
        if !text.split('.').all(is_name) || text.split('.').all(|name| name == "*") {
            let fix = "write the names of the fields with dots between them, such as billing_details.email";
            return self.wrong(&path.span(), format!("`{text}` is no path of a field"), fix);
        }
        Ok(text.to_owned())
    }

    fn contradictions(&self, policy: &Policy, safety: &Lists, cap: Option<Range<usize>>) -> Result<()> {
        let Some(read_only) = &policy.read_only else { return Ok(()) };
        if let Some(at) = cap {
            let message =
                format!("`read_only` (line {}) lets no money move, so this cap is for nothing", read_only.line);
            return self.wrong(&at, message, "take one of the two out");
        }
        let allow = safety.allow.as_ref().map(|allow| allow.get_ref().as_slice()).unwrap_or_default();
        match allow.iter().find(|name| name.get_ref().trim() != Safety::Read.name()) {
            Some(name) => {
                let message = format!("`{}` contradicts `read_only` in line {}", name.get_ref(), read_only.line);
                self.wrong(&name.span(), message, "take one of the two out")
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
