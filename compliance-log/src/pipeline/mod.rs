//! The bounded queue between callers and the one writer thread, and what that thread does.
//!
//! Callers encode and push bytes; the thread takes all that is there, links it, writes it once per
//! stream, syncs each stream that somebody waits for, and answers. No lock is held during I/O, and
//! no chain hash is computed on a caller's thread.

mod batch;
mod deadlines;
mod handle;
mod health;
mod held;
mod in_flight;
mod keys;
mod lane;
mod mode;
mod policy;
mod printer;
mod queue;
mod redactions;
mod sealing;
mod selection;
mod shared;
mod site;
mod submit;
mod tracer;
mod turn;
mod vitals;
mod watch;
mod worker;

pub use handle::Handle;
pub use health::Health;
#[cfg(feature = "http")]
pub(crate) use in_flight::{Account, Owing};
pub(crate) use keys::KeyWatch;
pub use mode::Mode;
pub(crate) use printer::Printer;
pub(crate) use shared::Plan;
pub(crate) use site::Opener;
pub(crate) use tracer::Tracer;
pub use vitals::{BudgetUse, Vitals};
pub(crate) use worker::{Ending, Worker};
