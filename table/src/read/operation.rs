//! What people see: actions and queries with what is said of their fields, and triggers.

use super::heap::Heap;
use super::items::{Item, Items, Texts};
use super::record::{Record, cursors};
use super::request::Request;
use super::shape::Fields;
use crate::layout::{alias, meaning, operation, pair, trigger};
use crate::names::{OperationKind, Rule, Safety};

cursors! {
    /// An action or query.
    Operation, named by id {
        /// Its id, `customer.create`.
        id: text(operation::ID) -> &'t str,
        /// Action or query.
        kind: case(operation::KIND, OperationKind::from_code, OperationKind::Action) -> OperationKind,
        /// Its title.
        title: prose(operation::TITLE) -> String,
        /// What it does, in a sentence.
        description: prose(operation::DESCRIPTION) -> String,
        /// The resource that it is about.
        resource: text(operation::RESOURCE) -> &'t str,
        /// Other ids that mean it.
        aliases: texts(operation::ALIASES) -> Texts<'t>,
        /// How careful one has to be with it.
        safety: case(operation::SAFETY, Safety::from_code, Safety::Destroy) -> Safety,
        /// The input fields that fill the path's placeholders, left to right.
        path_fields: texts(operation::PATH_FIELDS) -> Texts<'t>,
        /// The input fields to show first, in order.
        shown: texts(operation::SHOWN) -> Texts<'t>,
        /// An input, as JSON.
        sample: prose(operation::SAMPLE) -> String,
        /// Values of input fields that are left out, as a JSON object; empty for none.
        defaults: text(operation::DEFAULTS) -> &'t str,
        /// Values that are always sent and nobody gives, as a JSON object; empty for none.
        fixed: text(operation::FIXED) -> &'t str,
        /// The hook that knows what the schema does not say; empty for none.
        hook: text(operation::HOOK) -> &'t str,
        /// Input fields that the hook adds.
        extra: fields(operation::EXTRA) -> Fields<'t>,
        /// Input fields in major units, and the parameter in minor units that each stands for.
        major_units: list(operation::MAJOR_UNITS) -> Items<'t, (&'t str, &'t str)>,
        /// Input fields of which exactly one must be given.
        one_of: texts(operation::ONE_OF) -> Texts<'t>,
        /// The id of the action that takes back what it did; empty for none.
        inverse: text(operation::INVERSE) -> &'t str,
        /// What is said of its input fields, sorted by path.
        meanings: list(operation::MEANINGS) -> Items<'t, Meaning<'t>>,
    }
    /// A name of an operation under which its input and output have names of their own.
    Alias, named by name {
        /// The name.
        name: text(alias::NAME) -> &'t str,
        /// The id of the operation.
        operation: text(alias::OPERATION) -> &'t str,
        /// Action or query.
        kind: case(alias::KIND, OperationKind::from_code, OperationKind::Action) -> OperationKind,
        /// Input fields, as they are shown, and where in the operation's input each value goes.
        inputs: list(alias::INPUTS) -> Items<'t, (&'t str, &'t str)>,
        /// Those that must be given.
        required: texts(alias::REQUIRED) -> Texts<'t>,
        /// Values of those that are left out, as a JSON object; empty for none.
        defaults: text(alias::DEFAULTS) -> &'t str,
        /// Input fields that choose among the objects of a page, and the member that each is held against.
        filters: list(alias::FILTERS) -> Items<'t, (&'t str, &'t str)>,
        /// The input field that is an idempotency key of the caller's own; empty for none.
        key: text(alias::KEY) -> &'t str,
        /// Members of the output, and where in the operation's each is; empty where that is handed on as it is.
        outputs: list(alias::OUTPUTS) -> Items<'t, (&'t str, &'t str)>,
        /// An input, as JSON.
        sample: prose(alias::SAMPLE) -> String,
    }
    /// What people read about a field, and what is demanded of it beyond its type.
    Meaning, named by path {
        /// The field's path without list indices, `items.price`.
        path: text(meaning::PATH) -> &'t str,
        /// Its title; empty where nothing is said.
        title: prose(meaning::TITLE) -> String,
        /// What it is for; empty where nothing is said.
        help: prose(meaning::HELP) -> String,
        /// The resource that its drop-down lists; empty for none.
        picks: text(meaning::PICKS) -> &'t str,
    }
    /// A trigger.
    Trigger, named by id {
        /// Its id, mostly the event type.
        id: text(trigger::ID) -> &'t str,
        /// Its title.
        title: prose(trigger::TITLE) -> String,
        /// When it fires, in a sentence.
        description: prose(trigger::DESCRIPTION) -> String,
        /// The resource that its events are about.
        resource: text(trigger::RESOURCE) -> &'t str,
        /// The event type.
        event: text(trigger::EVENT) -> &'t str,
        /// Other ids that mean it.
        aliases: texts(trigger::ALIASES) -> Texts<'t>,
    }
}

impl<'t> Operation<'t> {
    /// Its request.
    pub fn request(self) -> Option<Request<'t>> {
        Request::named_in(self.0, operation::REQUEST)
    }

    /// What is said of the input field at this path.
    pub fn meaning(self, path: &str) -> Option<Meaning<'t>> {
        self.meanings().with_key(path, Meaning::path).first()
    }
}

impl Meaning<'_> {
    /// What is demanded beyond its type.
    pub fn rule(self) -> Option<Rule> {
        let code = self.0.number(meaning::RULE).checked_sub(1)?;
        u8::try_from(code).ok().and_then(Rule::from_code)
    }
}

impl<'t> Item<'t> for (&'t str, &'t str) {
    fn of(heap: Heap<'t>, word: u32) -> Self {
        let record = Record::new(heap, word);
        (record.text(pair::LEFT), record.text(pair::RIGHT))
    }
}
