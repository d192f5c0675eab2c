//! What SQLite says went wrong, as what a caller can do about it.

use rusqlite::ffi::ErrorCode;

use crate::error::Error;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            // A column of another type than we wrote.
            return Self::Damaged(error.to_string());
        };
        // SQLite's own words hold no data: names of tables and of columns at most.
        let said = error.to_string();
        match code {
            ErrorCode::DiskFull => Self::Full(said),
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::TypeMismatch
            | ErrorCode::ConstraintViolation => Self::Damaged(said),
            ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied => {
                Self::Denied(said)
            }
            _ => Self::Unavailable(said),
        }
    }
}
