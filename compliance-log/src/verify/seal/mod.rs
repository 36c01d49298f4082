//! The seal of a store: who signed what, and whether the bytes are what was signed.
//!
//! In the order of reading, which is the reverse of the order of writing, so that a store can be checked
//! while its writer is at work: certificate, epoch notes, checkpoints, catalog, streams. What is read
//! later covers at least what is read earlier.

mod found;
mod subtrees;
mod expunged;
mod tombstones;
mod fact;
mod retention;
mod notes;
mod certificate;
mod epochs;
mod checkpoints;
mod statements;
mod catalog;
mod sealed;
mod outside;

pub(super) use catalog::{Catalog, HEARTBEAT_S_MAX, SealedStream};
pub(super) use certificate::{Certified, Identity, certified};
pub(super) use expunged::Expunged;
pub(super) use fact::{Continues, Fact, Facts, Stated, time_ms};
pub(super) use found::Found;
pub(super) use outside::{Known, Outside};
pub(super) use retention::Retention;
pub(super) use sealed::Sealed;
pub(super) use statements::Statements;
pub(super) use subtrees::Subtrees;
pub(super) use tombstones::{Gone, LedgerFact, SegmentGone, Whereabouts};
