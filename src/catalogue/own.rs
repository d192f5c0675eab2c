//! Operations that are no one request of the API: the whole API, searched, described, read and written.

use stripe_table::OperationKind;

use crate::json::Writer;

/// What is said of such an operation. `operation::whole_api` runs it.
#[derive(Debug, PartialEq, Eq)]
pub struct Own {
    /// Its id, `api.search`.
    pub id: &'static str,
    /// Action or query.
    pub kind: OperationKind,
    /// Its title.
    pub title: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Whether it changes something: then it may do anything that an operation of the API does.
    pub writes: bool,
    /// Names of its input fields, their types, and what each is, as they are shown.
    pub inputs: &'static [(&'static str, &'static str, &'static str)],
    /// Input fields of which exactly one must be given.
    pub one_of: &'static [&'static str],
    /// The members of its output, and their types; none where it answers as what it runs does.
    pub outputs: &'static [(&'static str, &'static str)],
    /// An input.
    pub sample_input: &'static str,
    /// An output.
    pub sample_output: &'static str,
}

const OPERATION: (&str, &str, &str) =
    ("operation", "string", "An id, such as v1.customers.create, or method and path: GET /v1/customers/cus_123.");
const METHOD: (&str, &str, &str) = ("method", "string", "With a path: GET, POST or DELETE.");
const PATH: (&str, &str, &str) = ("path", "string", "In place of an operation: the path with real ids in it.");
const INPUT: (&str, &str, &str) = ("input", "object", "What the operation takes; api.describe tells it.");
const PARAMS: (&str, &str, &str) = ("params", "object", "The same beside a path: parameters that are not in it.");
const ONE: &[&str] = &["operation", "path"];

/// All of them.
pub static OWN: [Own; 4] = [
    Own {
        id: "api.write",
        kind: OperationKind::Action,
        title: "Change anything",
        description: "Runs any POST or DELETE of Stripe's API, checked before it is sent. It may move money or remove things for good.",
        writes: true,
        inputs: &[OPERATION, INPUT, METHOD, PATH, PARAMS],
        one_of: ONE,
        outputs: &[],
        sample_input: r#"{"operation":"v1.customers.create","input":{"email":"jenny.rosen@example.com"}}"#,
        sample_output: r#"{"id":"cus_Sample0123456789","object":"customer","email":"jenny.rosen@example.com"}"#,
    },
    Own {
        id: "api.search",
        kind: OperationKind::Query,
        title: "Search the API",
        description: "Finds operations of Stripe's whole API by words, method and resource, best first.",
        writes: false,
        inputs: &[
            ("words", "string", "What it shall do: refund a payment."),
            ("method", "string", "Only GET, POST or DELETE."),
            ("resource", "string", "Only about this: customer, tax_rate."),
            ("limit", "integer", "How many, 1 to 100; 20 unless given."),
        ],
        one_of: &[],
        outputs: &[("operations", "array")],
        sample_input: r#"{"words":"refund a payment"}"#,
        sample_output: r#"{"operations":[{"operation":"v1.refunds.create","method":"POST","path":"/v1/refunds","title":"Refunds: create","kind":"action","resource":"refund","curated":"refund.create"}]}"#,
    },
    Own {
        id: "api.describe",
        kind: OperationKind::Query,
        title: "Describe an operation of the API",
        description: "What any operation of Stripe's API takes and answers, by its id or its method and path.",
        writes: false,
        inputs: &[OPERATION, METHOD, PATH, ("full", "boolean", "Everything, with all that the schemas refer to.")],
        one_of: ONE,
        outputs: &[
            ("operation", "string"),
            ("method", "string"),
            ("path", "string"),
            ("title", "string"),
            ("description", "string"),
            ("kind", "string"),
            ("safety", "string"),
            ("resource", "string"),
            ("input_schema", "object"),
            ("output_schema", "object"),
            ("sample_input", "object"),
        ],
        sample_input: r#"{"operation":"v1.balance.retrieve"}"#,
        sample_output: r#"{"operation":"v1.balance.retrieve","method":"GET","path":"/v1/balance","title":"Balance: retrieve","description":"Stripe's own GET /v1/balance, as its reference has it.","kind":"query","safety":"read","resource":"balance","input_schema":{"type":"object"},"output_schema":{"type":"object"},"sample_input":{}}"#,
    },
    Own {
        id: "api.read",
        kind: OperationKind::Query,
        title: "Read anything",
        description: "Runs any operation of Stripe's API that only reads, one page of it.",
        writes: false,
        inputs: &[OPERATION, INPUT, METHOD, PATH, PARAMS],
        one_of: ONE,
        outputs: &[],
        sample_input: r#"{"operation":"v1.balance.retrieve"}"#,
        sample_output: r#"{"object":"balance","livemode":false,"available":[],"pending":[]}"#,
    },
];

/// The one of this id.
pub fn own(id: &str) -> Option<&'static Own> {
    OWN.iter().find(|own| own.id == id)
}

impl Own {
    /// The JSON Schema (2020-12) of its input.
    pub fn input_schema(&self) -> String {
        let mut json = self.schema_with(self.inputs.len());
        for (order, (name, kind, help)) in self.inputs.iter().enumerate() {
            json.key(name).begin_object().key("type").string(kind).key("description").string(help);
            json.key("x-order").integer(order as i64).end_object();
        }
        json.end_object().key("required").strings([]).key("additionalProperties").boolean(false);
        if !self.one_of.is_empty() {
            json.key("x-one-of").begin_array().strings(self.one_of.iter().copied()).end_array();
        }
        json.end_object();
        json.finish()
    }

    /// The JSON Schema (2020-12) of its output.
    pub fn output_schema(&self) -> String {
        let mut json = self.schema_with(self.outputs.len());
        for (name, kind) in self.outputs {
            json.key(name).begin_object().key("type").string(kind).end_object();
        }
        json.end_object().key("required").strings(self.outputs.iter().map(|(name, _)| *name)).end_object();
        json.finish()
    }

    fn schema_with(&self, members: usize) -> Writer {
        let mut json = Writer::with_capacity(300 + 100 * members);
        json.begin_object().key("$schema").string("https://json-schema.org/draft/2020-12/schema");
        json.key("title").string(self.title).key("description").string(self.description);
        json.key("type").string("object").key("properties").begin_object();
        json
    }
}
