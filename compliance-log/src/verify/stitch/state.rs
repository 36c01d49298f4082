//! What is known while a stream is joined, and the order in which its parts are taken.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use super::roots::Roots;
use crate::{
    chain::{Digest, StreamId},
    error::Error,
    verify::{
        plan::{Opening, Plan},
        report::{Finding, StreamReport, Verdict},
        scan::{Bad, Chunk, Mark, Piece, Place, Run},
        window::Buffer,
    },
};

/// What a stream's files came to.
#[derive(Debug)]
pub(in crate::verify) struct Outcome {
    pub(in crate::verify) report: StreamReport,
    pub(in crate::verify) findings: Vec<Finding>,
    /// The gravest finding, listed or not.
    pub(in crate::verify) worst: Option<Verdict>,
    /// The sequence that would come next.
    pub(in crate::verify) next: u64,
    /// When the last record was written, in milliseconds since 1970.
    pub(in crate::verify) last_ms: Option<i64>,
    pub(in crate::verify) roots: Roots,
}

#[derive(Debug)]
pub(in crate::verify) struct Stitch<'p> {
    pub(super) plan: &'p Plan,
    /// The file being joined, and the newest that counts.
    pub(super) segment: usize,
    pub(super) newest: usize,
    /// Whether the newest file may be the start of a superseding one that a crash cut short.
    pub(super) may_drop: bool,

    pub(super) next: u64,
    pub(super) link: Option<Digest>,
    /// The last record that was given its place.
    pub(super) last: Option<(usize, u64, Place)>,
    /// Lines that are no record, since then, not yet reported.
    pub(super) pending: Vec<Bad>,
    /// Records that the next chunk may carry on.
    pub(super) open: Option<Run>,
    /// Lines that no crash leaves; the next one may belong to the same change.
    pub(super) held: Option<Bad>,
    pub(super) cover_lines: u64,
    pub(super) cover_bytes: u64,
    pub(super) forks: Vec<Fork>,

    pub(super) lines: u64,
    pub(super) marks: Vec<Mark>,
    pub(super) first_in_segment: Option<u64>,
    pub(super) findings_at_begin: u64,
    /// Whether the file before this one is missing, or something in it was found.
    pub(super) before_unsure: bool,
    /// Records without their text in this file, and in the one before: it is shorter than it was.
    pub(super) expunged: u64,
    pub(super) expunged_before: u64,

    pub(super) index: Vec<Indexed>,
    pub(super) lookups: u32,
    pub(super) buffer: Buffer,
    pub(super) report: StreamReport,
    pub(super) findings: Vec<Finding>,
    pub(super) found: u64,
    /// Those among them that change nothing.
    pub(super) harmless: u64,
    pub(super) worst_omitted: Option<Verdict>,
    pub(super) island_open: bool,
    pub(super) roots: Roots,
}

/// A place where the stream could have gone on in two ways.
#[derive(Debug)]
pub(super) struct Fork {
    /// What was expected there.
    pub(super) next: u64,
    pub(super) link: Option<Digest>,
    /// What stood there.
    pub(super) stray: Stretch,
    pub(super) finding: Option<usize>,
    pub(super) kind: ForkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForkKind {
    /// Its sequence is too large.
    Jump,
    /// Its sequence is right, its link is not.
    Link,
    /// It stands second at its sequence; what is expected is a record that carries it on.
    Twin,
}

/// Records that follow each other in one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) segment: usize,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) first_hash: Digest,
    pub(super) place: Place,
    pub(super) first_length: u64,
}

impl Stretch {
    pub(super) fn records(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// Where to read for an accepted record again: one entry per run and chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Indexed {
    pub(super) segment: usize,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) end: u64,
}

/// One record, read again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) segment: usize,
    pub(super) prev: Digest,
    pub(super) hash: Digest,
    pub(super) place: Place,
}

