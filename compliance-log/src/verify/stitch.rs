//! Joins the checked parts of a stream, in the order of its files, and says what does not fit.
//!
//! Expected is always one thing: the next sequence, and the hash it must link to. What comes
//! instead is told apart by the rules in `docs/FORMAT.md`. Some of it can only be named when more
//! has been seen: a record that stands too early may have been moved, copied or made up. Such a
//! place is remembered as a [`Fork`], and its finding is corrected when a later run joins it.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::fs::File;

use super::{
    plan::{Opening, Plan, Segment, cannot_read},
    report::{Finding, Island, StreamReport, Verdict},
    scan::{Bad, Chunk, Fault, HeaderData, Mark, MarkKind, Piece, Place, Run},
    window::{Buffer, Window},
};
use crate::{
    chain::{Digest, SUFFIX_BYTES, StreamId, check_line, claimed_place},
    error::Error,
};

/// Beyond these only a count is kept.
const FINDINGS_MAX: usize = 1_000;
const ISLANDS_MAX: usize = 1_000;
const PENDING_MAX: usize = 2_000;
const FORKS_MAX: usize = 64;
/// How often a file is read again to look at one earlier record.
const LOOKUPS_MAX: u32 = 256;

/// No record is shorter: opening, a stream id, links and newline. Tells how many records damaged
/// bytes may have been.
const RECORD_BYTES_MIN: u64 = SUFFIX_BYTES as u64 + 51;

/// What a stream's files came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) report: StreamReport,
    pub(super) findings: Vec<Finding>,
    /// The gravest finding, listed or not.
    pub(super) worst: Option<Verdict>,
}

#[derive(Debug)]
pub(super) struct Stitch<'p> {
    plan: &'p Plan,
    /// The file being joined, and the newest that counts.
    segment: usize,
    newest: usize,
    /// Whether the newest file may be the start of a superseding one that a crash cut short.
    may_drop: bool,

    next: u64,
    link: Option<Digest>,
    /// The last record that was given its place.
    last: Option<(usize, u64, Place)>,
    /// Lines that are no record, since then, not yet reported.
    pending: Vec<Bad>,
    /// Records that the next chunk may carry on.
    open: Option<Run>,
    /// Lines that no crash leaves; the next one may belong to the same change.
    held: Option<Bad>,
    cover_lines: u64,
    cover_bytes: u64,
    forks: Vec<Fork>,

    lines: u64,
    marks: Vec<Mark>,
    first_in_segment: Option<u64>,
    findings_at_begin: u64,
    /// Whether the file before this one is missing, or something in it was found.
    before_unsure: bool,

    index: Vec<Indexed>,
    lookups: u32,
    buffer: Buffer,
    report: StreamReport,
    findings: Vec<Finding>,
    found: u64,
    worst_omitted: Option<Verdict>,
    island_open: bool,
}

/// A place where the stream could have gone on in two ways.
#[derive(Debug)]
struct Fork {
    /// What was expected there.
    next: u64,
    link: Option<Digest>,
    /// What stood there.
    stray: Stretch,
    finding: Option<usize>,
    kind: ForkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ForkKind {
    /// Its sequence is too large.
    Jump,
    /// Its sequence is right, its link is not.
    Link,
    /// It stands second at its sequence; what is expected is a record that carries it on.
    Twin,
}

/// Records that follow each other in one file.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    segment: usize,
    first: u64,
    last: u64,
    first_hash: Digest,
    place: Place,
    first_length: u64,
}

impl Stretch {
    fn records(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// Where to read for an accepted record again: one entry per run and chunk.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    segment: usize,
    first: u64,
    last: u64,
    line: u64,
    offset: u64,
    end: u64,
}

/// One record, read again.
#[derive(Clone, Copy, Debug)]
struct Found {
    segment: usize,
    prev: Digest,
    hash: Digest,
    place: Place,
}

impl<'p> Stitch<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let stream: Option<StreamId> = plan.stream.as_ref().and_then(|id| id.parse().ok());
        let newest = plan.segments.len().saturating_sub(1);
        let may_drop = match plan.segments.get(..) {
            Some([.., before, last]) => {
                matches!(last.opening, Opening::Record | Opening::Nothing)
                    && !before.superseded
                    && plan.slot.is_none_or(|slot| slot.segment != last.first_seq)
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
            index: Vec::new(),
            lookups: 0,
            buffer: Buffer::new(),
            report,
            findings: Vec::new(),
            found: 0,
            worst_omitted: None,
            island_open: false,
        };
        stitch.begin_segment();
        stitch
    }

