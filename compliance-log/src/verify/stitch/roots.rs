//! The tree of a sealed stream, and where its root must be the one that was sealed.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    collections::{BTreeMap, VecDeque},
    ops::RangeInclusive,
};

use super::{findings::span, state::Stitch};
use crate::{
    layout::segment_seq,
    seal::merkle::{Frontier, TreeHash},
    verify::{
        plan::Opening,
        report::{Finding, Verdict},
        scan::{Place, Run},
        seal::{Catalog, Fact, Gone, LedgerFact, Stated, Whereabouts},
    },
};

/// How far a stream is what was sealed.
#[derive(Debug)]
pub(in crate::verify) struct Roots {
    /// The tree over the records so far; `None` from a finding on, until a file begins with a tree that
    /// was sealed.
    tree: Option<Frontier>,
    /// The last size at which the root was the sealed one.
    good: u64,
    /// Nothing was found so far: up to `good`, all records are those that were sealed.
    whole: bool,
    pub(in crate::verify) sound: u64,
    pub(in crate::verify) probed: Vec<(u64, TreeHash)>,
    /// Records above `good`, each with its segment.
    pending: VecDeque<(usize, Fact)>,
    pub(in crate::verify) catalog: Catalog,
    pub(in crate::verify) ledger: Vec<LedgerFact>,
    pub(in crate::verify) archived: u64,
    /// The last finding of a wrong root: where it is listed, and the records that it is about.
    wrong: Option<(usize, RangeInclusive<u64>)>,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            tree: Some(Frontier::new()),
            good: 0,
            whole: true,
            sound: 0,
            probed: Vec::new(),
            pending: VecDeque::new(),
            catalog: Catalog::default(),
            ledger: Vec::new(),
            archived: 0,
            wrong: None,
        }
    }
}

impl Roots {
    /// From here on the records are not the ones that were sealed, or not known to be.
    pub(super) fn lose(&mut self) {
        self.tree = None;
        self.whole = false;
        self.pending.clear();
    }

    /// The finding of a wrong root that says less than this one, which tells why it is wrong: a record
    /// was put where another one belongs, and is known to have been as the other one comes.
    pub(super) fn explained_by(&mut self, finding: &Finding) -> Option<usize> {
        let (_, records) = self.wrong.as_ref()?;
        let explains = finding.verdict == Verdict::Insert
            && finding.seq.is_some_and(|seq| records.contains(&seq));
        if !explains {
            return None;
        }
        self.wrong.take().map(|(at, _)| at)
    }

    fn at(&self, size: u64) -> bool {
        self.tree.as_ref().is_some_and(|tree| tree.size() == size)
    }
}

