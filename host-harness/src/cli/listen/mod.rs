//! `stripe listen`, run for the user: events of a test account reach this machine though nothing out there can call it.
//!
//! What lives here: whether it is run at all and why not ([`Skipped`]), how the program is found and asked, what of its
//! output is its secret, one life of it, and the supervision that starts it again. What does not: taking the events, which
//! come in as any delivery does, and checking them; whoever starts it is handed the secret they are signed with.
//!
//! The program never runs by itself but under a [`keep`]er, which is this same binary: it lives as long as a pipe to us is
//! open, so that nothing stays behind however we end, by `kill -9` too. Data flows one way: `program` → `life` (its lines,
//! read by `said`) → `supervision` → [`News`]. The key goes in by the environment alone, and neither it nor the secret
//! comes out in a text.

mod keeper;
mod life;
mod patience;
mod program;
mod said;
mod skipped;
mod supervision;

pub use self::keeper::keep;
pub use self::patience::Patience;
pub use self::program::{Asked, Program};
pub use self::skipped::Skipped;
pub use self::supervision::{Listening, News};
