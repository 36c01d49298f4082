//! Where files begin and end.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{findings::span, state::Stitch};
use crate::{
    error::Error,
    verify::{
        plan::{Opening, Segment},
        report::Verdict,
        scan::{Bad, HeaderData, Mark, MarkKind, Place},
    },
};

impl<'p> Stitch<'p> {
    pub(super) fn current(&self) -> Option<&'p Segment> {
        self.plan.segments.get(self.segment)
    }

    pub(super) fn is_newest(&self) -> bool {
        self.segment == self.newest
            || (self.may_drop && self.segment.checked_add(1) == Some(self.newest))
    }

    pub(super) fn advance(&mut self, segment: usize) -> Result<(), Error> {
        while self.segment < segment && self.segment < self.newest {
            self.end_segment()?;
            self.segment = self.segment.saturating_add(1);
            self.begin_segment();
        }
        Ok(())
    }

    pub(super) fn begin_segment(&mut self) {
        self.before_unsure = self.found != self.findings_at_begin;
        self.findings_at_begin = self.found;
        self.expunged_before = std::mem::take(&mut self.expunged);
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
        if self.cover() == 0 && self.excuse(known, begins) {
            self.skip_to(begins);
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
                let detail = format!("{missing} missing: no file before this one holds them");
                let verdict = Verdict::MissingSegment;
                self.finding_in(self.segment, verdict, Some(known), start, detail)
            }
        };
        self.emit(finding);
        self.skip_to(begins);
    }

    /// What was before is not here.
    fn skip_to(&mut self, begins: u64) {
        self.before_unsure = true;
        self.findings_at_begin = self.found;
        self.next = begins;
        self.link = None;
        self.clear_cover();
    }

    /// Up to which byte the current file may not be hurt.
    pub(super) fn bound(&self, segment: &Segment) -> u64 {
        let newest = self.is_newest();
        let by_head = self.plan.bound(segment, newest);
        let by_seal = match &self.plan.sealed {
            Some(sealed) if newest => match sealed.place {
                Some((first, bytes)) if first == segment.first_seq => bytes,
                Some((first, _)) if first > segment.first_seq => u64::MAX,
                None if self.next < sealed.size => u64::MAX,
                Some(_) | None => 0,
            },
            _ => 0,
        };
        by_head.max(by_seal)
    }

    pub(super) fn end_segment(&mut self) -> Result<(), Error> {
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

    pub(super) fn ends_in_footer(&self) -> bool {
        self.marks.last().is_some_and(|mark| {
            matches!(mark.kind, MarkKind::Footer) && mark.seq.checked_add(1) == Some(self.next)
        })
    }

    /// Bytes behind the last record of the newest file: what a crash may leave from the durable
    /// bound on, and nowhere else.
    pub(super) fn end_newest(&mut self) {
        let Some(segment) = self.current() else {
            return;
        };
        let bound = self.bound(segment);
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
        if let Some((size, source)) = self.durable()
            && size > known
        {
            let detail = format!(
                "the stream ends before record {known}; {source} knows records up to {}",
                size.saturating_sub(1)
            );
            let finding =
                self.finding_in(self.segment, Verdict::Truncated, Some(known), end, detail);
            self.emit(finding);
        }
    }

    /// What links do not show: that files begin and end with the records that say so.
    pub(super) fn check_structure(&mut self) -> Result<(), Error> {
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
                MarkKind::Genesis(_) if mark.seq == 0 => None,
                MarkKind::Adopted(..) => None,
                MarkKind::Genesis(_) => Some((
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
            .is_none_or(|before| before.superseded)
            // The file whose lines it restates is missing, and named as such.
            || (self.before_unsure && restated_until.is_some());
        let wrong_start = match (&segment.opening, self.first_in_segment) {
            (_, None) | (Opening::Genesis(_), _) => None,
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
    pub(super) fn wrong_header(&self, mark: &Mark, data: Option<&HeaderData>) -> Option<String> {
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
        (data.bytes != Some(before.end) && self.expunged_before == 0).then(|| {
            format!(
                "segment.header says that {} has {} bytes; it has {}",
                before.name,
                data.bytes.unwrap_or_default(),
                before.end
            )
        })
    }
}
