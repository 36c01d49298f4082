//! What a verification found, in the shape that `--json` prints.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

/// What one finding, a store or a whole report comes to.
///
/// Ordered from the gravest to the most harmless: the headline is the smallest one present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Verdict {
    /// Two histories were signed: what is here is not what was shown elsewhere.
    Fork,
    /// A certificate, key or signature that does not hold, or holds for something else.
    BadSignature,
    /// The store ends before what is known outside of it, or is gone as a whole.
    Rollback,
    /// A record of another stream, or a stream that does not start from its own name.
    Splice,
    /// Bytes were changed.
    Edit,
    /// A record that the writer did not write stands between its records.
    Insert,
    /// A record stands there twice.
    Duplicate,
    /// Records stand in another order.
    Reorder,
    /// Records are missing.
    Delete,
    /// The writer itself left out numbers; nothing was removed.
    Gap,
    /// A segment file is missing.
    MissingSegment,
    /// The stream ends before what is known to have been durable.
    Truncated,
    /// No seal where there should be one.
    Unsealed,
    /// The newest sealed fact is older than a running writer lets it become.
    Stale,
    /// The store's keys are not certified yet.
    Uncertified,
    /// There was nothing to check.
    NothingChecked,
    /// Bytes at the end that a crash left, or that are being written right now.
    Torn,
    /// A segment is gone because its time was over, as the operators' ledger says.
    Expired,
    /// A record's text was taken out, as the operators' ledger says.
    Expunged,
    /// Everything that is there fits together.
    Ok,
}

impl Verdict {
    /// The word in reports, for example `MISSING_SEGMENT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fork => "FORK",
            Self::BadSignature => "BAD_SIGNATURE",
            Self::Rollback => "ROLLBACK",
            Self::Splice => "SPLICE",
            Self::Edit => "EDIT",
            Self::Insert => "INSERT",
            Self::Duplicate => "DUPLICATE",
            Self::Reorder => "REORDER",
            Self::Delete => "DELETE",
            Self::Gap => "GAP",
            Self::MissingSegment => "MISSING_SEGMENT",
            Self::Truncated => "TRUNCATED",
            Self::Unsealed => "UNSEALED",
            Self::Stale => "STALE",
            Self::Uncertified => "UNCERTIFIED",
            Self::NothingChecked => "NOTHING_CHECKED",
            Self::Torn => "TORN",
            Self::Expired => "EXPIRED",
            Self::Expunged => "EXPUNGED",
            Self::Ok => "OK",
        }
    }

    /// The command's exit code: 0 fine, 1 tampered, 2 not or not wholly checked, 4 torn only. 3, usage
    /// or I/O, is an [`Error`](crate::Error) and no verdict.
    pub const fn exit(self) -> u8 {
        match self {
            Self::Ok | Self::Expired | Self::Expunged => 0,
            Self::Stale | Self::Uncertified | Self::NothingChecked => 2,
            Self::Torn => 4,
            _ => 1,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything that one call of [`verify`](super::verify) found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The gravest verdict of any store.
    pub verdict: Verdict,
    /// The exit code over all stores: the first present of 1, 3, 2, 4, 0.
    pub exit: u8,
    /// In the order of their paths.
    pub stores: Vec<StoreReport>,
    /// What is known outside and belongs to none of the stores.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What was given and not used, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Report {
    pub(super) fn new(
        stores: Vec<StoreReport>,
        findings: Vec<Finding>,
        notes: Vec<String>,
    ) -> Self {
        let found = || findings.iter().map(|finding| finding.verdict);
        let verdict = stores
            .iter()
            .map(|store| store.verdict)
            .chain(found())
            .min();
        let present = |code: &u8| {
            stores.iter().any(|store| store.exit() == *code)
                || found().any(|verdict| verdict.exit() == *code)
        };
        Self {
            verdict: verdict.unwrap_or(Verdict::NothingChecked),
            exit: [1, 3, 2, 4, 0].into_iter().find(present).unwrap_or(2),
            stores,
            findings,
            notes,
        }
    }
}

/// One store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreReport {
    /// Its folder, as it was given or found.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// The gravest finding, or [`Verdict::Ok`].
    pub verdict: Verdict,
    /// One entry per folder under `streams/`, by name.
    pub streams: Vec<StreamReport>,
    /// In the order of streams and files.
    pub findings: Vec<Finding>,
    /// What is worth knowing and no tampering, such as files that the log did not make.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Something of it could not be read, so it was not checked.
    #[serde(skip)]
    pub unreadable: bool,
    /// Whether it has a seal, by its own words.
    pub sealed: bool,
    /// What the seal says; `None` where there is none, or none that could be read.
    #[serde(flatten)]
    pub seal: Option<SealReport>,
}

