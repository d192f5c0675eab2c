//! Fields that exclude each other, refused together: Stripe would name one of them, or take one and say nothing.

use serde_json::{Map, Value};

use crate::catalogue::{self, About};
use crate::error::{Error, Result};

/// Refuses an object in which fields stand beside each other of which only one may be given. `around` is its path. What
/// is false or unset is not counted: that takes back what another request gave.
pub fn check(around: &str, given: &Map<String, Value>) -> Result<()> {
    if given.len() < 2 {
        return Ok(());
    }
    let is_given = |name: &str| given.get(name).is_some_and(|v| !v.is_null() && *v != "" && *v != false);
    for group in catalogue::table()?.advice().iter().filter(|a| a.about() == About::Exclusive) {
        let mut names = group.of().iter().filter(|name| is_given(name));
        if let (Some(one), Some(other)) = (names.next(), names.next()) {
            let at = if around.is_empty() { other.to_owned() } else { [around, ".", other].concat() };
            let others = names.flat_map(|name| ["`, `", name]).collect::<Vec<_>>().concat();
            let message = ["`", one, others.as_str(), "` and `", other, "` exclude each other"].concat();
            return Err(Error::input(at, message).hint(group.hint()));
        }
    }
    Ok(())
}
