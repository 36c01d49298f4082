use std::collections::BTreeMap;

use compliance_log::seal::{
    merkle::{InclusionProof, TreeHash},
    note::Signature,
};

use super::{records::Records, store::SealedStore};
use crate::{
    failure::Failure,
    record::Stored,
    source::{self, Segment},
};

/// More sizes of receipts are not kept; the newest are.
const SIZES_MAX: usize = 64;
const HINT: &str = "`compliance-log verify` says what is wrong with the store";

/// Where the catalog states a stream's tree that holds a record, for the first time in its segment.
#[derive(Debug)]
pub(crate) struct SealedAt {
    /// The sequence of that `seal.head`.
    pub(crate) head: u64,
    /// Records of the stream, as it states.
    pub(crate) size: u64,
    /// Its root, as it states.
    root: TreeHash,
    /// Cosignatures that the store took in after it, by the size of the catalog that they are over.
    pub(crate) cosignatures: BTreeMap<u64, Vec<Signature>>,
}

/// A record and its way to the root of a tree.
pub(crate) struct Included {
    /// The line without its end.
    pub(crate) line: Vec<u8>,
    pub(crate) proof: InclusionProof,
}

impl SealedAt {
    /// Looks for record `seq` of a stream in the catalog of the first `end` records, from its newest segment
    /// back: each states all trees again, so that the first that states this one tells.
    ///
    /// # Errors
    ///
    /// A catalog that cannot be read, or is damaged.
    pub(crate) fn find(
        store: &SealedStore,
        stream: &str,
        seq: u64,
        end: u64,
    ) -> Result<Option<Self>, Failure> {
        let catalog = store.catalog();
        let segments = source::segments(&catalog, 0)?.files;
        let mut end = end;
        for Segment { first_seq, .. } in segments.iter().rev() {
            if *first_seq >= end {
                continue;
            }
            match look(store, stream, seq, *first_seq..end)? {
                Looked::Sealed(found) => return Ok(Some(found)),
                Looked::Later => return Ok(None),
                Looked::Nothing => end = *first_seq,
            }
        }
        Ok(None)
    }

    /// The record in its stream, which has the root that the head states.
    ///
    /// # Errors
    ///
    /// A stream that cannot be read, or has other records.
    pub(crate) fn record(
        &self,
        store: &SealedStore,
        channel: &str,
        seq: u64,
    ) -> Result<Included, Failure> {
        included(&store.stream(channel), seq, self.size, self.root)
    }

    /// The head in the catalog of `size` records, which has this root.
    ///
    /// # Errors
    ///
    /// As for [`record`](Self::record).
    pub(crate) fn head(
        &self,
        store: &SealedStore,
        size: u64,
        root: TreeHash,
    ) -> Result<Included, Failure> {
        included(&store.catalog(), self.head, size, root)
    }
}

enum Looked {
    Sealed(SealedAt),
    /// The stream's tree is stated, and does not hold the record yet.
    Later,
    /// Nothing is said of the stream.
    Nothing,
}

fn look(
    store: &SealedStore,
    stream: &str,
    seq: u64,
    range: std::ops::Range<u64>,
) -> Result<Looked, Failure> {
    let (_, mut records) = Records::from(&store.catalog(), range.start)?;
    let mut looked = Looked::Nothing;
    for _ in range {
        let record = records.expect()?;
        if let Looked::Sealed(found) = &mut looked {
            found.take_in(&record.line);
            continue;
        }
        let Some(stored) = of_event(&record.line, "seal.head") else {
            continue;
        };
        let text = |key| stored.at(key).first().and_then(|value| value.as_str());
        if text("data.of") != Some(stream) {
            continue;
        }
        let size = stored
            .at("data.size")
            .first()
            .and_then(|size| size.as_u64());
        let root = text("data.root").and_then(|root| root.parse().ok());
        let (Some(size), Some(root)) = (size, root) else {
            let text = format!(
                "the seal.head at sequence {} of the catalog states no tree",
                record.seq
            );
            return Err(Failure::new(text, HINT));
        };
        looked = if size > seq {
            Looked::Sealed(SealedAt {
                head: record.seq,
                size,
                root,
                cosignatures: BTreeMap::new(),
            })
        } else {
            Looked::Later
        };
    }
    Ok(looked)
}

impl SealedAt {
    /// Keeps what an `anchor.receipt` holds, if it is a witness' over a catalog that has the head.
    fn take_in(&mut self, line: &[u8]) {
        let Some(stored) = of_event(line, "anchor.receipt") else {
            return;
        };
        let text = |key| stored.at(key).first().and_then(|value| value.as_str());
        let size = stored
            .at("data.size")
            .first()
            .and_then(|size| size.as_u64());
        let receipt = text("data.receipt").and_then(|receipt| receipt.parse().ok());
        if let (Some("witness"), Some(size), Some(receipt)) = (text("data.kind"), size, receipt) {
            self.add(size, receipt);
        }
    }

    /// Keeps a cosignature over the catalog of `size` records. One over a catalog without the head shows
    /// nothing of the record.
    pub(crate) fn add(&mut self, size: u64, cosignature: Signature) {
        if size <= self.head {
            return;
        }
        let there = self.cosignatures.entry(size).or_default();
        let same =
            |one: &Signature| (one.name(), one.id()) == (cosignature.name(), cosignature.id());
        if !there.iter().any(same) {
            there.push(cosignature);
        }
        if self.cosignatures.len() > SIZES_MAX {
            self.cosignatures.pop_first();
        }
    }
}

fn of_event(line: &[u8], event: &str) -> Option<Stored> {
    let quoted = format!("\"{event}\"");
    if !std::str::from_utf8(line).ok()?.contains(&quoted) {
        return None;
    }
    let stored = Stored::parse(line.to_vec());
    (stored.text("event") == Some(event)).then_some(stored)
}

/// Reads from the segment on that holds the record.
fn included(
    stream: &std::path::Path,
    seq: u64,
    size: u64,
    root: TreeHash,
) -> Result<Included, Failure> {
    let failed = |error: compliance_log::Error| Failure::new(error.to_string(), HINT);
    let (mut tree, mut records) = Records::from(stream, seq)?;
    let mut proof = InclusionProof::builder_after(&tree, seq, size).map_err(failed)?;
    let mut line = Vec::new();
    while tree.size() < size {
        let record = records.expect()?;
        tree.append(record.leaf);
        proof.push(record.leaf);
        if record.seq == seq {
            line = record.line;
        }
    }
    if tree.root() != root {
        let text = format!(
            "the {size} records of {} are not those that were sealed",
            stream.display()
        );
        return Err(Failure::new(text, HINT));
    }
    Ok(Included {
        line,
        proof: proof.finish().map_err(failed)?,
    })
}