/// Whether it is known who wrote a sealed store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Authenticity {
    /// Its keys lead to one of the root keys that were given.
    Checked,
    /// No root key was given: the seal fits the store, whoever made both.
    NotChecked,
    /// Nothing certifies its keys yet.
    Uncertified,
}

/// What a store's seal says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SealReport {
    /// The store's origin.
    pub origin: String,
    /// Whether its keys lead to a root key.
    pub authenticity: Authenticity,
    /// Records of the catalog under the newest checkpoint.
    pub sealed_size: u64,
    /// The epoch whose key signs now, from 0 on.
    pub epochs: u64,
    /// The newest checkpoint, as it stands in the store: a trusted checkpoint for the next run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_checkpoint: Option<String>,
    /// How long ago the newest record that an anchor covers was written, if anything is newer than it;
    /// `None` if no anchor ever gave a receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_window_s: Option<u64>,
    /// Segments that lie in an archive and were not looked at.
    #[serde(skip_serializing_if = "is_zero")]
    pub archived_not_checked: u64,
    /// What was not checked, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_checked: Vec<String>,
    /// Archived segments are no reason for the exit code 2.
    #[serde(skip)]
    pub(super) hot_only: bool,
}

impl StoreReport {
    pub(super) fn of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            verdict: Verdict::Ok,
            streams: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
            unreadable: false,
            sealed: false,
            seal: None,
        }
    }

    pub(super) fn unreadable(path: &Path, why: String) -> Self {
        Self {
            verdict: Verdict::NothingChecked,
            findings: vec![Finding::new(Verdict::NothingChecked, why)],
            unreadable: true,
            ..Self::of(path)
        }
    }

    /// The exit code of this store alone.
    pub fn exit(&self) -> u8 {
        if self.unreadable {
            return 3;
        }
        let partly = |seal: &SealReport| seal.archived_not_checked > 0 && !seal.hot_only;
        match self.verdict.exit() {
            0 | 4 if self.seal.as_ref().is_some_and(partly) => 2,
            exit => exit,
        }
    }
}

fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// One stream of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamReport {
    /// Its id; the folder's name where no record states one.
    pub stream: String,
    /// The first record that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The last record that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// Records whose own hash is right and that were given a place in the stream.
    pub records: u64,
    /// Segment files.
    pub segments: u64,
    /// The last record that the head file knows to be durable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durable_seq: Option<u64>,
    /// Of a sealed store: records at the end that no checkpoint covers yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsealed: Option<u64>,
    /// Of a sealed store: how many records the newest checkpoint covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_size: Option<u64>,
    /// The root of the tree of that size, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_root: Option<String>,
    /// Of a sealed store: how many seconds after the newest sealed fact the last of these was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsealed_s: Option<u64>,
    /// Records that a writer found after a crash, behind what was known to be durable, and took on: until then
    /// nothing protected them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adopted: Vec<Adopted>,
    /// After the first finding: each later stretch of records that fit together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub islands: Vec<Island>,
    /// How many islands beyond those listed there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub islands_omitted: u64,
    /// How many findings beyond those listed there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub findings_omitted: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Records that were taken on after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Adopted {
    /// The first record.
    pub first: u64,
    /// The last record.
    pub last: u64,
}

/// Records behind a finding that fit together again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Island {
    /// The file, relative to the store.
    pub file: String,
    /// The first record.
    pub first: u64,
    /// The last record.
    pub last: u64,
    /// The first byte of the first record, from 0.
    pub offset: u64,
    /// How many records there are.
    pub records: u64,
}

/// One place where the bytes are not what the writer wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was done.
    pub verdict: Verdict,
    /// The stream's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The file, relative to the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The segment: the first sequence that its name states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<u64>,
    /// The record; the first one where several are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The line in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The first byte in the file, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Bytes from there, newlines included; 0 where something is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// One sentence for a person.
    pub detail: String,
}

impl Finding {
    pub(super) fn new(verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            verdict,
            stream: None,
            file: None,
            segment: None,
            seq: None,
            line: None,
            offset: None,
            length: None,
            detail: detail.into(),
        }
    }
}