    /// Takes the next part of file `segment`.
    pub(super) fn chunk(&mut self, segment: usize, chunk: Chunk) -> Result<(), Error> {
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

    /// After the last part of the last file.
    pub(super) fn finish(mut self) -> Result<Outcome, Error> {
        if let Some(last) = self.plan.segments.len().checked_sub(1) {
            self.advance(last)?;
            if self.segment <= self.newest {
                self.end_segment()?;
            }
        } else if let Some(slot) = self.plan.slot {
            let mut finding = Finding::new(
                Verdict::MissingSegment,
                format!(
                    "no segment is left; the head file knows records up to {}",
                    slot.last_seq
                ),
            );
            finding.segment = Some(slot.segment);
            finding.seq = Some(0);
            self.emit(finding);
        }
        self.close_forks();
        if self.report.records == 0 && self.worst().is_none_or(|worst| worst >= Verdict::Torn) {
            self.emit(Finding::new(
                Verdict::NothingChecked,
                "no record stands in this stream",
            ));
        }
        let listed = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        self.report.findings_omitted = self.found.saturating_sub(listed);
        Ok(Outcome {
            worst: self.worst(),
            report: self.report,
            findings: self.findings,
        })
    }

    /// The run that was being put together is whole.
    fn close_run(&mut self) -> Result<(), Error> {
        self.open.take().map_or(Ok(()), |run| self.run(run))
    }

    // ---- files -------------------------------------------------------------------------------

    fn current(&self) -> Option<&'p Segment> {
        self.plan.segments.get(self.segment)
    }

    fn is_newest(&self) -> bool {
        self.segment == self.newest
            || (self.may_drop && self.segment.checked_add(1) == Some(self.newest))
    }

    fn advance(&mut self, segment: usize) -> Result<(), Error> {
        while self.segment < segment && self.segment < self.newest {
            self.end_segment()?;
            self.segment = self.segment.saturating_add(1);
            self.begin_segment();
        }
        Ok(())
    }

    fn begin_segment(&mut self) {
        self.before_unsure = self.found != self.findings_at_begin;
        self.findings_at_begin = self.found;
        self.lines = 0;
        self.marks.clear();
        self.first_in_segment = None;
        let Some(segment) = self.current() else {
            return;
        };
        if self.segment > self.newest {
            return;
        }
        let begins = segment
            .claimed
            .filter(|claimed| *claimed <= segment.first_seq)
            .unwrap_or(segment.first_seq);
        let known = self.next.saturating_add(self.cover());
        if begins <= known {
            return;
        }
        let missing = span(known, begins.saturating_sub(1));
        let before = self
            .segment
            .checked_sub(1)
            .and_then(|before| self.plan.segments.get(before).zip(Some(before)));
        let finding = match (before, &segment.opening) {
            (Some((before, at)), Opening::Header(Some(data)))
                if data.previous.as_deref() == Some(&before.name) =>
            {
                let line = self.last.filter(|(in_segment, ..)| *in_segment == at);
                let end = Place {
                    line: line.map_or(1, |(_, _, place)| place.line.saturating_add(1)),
                    offset: before.end,
                    length: 0,
                };
                let detail = format!("{missing} missing at the end of the file");
                self.finding_in(at, Verdict::Delete, Some(known), end, detail)
            }
            _ => {
                let start = Place {
                    line: 1,
                    offset: 0,
                    length: 0,
                };
                let detail = format!("the file with {missing} missing before this one");
                let verdict = Verdict::MissingSegment;
                self.finding_in(self.segment, verdict, Some(known), start, detail)
            }
        };
        self.emit(finding);
        self.before_unsure = true;
        self.findings_at_begin = self.found;
        self.next = begins;
        self.link = None;
        self.clear_cover();
    }

    fn end_segment(&mut self) -> Result<(), Error> {
        self.close_run()?;
        if self.may_drop && self.segment.checked_add(1) == Some(self.newest) {
            self.may_drop = false;
            if let Some(last) = self.plan.segments.get(self.newest)
                && (last.first_seq < self.next
                    || (last.first_seq == self.next && !self.ends_in_footer()))
            {
                let whole = Place {
                    line: 1,
                    offset: 0,
                    length: last.len,
                };
                let dropped = self.finding_in(
                    self.newest,
                    Verdict::Torn,
                    Some(last.first_seq),
                    whole,
                    "the file was to restate records that could not be synced, and ends before its \
                     header; the file before it counts"
                        .into(),
                );
                self.newest = self.segment;
                self.end_newest();
                self.check_structure()?;
                self.emit(dropped);
                return Ok(());
            }
        }
        if self.segment == self.newest {
            self.end_newest();
        } else {
            let next = self.plan.segments.get(self.segment.saturating_add(1));
            self.settle(next.map(|next| next.first_seq));
        }
        self.check_structure()
    }

