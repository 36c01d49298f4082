//! Records, and what it means when one is not the expected one.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{
    findings::span,
    state::{Fork, ForkKind, Stitch, Stretch},
};
use crate::{
    error::Error,
    verify::{
        report::{Adopted, Island, Verdict},
        scan::{MarkKind, Place, Run},
    },
};

/// Beyond these only a count is kept.
const ISLANDS_MAX: usize = 1_000;
/// Beyond these the oldest is left as it was first judged.
const FORKS_MAX: usize = 64;
/// Beyond these what was taken on is not listed.
const ADOPTED_MAX: usize = 1_000;

impl Stitch<'_> {
    pub(super) fn run(&mut self, run: Run) -> Result<(), Error> {
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
    pub(super) fn accept(&mut self, mut run: Run, stretch: Stretch) {
        self.remember(&run, stretch);
        self.judge_expunged(&run);
        self.grow(&mut run);
        self.next = run.last_seq.saturating_add(1);
        self.link = Some(run.last_hash);
        self.clear_cover();
        self.last = Some((self.segment, run.last_seq, run.last));
        for mark in &run.marks {
            if let MarkKind::Adopted(first, last) = mark.kind
                && self.report.adopted.len() < ADOPTED_MAX
            {
                self.report.adopted.push(Adopted { first, last });
            }
        }
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

    /// Records without their text: the ledger must know each, with its hash.
    fn judge_expunged(&mut self, run: &Run) {
        for expunged in &run.read.expunged {
            let said = self.plan.expunged.get(&expunged.seq);
            let mut refused = "no ledger says why".to_owned();
            let mut counts = false;
            for one in said.into_iter().flatten() {
                match one.refuses(&expunged.hash) {
                    None => counts = true,
                    Some(why) => refused = format!("what the ledger says does not count: {why}"),
                }
            }
            let size = self.plan.sealed.as_ref().map_or(0, |sealed| sealed.size);
            if counts && expunged.seq >= size {
                counts = false;
                "it was not sealed yet".clone_into(&mut refused);
            }
            let (verdict, detail) = if counts {
                (Verdict::Expunged, "the record's text was taken out".into())
            } else {
                let detail = format!("the record's text was taken out; {refused}");
                (Verdict::Edit, detail)
            };
            self.expunged = self.expunged.saturating_add(1);
            self.emit_here(verdict, expunged.seq, expunged.place, detail);
        }
    }

    /// Counts the run, whatever its place turns out to be.
    pub(super) fn remember(&mut self, run: &Run, stretch: Stretch) {
        self.index_parts(run);
        self.report.records = self.report.records.saturating_add(stretch.records());
        let first = self.report.first.unwrap_or(u64::MAX).min(stretch.first);
        let last = self.report.last.unwrap_or(0).max(stretch.last);
        self.report.first = Some(first);
        self.report.last = Some(last);
        if self.found == self.harmless {
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
    pub(super) fn jump(&mut self, run: Run, stretch: Stretch) {
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
    pub(super) fn wrong_link(&mut self, run: Run, stretch: Stretch) -> Result<(), Error> {
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
    pub(super) fn seen_before(&mut self, mut run: Run, stretch: Stretch) -> Result<(), Error> {
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
    pub(super) fn join(&mut self, mut fork: Fork, run: Run, stretch: Stretch) -> Result<(), Error> {
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

    pub(super) fn fork(&mut self, kind: ForkKind, stray: Stretch, finding: Option<usize>) {
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

    pub(super) fn push_fork(&mut self, fork: Fork) {
        if self.forks.len() >= FORKS_MAX {
            self.forks.remove(0);
        }
        self.forks.push(fork);
    }

    /// At the end: what was taken for moved, but whose predecessor never came, was made up.
    pub(super) fn close_forks(&mut self) {
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
}
