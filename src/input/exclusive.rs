//! Fields that exclude each other, refused together: Stripe would name one of them, or take one and say nothing.

use serde_json::{Map, Value};

use stripe_table::{Advice, Table};

use crate::catalogue::{self, About};
use crate::error::{Error, Result};

/// Refuses an object in which fields stand beside each other of which only one may be given. `around` is its path. What
/// is false or unset is not counted: that takes back what another request gave.
pub fn check(around: &str, given: &Map<String, Value>) -> Result<()> {
    let mut set: Vec<&str> = Vec::with_capacity(given.len());
    for (name, value) in given {
        if !value.is_null() && *value != "" && *value != false {
            set.push(name);
        }
    }
    if set.len() < 2 {
        return Ok(());
    }
    for group in groups(catalogue::table()?) {
        let mut names: Vec<&str> = Vec::new();
        for name in group.of() {
            if set.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > 1 {
            let other = names.remove(1);
            let at = if around.is_empty() { other.to_owned() } else { [around, ".", other].concat() };
            let message = ["`", &names.join("`, `"), "` and `", other, "` exclude each other"].concat();
            return Err(Error::input(at, message).hint(group.hint()));
        }
    }
    Ok(())
}

/// The groups of fields that exclude each other. They stand first in the table, so that the hundreds of other words of advice
/// are not looked at for every object.
fn groups(table: Table<'static>) -> impl Iterator<Item = Advice<'static>> {
    table.advice().iter().take_while(|advice| advice.about() == About::Exclusive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_among_the_first() {
        let table = catalogue::table().expect("sound");
        let all = table.advice().iter().filter(|advice| advice.about() == About::Exclusive).count();
        assert!(all > 0);
        assert_eq!(groups(table).count(), all);
    }
}
