//! What the operators' ledger says of segments that are not where they were.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use serde::Deserialize;

use super::fact::time_ms;
use crate::{
    chain::Digest,
    error::Error,
    layout::segment_seq,
    seal::{merkle::TreeHash, note::Signature},
};

/// Nobody takes out a record alone.
const SIGNERS_MIN: usize = 2;

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
    Expunged(RecordExpunged),
}

/// A segment of a store went.
#[derive(Clone, Debug)]
pub(in crate::verify) struct SegmentGone {
    whereabouts: Whereabouts,
    origin: String,
    of: String,
    file: String,
    size: u64,
    root: TreeHash,
    /// It was removed before the time that the record itself states.
    early: bool,
}

/// The text of a record was taken out; two people signed for it.
#[derive(Clone, Debug)]
pub(in crate::verify) struct RecordExpunged {
    stream: String,
    seq: u64,
    hash: Digest,
}

/// The records of the ledger that count here.
#[derive(Clone, Copy, Debug)]
pub(super) enum LedgerEvent {
    Segment(Whereabouts),
    Expunged,
}

/// A segment for whose absence there is a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Gone {
    pub(in crate::verify) first_seq: u64,
    pub(in crate::verify) file: String,
    /// Records of the stream up to its end.
    pub(in crate::verify) size: u64,
    pub(in crate::verify) root: TreeHash,
    pub(in crate::verify) whereabouts: Whereabouts,
}

impl LedgerEvent {
    pub(super) fn of(event: &[u8]) -> Option<Self> {
        match event {
            b"segment.archived" => Some(Self::Segment(Whereabouts::Archived)),
            b"segment.expired" => Some(Self::Segment(Whereabouts::Expired)),
            b"record.expunged" => Some(Self::Expunged),
            _ => None,
        }
    }

    pub(super) fn read(self, bytes: &[u8]) -> Option<LedgerFact> {
        match self {
            Self::Segment(whereabouts) => {
                SegmentGone::read(whereabouts, bytes).map(LedgerFact::Segment)
            }
            Self::Expunged => RecordExpunged::read(bytes).map(LedgerFact::Expunged),
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
        let early = whereabouts == Whereabouts::Expired
            && data.until.is_some_and(|until| {
                let times = time_ms(&until).zip(time_ms(&record.timestamp));
                times.is_none_or(|(until, now)| until > now)
            });
        Some(Self {
            whereabouts,
            origin: data.origin,
            of: data.of,
            file: data.file,
            size: data.size,
            root: data.root.parse().ok()?,
            early,
        })
    }
}

impl RecordExpunged {
    fn read(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Record {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            expunge: Expunge,
        }
        #[derive(Deserialize)]
        struct Expunge {
            stream: String,
            seq: u64,
            hash: String,
            signatures: Vec<String>,
        }
        let record: Record = serde_json::from_slice(bytes).ok()?;
        let expunge = record.data.expunge;
        let signatures = expunge.signatures.iter().map(|line| line.parse());
        let signatures: Vec<Signature> = signatures.collect::<Result<_, Error>>().ok()?;
        let mut signers: Vec<&str> = signatures.iter().map(|one| one.name().as_str()).collect();
        signers.sort_unstable();
        signers.dedup();
        (signers.len() >= SIGNERS_MIN).then_some(Self {
            stream: expunge.stream,
            seq: expunge.seq,
            hash: expunge.hash.parse().ok()?,
        })
    }
}

impl LedgerFact {
    /// What it excuses in the stream `of` of a store.
    pub(in crate::verify) fn gone(&self, origin: &str, of: &str) -> Option<Gone> {
        let Self::Segment(segment) = self else {
            return None;
        };
        if segment.origin != origin || segment.of != of || segment.early {
            return None;
        }
        Some(Gone {
            first_seq: segment_seq(&segment.file)?,
            file: segment.file.clone(),
            size: segment.size,
            root: segment.root,
            whereabouts: segment.whereabouts,
        })
    }

    /// A record of this stream without its text: its sequence and hash.
    pub(in crate::verify) fn expunged(&self, of: &str) -> Option<(u64, Digest)> {
        match self {
            Self::Expunged(record) if record.stream == of => Some((record.seq, record.hash)),
            Self::Expunged(_) | Self::Segment(_) => None,
        }
    }
}
