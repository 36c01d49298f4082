//! What the operators' ledger says of segments that are not where they were.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use serde::Deserialize;

use crate::{layout::segment_seq, seal::merkle::TreeHash};

/// Where a segment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Whereabouts {
    /// Into an archive.
    Archived,
    /// Nowhere: its time was over.
    Expired,
}

/// One record of the ledger, about one segment of one store.
#[derive(Clone, Debug)]
pub(in crate::verify) struct LedgerFact {
    whereabouts: Whereabouts,
    origin: String,
    of: String,
    file: String,
    size: u64,
    root: TreeHash,
    /// It was removed before the time that the record itself states.
    early: bool,
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

impl LedgerFact {
    pub(super) fn kind(event: &[u8]) -> Option<Whereabouts> {
        match event {
            b"segment.archived" => Some(Whereabouts::Archived),
            b"segment.expired" => Some(Whereabouts::Expired),
            _ => None,
        }
    }

    pub(super) fn read(whereabouts: Whereabouts, bytes: &[u8]) -> Option<Self> {
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
                let times = super::fact::time(&until).zip(super::fact::time(&record.timestamp));
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

    /// What it excuses in the stream `of` of a store.
    pub(in crate::verify) fn gone(&self, origin: &str, of: &str) -> Option<Gone> {
        if self.origin != origin || self.of != of || self.early {
            return None;
        }
        Some(Gone {
            first_seq: segment_seq(&self.file)?,
            file: self.file.clone(),
            size: self.size,
            root: self.root,
            whereabouts: self.whereabouts,
        })
    }
}
