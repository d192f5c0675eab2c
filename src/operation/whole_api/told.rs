//! What is told of the API without asking anybody.

/// What `api.search` and `api.describe` answer with.
#[derive(Debug)]
pub struct Told {
    /// As JSON.
    pub output: String,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}
