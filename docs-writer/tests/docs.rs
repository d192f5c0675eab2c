//! The pages of `docs/` are what the connector says of itself today, and lead nowhere wrong.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use docs_writer::{Folder, pages, slug};
use stripe_connector::catalogue;

fn written() -> BTreeMap<String, String> {
    pages(&Folder::of_repository().tasks().expect("docs/tasks.toml")).expect("pages")
}

#[test]
fn the_documentation_is_current() {
    let differences = Folder::of_repository().differences(&written()).expect("docs/");
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}\nrun `cargo xtask docs` and commit what it writes", told.join("\n"));
}

#[test]
fn everything_that_people_see_has_its_place() {
    let pages = written();
    let table = catalogue::table().expect("a table");
    let seen = table.operations().iter().map(|o| (o.resource(), o.id()));
    for (resource, id) in seen.chain(table.triggers().iter().map(|t| (t.resource(), t.id()))) {
        assert!(pages[&format!("resources/{resource}.md")].contains(&format!("`{id}`")), "{id}");
    }
    for own in &catalogue::OWN {
        assert!(pages["whole-api.md"].contains(&format!("`{}`", own.id)), "{}", own.id);
    }
}

#[test]
fn every_heading_of_a_page_is_its_only_one_of_that_name() {
    for (page, body) in written() {
        let mut seen = BTreeSet::new();
        for anchor in anchors(&body) {
            assert!(seen.insert(anchor.clone()), "{page} has two headings `{anchor}`");
        }
    }
}

#[test]
fn every_link_leads_to_a_heading_or_a_file() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let pages = written();
    let mut links = 0;
    for (page, body) in &pages {
        for link in targets(body) {
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = match file {
                "" => PathBuf::from(page),
                file => normal(&Path::new(page).parent().expect("a folder").join(file)),
            };
            match pages.get(file.to_str().expect("UTF-8")) {
                Some(there) => assert!(anchor.is_empty() || anchors(there).any(|a| a == anchor), "{page}: {link}"),
                None => assert!(anchor.is_empty() && docs.join(&file).exists(), "{page}: {link}"),
            }
        }
    }
    assert!(links > pages.len(), "no links were found in the pages");
}

/// The lines that are not in a block of code.
fn prose(body: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    body.lines().filter(move |line| {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        !in_code
    })
}

fn anchors(body: &str) -> impl Iterator<Item = String> {
    prose(body).filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#').trim()))
}

fn targets(body: &str) -> impl Iterator<Item = &str> {
    prose(body).flat_map(|line| line.split("](").skip(1)).map(|rest| rest.split(')').next().unwrap_or_default())
}

/// A path without the steps up in it that can be taken.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        let can_go_up = matches!(out.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::ParentDir if can_go_up => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
