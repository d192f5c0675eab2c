//! The pages of `docs/`, written from what the connector tells a host of itself: its schemas, its samples, its texts.
//! What is read there is what a platform gets, and nothing is said twice by hand.
//!
//! ```text
//! docs/tasks.toml ─ tasks ────────────────────────────┐
//!                                                     ├─▶ index ─────▶ README.md
//! stripe_connector: table, describe, permission ──────┤
//!                                                     ├─▶ resource ──▶ resources/NAME.md
//!                                                     └─▶ whole_api ─▶ whole-api.md
//! ```
//!
//! A page is made of sections (`operation`), a section of rows (`field`, in the words of `kind`), and all of it of
//! `markdown`; `place` knows where each thing is read about. [`Folder`] is the only one that touches files. What an
//! operation means is said in the catalogue, never here.

use std::collections::BTreeMap;

use stripe_connector::catalogue;

mod field;
mod folder;
mod index;
mod kind;
mod markdown;
mod operation;
mod place;
mod problem;
mod resource;
mod tasks;
mod whole_api;

pub use folder::{Difference, Folder};
pub use markdown::slug;
pub use problem::Problem;

/// Every page by its path in `docs/`, for these tasks.
///
/// # Errors
/// A task that names no operation; what the connector cannot describe.
pub fn pages(tasks: &str) -> Result<BTreeMap<String, String>, Problem> {
    let topics = tasks::parse(tasks)?;
    let mut pages = BTreeMap::new();
    for resource in catalogue::table()?.resources() {
        pages.insert(place::page(resource.name()), resource::page(resource)?);
    }
    pages.insert(place::WHOLE_API.to_owned(), whole_api::page()?);
    pages.insert(place::INDEX.to_owned(), index::page(&topics)?);
    Ok(pages)
}
