//! Every target for a bounded while: what is in its corpus, and that changed at random.
//!
//! `FUZZ_CASES=100000` in the environment runs each so often, `FUZZ_SEED=7` goes another way and `FUZZ_SEED=random` a new
//! one. Bytes that broke a promise are printed small; kept in `corpus/TARGET/`, they are run first ever after.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

use std::env;
use std::fs;
use std::path::Path;

use fuzz::{TARGETS, Target};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

/// Enough for `cargo test` not to take longer for them; CI asks for more.
const CASES: u32 = 500;

/// What is done to bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Word(Index, Index),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
    Append(Index),
}

fn change() -> impl Strategy<Value = Change> {
    use any as a;
    prop_oneof![
        (a::<Index>(), a::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (a::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (a::<Index>(), prop::collection::vec(a::<u8>(), 1..5)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (a::<Index>(), a::<Index>()).prop_map(|(at, word)| Change::Word(at, word)),
        (a::<Index>(), 1..20_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (a::<Index>(), 1..20_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        a::<Index>().prop_map(Change::Cut),
        a::<Index>().prop_map(Change::Append),
    ]
}

fn changed(target: &Target, corpus: &[Vec<u8>], from: &Index, changes: &[Change]) -> Vec<u8> {
    let mut bytes = corpus[from.index(corpus.len())].clone();
    for change in changes {
        let place = |at: &Index| at.index(bytes.len() + 1);
        let insert = |bytes: &mut Vec<u8>, at: usize, new: &[u8]| drop(bytes.splice(at..at, new.iter().copied()));
        match change {
            Change::Set(at, _) | Change::Flip(at, _) if place(at) == bytes.len() => {}
            Change::Set(at, byte) => {
                let at = place(at);
                bytes[at] = *byte;
            }
            Change::Flip(at, bit) => {
                let at = place(at);
                bytes[at] ^= 1 << bit;
            }
            Change::Insert(at, new) => {
                let at = place(at);
                insert(&mut bytes, at, new);
            }
            Change::Word(at, word) => {
                let at = place(at);
                insert(&mut bytes, at, word.get(target.words).as_bytes());
            }
            Change::Remove(at, length) => {
                let at = place(at);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Change::Repeat(at, length) => {
                let at = place(at);
                let again = bytes[at..(at + length).min(bytes.len())].to_vec();
                insert(&mut bytes, at, &again);
            }
            Change::Cut(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
            Change::Append(other) => bytes.extend_from_slice(&corpus[other.index(corpus.len())]),
        }
    }
    bytes
}

fn bounded(name: &str) {
    let target = TARGETS.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("no target {name}"));
    let mut corpus = (target.corpus)();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    for entry in fs::read_dir(kept).into_iter().flatten().flatten() {
        corpus.push(fs::read(entry.path()).expect("a file of the corpus"));
    }
    corpus.iter().for_each(|bytes| (target.run)(bytes));

    let asked = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let config = Config {
        cases: asked("FUZZ_CASES").map_or(CASES, |n| n.parse().expect("FUZZ_CASES is a number")),
        rng_seed: match asked("FUZZ_SEED").as_deref() {
            Some("random") => RngSeed::Random,
            seed => RngSeed::Fixed(seed.map_or(1, |n| n.parse().expect("FUZZ_SEED is a number or `random`"))),
        },
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let bytes = prop_oneof![
        9 => (any::<Index>(), prop::collection::vec(change(), 1..8))
            .prop_map({ let corpus = corpus.clone(); move |(from, changes)| changed(target, &corpus, &from, &changes) }),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ];
    let result = TestRunner::new(config).run(&bytes, |bytes| {
        (target.run)(&bytes);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, bytes)) => {
            let found = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.found"));
            let advice = match fs::write(&found, &bytes) {
                Ok(()) => format!("they are in {}; keep them as a file in corpus/{name}/", found.display()),
                Err(error) => format!("they could not be written to {}: {error}", found.display()),
            };
            panic!("{name}: {reason}\nthe bytes: \"{}\"\n{advice}", bytes.escape_ascii());
        }
        Err(TestError::Abort(reason)) => panic!("{name}: {reason}"),
    }
}

macro_rules! bounded {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                bounded(stringify!($target));
            }
        )*

        #[test]
        fn every_target_is_run() {
            let run = [$(stringify!($target)),*];
            assert!(TARGETS.iter().map(|t| t.name).eq(run), "{run:?}");
        }
    };
}

bounded!(table json form signature input state);
