//! The bounded queue between callers and the one writer thread, and what that thread does.
//!
//! Callers encode and push bytes; the thread takes all that is there, links it, writes it once per
//! stream, syncs each stream that somebody waits for, and answers. No lock is held during I/O, and
//! no chain hash is computed on a caller's thread.

mod batch;
mod deadlines;
mod handle;
mod held;
mod in_flight;
mod keys;
mod lane;
mod printer;
mod queue;
mod site;
mod watch;
mod worker;

#[cfg(feature = "http")]
pub(crate) use handle::Owing;
pub(crate) use handle::Plan;
pub use handle::{Handle, Health, Mode};
pub(crate) use keys::KeyWatch;
pub(crate) use printer::Printer;
pub(crate) use site::Opener;
pub(crate) use worker::{Ending, Worker};
