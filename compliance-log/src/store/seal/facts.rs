//! What the newest segment of a catalog tells.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::anchors::{Another, Receipts};
use crate::{
    chain::StreamId,
    clock::Timestamp,
    error::Error,
    layout::{self, FileKind},
    lifecycle::name,
    seal::{Origin, merkle::TreeHash},
    store::{
        fs::{Access, Fs},
        recover::says,
        scan::{Expected, scan},
    },
};

/// What the catalog tells of the streams, in its newest segment.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By stream: the newest size that was sealed, and its root.
    pub(super) heads: BTreeMap<String, (u64, TreeHash)>,
    /// By stream: the segments that ended.
    pub(super) ended: BTreeMap<String, Vec<String>>,
    /// What the anchors gave receipts of.
    pub(super) receipts: Receipts,
    /// The size of the catalog with which a stream grew last.
    pub(super) grown: u64,
    /// Why an anchor failed, as far as that was because of another history of the store.
    pub(super) another: Option<Another>,
}

#[derive(Deserialize)]
struct Fact {
    data: FactData,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FactData {
    Stream {
        of: String,
        size: u64,
        root: String,
        file: Option<String>,
    },
    Receipt {
        anchor: String,
        kind: String,
        size: u64,
    },
    Failed {
        reason: String,
    },
}

#[derive(Deserialize)]
struct Timed<'l> {
    timestamp: &'l str,
}

impl Facts {
    /// Reads the newest segment of the catalog.
    pub(super) fn read(
        fs: &dyn Fs,
        dir: &Path,
        id: &StreamId,
        origin: &Origin,
    ) -> Result<Self, Error> {
        let mut facts = Self::default();
        each_fact(fs, dir, id, |seq, line| {
            let is_head = says(line, name::SEAL_HEAD);
            let others = [
                name::SEGMENT_SEALED,
                name::ANCHOR_RECEIPT,
                name::ANCHOR_FAILED,
            ];
            if !is_head && !others.iter().any(|name| says(line, name)) {
                return;
            }
            let Ok(Fact { data }) = serde_json::from_slice(line) else {
                return;
            };
            match data {
                FactData::Stream { of, size, root, .. } if is_head => {
                    if let Ok(root) = root.parse() {
                        let before = facts.heads.insert(of, (size, root));
                        if before.is_none_or(|(before, _)| before < size) {
                            facts.grown = seq.saturating_add(1);
                        }
                    }
                }
                FactData::Stream { of, file, .. } => {
                    facts.ended.entry(of).or_default().extend(file);
                }
                FactData::Receipt { anchor, kind, size } => {
                    let known = facts.receipts.entry(anchor).or_default();
                    *known = (kind, size.max(known.1));
                }
                FactData::Failed { reason } => {
                    let another = Another::of_reason(origin, &reason);
                    facts.another = another.or(facts.another.take());
                }
            }
        })?;
        Ok(facts)
    }
}

/// When the newest record below a size was written, as far as the newest segment tells.
pub(super) fn time_below(fs: &dyn Fs, dir: &Path, id: &StreamId, size: u64) -> Option<Timestamp> {
    let mut below = Vec::new();
    each_fact(fs, dir, id, |seq, line| {
        if seq < size || below.is_empty() {
            below.clear();
            below.extend_from_slice(line);
        }
    })
    .ok()?;
    let Timed { timestamp } = serde_json::from_slice(&below).ok()?;
    Timestamp::parse(timestamp)
}

fn each_fact(
    fs: &dyn Fs,
    dir: &Path,
    id: &StreamId,
    mut each: impl FnMut(u64, &[u8]),
) -> Result<(), Error> {
    let failed = |error| Error::io(format!("cannot read {}", dir.display()), error);
    let names = fs.list(dir).map_err(failed)?;
    let newest = names
        .iter()
        .rev()
        .find_map(|name| match layout::file_kind(name) {
            FileKind::Segment(first) => Some(first),
            _ => None,
        });
    let Some(first) = newest else {
        return Ok(());
    };
    let file = fs
        .open(&dir.join(layout::segment_name(first)), Access::Read)
        .map_err(failed)?;
    let len = file.len().map_err(failed)?;
    let from = Expected::from(first);
    scan(&*file, len, id, from, None, |_, line, record| {
        each(record.seq, line);
    })
    .map_err(failed)?;
    Ok(())
}
