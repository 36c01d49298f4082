//! Checking a store from outside: what stands in its files, and what does not.
//!
//! [`verify`] reads a store, or a folder of stores, and reports what it found as data: a
//! [`Verdict`] per store and one [`Finding`] per place, with file, sequence, line and byte offset.
//! It opens files for reading only and trusts nothing but their bytes.
//!
//! Each line proves itself, so files are cut into pieces that are checked in parallel; what links
//! them is then judged in one pass, in the order of the files. A whole file is never in memory.
//!
//! ```
//! use compliance_log::verify::{Options, Verdict, verify};
//!
//! let report = verify("/var/log/audit/no-such-store".as_ref(), &Options::default())?;
//! // A verifier that checked nothing never reports success.
//! assert_eq!(report.verdict, Verdict::NothingChecked);
//! assert_eq!(report.exit, 2);
//! # Ok::<(), compliance_log::Error>(())
//! ```
//!
//! # What a seal adds
//!
//! A chain alone does not show that records were removed from the end of a stream together with the head
//! file, nor that a stream was written anew as a whole. Of a store with a [seal](crate::seal) these are
//! found, and how much of it depends on what [`Options`] are given:
//!
//! | given | found beside every change of what was sealed |
//! |---|---|
//! | nothing | who does not hold the store's keys |
//! | a root key | a store that somebody else sealed |
//! | a checkpoint from outside | a store that was taken back, or has two histories, up to that checkpoint |
//! | `live` | a writer that is silent, or whose newest records were cut off |
//!
//! What it does not find: what was changed before it was sealed, and what a thief of the keys wrote anew
//! since the last key change, as long as nobody outside has a checkpoint from that time.

mod report;
mod options;
mod window;
mod diagnose;
mod scan;
mod seal;
mod plan;
mod parallel;
mod stitch;
mod ledger;
mod stream;
mod plain_store;
mod sealed_store;
mod store;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use options::Options;
pub use report::{
    Adopted, Authenticity, Finding, Island, Report, SealReport, StoreReport, StreamReport, Verdict,
};
pub use store::verify;