    fn ends_in_footer(&self) -> bool {
        self.marks.last().is_some_and(|mark| {
            matches!(mark.kind, MarkKind::Footer) && mark.seq.checked_add(1) == Some(self.next)
        })
    }

    /// Bytes behind the last record of the newest file: what a crash may leave from the durable
    /// bound on, and nowhere else.
    fn end_newest(&mut self) {
        let Some(segment) = self.current() else {
            return;
        };
        let bound = self.plan.bound(segment, true);
        let mut pending = std::mem::take(&mut self.pending);
        let torn = pending.partition_point(|bad| bad.place.offset < bound);
        let torn: Vec<Bad> = pending.drain(torn..).collect();

        let mut end = Place {
            line: self.lines.saturating_add(1),
            offset: segment.end,
            length: 0,
        };
        let mut known = self.next;
        if segment.end < bound
            && let Some(cut) = pending.pop_if(|bad| bad.partial)
        {
            end = cut.place;
        }
        for bad in pending {
            known = known.saturating_add(bad.lines);
            self.pending.push(bad);
        }
        self.settle(None);

        if let Some((first, last)) = torn.first().zip(torn.last()) {
            let place = Place {
                length: last.place.end().saturating_sub(first.place.offset),
                ..first.place
            };
            let detail = format!(
                "{} bytes behind the last whole record, left by a crash or being written",
                place.length
            );
            let finding = self.finding_in(self.segment, Verdict::Torn, Some(known), place, detail);
            self.emit(finding);
        }
        if let Some(slot) = self.plan.slot
            && slot.last_seq >= known
        {
            let detail = format!(
                "the stream ends before record {known}; the head file knows records up to {}",
                slot.last_seq
            );
            let finding =
                self.finding_in(self.segment, Verdict::Truncated, Some(known), end, detail);
            self.emit(finding);
        }
    }

    /// What links do not show: that files begin and end with the records that say so.
    fn check_structure(&mut self) -> Result<(), Error> {
        let Some(segment) = self.current() else {
            return Ok(());
        };
        let marks = std::mem::take(&mut self.marks);
        let clean = self.found == self.findings_at_begin;
        let restated_until = marks
            .iter()
            .filter(|mark| {
                matches!(&mark.kind, MarkKind::Header(Some(data)) if data.supersedes.is_some())
            })
            .map(|mark| mark.seq)
            .max();

        for mark in &marks {
            let wrong = match &mark.kind {
                MarkKind::Genesis if mark.seq == 0 => None,
                MarkKind::Genesis => Some((
                    Verdict::Edit,
                    "chain.genesis stands inside the stream".to_owned(),
                )),
                MarkKind::Footer => {
                    let last = mark.seq.checked_add(1) == Some(self.next);
                    let restated = restated_until.is_some_and(|until| mark.seq < until);
                    (clean && !last && !restated).then(|| {
                        let detail = "records stand behind the file's segment.footer";
                        (Verdict::Insert, detail.to_owned())
                    })
                }
                MarkKind::Header(data) => self
                    .wrong_header(mark, data.as_ref())
                    .map(|detail| (Verdict::Edit, detail)),
            };
            if let Some((verdict, detail)) = wrong {
                let finding =
                    self.finding_in(self.segment, verdict, Some(mark.seq), mark.place, detail);
                self.emit(finding);
            }
        }

        let restates = self
            .segment
            .checked_sub(1)
            .and_then(|before| self.plan.segments.get(before))
            .is_none_or(|before| before.superseded);
        let wrong_start = match (&segment.opening, self.first_in_segment) {
            (_, None) | (Opening::Genesis, _) => None,
            (_, Some(0)) => Some("the first record is not chain.genesis"),
            (Opening::Record, _) if !restates => {
                Some("the file does not start with segment.header")
            }
            _ => None,
        };
        if let Some(first) = self.first_in_segment
            && clean
        {
            let place = self.lookup(first)?.map(|found| found.place);
            let place = place.unwrap_or(Place {
                line: 1,
                offset: 0,
                length: 0,
            });
            if let Some(detail) = wrong_start {
                let finding = self.finding_in(
                    self.segment,
                    Verdict::Edit,
                    Some(first),
                    place,
                    detail.into(),
                );
                self.emit(finding);
            } else if first != segment.first_seq {
                let detail = format!("the file's first record is {first}, its name says otherwise");
                let finding =
                    self.finding_in(self.segment, Verdict::Edit, Some(first), place, detail);
                self.emit(finding);
            }
        }

        let ends_well = marks.last().is_some_and(|mark| {
            matches!(mark.kind, MarkKind::Footer) && mark.seq.checked_add(1) == Some(self.next)
        });
        if self.segment != self.newest
            && !segment.superseded
            && !ends_well
            && self.found == self.findings_at_begin
            && self
                .plan
                .segments
                .get(self.segment.saturating_add(1))
                .is_some_and(|next| next.first_seq == self.next)
            && let Some((in_segment, seq, place)) = self.last
        {
            let detail = "the file is not the newest and does not end in segment.footer";
            let finding =
                self.finding_in(in_segment, Verdict::Edit, Some(seq), place, detail.into());
            self.emit(finding);
        }
        Ok(())
    }

