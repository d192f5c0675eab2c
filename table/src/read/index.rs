//! Finding by name: names in one section, sorted, and in another what each of them means.

use super::heap::Heap;
use super::items::{Item, Items};
use crate::layout::Section;

/// What has this name, in the order in which it is listed.
pub fn named<'t, T: Item<'t>>(heap: Heap<'t>, names: Section, targets: Section, name: &str) -> Items<'t, T> {
    let (from, to) = Items::<&str>::section(heap, names).positions_of(name, |n| n);
    Items::section(heap, targets).range(from, to)
}
