//! Which fields the schema of an input tells, settled before any of them is written.

use super::degree::Degree;
use crate::catalogue::{Field, Operation, Shape};
use crate::json::Node;

/// What the input so far says of the fields that are left.
#[derive(Debug, Default)]
pub struct Narrowing {
    /// The fields that it has.
    pub given: Vec<String>,
    /// The fields that it makes meaningless.
    pub meaningless: Vec<&'static str>,
}

/// The fields of one schema.
pub struct Plan {
    /// Those that it tells, in no order.
    pub told: Vec<&'static str>,
    /// Whether that is all that the operation takes.
    pub is_whole: bool,
    /// Those of them that must be there.
    pub required: Vec<&'static str>,
    /// Those that a form shows first, in order.
    pub shown: Vec<&'static str>,
    /// Groups of which exactly one field must be given.
    pub alternatives: Vec<Vec<&'static str>>,
    /// Fields in major units, and the parameter that each stands for.
    pub major_units: Vec<(&'static str, &'static str)>,
    /// Parameters that are files, and so come beside the input.
    pub files: Vec<Field<'static>>,
}

impl Plan {
    /// For an operation, its fields that have defaults, and what the input says so far.
    pub fn new(operation: Operation, degree: Degree, narrowing: &Narrowing, defaults: Option<Node<'_, '_>>) -> Self {
        let mut plan = Self {
            told: Vec::new(),
            is_whole: true,
            required: operation.path_fields(),
            shown: operation.shown(),
            alternatives: Vec::new(),
            major_units: operation.major_units(),
            files: operation.parameters().iter().filter(|f| f.shape() == Shape::File).collect(),
        };
        let one_of = plan.with_majors(operation.one_of());
        plan.alternatives.push(one_of);
        for field in operation.parameters().iter().filter(|f| f.required()) {
            plan.required.push(field.name());
            let group = plan.with_majors(vec![field.name()]);
            plan.alternatives.push(group);
        }
        plan.alternatives.retain(|names| names.len() > 1);

        let hidden = plan.hidden(narrowing);
        let is_file = |name: &str| plan.files.iter().any(|f| f.name() == name);
        let mut names = operation.input_names();
        names.retain(|n| !is_file(n) && !hidden.contains(n));
        let has_default = |name: &str| defaults.is_some_and(|d| d.get(name).is_some());
        let is_alternative = |name: &str| plan.alternatives.iter().any(|names| names.contains(&name));
        let mut required = plan.required.clone();
        required.retain(|n| names.contains(n) && !has_default(n) && !is_alternative(n));
        // Of a plain request nobody has said what to show first.
        let tells_all = degree == Degree::Full || plan.shown.is_empty();
        let is_told = |name: &&str| tells_all || required.contains(name) || plan.shown.contains(name);
        let all = names.len();
        names.retain(is_told);
        plan.is_whole = names.len() == all;
        plan.told = names;
        plan.required = required;
        plan
    }

    /// Parameters with the fields that stand for them in major units.
    fn with_majors(&self, mut minors: Vec<&'static str>) -> Vec<&'static str> {
        for (major, minor) in &self.major_units {
            if minors.contains(minor) {
                minors.push(major);
            }
        }
        minors
    }

    /// The fields that are out of the question: meaningless, or their alternative is given.
    fn hidden(&self, narrowing: &Narrowing) -> Vec<&'static str> {
        let is_given = |name: &str| narrowing.given.iter().any(|g| g == name);
        let mut groups = self.alternatives.clone();
        for (major, minor) in &self.major_units {
            groups.push(vec![major, minor]);
        }
        let mut hidden = narrowing.meaningless.clone();
        for group in groups {
            if group.iter().any(|name| is_given(name)) {
                hidden.extend(group);
            }
        }
        hidden.retain(|name| !is_given(name));
        hidden
    }
}