    /// What a `segment.header` says that is not so.
    fn wrong_header(&self, mark: &Mark, data: Option<&HeaderData>) -> Option<String> {
        let Some(data) = data else {
            return Some("the data of segment.header cannot be read".into());
        };
        let segment = self.current()?;
        if let Some(supersedes) = &data.supersedes {
            let own = supersedes
                .segment
                .strip_prefix(&segment.name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(".superseded-"));
            if own {
                let right = supersedes.offset == 0
                    && data.bytes == Some(0)
                    && data.previous.as_ref() == Some(&supersedes.segment);
                return (!right)
                    .then(|| "segment.header supersedes its own file otherwise than whole".into());
            }
            if data.previous.as_ref() != Some(&supersedes.segment)
                || data.bytes != Some(supersedes.offset)
            {
                return Some("segment.header supersedes another file than the one before".into());
            }
        } else if mark.place.offset != 0 && mark.seq != segment.first_seq {
            // By its number, too: lines before it may have been put there or moved.
            return Some("segment.header stands inside the file".into());
        }
        if self.before_unsure {
            return None;
        }
        let before = self.plan.segments.get(self.segment.checked_sub(1)?)?;
        if data.previous.as_ref() != Some(&before.name) {
            return Some(format!(
                "segment.header names {:?} as the file before, which is {:?}",
                data.previous.as_deref().unwrap_or_default(),
                before.name
            ));
        }
        (data.bytes != Some(before.end)).then(|| {
            format!(
                "segment.header says that {} has {} bytes; it has {}",
                before.name,
                data.bytes.unwrap_or_default(),
                before.end
            )
        })
    }

    // ---- lines -------------------------------------------------------------------------------

    fn bad(&mut self, bad: Bad) {
        if bad.is_deliberate() {
            self.hold(bad);
            return;
        }
        self.flush_held();
        self.cover_lines = self.cover_lines.saturating_add(bad.lines);
        self.cover_bytes = self.cover_bytes.saturating_add(bad.place.length);
        if self.pending.len() >= PENDING_MAX
            && let Some(last) = self.pending.last_mut()
        {
            last.fault = Fault::Many;
            last.lines = last.lines.saturating_add(bad.lines);
            last.place.length = bad.place.end().saturating_sub(last.place.offset);
            last.partial = bad.partial;
            last.hole &= bad.hole;
            return;
        }
        self.pending.push(bad);
    }

    /// Whole records that do not belong here as they are: no crash leaves these. They wait for the
    /// next line, which may be one of the same kind.
    fn hold(&mut self, bad: Bad) {
        if !self.pending.is_empty() {
            self.settle(bad.claimed.filter(|_| bad.resume.is_some()));
        }
        if let Some((next, link)) = bad.resume {
            self.next = next;
            self.link = Some(link);
            self.clear_cover();
        } else {
            self.cover_lines = self.cover_lines.saturating_add(bad.lines);
            self.cover_bytes = self.cover_bytes.saturating_add(bad.place.length);
        }
        if !self.held.as_mut().is_some_and(|held| held.absorb(&bad)) {
            self.flush_held();
            self.held = Some(bad);
        }
    }

    fn flush_held(&mut self) {
        let Some(bad) = self.held.take() else {
            return;
        };
        let (verdict, detail) = match &bad.fault {
            Fault::Crlf if bad.lines > 1 => (
                Verdict::Edit,
                format!(
                    "the file was converted to CRLF: {} lines end in a carriage return",
                    bad.lines
                ),
            ),
            Fault::Crlf => (
                Verdict::Edit,
                "the line was converted to CRLF: a carriage return stands behind the record".into(),
            ),
            Fault::Foreign(stream) => (
                Verdict::Splice,
                format!("{} of the stream {stream:?}", lines_in_words(bad.lines)),
            ),
            _ => (
                Verdict::Edit,
                format!(
                    "{} with more damage than is listed one by one",
                    lines_in_words(bad.lines)
                ),
            ),
        };
        let finding = self.finding_in(self.segment, verdict, bad.claimed, bad.place, detail);
        self.emit(finding);
    }

