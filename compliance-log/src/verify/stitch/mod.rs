//! Joins the checked parts of a stream, in the order of its files, and says what does not fit.
//!
//! Expected is always one thing: the next sequence, and the hash it must link to. What comes
//! instead is told apart by the rules in `docs/FORMAT.md`. Some of it can only be named when more
//! has been seen: a record that stands too early may have been moved, copied or made up. Such a
//! place is remembered as a fork, and its finding is corrected when a later run joins it.

mod state;
mod files;
mod lines;
mod runs;
mod again;
mod roots;
mod findings;

pub(super) use findings::span;
pub(super) use state::{Outcome, Stitch};
