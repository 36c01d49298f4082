//! The operators' ledger: what this command does, recorded in a sealed store of its own.

mod actor;
mod events;
mod session;
mod record;

pub(crate) use events::{Digest, Expunged, Notes, Ordered, Reference, Verified};
pub(crate) use record::{Arguments, Record, Work, configured};
pub(crate) use session::{Session, begin};
