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
//! What it does not do: it cannot see records that were removed from the end of a stream together
//! with the head file, nor a stream that was written anew as a whole.

mod report;
mod options;
mod window;
mod diagnose;
mod scan;
mod seal;
mod plan;
mod parallel;
mod stitch;
mod stream;
mod plain_store;
mod sealed_store;
mod ledger;
mod store;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use options::Options;
pub use report::{
    Authenticity, Finding, Island, Report, SealReport, StoreReport, StreamReport, Verdict,
};
pub use store::verify;