    /// Reports the lines that wait for what comes behind them: the record `next`, if known.
    fn settle(&mut self, next: Option<u64>) {
        self.flush_held();
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        let bound = self
            .current()
            .map_or(0, |segment| self.plan.bound(segment, self.is_newest()));
        let known = self.next.saturating_add(self.cover());
        let mut place_in_stream = self.next;
        for bad in pending {
            let torn = bad.hole && bad.place.offset >= bound;
            let verdict = if torn { Verdict::Torn } else { Verdict::Edit };
            let plausible = bad
                .claimed
                .filter(|claimed| (self.next..=known).contains(claimed));
            let seq = match plausible {
                Some(claimed) => Some(claimed),
                // The stream goes on without it: it took no record's place.
                None if next == Some(self.next) => bad.claimed,
                None => Some(place_in_stream),
            };
            place_in_stream = plausible
                .unwrap_or(place_in_stream)
                .saturating_add(bad.lines);
            let detail = match bad.fault {
                Fault::NoNewline => "the record has no newline".into(),
                Fault::Many => format!(
                    "{} that are no records, not listed one by one",
                    lines_in_words(bad.lines)
                ),
                _ if torn => format!("{}, as a power loss leaves them", bad.detail),
                _ => bad.detail,
            };
            let finding = self.finding_in(self.segment, verdict, seq, bad.place, detail);
            self.emit(finding);
        }
    }

    /// How many records the lines since the last record may have been.
    fn cover(&self) -> u64 {
        let by_size = self.cover_bytes.checked_div(RECORD_BYTES_MIN).unwrap_or(0);
        self.cover_lines.max(by_size)
    }

    fn clear_cover(&mut self) {
        self.cover_lines = 0;
        self.cover_bytes = 0;
    }

    // ---- records -----------------------------------------------------------------------------

    fn run(&mut self, run: Run) -> Result<(), Error> {
        self.settle(Some(run.first_seq));
        let stretch = Stretch {
            segment: self.segment,
            first: run.first_seq,
            last: run.last_seq,
            first_hash: run.first_hash,
            place: run.place,
            first_length: run.first_length,
        };
        if run.place.offset == 0 {
            self.first_in_segment = Some(run.first_seq);
        }
        if run.first_seq == self.next && self.link.is_none_or(|link| link == run.first_prev) {
            self.accept(run, stretch);
            return Ok(());
        }
        let joined = self
            .forks
            .iter()
            .rposition(|fork| fork.next == run.first_seq && fork.link == Some(run.first_prev));
        if let Some(at) = joined {
            let fork = self.forks.remove(at);
            return self.join(fork, run, stretch);
        }
        if run.first_seq > self.next {
            self.jump(run, stretch);
            return Ok(());
        }
        if run.first_seq == self.next {
            return self.wrong_link(run, stretch);
        }
        self.seen_before(run, stretch)
    }

    /// Gives the run its place at the end of what was accepted.
    fn accept(&mut self, run: Run, stretch: Stretch) {
        self.remember(&run, stretch);
        self.next = run.last_seq.saturating_add(1);
        self.link = Some(run.last_hash);
        self.clear_cover();
        self.last = Some((self.segment, run.last_seq, run.last));
        self.marks.extend(run.marks);
        if let Some((hash, place)) = run.watched
            && let Some(slot) = self.plan.slot
            && hash != slot.hash
        {
            let detail = "the head file knows this record with another hash";
            let finding = self.finding_in(
                self.segment,
                Verdict::Edit,
                Some(slot.last_seq),
                place,
                detail.into(),
            );
            self.emit(finding);
        }
    }

    /// Counts the run, whatever its place turns out to be.
    fn remember(&mut self, run: &Run, stretch: Stretch) {
        self.index_parts(run);
        self.report.records = self.report.records.saturating_add(stretch.records());
        let first = self.report.first.unwrap_or(u64::MAX).min(stretch.first);
        let last = self.report.last.unwrap_or(0).max(stretch.last);
        self.report.first = Some(first);
        self.report.last = Some(last);
        if self.found == 0 {
            return;
        }
        let file = self.file(stretch.segment);
        if self.island_open
            && let Some(island) = self.report.islands.last_mut()
            && island.file == file
            && island.last.checked_add(1) == Some(stretch.first)
        {
            island.last = stretch.last;
            island.records = island.records.saturating_add(stretch.records());
        } else if self.report.islands.len() < ISLANDS_MAX {
            self.report.islands.push(Island {
                file,
                first: stretch.first,
                last: stretch.last,
                offset: stretch.place.offset,
                records: stretch.records(),
            });
            self.island_open = true;
        } else if !self.island_open {
            self.report.islands_omitted = self.report.islands_omitted.saturating_add(1);
        }
    }

