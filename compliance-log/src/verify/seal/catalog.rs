//! What the sealed part of the catalog says of the other streams, record by record.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::{BTreeMap, VecDeque};

use super::{
    fact::{CatalogFact, CatalogGenesis, CatalogKind, Head, SegmentSealed},
    retention::Ended,
};
use crate::{chain::Digest, layout::segment_seq, seal::merkle::TreeHash, verify::report::Verdict};

/// Beyond these every second root of a stream is forgotten: what is wrong is found all the same, in a
/// wider range.
const ROOTS_MAX: usize = 1 << 16;
/// Of how many records the time is remembered for the receipts of anchors.
const TIMES_MAX: usize = 4_096;
/// The longest that it may be: so it is taken to be where nothing says it, and where more is said.
pub(in crate::verify) const HEARTBEAT_S_MAX: u64 = 3_600;

/// The facts of a store.
#[derive(Debug, Default)]
pub(in crate::verify) struct Catalog {
    pub(in crate::verify) genesis: Option<CatalogGenesis>,
    streams: BTreeMap<String, SealedStream>,
    checkpoints: BTreeMap<String, Digest>,
    life: Life,
    /// As its newest writer stated it.
    heartbeat_s: Option<u64>,
    /// Of the last record that says it.
    up: Option<u64>,
    newest: Option<i64>,
    times: VecDeque<(u64, i64)>,
    anchored: Option<Anchored>,
    /// Where the last head stands that says something new.
    grown_at: u64,
}

/// A stream, as the catalog knows it.
#[derive(Debug, Default)]
pub(in crate::verify) struct SealedStream {
    roots: BTreeMap<u64, TreeHash>,
    /// When the catalog said so first, by size, in milliseconds since 1970.
    times: BTreeMap<u64, i64>,
    pub(in crate::verify) size: u64,
    /// The segment in which that size ends, and its durable bytes then.
    pub(in crate::verify) place: Option<(u64, u64)>,
    /// Closed segments: file by the size at its end.
    pub(in crate::verify) closed: BTreeMap<u64, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Running,
    Stopped,
}

/// The largest size that an anchor has.
#[derive(Clone, Copy, Debug)]
struct Anchored {
    size: u64,
    /// When the record before it was written.
    time: Option<i64>,
}

impl SealedStream {
    /// In order.
    pub(in crate::verify) fn roots(&self) -> impl Iterator<Item = (u64, TreeHash)> {
        self.roots.iter().map(|(size, root)| (*size, *root))
    }

    /// The root of the newest size.
    pub(in crate::verify) fn newest_root(&self) -> Option<TreeHash> {
        self.roots.get(&self.size).copied()
    }

    /// When, at the latest, the last record below `size` was written.
    pub(super) fn ended(&self, size: u64) -> Option<Ended> {
        let (at, ms) = self.times.range(size..).next()?;
        // Behind a beginning of the catalog that is not here, the first size that is known says little.
        let near = self.closed.contains_key(at) || self.times.range(..size).next().is_some();
        Some(Ended { ms: *ms, near })
    }

    /// Whether another root is known for this size.
    fn contradicts(&mut self, size: u64, root: TreeHash, time: Option<i64>) -> bool {
        if *self.roots.entry(size).or_insert(root) != root {
            return true;
        }
        if let Some(time) = time {
            self.times.entry(size).or_insert(time);
        }
        if self.roots.len() > ROOTS_MAX {
            let newest = self.size.max(size);
            let closed = &self.closed;
            let mut nth = 0_u64;
            self.roots.retain(|size, _| {
                nth = nth.saturating_add(1);
                nth.is_multiple_of(2) || *size >= newest || closed.contains_key(size)
            });
            let roots = &self.roots;
            self.times.retain(|size, _| roots.contains_key(size));
        }
        false
    }
}

impl Catalog {
    /// Takes the next sealed record; what is wrong with it, if anything.
    pub(in crate::verify) fn take(
        &mut self,
        seq: u64,
        fact: CatalogFact,
    ) -> Option<(Verdict, String)> {
        let silence = self.silence(&fact);
        if let Some(time) = fact.time {
            self.newest = Some(time);
            if self.times.len() >= TIMES_MAX {
                self.times.pop_front();
            }
            self.times.push_back((seq, time));
        }
        // A fact that waited for the disk says when it was found, which may be before others.
        self.up = match fact.kind {
            CatalogKind::Started(_) => fact.up,
            _ => self.up.max(fact.up),
        };
        let wrong = match fact.kind {
            CatalogKind::Genesis(genesis) => {
                self.heartbeat_s.get_or_insert(genesis.heartbeat_s);
                self.genesis.get_or_insert(*genesis);
                None
            }
            CatalogKind::Header(header) => {
                if let (Some(previous), Some(digest)) = (header.previous, header.ckpt_sha256) {
                    self.checkpoints.insert(previous, digest);
                }
                None
            }
            CatalogKind::Started(started) => {
                self.heartbeat_s = started.heartbeat_s.or(self.heartbeat_s);
                self.life = Life::Running;
                None
            }
            CatalogKind::Stopped => {
                self.life = Life::Stopped;
                None
            }
            CatalogKind::Open(open) => {
                self.streams.entry(open.of).or_default();
                None
            }
            CatalogKind::Head(head) => self.head(seq, &head, fact.time),
            CatalogKind::Sealed(segment) => self.segment(segment, fact.time),
            CatalogKind::Receipt(receipt) => {
                self.receipt(receipt.size);
                None
            }
            CatalogKind::Late | CatalogKind::Other => None,
        };
        wrong.or(silence)
    }

