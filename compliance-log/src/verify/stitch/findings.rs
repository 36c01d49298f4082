//! Listing what was found.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::state::Stitch;
use crate::verify::{
    report::{Finding, Verdict},
    scan::Place,
};

/// Beyond these only a count is kept.
const FINDINGS_MAX: usize = 1_000;

impl Stitch<'_> {
    pub(super) fn file(&self, segment: usize) -> String {
        let name = self
            .plan
            .segments
            .get(segment)
            .map(|segment| &*segment.name);
        format!("{}/{}", self.plan.folder, name.unwrap_or_default())
    }

    pub(super) fn finding_in(
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

    pub(super) fn emit_here(
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
    pub(super) fn emit(&mut self, mut finding: Finding) -> Option<usize> {
        let same = |other: &Finding| {
            (other.verdict, other.seq, other.offset, &other.file)
                == (finding.verdict, finding.seq, finding.offset, &finding.file)
        };
        let recent = self.findings.len().saturating_sub(4);
        let recent = self.findings.iter().enumerate().skip(recent);
        if let Some((at, _)) = recent.into_iter().find(|(_, other)| same(other)) {
            return Some(at);
        }
        if let Some(at) = self.roots.explained_by(&finding) {
            self.replace(Some(at), finding);
            return Some(at);
        }
        finding.stream = Some(self.report.stream.clone());
        if changes_records(finding.verdict) {
            self.roots.lose();
        }
        self.found = self.found.saturating_add(1);
        if is_harmless(finding.verdict) {
            self.harmless = self.harmless.saturating_add(1);
            self.findings_at_begin = self.findings_at_begin.saturating_add(1);
        } else {
            self.island_open = false;
        }
        if self.findings.len() >= FINDINGS_MAX {
            let worst = self.worst_omitted.unwrap_or(finding.verdict);
            self.worst_omitted = Some(worst.min(finding.verdict));
            return None;
        }
        self.findings.push(finding);
        self.findings.len().checked_sub(1)
    }

    pub(super) fn replace(&mut self, at: Option<usize>, mut finding: Finding) {
        finding.stream = Some(self.report.stream.clone());
        if let Some(old) = at.and_then(|at| self.findings.get_mut(at)) {
            *old = finding;
        }
    }

    pub(super) fn worst(&self) -> Option<Verdict> {
        let listed = self.findings.iter().map(|finding| finding.verdict);
        listed.chain(self.worst_omitted).min()
    }
}

/// Whether all that is here is as it was written.
fn is_harmless(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Expired | Verdict::Expunged)
}

/// Whether the tree of what is here is not that of what was written.
fn changes_records(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Splice
            | Verdict::Edit
            | Verdict::Insert
            | Verdict::Duplicate
            | Verdict::Reorder
            | Verdict::Delete
            | Verdict::MissingSegment
    )
}

pub(in crate::verify) fn span(first: u64, last: u64) -> String {
    if first >= last {
        return format!("record {first} is");
    }
    format!("records {first} to {last} are")
}

pub(super) fn lines_in_words(lines: u64) -> String {
    match lines {
        1 => "one line".into(),
        lines => format!("{lines} lines"),
    }
}