    /// The sequence is too large.
    fn jump(&mut self, run: Run, stretch: Stretch) {
        let known = self.next.saturating_add(self.cover());
        let damaged = self.cover_lines > 0;
        if run.first_seq <= known {
            // Damaged lines stand where the records between were; they are reported already.
            self.accept(run, stretch);
            return;
        }
        let known = self.next.saturating_add(self.cover_lines);
        let missing = span(known, run.first_seq.saturating_sub(1));
        let here = Place {
            length: 0,
            ..run.place
        };
        if !damaged && self.link == Some(run.first_prev) {
            let detail = format!("{missing} left out by the writer: the links fit");
            let finding = self.finding_in(self.segment, Verdict::Gap, Some(known), here, detail);
            self.emit(finding);
        } else {
            let detail = format!("{missing} missing before this line");
            let finding = self.finding_in(self.segment, Verdict::Delete, Some(known), here, detail);
            let finding = self.emit(finding);
            self.fork(ForkKind::Jump, stretch, finding);
        }
        self.accept(run, stretch);
    }

    /// The sequence is right, the link is not: the record before is not the one that was written.
    fn wrong_link(&mut self, run: Run, stretch: Stretch) -> Result<(), Error> {
        let Some(before) = run.first_seq.checked_sub(1) else {
            let detail = "the first record is not linked to this stream's name";
            let place = Place {
                length: run.first_length,
                ..run.place
            };
            let finding =
                self.finding_in(self.segment, Verdict::Splice, Some(0), place, detail.into());
            self.emit(finding);
            self.accept(run, stretch);
            return Ok(());
        };
        let at = match self.last {
            Some((segment, seq, place)) if seq == before => Some((segment, place)),
            _ => self
                .lookup(before)?
                .map(|found| (found.segment, found.place)),
        };
        let (segment, place) = at.unwrap_or((self.segment, run.place));
        let detail = format!(
            "record {} is linked to another record {before}",
            run.first_seq
        );
        let finding = self.finding_in(segment, Verdict::Edit, Some(before), place, detail);
        let finding = self.emit(finding);
        self.fork(ForkKind::Link, stretch, finding);
        self.accept(run, stretch);
        Ok(())
    }

    /// The sequence was there before.
    fn seen_before(&mut self, mut run: Run, stretch: Stretch) -> Result<(), Error> {
        let within = self.forks.iter().rposition(|fork| {
            fork.kind == ForkKind::Jump && (fork.next..fork.stray.first).contains(&run.first_seq)
        });
        if let Some(at) = within {
            let fork = self.forks.remove(at);
            if fork.next < run.first_seq {
                let missing = span(fork.next, run.first_seq.saturating_sub(1));
                let here = Place {
                    length: 0,
                    ..run.place
                };
                let detail = format!("{missing} missing before this line");
                let finding =
                    self.finding_in(self.segment, Verdict::Delete, Some(fork.next), here, detail);
                self.emit(finding);
            }
            return self.join(fork, run, stretch);
        }

        let goes_on = run.last_seq >= self.next;
        let last_seen = run.last_seq.min(self.next.saturating_sub(1));
        let seen = span(run.first_seq, last_seen);
        let again = Place {
            length: if goes_on {
                let behind = self.lookup_in(&run, self.next)?;
                behind.map_or(run.first_length, |found| {
                    found.place.offset.saturating_sub(run.place.offset)
                })
            } else {
                run.place.length
            },
            ..run.place
        };
        let Some(older) = self.lookup(run.first_seq)? else {
            let detail = format!("{seen} inserted: the stream has gone on before");
            self.emit_here(Verdict::Insert, run.first_seq, again, detail);
            if goes_on {
                self.accept(run, stretch);
            }
            return Ok(());
        };
        if older.hash == run.first_hash {
            let detail = format!("{seen} there a second time");
            self.emit_here(Verdict::Duplicate, run.first_seq, again, detail);
        } else if goes_on && older.prev == run.first_prev {
            // The later one is carried on, so it is the earlier one that does not belong here.
            let behind = match self.last {
                Some((segment, _, place)) if segment == older.segment => place.end(),
                _ => older.place.end(),
            };
            let place = Place {
                length: behind.saturating_sub(older.place.offset),
                ..older.place
            };
            let detail = format!("{seen} inserted before the ones that are carried on");
            let finding = self.finding_in(
                older.segment,
                Verdict::Insert,
                Some(run.first_seq),
                place,
                detail,
            );
            self.emit(finding);
        } else {
            let detail = format!("{seen} inserted behind the ones that are carried on");
            let finding = self.emit_here(Verdict::Insert, run.first_seq, again, detail);
            if older.prev == run.first_prev && !goes_on {
                self.push_fork(Fork {
                    next: run.last_seq.saturating_add(1),
                    link: Some(run.last_hash),
                    stray: Stretch {
                        segment: older.segment,
                        first: run.first_seq,
                        last: run.last_seq,
                        first_hash: older.hash,
                        place: older.place,
                        first_length: older.place.length,
                    },
                    finding,
                    kind: ForkKind::Twin,
                });
            }
        }
        if goes_on {
            // What was there before has been counted, and its structural records judged.
            run.marks.retain(|mark| mark.seq > last_seen);
            self.report.records = self
                .report
                .records
                .saturating_sub(last_seen.saturating_sub(run.first_seq).saturating_add(1));
            self.accept(run, stretch);
        }
        Ok(())
    }

