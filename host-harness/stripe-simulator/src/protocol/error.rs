//! Errors in Stripe's shape and words.

use serde_json::{Map, Value, json};

use super::Namespace;

/// An answer that is an error. Boxed: most requests have none, and every operation can return one.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    status: u16,
    kind: &'static str,
    message: String,
    code: Option<&'static str>,
    param: Option<String>,
    members: Vec<(&'static str, Value)>,
    missing: Option<(&'static str, String)>,
    /// What is wrong with the parameter, in v2's words; the message where it has none.
    complaint: Option<String>,
    namespace: Namespace,
}

impl ApiError {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Details {
            status,
            kind,
            message,
            code: None,
            param: None,
            members: Vec::new(),
            missing: None,
            complaint: None,
            namespace: Namespace::V1,
        }))
    }

    /// 400: the request is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    /// 500: what Stripe says when something of its own went wrong.
    pub(crate) fn failure() -> Self {
        Self::new(500, "api_error", "An unknown error occurred. If the problem persists, please contact support.")
    }

    /// 401: the key is wrong.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "invalid_request_error", message)
    }

    /// 402: the card is the reason.
    pub(crate) fn card(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(402, "card_error", message).code(code)
    }

    /// 400: an idempotency key means something else already.
    pub(crate) fn idempotency(message: impl Into<String>) -> Self {
        Self::new(400, "idempotency_error", message)
    }

    /// 400: one of the classes of errors that only v2 has.
    pub(crate) fn typed(kind: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, kind, message).code(kind)
    }

    /// 400: parameters that cannot go together.
    pub(crate) fn exclusive(one: &str, other: &str) -> Self {
        Self::invalid(format!("You may only specify one of these parameters: {one}, {other}."))
            .code("parameters_exclusive")
    }

    /// 400: a parameter that must be there is not.
    pub(crate) fn missing_param(name: &str) -> Self {
        Self::invalid(format!("Missing required param: {name}."))
            .code("parameter_missing")
            .param(name)
            .complaint("Missing required field.")
    }

    /// 400: an empty string where a value cannot be unset.
    pub(crate) fn empty_param(name: &str) -> Self {
        Self::invalid(format!(
            "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; \
             however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty \
             value."
        ))
        .code("parameter_invalid_empty")
        .param(name)
    }

    /// 400: a number below what is allowed.
    pub(crate) fn too_small(name: &str, least: i64) -> Self {
        Self::invalid(format!("This value must be greater than or equal to {least}."))
            .code("parameter_invalid_integer")
            .param(name)
    }

    /// 400: a number above what is allowed.
    pub(crate) fn too_large(name: &str, most: i64) -> Self {
        Self::invalid(format!("This value must be less than or equal to {most}."))
            .code("parameter_invalid_integer")
            .param(name)
    }

    /// No such object: 404 when it is the one in the path (`param` is `id`), else 400.
    pub(crate) fn missing_object(kind: &'static str, id: &str, param: &str) -> Self {
        let noun = match kind {
            "payment_method" => "PaymentMethod",
            "checkout.session" => "checkout.session",
            "setup_intent" => "setupintent",
            "invoice_payment" => "invoice payment",
            _ => kind,
        };
        let status = if param == "id" { 404 } else { 400 };
        // What is in the path has the name that it has there: mostly `id`.
        let param = match (param, kind) {
            ("id", "payment_intent" | "setup_intent") => "intent",
            ("id", "payment_method") => "payment_method",
            _ => param,
        };
        let mut error = Self::new(status, "invalid_request_error", format!("No such {noun}: '{id}'"))
            .code("resource_missing")
            .param(param);
        error.0.missing = Some((kind, id.to_owned()));
        error
    }

    pub(crate) fn status_is(mut self, status: u16) -> Self {
        self.0.status = status;
        self
    }

    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.0.code = Some(code);
        self
    }

    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// Says what is wrong with the parameter as v2 does.
    pub(crate) fn complaint(mut self, complaint: impl Into<String>) -> Self {
        self.0.complaint = Some(complaint.into());
        self
    }

    /// The error as a namespace tells it. v2 has codes of its own, and names the parameter in the message.
    pub(crate) fn told_in(mut self, namespace: Namespace) -> Self {
        if namespace == Namespace::V1 || self.0.namespace == namespace {
            return self;
        }
        let details = &mut *self.0;
        details.namespace = namespace;
        match (details.status, details.kind) {
            (_, "idempotency_error") => details.code = Some("idempotency_error"),
            (404, "invalid_request_error") if details.missing.is_some() => details.code = Some("not_found"),
            (400, "invalid_request_error") => {
                if let Some(param) = &details.param {
                    let what = details.complaint.as_deref().unwrap_or(&details.message);
                    let place = dotted(param);
                    details.message = format!("Some fields in the request were invalid: '{place}: {what}'");
                    details.code = Some("invalid_fields");
                }
            }
            _ => {}
        }
        self
    }

    /// Adds a member to the error: `decline_code`, `charge`, …
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.push((name, value.into()));
        self
    }

    /// No parameter is to blame.
    pub(crate) fn without_param(mut self) -> Self {
        self.0.param = None;
        self
    }

    /// What the error says.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.0.status
    }

    /// The object that was looked for, when that is the error.
    pub(crate) fn missing(&self) -> Option<(&'static str, &str)> {
        self.0.missing.as_ref().map(|(kind, id)| (*kind, id.as_str()))
    }

    /// Says more at the end of the message.
    pub(crate) fn add(mut self, text: &str) -> Self {
        self.0.message.push_str(text);
        self
    }

    /// The body of the answer. `request` is the request's id and mode, where it has one.
    pub(crate) fn body(&self, request: Option<(&str, bool)>) -> Value {
        let mut error = self.members();
        if let (Some((id, live)), Namespace::V1) = (request, self.0.namespace) {
            let mode = if live { "" } else { "test/" };
            let now = crate::world::now();
            let url = format!("https://dashboard.stripe.com/{mode}logs/{id}?t={now}");
            error.insert("request_log_url".into(), url.into());
        }
        let mut body = json!({"error": error});
        crate::presence::settle(&mut body);
        body
    }

    /// The error itself: what an object keeps as its last error.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let details = &self.0;
        let mut error = Map::new();
        error.insert("message".into(), details.message.as_str().into());
        if details.namespace == Namespace::V2 {
            // v2 gives a type where the code alone does not tell the class of the error.
            if details.code.is_none() || details.kind != "invalid_request_error" {
                error.insert("type".into(), details.kind.into());
            }
            error.extend(details.code.map(|c| ("code".to_owned(), c.into())));
            return error;
        }
        error.insert("type".into(), details.kind.into());
        if let Some(code) = details.code {
            let url = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"));
            error.insert("code".into(), code.into());
            error.insert("doc_url".into(), url.into());
        }
        if let Some(param) = &details.param {
            error.insert("param".into(), param.as_str().into());
        }
        for (name, value) in &details.members {
            error.insert((*name).into(), value.clone());
        }
        error
    }
}

/// `a[b][0]` as v2 writes it: `a.b[0]`.
fn dotted(param: &str) -> String {
    let mut parts = param.split('[');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.strip_suffix(']').unwrap_or(part);
        if name.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str(&format!("[{name}]"));
        } else {
            out.push_str(&format!(".{name}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v2_names_the_parameter_in_the_message() {
        let error = ApiError::invalid("No.").param("a[b][0][c]").told_in(Namespace::V2);
        let expected = "Some fields in the request were invalid: 'a.b[0].c: No.'";
        assert_eq!(error.body(None), json!({"error": {"code": "invalid_fields", "message": expected}}));
    }
}
