//! Lines that are no record of the stream.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{findings::lines_in_words, state::Stitch};
use crate::{
    chain::SUFFIX_BYTES,
    verify::{
        report::Verdict,
        scan::{Bad, Fault},
    },
};

/// Beyond these, lines that wait for what follows are taken together.
const PENDING_MAX: usize = 2_000;

/// No record is shorter: opening, a stream id, links and newline. Tells how many records damaged
/// bytes may have been.
const RECORD_BYTES_MIN: u64 = SUFFIX_BYTES as u64 + 51;

impl Stitch<'_> {
    pub(super) fn bad(&mut self, bad: Bad) {
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
    pub(super) fn hold(&mut self, bad: Bad) {
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

    pub(super) fn flush_held(&mut self) {
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
    pub(super) fn settle(&mut self, next: Option<u64>) {
        self.flush_held();
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        let bound = self.current().map_or(0, |segment| self.bound(segment));
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
    pub(super) fn cover(&self) -> u64 {
        let by_size = self.cover_bytes.checked_div(RECORD_BYTES_MIN).unwrap_or(0);
        self.cover_lines.max(by_size)
    }

    pub(super) fn clear_cover(&mut self) {
        self.cover_lines = 0;
        self.cover_bytes = 0;
    }
}
