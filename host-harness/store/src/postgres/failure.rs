//! What PostgreSQL says went wrong, as what a caller can do about it.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::error::Error;

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let cause = error.source().map(ToString::to_string);
            let text = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            // The client says by its words alone where it got stuck.
            let settings = ["invalid configuration", "authentication error", "error performing TLS handshake"];
            return match settings.iter().any(|setting| text.starts_with(setting)) {
                true => Self::Denied(text),
                false => Self::Unavailable(text),
            };
        };
        // The message and not the detail, in which the rows' values would be.
        let code = said.code();
        let text = format!("{} ({})", said.message(), code.code());
        match code {
            _ if *code == SqlState::DISK_FULL => Self::Full(text),
            _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Self::Unavailable(text),
            _ => match code.code().get(..2) {
                Some("08" | "40" | "53" | "55" | "57" | "58") => Self::Unavailable(text),
                // Authentication, database, schema or table that is not there or not ours.
                Some("28" | "3D" | "3F" | "42") => Self::Denied(text),
                _ => Self::Damaged(text),
            },
        }
    }
}
