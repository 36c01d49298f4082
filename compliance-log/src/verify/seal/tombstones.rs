//! What the operators' ledger says of segments that are not where they were.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use serde::Deserialize;

use super::{expunged::Ordered, fact::time_ms};
use crate::{layout::segment_seq, seal::merkle::TreeHash};

/// Where a segment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Whereabouts {
    /// Into an archive.
    Archived,
    /// Nowhere: its time was over.
    Expired,
}

/// What one record of the ledger says.
#[derive(Clone, Debug)]
pub(in crate::verify) enum LedgerFact {
    Segment(SegmentGone),
    Expunged(Box<Ordered>),
}

/// A segment of a store went.
#[derive(Clone, Debug)]
pub(in crate::verify) struct SegmentGone {
    origin: String,
    of: String,
    gone: Gone,
}

/// The records of the ledger that count here.
#[derive(Clone, Copy, Debug)]
pub(super) enum LedgerEvent {
    Segment(Whereabouts),
    Expunged,
}

/// A segment for whose absence a reason is stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Gone {
    pub(in crate::verify) first_seq: u64,
    pub(in crate::verify) file: String,
    /// Records of the stream up to its end.
    pub(in crate::verify) size: u64,
    pub(in crate::verify) root: TreeHash,
    pub(in crate::verify) whereabouts: Whereabouts,
    /// Before which it was not to be removed, and when that was recorded; milliseconds since 1970.
    pub(super) until: Option<i64>,
    pub(super) recorded: Option<i64>,
}

impl LedgerEvent {
    pub(super) fn of(event: &[u8]) -> Option<Self> {
        match event {
            b"segment.archived" => Some(Self::Segment(Whereabouts::Archived)),
            b"segment.expired" => Some(Self::Segment(Whereabouts::Expired)),
            b"expunge.ordered" => Some(Self::Expunged),
            _ => None,
        }
    }

    /// `None` for what has not the shape of such a record: it excuses nothing.
    pub(super) fn read(self, bytes: &[u8]) -> Option<LedgerFact> {
        match self {
            Self::Segment(whereabouts) => {
                SegmentGone::read(whereabouts, bytes).map(LedgerFact::Segment)
            }
            Self::Expunged => Ordered::read(bytes).map(Box::new).map(LedgerFact::Expunged),
        }
    }
}

impl SegmentGone {
    fn read(whereabouts: Whereabouts, bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Record {
            timestamp: String,
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            origin: String,
            of: String,
            file: String,
            size: u64,
            root: String,
            until: Option<String>,
        }
        let record: Record = serde_json::from_slice(bytes).ok()?;
        let data = record.data;
        Some(Self {
            origin: data.origin,
            of: data.of,
            gone: Gone {
                first_seq: segment_seq(&data.file)?,
                file: data.file,
                size: data.size,
                root: data.root.parse().ok()?,
                whereabouts,
                until: data.until.as_deref().and_then(time_ms),
                recorded: time_ms(&record.timestamp),
            },
        })
    }

    /// What it says of the stream `of` of a store.
    pub(in crate::verify) fn gone(&self, origin: &str, of: &str) -> Option<&Gone> {
        (self.origin == origin && self.of == of).then_some(&self.gone)
    }
}