    /// The run is what was expected at `fork`: now it is known what stood there instead.
    fn join(&mut self, mut fork: Fork, run: Run, stretch: Stretch) -> Result<(), Error> {
        let stray = fork.stray;
        if fork.kind == ForkKind::Jump && run.last_seq < stray.first {
            // It fills what was missing. The shorter of the two is the one that was moved.
            let (moved, place) = if stretch.records() < stray.records() {
                let detail = format!(
                    "record {} stands behind record {}",
                    run.first_seq, stray.last
                );
                ((stretch, detail), stretch.place)
            } else {
                let detail = format!(
                    "record {} stands before record {}",
                    stray.first, run.first_seq
                );
                let length = if stray.records() == 1 {
                    stray.first_length
                } else {
                    stray.place.length
                };
                (
                    (stray, detail),
                    Place {
                        length,
                        ..stray.place
                    },
                )
            };
            let (moved, detail) = moved;
            let finding = self.finding_in(
                moved.segment,
                Verdict::Reorder,
                Some(moved.first),
                place,
                detail,
            );
            self.replace(fork.finding, finding);
            self.island_open = false;
            self.remember(&run, stretch);
            self.island_open = false;
            self.marks.extend(run.marks);
            fork.next = run.last_seq.saturating_add(1);
            fork.link = Some(run.last_hash);
            if fork.next < stray.first {
                self.push_fork(fork);
            }
            return Ok(());
        }

        self.index_parts(&run);
        let copy = match fork.kind {
            ForkKind::Jump => self.lookup(stray.first)?,
            ForkKind::Link | ForkKind::Twin => None,
        };
        let copied = copy.is_some_and(|copy| copy.hash == stray.first_hash);
        let (verdict, done) = if copied {
            (Verdict::Duplicate, "there a second time")
        } else {
            (Verdict::Insert, "inserted")
        };
        let detail = format!("{} {done}", span(stray.first, stray.last));
        let finding = self.finding_in(
            stray.segment,
            verdict,
            Some(stray.first),
            stray.place,
            detail,
        );
        self.replace(fork.finding, finding);
        self.report.records = self.report.records.saturating_sub(stray.records());
        self.accept(run, stretch);
        self.report.last = self.next.checked_sub(1);
        Ok(())
    }

    fn fork(&mut self, kind: ForkKind, stray: Stretch, finding: Option<usize>) {
        if self.cover_lines == 0 && self.link.is_some() {
            self.push_fork(Fork {
                next: self.next,
                link: self.link,
                stray,
                finding,
                kind,
            });
        }
    }

    fn push_fork(&mut self, fork: Fork) {
        if self.forks.len() >= FORKS_MAX {
            self.forks.remove(0);
        }
        self.forks.push(fork);
    }

    /// At the end: what was taken for moved, but whose predecessor never came, was made up.
    fn close_forks(&mut self) {
        for fork in std::mem::take(&mut self.forks) {
            let moved = fork
                .finding
                .and_then(|at| self.findings.get(at))
                .is_some_and(|finding| finding.verdict == Verdict::Reorder);
            if fork.kind == ForkKind::Jump && moved && fork.stray.records() == 1 {
                let stray = fork.stray;
                let detail = format!("{} inserted", span(stray.first, stray.last));
                let finding = self.finding_in(
                    stray.segment,
                    Verdict::Insert,
                    Some(stray.first),
                    stray.place,
                    detail,
                );
                self.replace(fork.finding, finding);
                self.report.last = fork.next.checked_sub(1);
            }
        }
    }

    // ---- looking back ------------------------------------------------------------------------

    fn index_parts(&mut self, run: &Run) {
        for (at, part) in run.parts.iter().enumerate() {
            let next = run.parts.get(at.saturating_add(1));
            self.index.push(Indexed {
                segment: self.segment,
                first: part.first_seq,
                last: next.map_or(run.last_seq, |next| next.first_seq.saturating_sub(1)),
                line: part.line,
                offset: part.offset,
                end: next.map_or(run.place.end(), |next| next.offset),
            });
        }
    }

