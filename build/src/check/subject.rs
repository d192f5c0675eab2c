//! What the checks look at.

use stripe_table::model::{Field, Request};
use toml::Spanned;

use crate::api::Api;
use crate::catalogue::{Catalogue, Operation};
use crate::nearest::nearest;
use crate::problem::Report;

/// Everything.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub catalogue: &'a Catalogue,
    pub api: &'a Api,
}

/// An operation and what it sends, found once for the checks of its parts.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    pub file: &'a str,
    /// How messages name it: action `customer.create`.
    pub owner: &'a str,
    pub operation: &'a Operation,
    pub request: &'a Request,
    pub inputs: &'a [Field],
    pub is_query: bool,
}

impl Sent<'_> {
    /// Reports a name that is none of the inputs.
    pub fn no_parameter(&self, does: &str, name: &Spanned<String>, report: &mut Report<'_>) {
        let hint = nearest(name.get_ref(), self.inputs.iter().map(|f| f.name.as_str()));
        let what = format!(
            "{} {does} parameter `{}`, which `{}` does not have{hint}",
            self.owner,
            name.get_ref(),
            self.operation.request.get_ref()
        );
        report.wrong(self.file, name, what);
    }
}