impl<'p> Stitch<'p> {
    pub(in crate::verify) fn new(plan: &'p Plan) -> Self {
        let stream: Option<StreamId> = plan.stream.as_ref().and_then(|id| id.parse().ok());
        let newest = plan.segments.len().saturating_sub(1);
        let may_drop = match plan.segments.get(..) {
            Some([.., before, last]) => {
                matches!(last.opening, Opening::Record | Opening::Nothing)
                    && !before.superseded
                    // What was durable is never restated.
                    && plan.slot.is_none_or(|slot| slot.last_seq < last.first_seq)
            }
            _ => false,
        };
        let report = StreamReport {
            stream: plan.stream.clone().unwrap_or_else(|| plan.channel.clone()),
            segments: u64::try_from(plan.segments.len()).unwrap_or(u64::MAX),
            durable_seq: plan.slot.map(|slot| slot.last_seq),
            ..StreamReport::default()
        };
        let mut stitch = Self {
            plan,
            segment: 0,
            newest,
            may_drop,
            next: 0,
            link: stream.map(|stream| stream.genesis_prev()),
            last: None,
            pending: Vec::new(),
            open: None,
            held: None,
            cover_lines: 0,
            cover_bytes: 0,
            forks: Vec::new(),
            lines: 0,
            marks: Vec::new(),
            first_in_segment: None,
            findings_at_begin: 0,
            before_unsure: false,
            expunged: 0,
            expunged_before: 0,
            index: Vec::new(),
            lookups: 0,
            buffer: Buffer::new(),
            report,
            findings: Vec::new(),
            found: 0,
            harmless: 0,
            worst_omitted: None,
            island_open: false,
            roots: Roots::default(),
        };
        stitch.begin_segment();
        stitch
    }

    /// Takes the next part of file `segment`.
    pub(in crate::verify) fn chunk(&mut self, segment: usize, chunk: Chunk) -> Result<(), Error> {
        self.advance(segment)?;
        if segment > self.newest {
            return Ok(());
        }
        let base = self.lines.saturating_add(1);
        for piece in chunk.pieces {
            match piece {
                Piece::Run(mut run) => {
                    run.count_lines_from(base);
                    let next = match &mut self.open {
                        Some(open) => open.absorb(run),
                        None => Some(run),
                    };
                    if let Some(next) = next {
                        self.close_run()?;
                        self.open = Some(next);
                    }
                }
                Piece::Bad(mut bad) => {
                    bad.place.line = bad.place.line.saturating_add(base);
                    self.close_run()?;
                    self.bad(bad);
                }
            }
        }
        self.lines = self.lines.saturating_add(chunk.lines);
        Ok(())
    }

    /// How many records are known to have been durable, and who says so.
    pub(super) fn durable(&self) -> Option<(u64, &'static str)> {
        let by_head = self.plan.slot.map(|slot| slot.last_seq.saturating_add(1));
        let by_seal = self.plan.sealed.as_ref().map(|sealed| sealed.size);
        let by_seal = by_seal.filter(|size| *size > 0);
        let by_head = by_head.map(|size| (size, "the head file"));
        let by_seal = by_seal.map(|size| (size, "the seal"));
        by_seal
            .into_iter()
            .chain(by_head)
            .max_by_key(|(size, _)| *size)
    }

    /// After the last part of the last file. `closed` are the segments that the catalog knows as closed,
    /// by the size at their end.
    pub(in crate::verify) fn finish(
        mut self,
        closed: Option<&BTreeMap<u64, String>>,
    ) -> Result<Outcome, Error> {
        if let Some(last) = self.plan.segments.len().checked_sub(1) {
            self.advance(last)?;
            if self.segment <= self.newest {
                self.end_segment()?;
            }
        } else if let Some((size, source)) = self.durable()
            && !self.excuse(0, size)
        {
            let mut finding = Finding::new(
                Verdict::MissingSegment,
                format!("no segment is left; {source} knows {size} records"),
            );
            finding.segment = self.plan.slot.map(|slot| slot.segment);
            finding.seq = Some(0);
            self.emit(finding);
        }
        if let Some(closed) = closed
            && !self.plan.segments.is_empty()
        {
            self.check_closed(closed);
        }
        self.close_forks();
        self.check_compared();
        if self.plan.sealed.is_none()
            && self.report.records == 0
            && self.worst().is_none_or(|worst| worst >= Verdict::Torn)
        {
            self.emit(Finding::new(
                Verdict::NothingChecked,
                "no record stands in this stream",
            ));
        }
        let listed = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        self.report.findings_omitted = self.found.saturating_sub(listed);
        Ok(Outcome {
            worst: self.worst(),
            next: self.next,
            last_ms: self.last_ms(),
            roots: self.roots,
            report: self.report,
            findings: self.findings,
        })
    }

    /// The run that was being put together is whole.
    pub(super) fn close_run(&mut self) -> Result<(), Error> {
        self.open.take().map_or(Ok(()), |run| self.run(run))
    }
}
