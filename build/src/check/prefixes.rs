//! An id says by its beginning what it is of, so no two resources may claim one id.
//!
//! An id is its prefix and then letters and digits, so every prefix ends with `_`, and a longer one that begins like a
//! shorter (`sub_sched_` and `sub_`) is of other ids: the engine takes the longest that fits. The exception is the mode
//! (`cs_test_…`), which is part of the id and of no prefix.

use crate::catalogue::Catalogue;
use crate::problem::Report;

const MODES: [&str; 2] = ["test_", "live_"];

/// Every prefix of every resource.
pub fn check(catalogue: &Catalogue, report: &mut Report<'_>) {
    let all: Vec<_> =
        catalogue.resources.iter().flat_map(|r| r.entry.id_prefixes.iter().map(move |prefix| (r, prefix))).collect();
    for (at, (resource, prefix)) in all.iter().enumerate() {
        let text = prefix.get_ref();
        if !text.ends_with('_') || text.len() < 2 {
            let what = format!("the prefix `{text}` must end with _, or the ids of other objects may begin so too");
            report.wrong(&resource.file, prefix, what);
        }
        for (other_at, (other, shorter)) in all.iter().enumerate() {
            let what = match text.strip_prefix(shorter.get_ref().as_str()) {
                Some("") if other_at < at => {
                    format!("the prefix `{text}` is of resource `{}` already", other.name)
                }
                Some(rest) if MODES.contains(&rest) => format!(
                    "the prefix `{text}` is `{}` of resource `{}` with a mode, which is part of its ids",
                    shorter.get_ref(),
                    other.name
                ),
                _ => continue,
            };
            report.wrong(&resource.file, prefix, what);
        }
    }
}
