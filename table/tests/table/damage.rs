//! What is damaged is refused, and reading it all the same ends and does not panic.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use stripe_facts::Facts;
use stripe_table::model::{Model, Request, Shape};
use stripe_table::{Damaged, Table, write};

use crate::walk::Walk;
use crate::{any, facts, sample};

/// More than any walk through a table that passes the check has to look at.
const STEPS: usize = 3 << 20;
/// As far as a walk through a damaged table is followed.
const FOLLOWED: usize = 20_000;

static SMALL: LazyLock<Vec<u8>> = LazyLock::new(|| write(&sample::model()).unwrap());
static LARGE: LazyLock<Vec<u8>> = LazyLock::new(|| write(&facts::of_facts(Facts::bundled())).unwrap());

/// Where the checksum stands; it is of everything behind it.
const CHECKSUM: usize = 12;

/// Puts a checksum on damaged bytes that fits them, so that the damage must be found where it is.
fn seal(bytes: &mut [u8]) {
    if bytes.len() >= CHECKSUM + 4 {
        let sum = bytes[CHECKSUM + 4..]
            .iter()
            .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        bytes[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Opens, checks and walks: what passes the check is whole, and what does not can be read as far as one likes.
fn read(bytes: &[u8]) -> Result<(), Damaged> {
    let table = Table::open(bytes)?;
    let verified = table.verify();
    let walk = Walk::of(table, if verified.is_ok() { STEPS } else { FOLLOWED });
    assert!(walk.whole || verified.is_err(), "the check passed what a walk found damaged");
    verified
}

fn refused(bytes: &[u8]) -> &'static str {
    Table::open(bytes).expect_err("no table").what
}

#[test]
fn bytes_that_are_no_table_are_refused_when_it_is_opened() {
    let with = |at: usize, byte: u8| {
        let mut bytes = SMALL.clone();
        bytes[at] = byte;
        refused(&bytes)
    };
    assert_eq!(refused(b""), "it is too short for a header");
    assert_eq!(refused(&SMALL[..3]), "it is too short for a header");
    assert_eq!(refused(b"<!DOCTYPE html>"), "it does not begin as a table");
    assert_eq!(with(4, 3), "it has a format that this reader does not know");
    assert_eq!(refused(&SMALL[..SMALL.len() - 1]), "it has another length than it says");
    assert_eq!(refused(&[SMALL.as_slice(), b"x"].concat()), "it has another length than it says");
    assert_eq!(with(19, 0xff), "the texts have no room");
    assert_eq!(with(24, SMALL[24].wrapping_add(1)), "a section has no room");
}

#[test]
fn a_header_alone_is_refused() {
    for length in 0..200_u32 {
        let mut bytes = SMALL[..length as usize].to_vec();
        if let Some(said) = bytes.get_mut(8..12) {
            said.copy_from_slice(&length.to_le_bytes());
        }
        assert!(Table::open(&bytes).is_err(), "{length}");
    }
}

#[test]
fn any_single_byte_that_is_another_is_noticed() {
    for at in 0..SMALL.len() {
        let mut bytes = SMALL.clone();
        bytes[at] ^= 0x20;
        assert!(read(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn every_kind_of_damage_is_found_where_it_is() {
    let mut found = BTreeSet::new();
    for at in CHECKSUM + 4..SMALL.len() {
        for bits in [1, 2, 4, 8, 16, 32, 64, 128] {
            let mut bytes = SMALL.clone();
            bytes[at] ^= bits;
            seal(&mut bytes);
            found.extend(read(&bytes).err().map(|damaged| damaged.what));
        }
    }
    for what in [
        "a code is none of its list",
        "a list of fields is something else",
        "a list of texts is something else",
        "a number does not end",
        "a record has columns that its kind has not",
        "a record keeps a column that is empty",
        "a section has no room",
        "a section is not sorted",
        "a shape lies in itself",
        "an index finds a thing by a name that it has not",
        "an index has names that are none, or of nothing",
        "an index is not sorted",
        "an index is not what is listed, sorted",
        "meanings are not sorted",
        "records are not in their order",
        "the texts have no room",
        "there is no such kind of shape",
        "there is no such prose",
        "there is no such request",
        "there is no such text",
    ] {
        assert!(found.contains(what), "{what}: not among {found:#?}");
    }
}

#[test]
fn a_name_that_an_index_has_not_is_noticed() {
    // The sections of the names of operations and of what they mean, each without its last word.
    let start = |bytes: &[u8], section: usize| {
        let at = 20 + 4 * section;
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    };
    let mut bytes = SMALL.clone();
    let (names_end, targets_end) = (start(&bytes, 13), start(&bytes, 14));
    bytes.drain(targets_end - 3..targets_end);
    bytes.drain(names_end - 3..names_end);
    for section in 13..22 {
        let moved = start(&bytes, section) - if section == 13 { 3 } else { 6 };
        let at = 20 + 4 * section;
        bytes[at..at + 4].copy_from_slice(&(moved as u32).to_le_bytes());
    }
    let length = bytes.len() as u32;
    bytes[8..12].copy_from_slice(&length.to_le_bytes());
    seal(&mut bytes);
    assert_eq!(read(&bytes).map_err(|damaged| damaged.what), Err("an index does not find a thing by its name"));
}

/// A shape that is a union around a union and so on, so many, and in the innermost these parts.
fn nested(count: usize, innermost: Vec<Shape>, beside: &[Shape]) -> Shape {
    let around = |inner: Shape| Shape::Union([&[inner], beside].concat());
    (1..count).fold(Shape::Union(innermost), |inner, _| around(inner))
}

fn answering(shapes: impl IntoIterator<Item = Shape>) -> Vec<u8> {
    let requests =
        shapes.into_iter().zip(0..).map(|(response, id)| Request { response, ..sample::request(&format!("{id}")) });
    write(&Model { requests: requests.collect(), ..Model::default() }).unwrap()
}

/// The head of a union of so many parts.
fn union_of(parts: u8) -> u8 {
    parts << 4 | 5
}

#[test]
fn shapes_that_say_one_thing_twice_at_every_level_are_refused_for_what_they_spell_out() {
    let mut bytes = answering([nested(50, vec![Shape::String, Shape::Integer], &[Shape::Integer])]);
    assert_eq!(read(&bytes), Ok(()));
    // In every union but the innermost the second part, a whole number, becomes what the first is.
    let mut changed = 0;
    for at in 0..bytes.len() - 7 {
        if bytes[at] == union_of(2) && bytes[at + 1..at + 4] != [8, 0, 0] && bytes[at + 4..at + 7] == [3, 0, 0] {
            bytes.copy_within(at + 1..at + 4, at + 4);
            changed += 1;
        }
    }
    assert_eq!(changed, 49);
    seal(&mut bytes);
    assert_eq!(read(&bytes).map_err(|damaged| damaged.what), Err("it spells out more than it may"));
}

#[test]
fn shapes_that_lie_too_deep_in_each_other_are_refused() {
    let mut bytes = answering([nested(40, vec![Shape::String], &[]), nested(40, vec![Shape::Integer], &[])]);
    assert_eq!(read(&bytes), Ok(()));
    // Right behind the outermost of the first comes the innermost of the second, each in four bytes; now this one
    // holds that one.
    let innermost = bytes.windows(4).position(|cell| cell == [union_of(1), 3, 0, 0]).unwrap();
    let [_, low, high, 0] = bytes[innermost + 4..innermost + 8] else { panic!("no reference to the innermost") };
    let outermost = u16::from_le_bytes([low, high]) - 4;
    bytes[innermost + 1..innermost + 3].copy_from_slice(&outermost.to_le_bytes());
    seal(&mut bytes);
    assert_eq!(read(&bytes).map_err(|damaged| damaged.what), Err("shapes lie too deep in each other"));
}

#[test]
fn a_damaged_table_says_where_and_what_to_do() {
    let damaged = Table::open(&SMALL[..SMALL.len() - 1]).unwrap_err();
    assert_eq!(
        damaged.to_string(),
        "the table is damaged at byte 8: it has another length than it says; build it anew"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn any_bytes_behind_a_sound_frame_can_be_read(noise in vec(any::<u8>(), 1..400), from in 0_usize..4000) {
        let mut bytes = SMALL.clone();
        let from = 100 + from % (bytes.len() - 100);
        bytes[from..].iter_mut().zip(&noise).for_each(|(byte, noise)| *byte = *noise);
        seal(&mut bytes);
        let _ = read(&bytes);
    }

    #[test]
    fn any_header_can_be_read(noise in vec(any::<u8>(), 1..90), from in 0_usize..90) {
        let mut bytes = SMALL.clone();
        bytes[12 + from..].iter_mut().zip(&noise).for_each(|(byte, noise)| *byte = *noise);
        seal(&mut bytes);
        let _ = read(&bytes);
    }

    #[test]
    fn a_small_table_with_bytes_of_it_changed_can_be_read(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = SMALL.clone();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        prop_assert_eq!(read(&bytes).is_err(), bytes != *SMALL);
        seal(&mut bytes);
        let _ = read(&bytes);
    }

    #[test]
    fn a_table_that_was_cut_is_refused_and_what_is_left_of_it_can_be_read(cut in any::<prop::sample::Index>()) {
        let mut bytes = SMALL.clone();
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(read(&bytes).is_err());
        let length = bytes.len() as u32;
        if let Some(said) = bytes.get_mut(8..12) {
            said.copy_from_slice(&length.to_le_bytes());
        }
        seal(&mut bytes);
        let _ = read(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_table_of_all_of_the_api_with_bytes_of_it_changed_can_be_read(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = LARGE.clone();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        seal(&mut bytes);
        let _ = read(&bytes);
    }

    #[test]
    fn any_table_with_a_byte_of_it_changed_can_be_read(
        model in any::model(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = write(&model).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        seal(&mut bytes);
        let _ = read(&bytes);
    }
}
