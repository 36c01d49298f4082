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
    /// For the leaves after the tree that `before` is of. A span that lies before them is one of its
    /// maximal full subtrees; otherwise the root of the empty tree stands in the proof, which then proves
    /// nothing. A span that it reaches into begins with the smallest of them.
    pub(super) fn new(spans: Vec<Span>, before: &Frontier) -> Self {
        let at = before.size();
        let root = |span: &Span| before.at(len(span).trailing_zeros());
        let roots = spans
            .iter()
            .map(|span| root(span).filter(|_| span.end <= at))
            .map(|root| root.unwrap_or(TreeHash::EMPTY))
            .collect();
        let places = spans.into_iter().zip(0..);
        let mut spans: Vec<(Span, usize)> = places.filter(|(span, _)| span.end > at).collect();
        spans.sort_unstable_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let begun = spans
            .last()
            .map_or(0, |(span, _)| at.saturating_sub(span.start));
        Self {
            spans,
            roots,
            within: before.smallest(begun),
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

fn len(span: &Span) -> u64 {
    span.end.saturating_sub(span.start)
}

/// Where a tree of `size` leaves, two or more, is split: the largest power of two below the size.
pub(super) fn split(size: u64) -> u64 {
    let below = size.saturating_sub(1);
    1_u64
        .checked_shl(below.checked_ilog2().unwrap_or(0))
        .unwrap_or(1)
}