impl Stitch<'_> {
    /// Adds accepted records to the tree, and looks at its root wherever one was sealed.
    pub(super) fn grow(&mut self, run: &mut Run) {
        let tree = std::mem::take(&mut run.read.tree);
        let facts = std::mem::take(&mut run.read.facts);
        if self.plan.sealed.is_none() {
            return;
        }
        if run.place.offset == 0 {
            self.begin_tree(run);
        }
        if !self.roots.at(run.first_seq) {
            self.roots.lose();
            return;
        }
        // What is not sealed yet proves nothing.
        let size = self.plan.sealed.as_ref().map_or(0, |sealed| sealed.size);
        let sealed = facts.into_iter().filter(|fact| fact.seq < size);
        let here = sealed.map(|fact| (self.segment, fact));
        self.roots.pending.extend(here);
        for subtree in tree.into_nodes() {
            let Some(tree) = &mut self.roots.tree else {
                return;
            };
            subtree.append_to(tree);
            let size = tree.size();
            self.look(size);
        }
    }

    fn look(&mut self, size: u64) {
        let (Some(sealed), Some(tree)) = (&self.plan.sealed, &self.roots.tree) else {
            return;
        };
        if sealed.sizes.binary_search(&size).is_err() {
            return;
        }
        let root = tree.root();
        if self.roots.whole && sealed.is_probe(size) {
            self.roots.probed.push((size, root));
        }
        let Some(expected) = sealed.root(size) else {
            return;
        };
        if root == expected {
            self.roots.good = size;
            if self.roots.whole {
                self.roots.sound = size;
                self.believe(size);
            }
            return;
        }
        let first = self.roots.good;
        let last = size.saturating_sub(1);
        let mut finding = Finding::new(
            Verdict::Edit,
            format!(
                "{} not what was sealed: the lines fit together, the tree of size {size} does not",
                span(first, last)
            ),
        );
        finding.seq = Some(first);
        self.roots.lose();
        // Where the range begins. If that cannot be read again, its number says enough.
        if let Ok(Some(found)) = self.lookup(first) {
            finding = Finding {
                detail: finding.detail,
                ..self.finding_in(
                    found.segment,
                    Verdict::Edit,
                    Some(first),
                    found.place,
                    String::new(),
                )
            };
            let end = self.lookup(last).ok().flatten();
            finding.length = end
                .filter(|end| end.segment == found.segment)
                .and_then(|end| end.place.end().checked_sub(found.place.offset));
        }
        let listed = self.emit(finding);
        self.roots.wrong = listed.map(|at| (at, first..=last));
    }

    /// Takes the records below `size` for what the writer said.
    fn believe(&mut self, size: u64) {
        let below = |pending: &VecDeque<(usize, Fact)>| {
            pending.front().is_some_and(|(_, fact)| fact.seq < size)
        };
        while below(&self.roots.pending)
            && let Some((segment, fact)) = self.roots.pending.pop_front()
        {
            let wrong = match fact.stated {
                Stated::Catalog(stated) => self.roots.catalog.take(fact.seq, stated),
                Stated::Ledger(stated) => {
                    self.roots.ledger.push(stated);
                    None
                }
                Stated::Unreadable => {
                    let detail = "a sealed record does not say what such a record says";
                    Some((Verdict::Edit, detail.to_owned()))
                }
            };
            if let Some((verdict, detail)) = wrong {
                let finding = self.finding_in(segment, verdict, Some(fact.seq), fact.place, detail);
                self.emit(finding);
            }
        }
    }

    /// A file begins: its header states the tree before it.
    fn begin_tree(&mut self, run: &Run) {
        let (Some(segment), Some(sealed)) = (self.current(), &self.plan.sealed) else {
            return;
        };
        let Opening::Header(Some(header)) = &segment.opening else {
            return;
        };
        let first = run.first_seq;
        let Some(stated) = &header.frontier else {
            return;
        };
        let stated = Frontier::from_hex(first, stated).ok();
        if self.roots.at(first) {
            if stated != self.roots.tree {
                let detail =
                    "segment.header states another tree than that of the records before it";
                self.emit_here(Verdict::Edit, first, header_place(run), detail.to_owned());
            }
            return;
        }
        let expected = sealed.root(first);
        match stated {
            Some(tree) if expected == Some(tree.root()) => {
                self.roots.tree = Some(tree);
                self.roots.good = first;
                if self.roots.whole {
                    self.roots.sound = first;
                }
            }
            _ if self.roots.whole && expected.is_some() => {
                let detail = "segment.header states another tree than the one that was sealed";
                self.emit_here(Verdict::Edit, first, header_place(run), detail.to_owned());
            }
            _ => (),
        }
    }

    /// Whether there is a reason for the absence of records `from..to`. Then it is listed.
    pub(super) fn excuse(&mut self, from: u64, to: u64) -> bool {
        let excused = self
            .plan
            .sealed
            .as_ref()
            .and_then(|sealed| sealed.excused(from, to));
        let Some(excused) = excused else {
            return false;
        };
        for gone in excused {
            match gone.whereabouts {
                Whereabouts::Archived => {
                    self.roots.archived = self.roots.archived.saturating_add(1);
                }
                Whereabouts::Expired => self.expired(gone),
            }
        }
        true
    }

    fn expired(&mut self, gone: &Gone) {
        let last = gone.size.saturating_sub(1);
        let detail = format!(
            "{} removed when their time was over",
            span(gone.first_seq, last)
        );
        let mut finding = Finding::new(Verdict::Expired, detail);
        finding.file = Some(format!("{}/{}", self.plan.folder, gone.file));
        finding.segment = Some(gone.first_seq);
        finding.seq = Some(gone.first_seq);
        self.emit(finding);
    }

    /// Nothing was found in the records, but they were not compared with all that was sealed: a header
    /// that says nothing of the tree must not hide what stands behind it.
    pub(super) fn check_compared(&mut self) {
        let Some(sealed) = &self.plan.sealed else {
            return;
        };
        let explained = self
            .worst()
            .is_some_and(|worst| worst <= Verdict::MissingSegment);
        if explained || self.next < sealed.size || self.roots.sound >= sealed.size {
            return;
        }
        let first = self.roots.sound;
        let mut finding = Finding::new(
            Verdict::Edit,
            format!(
                "{} not known to be what was sealed: no file begins with the tree before them",
                span(first, sealed.size.saturating_sub(1))
            ),
        );
        finding.seq = Some(first);
        self.emit(finding);
    }

    /// Closed segments at the end of the stream that are not here.
    pub(super) fn check_closed(&mut self, closed: &BTreeMap<u64, String>) {
        let missing = closed.range(self.next.saturating_add(1)..);
        let mut from = self.next;
        for (size, file) in missing {
            let here = self
                .plan
                .segments
                .iter()
                .any(|segment| segment.name == *file);
            if !here && !self.excuse(from, *size) {
                let detail = format!(
                    "{} missing with the file that held them",
                    span(from, size.saturating_sub(1))
                );
                let mut finding = Finding::new(Verdict::MissingSegment, detail);
                finding.file = Some(format!("{}/{file}", self.plan.folder));
                finding.segment = segment_seq(file);
                finding.seq = Some(from);
                self.emit(finding);
            }
            from = *size;
        }
    }
}

fn header_place(run: &Run) -> Place {
    Place {
        length: run.first_length,
        ..run.place
    }
}