    /// Two records of one run between which a writer was silent for longer than it may be.
    fn silence(&self, fact: &CatalogFact) -> Option<(Verdict, String)> {
        let silent_ms = fact.up?.checked_sub(self.up?)?;
        let explained = matches!(fact.kind, CatalogKind::Started(_) | CatalogKind::Late);
        let allowed_ms = self.heartbeat_s().saturating_mul(3_000);
        (silent_ms > allowed_ms && !explained).then(|| {
            let detail = format!(
                "the writer was silent for {} s before this record, and seals at least every {} s",
                silent_ms.checked_div(1_000).unwrap_or_default(),
                self.heartbeat_s()
            );
            (Verdict::Gap, detail)
        })
    }

    fn head(&mut self, seq: u64, head: &Head, time: Option<i64>) -> Option<(Verdict, String)> {
        let stream = self.streams.entry(head.of.clone()).or_default();
        if head.size > stream.size || stream.place.is_none() {
            self.grown_at = seq;
        }
        if head.size >= stream.size {
            stream.size = head.size;
            stream.place = segment_seq(&head.segment).map(|segment| (segment, head.bytes));
        }
        stream
            .contradicts(head.size, head.root, time)
            .then(|| two_roots(&head.of, head.size))
    }

    fn segment(&mut self, segment: SegmentSealed, time: Option<i64>) -> Option<(Verdict, String)> {
        let stream = self.streams.entry(segment.of.clone()).or_default();
        stream.closed.insert(segment.size, segment.file);
        stream
            .contradicts(segment.size, segment.root, time)
            .then(|| two_roots(&segment.of, segment.size))
    }

    fn receipt(&mut self, size: u64) {
        if self.anchored.is_some_and(|anchored| anchored.size >= size) {
            return;
        }
        let at = self.times.partition_point(|(seq, _)| *seq < size);
        let before = at.checked_sub(1).and_then(|at| self.times.get(at));
        let time = before.or(self.times.front()).map(|(_, time)| *time);
        self.anchored = Some(Anchored { size, time });
    }

    /// The streams, by id.
    pub(in crate::verify) fn streams(&self) -> &BTreeMap<String, SealedStream> {
        &self.streams
    }

    pub(super) fn checkpoints_of(&self, segment: &str) -> Option<Digest> {
        self.checkpoints.get(segment).copied()
    }

    /// The segments of the catalog whose file of checkpoints it has the digest of.
    pub(super) fn segments_with_checkpoints(&self) -> impl Iterator<Item = &str> {
        self.checkpoints.keys().map(String::as_str)
    }

    /// Whether the last thing that the writer did was to stop.
    pub(in crate::verify) fn is_stopped(&self) -> bool {
        self.life == Life::Stopped
    }

    pub(in crate::verify) fn heartbeat_s(&self) -> u64 {
        let stated = self.heartbeat_s.unwrap_or(HEARTBEAT_S_MAX);
        stated.min(HEARTBEAT_S_MAX)
    }

    /// When the newest sealed record was written, in milliseconds since 1970.
    pub(in crate::verify) fn newest_ms(&self) -> Option<i64> {
        self.newest
    }

    /// How long ago, at `now`, the newest record that an anchor covers was written.
    pub(in crate::verify) fn exposure_window_s(&self, now_ms: Option<i64>) -> Option<u64> {
        let anchored = self.anchored?;
        if self.grown_at < anchored.size {
            return Some(0);
        }
        let exposed = now_ms.or(self.newest)?.checked_sub(anchored.time?)?;
        let exposed = u64::try_from(exposed).unwrap_or(0);
        exposed.checked_div(1_000)
    }
}

fn two_roots(of: &str, size: u64) -> (Verdict, String) {
    let detail = format!("two roots were sealed for size {size} of {of}");
    (Verdict::Fork, detail)
}
