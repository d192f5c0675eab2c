//! Secrets on the host's side, and what stands in their place on the component's.
//!
//! What lives here: a value that cannot be printed and is wiped when it is dropped (`value`), the placeholder that a
//! component gets for it (`placeholder`), how it looks in what others write (`forms`), a quick look whether it can be there
//! (`grams`), and taking it out of that (`scrub`).
//! What does not: where a secret may go (`egress::policy`, `egress::credential`). Arrows: `value`, `forms`, `grams` → `scrub`.

mod forms;
mod grams;
mod placeholder;
mod scrub;
mod value;

pub(crate) use forms::base64_text;
pub use placeholder::Unhidable;
pub(crate) use placeholder::{placeholder, random_text};
pub(crate) use scrub::{Held, Scrubber};
pub use value::Secret;
