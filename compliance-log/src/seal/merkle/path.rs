//! Which subtrees a proof names, and their roots from leaves that go by once.

use std::ops::Range;

use super::{frontier::Frontier, hash::TreeHash};

/// A run of leaves whose root stands in a proof. It begins where a subtree of its size may begin, so its
/// root does not depend on what was before it.
pub(super) type Span = Range<u64>;

/// The roots of some spans, in the order of the proof.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// What is still to come, the first last, each with its place in the proof.
    spans: Vec<(Span, usize)>,
    roots: Vec<TreeHash>,
    /// The tree over the part of the current span that went by.
    within: Frontier,
    /// The next leaf.
    at: u64,
}

impl Path {
    /// For leaves from `at` on. A span that lies before it is asked of `before`; where that knows no
    /// root, the root of the empty tree stands in the proof, which then proves nothing.
    pub(super) fn new(
        spans: Vec<Span>,
        at: u64,
        before: impl Fn(&Span) -> Option<TreeHash>,
    ) -> Self {
        let roots = spans
            .iter()
            .map(|span| before(span).unwrap_or(TreeHash::EMPTY))
            .collect();
        let places = spans.into_iter().zip(0..);
        let mut spans: Vec<(Span, usize)> = places.filter(|(span, _)| span.start >= at).collect();
        spans.sort_unstable_by_key(|(span, _)| std::cmp::Reverse(span.start));
        Self {
            spans,
            roots,
            within: Frontier::new(),
            at,
        }
    }

    /// The next leaf. One in no span, or after all of them, changes nothing.
    pub(super) fn push(&mut self, leaf: TreeHash) {
        let at = self.at;
        self.at = at.saturating_add(1);
        let Some((span, place)) = self.spans.last() else {
            return;
        };
        if !span.contains(&at) {
            return;
        }
        self.within.append(leaf);
        if self.at == span.end {
            if let Some(root) = self.roots.get_mut(*place) {
                *root = self.within.root();
            }
            self.within = Frontier::new();
            self.spans.pop();
        }
    }

    /// The next leaf's index.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The roots.
    pub(super) fn into_roots(self) -> Vec<TreeHash> {
        self.roots
    }
}

/// Where a tree of `size` leaves, two or more, is split: the largest power of two below the size.
pub(super) fn split(size: u64) -> u64 {
    let below = size.saturating_sub(1);
    1_u64
        .checked_shl(below.checked_ilog2().unwrap_or(0))
        .unwrap_or(1)
}
