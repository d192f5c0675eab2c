//! What shall stand in an answer in the place of ids: as deep as Stripe goes, and in lists within their objects.

use serde_json::{Map, Value};

use crate::catalogue::{Operation, Shape};
use crate::error::{Error, Result};

/// How many names a path may have.
const DEEPEST: usize = 4;

/// Refuses a path that Stripe would refuse, and says how it has to begin.
pub fn check(operation: Operation, parameters: &Map<String, Value>) -> Result<()> {
    let paths = parameters.get("expand").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let in_list = matches!(operation.request().response(), Shape::List(_) | Shape::Search(_));
    for (index, path) in paths.enumerate() {
        let at = ["expand[", &index.to_string(), "]"].concat();
        if in_list && path != "data" && !path.starts_with("data.") {
            let message = ["`", path, "` is expanded in the objects of this list"].concat();
            return Err(Error::input(at, message).hint(["Write `data.", path, "`."].concat()));
        }
        if path.split('.').count() > DEEPEST {
            let message = ["`", path, "` lies too deep: at most four names, `data` included, are expanded"].concat();
            return Err(Error::input(at, message).hint("Expand less, and retrieve the rest by its id."));
        }
    }
    Ok(())
}
