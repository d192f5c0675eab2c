//! What to do about errors.

use super::items::Texts;
use super::record::cursors;
use crate::layout::advice;
use crate::names::About;

cursors! {
    /// Cause and way out of what is known by one of a few names.
    Advice, named by hint {
        /// What it is known by.
        about: case(advice::ABOUT, About::from_code, About::Error) -> About,
        /// The codes, reasons or parts of a message that it belongs to.
        of: texts(advice::OF) -> Texts<'t>,
        /// Cause and way out.
        hint: prose(advice::HINT) -> String,
    }
}
