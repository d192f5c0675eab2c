//! What `requests.toml` says of requests beyond the facts: their hosts, their answers, whether they only read.

use std::collections::{BTreeMap, HashMap};

use stripe_facts::{Encoding, Facts, Method, Operation, Shape};
use stripe_table::Base;
use toml::Spanned;

use crate::catalogue::{AnswerKind, REQUESTS, Requests};
use crate::nearest::nearest;
use crate::problem::Report;

/// The requests of the facts by their lines, `POST /v1/customers/{}`: what placeholders are called does not matter.
pub struct Lines<'f> {
    at: HashMap<String, usize>,
    operations: &'f [Operation],
}

impl<'f> Lines<'f> {
    /// Of all operations.
    pub fn new(operations: &'f [Operation]) -> Self {
        let line = |o: &Operation| form(&format!("{} {}", o.method.as_str(), o.path));
        Self { at: operations.iter().enumerate().map(|(at, o)| (line(o), at)).collect(), operations }
    }

    /// Where the operation of this line stands.
    pub fn find(&self, line: &str) -> Option<usize> {
        self.at.get(&form(line)).copied()
    }

    fn hint(&self, line: &str) -> String {
        let lines: Vec<String> = self.operations.iter().map(|o| format!("{} {}", o.method.as_str(), o.path)).collect();
        nearest(line, lines.iter().map(String::as_str))
    }
}

/// A request line without the names of its placeholders.
pub fn form(line: &str) -> String {
    line.split('/').map(|s| if s.starts_with('{') { "{}" } else { s }).collect::<Vec<_>>().join("/")
}

/// The placeholders of a request line, left to right.
pub fn placeholders(line: &str) -> impl Iterator<Item = &str> {
    line.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
}

/// Where the operation of a line of this file stands; that there is none is reported.
pub fn known(line: &Spanned<String>, lines: &Lines<'_>, section: &str, report: &mut Report<'_>) -> Option<usize> {
    let found = lines.find(line.get_ref());
    if found.is_none() {
        let hint = lines.hint(line.get_ref());
        report.wrong(
            REQUESTS,
            line,
            format!("{section} names `{}`, which the API does not have{hint}", line.get_ref()),
        );
    }
    found
}

/// What is said of one request.
#[derive(Debug, Clone)]
pub struct Said<'c> {
    pub base: Base,
    pub read_only: bool,
    pub binary: bool,
    /// The parameter that is the file.
    pub upload: Option<&'c str>,
}

/// What is said of each operation of the facts, in their order.
pub fn said<'c>(facts: &Facts, lines: &Lines<'_>, requests: &'c Requests, report: &mut Report<'_>) -> Vec<Said<'c>> {
    let mut all: Vec<Said<'c>> = facts
        .operations
        .iter()
        .map(|o| Said {
            base: base(o, requests, report),
            read_only: o.method == Method::Get,
            binary: false,
            upload: None,
        })
        .collect();
    for line in requests.read_only.keys() {
        let Some(said) = known(line, lines, "[read_only]", report).and_then(|at| all.get_mut(at)) else { continue };
        if said.read_only {
            report.wrong(
                REQUESTS,
                line,
                format!("`{}` is a GET, which only reads anyway: leave it out", line.get_ref()),
            );
        }
        said.read_only = true;
    }
    answers(facts, lines, requests, &mut all, report);
    uploads(facts, lines, requests, &mut all, report);
    all
}

fn base(operation: &Operation, requests: &Requests, report: &mut Report<'_>) -> Base {
    let name = operation.base.as_deref().unwrap_or("api");
    let known = requests.bases.contains_key(name);
    match Base::parse(name) {
        Ok(base) if known => base,
        _ => {
            let line = format!("{} {}", operation.method.as_str(), operation.path);
            let hint = nearest(name, requests.bases.keys().map(|k| k.get_ref().as_str()));
            report.wrong_at(REQUESTS, 0, format!("`{line}` is served by `{name}`, which is none of [bases]{hint}"));
            Base::Api
        }
    }
}

fn answers(facts: &Facts, lines: &Lines<'_>, requests: &Requests, all: &mut [Said<'_>], report: &mut Report<'_>) {
    let listed: BTreeMap<usize, AnswerKind> = requests
        .answers
        .get_ref()
        .iter()
        .filter_map(|(line, kind)| {
            let at = known(line, lines, "[answers]", report)?;
            let answer = facts.operations.get(at).map(|o| &o.response);
            if answer != Some(&Shape::Any) {
                report.wrong(REQUESTS, line, format!("the facts know what `{}` answers: leave it out", line.get_ref()));
            }
            Some((at, *kind))
        })
        .collect();
    for (at, (operation, said)) in facts.operations.iter().zip(all).enumerate() {
        match listed.get(&at) {
            Some(kind) => said.binary = *kind == AnswerKind::Binary,
            None if operation.response == Shape::Any => {
                let line = format!("{} {}", operation.method.as_str(), operation.path);
                let what = format!("the facts do not know what `{line}` answers: say `binary` or `json` here");
                report.wrong(REQUESTS, &requests.answers, what);
            }
            None => {}
        }
    }
}

fn uploads<'c>(
    facts: &Facts,
    lines: &Lines<'_>,
    requests: &'c Requests,
    all: &mut [Said<'c>],
    report: &mut Report<'_>,
) {
    for (line, parameter) in requests.uploads.get_ref() {
        let Some(at) = known(line, lines, "[uploads]", report) else { continue };
        let (Some(operation), Some(said)) = (facts.operations.get(at), all.get_mut(at)) else { continue };
        if operation.parameter(parameter.get_ref()).is_none() {
            let hint = nearest(parameter.get_ref(), operation.parameters.iter().map(|f| f.name.as_str()));
            let what = format!("`{}` has no parameter `{}`{hint}", line.get_ref(), parameter.get_ref());
            report.wrong(REQUESTS, parameter, what);
        }
        if operation.encoding != Encoding::Multipart {
            report.wrong(REQUESTS, line, format!("`{}` is no multipart request: it carries no file", line.get_ref()));
        }
        said.upload = Some(parameter.get_ref());
    }
    for (operation, said) in facts.operations.iter().zip(all) {
        if operation.encoding == Encoding::Multipart && said.upload.is_none() {
            let line = format!("{} {}", operation.method.as_str(), operation.path);
            let what = format!("`{line}` is multipart: say which parameter is the file");
            report.wrong(REQUESTS, &requests.uploads, what);
        }
    }
}
