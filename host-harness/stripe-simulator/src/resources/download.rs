//! What the API answers as bytes and not as JSON: the contents of files, and quotes as PDFs.

use super::file::{self, Contents};
use super::quote;
use crate::protocol::ApiError;
use crate::world::Account;

/// What a path downloads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Download<'p> {
    File(&'p str),
    Quote(&'p str),
}

/// What a path downloads; none where it answers JSON.
pub(crate) fn of(path: &str) -> Option<Download<'_>> {
    let between = |before: &str, after: &str| {
        path.strip_prefix(before)?.strip_suffix(after).filter(|id| !id.is_empty() && !id.contains('/'))
    };
    let file = between("/v1/files/", "/contents").map(Download::File);
    file.or_else(|| between("/v1/quotes/", "/pdf").map(Download::Quote))
}

impl Download<'_> {
    /// The bytes.
    ///
    /// # Errors
    /// There is no such object, or it is there no more.
    pub(crate) fn contents(&self, account: &mut Account) -> Result<Contents, ApiError> {
        match self {
            Self::File(id) => file::contents(account, id),
            Self::Quote(id) => quote::pdf(account, id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contents_of_a_file_and_the_paper_of_a_quote_are_downloads() {
        assert_eq!(of("/v1/files/file_1/contents"), Some(Download::File("file_1")));
        assert_eq!(of("/v1/quotes/qt_1/pdf"), Some(Download::Quote("qt_1")));
        for path in
            ["/v1/files/contents", "/v1/files//contents", "/v1/files/a/b/contents", "/v1/files/a", "/v1/quotes//pdf"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
