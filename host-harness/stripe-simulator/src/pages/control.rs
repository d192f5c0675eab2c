//! The control routes: faults are read, added and cleared here while the simulator runs, and what was wrong with
//! answers is told.
//!
//! `POST` of a fault takes a form: `kind`, and any of `percent`, `times`, `method`, `path`, `milliseconds`, `seconds`.

use hyper::Method;

use super::{field, json};
use crate::faults::{Fault, FaultError, FaultKind, Faults};
use crate::protocol::{ApiError, Branch, Permissions, Reply, Tree};
use crate::violations::Violations;
use crate::world::{World, lock};

pub(super) fn answer(faults: &Faults, method: &Method, form: &Branch) -> Reply {
    if *method == Method::POST {
        match read(form) {
            Ok(fault) => faults.add(fault),
            Err(error) => return json(error.status(), error.body(None).to_string()),
        }
    } else if *method == Method::DELETE {
        faults.clear();
    }
    json(200, serde_json::json!({"faults": faults.list()}).to_string())
}

/// Shows which answers were not what the facts say, and whether anybody looked.
pub(super) fn violations(violations: &Violations) -> Reply {
    let shown = serde_json::json!({"checked": violations.looking(), "violations": violations.all()});
    json(200, shown.to_string())
}

/// Shows how much there is in every account, with a text that stays the same for as long as nothing changes.
pub(super) fn state(world: &World) -> Reply {
    let accounts = world.accounts().into_iter().map(|(scope, account)| {
        let account = lock(&account);
        serde_json::json!({
            "account": account.id(),
            "livemode": scope.live,
            "objects": account.counts(),
            "events": account.events().len(),
            "fingerprint": format!("{:016x}", account.fingerprint()),
        })
    });
    json(200, serde_json::json!({"accounts": accounts.collect::<Vec<_>>()}).to_string())
}

/// Chooses what a restricted key may do.
pub(super) fn keys(permissions: &Permissions, method: &Method, form: &Branch) -> Reply {
    let key = field(form, "key");
    if *method != Method::POST || !key.starts_with("rk_") {
        let error = ApiError::invalid("Permissions are chosen by POST, of a key that begins with rk_.").param("key");
        return json(400, error.body(None).to_string());
    }
    let granted = match form.get("permissions") {
        Some(Tree::Branch(granted)) => granted.values().filter_map(|t| match t {
            Tree::Text(text) => Some(text.as_str()),
            _ => None,
        }),
        _ => {
            permissions.restrict(key, std::iter::empty());
            return json(200, serde_json::json!({"permissions": []}).to_string());
        }
    };
    let granted: Vec<&str> = granted.collect();
    permissions.restrict(key, granted.iter().copied());
    json(200, serde_json::json!({"permissions": granted}).to_string())
}

fn read(form: &Branch) -> Result<Fault, ApiError> {
    let refused = |error: &FaultError| ApiError::invalid(error.to_string()).param(error.member());
    let kind = field(form, "kind");
    let kind = FaultKind::parse(kind).ok_or_else(|| refused(&FaultError::Kind(kind.to_owned())))?;
    let mut fault = Fault::new(kind);
    for name in form.keys().filter(|n| *n != "kind") {
        fault.set(name, field(form, name)).map_err(|e| refused(&e))?;
    }
    Ok(fault)
}
