#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::verify::report::{Finding, Verdict};

/// Beyond these only a count is kept.
const FINDINGS_MAX: usize = 1_000;

/// What was found outside the streams.
#[derive(Clone, Debug, Default)]
pub(in crate::verify) struct Found {
    pub(in crate::verify) findings: Vec<Finding>,
    pub(in crate::verify) worst: Option<Verdict>,
    pub(in crate::verify) omitted: u64,
}

impl Found {
    pub(in crate::verify) fn add(&mut self, finding: Finding) {
        self.worst = self.worst.into_iter().chain([finding.verdict]).min();
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    /// Takes in what another one has.
    pub(super) fn take(&mut self, other: Self) {
        self.worst = self.worst.into_iter().chain(other.worst).min();
        self.omitted = self.omitted.saturating_add(other.omitted);
        other.findings.into_iter().for_each(|one| self.add(one));
    }

    /// Something that concerns a whole file.
    pub(in crate::verify) fn in_file(
        &mut self,
        verdict: Verdict,
        file: &str,
        detail: impl Into<String>,
    ) {
        let mut finding = Finding::new(verdict, detail);
        finding.file = Some(file.to_owned());
        self.add(finding);
    }

    /// Something at a place of a file.
    pub(in crate::verify) fn at(
        &mut self,
        verdict: Verdict,
        place: super::notes::NotePlace<'_>,
        detail: impl Into<String>,
    ) {
        let mut finding = Finding::new(verdict, detail);
        finding.file = Some(place.file.to_owned());
        finding.line = Some(place.line);
        finding.offset = Some(place.offset);
        finding.length = Some(place.length);
        self.add(finding);
    }
}