    /// Reads an accepted record again; the newest, where there are several of its number.
    fn lookup(&mut self, seq: u64) -> Result<Option<Found>, Error> {
        let holds = |indexed: &&Indexed| (indexed.first..=indexed.last).contains(&seq);
        match self.index.iter().rev().find(holds).copied() {
            Some(indexed) => self.read_again(indexed, seq),
            None => Ok(None),
        }
    }

    /// Reads a record of a run again that was not accepted yet.
    fn lookup_in(&mut self, run: &Run, seq: u64) -> Result<Option<Found>, Error> {
        let Some(part) = run.parts.iter().rfind(|part| part.first_seq <= seq) else {
            return Ok(None);
        };
        let indexed = Indexed {
            segment: self.segment,
            first: part.first_seq,
            last: run.last_seq,
            line: part.line,
            offset: part.offset,
            end: run.place.end(),
        };
        self.read_again(indexed, seq)
    }

    fn read_again(&mut self, indexed: Indexed, seq: u64) -> Result<Option<Found>, Error> {
        let Some(segment) = self.plan.segments.get(indexed.segment) else {
            return Ok(None);
        };
        if self.lookups >= LOOKUPS_MAX {
            return Ok(None);
        }
        self.lookups = self.lookups.saturating_add(1);
        let failed = |error| cannot_read(&segment.path, error);
        let file = File::open(&segment.path).map_err(failed)?;
        let mut window = Window::new(&file, indexed.end, indexed.offset, &mut self.buffer);
        let mut number = indexed.line;
        while let Some(raw) = window.next_line().map_err(failed)? {
            if let Ok((_, claimed)) = claimed_place(raw.bytes)
                && claimed == seq
                && let Ok(line) = check_line(raw.bytes)
            {
                return Ok(Some(Found {
                    segment: indexed.segment,
                    prev: line.prev,
                    hash: line.hash,
                    place: Place {
                        line: number,
                        offset: raw.offset,
                        length: raw.length,
                    },
                }));
            }
            number = number.saturating_add(1);
        }
        Ok(None)
    }

    // ---- findings ----------------------------------------------------------------------------

    fn file(&self, segment: usize) -> String {
        let name = self
            .plan
            .segments
            .get(segment)
            .map(|segment| &*segment.name);
        format!("{}/{}", self.plan.folder, name.unwrap_or_default())
    }

    fn finding_in(
        &self,
        segment: usize,
        verdict: Verdict,
        seq: Option<u64>,
        place: Place,
        detail: String,
    ) -> Finding {
        let mut finding = Finding::new(verdict, detail);
        finding.file = Some(self.file(segment));
        finding.segment = self.plan.segments.get(segment).map(|s| s.first_seq);
        finding.seq = seq;
        finding.line = Some(place.line);
        finding.offset = Some(place.offset);
        finding.length = Some(place.length);
        finding
    }

    fn emit_here(
        &mut self,
        verdict: Verdict,
        seq: u64,
        place: Place,
        detail: String,
    ) -> Option<usize> {
        let finding = self.finding_in(self.segment, verdict, Some(seq), place, detail);
        self.emit(finding)
    }

    /// Adds a finding and tells where it is listed.
    fn emit(&mut self, mut finding: Finding) -> Option<usize> {
        self.island_open = false;
        let same = |other: &Finding| {
            (other.verdict, other.seq, other.offset, &other.file)
                == (finding.verdict, finding.seq, finding.offset, &finding.file)
        };
        let recent = self.findings.len().saturating_sub(4);
        let recent = self.findings.iter().enumerate().skip(recent);
        if let Some((at, _)) = recent.into_iter().find(|(_, other)| same(other)) {
            return Some(at);
        }
        finding.stream = Some(self.report.stream.clone());
        self.found = self.found.saturating_add(1);
        if self.findings.len() >= FINDINGS_MAX {
            let worst = self.worst_omitted.unwrap_or(finding.verdict);
            self.worst_omitted = Some(worst.min(finding.verdict));
            return None;
        }
        self.findings.push(finding);
        self.findings.len().checked_sub(1)
    }

    fn replace(&mut self, at: Option<usize>, mut finding: Finding) {
        finding.stream = Some(self.report.stream.clone());
        if let Some(old) = at.and_then(|at| self.findings.get_mut(at)) {
            *old = finding;
        }
    }

    fn worst(&self) -> Option<Verdict> {
        let listed = self.findings.iter().map(|finding| finding.verdict);
        listed.chain(self.worst_omitted).min()
    }
}

fn span(first: u64, last: u64) -> String {
    if first >= last {
        return format!("record {first} is");
    }
    format!("records {first} to {last} are")
}

fn lines_in_words(lines: u64) -> String {
    match lines {
        1 => "one line".into(),
        lines => format!("{lines} lines"),
    }
}
