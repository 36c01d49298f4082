use super::{
    frontier::{Frontier, SIZE_MAX},
    hash::TreeHash,
    inclusion::check_whole,
    path::{Path, Span, split},
};
use crate::error::{Error, ErrorKind};

/// That a tree begins with an older one: RFC 6962 section 2.1.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    old: u64,
    new: u64,
    path: Vec<TreeHash>,
}

impl ConsistencyProof {
    /// A proof from elsewhere, from a tree of `old` leaves to one of `new`. Nothing is checked before
    /// [`check`](Self::check).
    pub fn from_parts(old: u64, new: u64, path: Vec<TreeHash>) -> Self {
        Self { old, new, path }
    }

    /// Begins a proof from the tree that `old` is of to that of the first `new` leaves.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if the old tree is empty, since nothing is to be proved then, or larger than
    /// the new one.
    pub fn builder(old: &Frontier, new: u64) -> Result<ConsistencyBuilder, Error> {
        if old.size() == 0 || old.size() > new || new > SIZE_MAX {
            return Err(Error::new(
                ErrorKind::Seal,
                format!(
                    "nothing leads from a tree of {} leaves to one of {new}",
                    old.size()
                ),
            ));
        }
        Ok(ConsistencyBuilder {
            old: old.size(),
            new,
            path: Path::new(spans(old.size(), new), old),
        })
    }

    /// Checks that the tree with `new_root` begins with the one with `old_root`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if the proof does not show it.
    pub fn check(&self, old_root: TreeHash, new_root: TreeHash) -> Result<(), Error> {
        if self.roots(old_root) == Some((old_root, new_root)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Seal,
            format!(
                "the proof does not show that the tree of {} leaves begins with that of {}",
                self.new, self.old
            ),
        ))
    }

    /// RFC 9162 section 2.1.4.2: both roots as the path gives them. A tree whose size is a power of two
    /// is not restated in the path.
    fn roots(&self, old_root: TreeHash) -> Option<(TreeHash, TreeHash)> {
        if self.old == 0 || self.old > self.new {
            return None;
        }
        if self.old == self.new {
            return self.path.is_empty().then_some((old_root, old_root));
        }
        let mut path = self.path.iter().copied();
        let first = if self.old.is_power_of_two() {
            if self.path.is_empty() {
                return None;
            }
            old_root
        } else {
            path.next()?
        };
        let mut at = self.old.checked_sub(1)?;
        let mut last = self.new.checked_sub(1)?;
        while at & 1 == 1 {
            at >>= 1;
            last >>= 1;
        }
        let (mut old, mut new) = (first, first);
        for sibling in path {
            if last == 0 {
                return None;
            }
            if at & 1 == 1 || at == last {
                old = TreeHash::node(sibling, old);
                new = TreeHash::node(sibling, new);
                while at & 1 == 0 && at != 0 {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                new = TreeHash::node(new, sibling);
            }
            at >>= 1;
            last >>= 1;
        }
        (last == 0).then_some((old, new))
    }

    /// Leaves of the old tree.
    pub fn old_size(&self) -> u64 {
        self.old
    }

    /// Leaves of the new tree.
    pub fn new_size(&self) -> u64 {
        self.new
    }

    /// The hashes, in the order of RFC 6962.
    pub fn path(&self) -> &[TreeHash] {
        &self.path
    }
}

/// Takes the leaves after the old tree, one after the other, and keeps O(log n) hashes of them.
#[derive(Clone, Debug)]
pub struct ConsistencyBuilder {
    old: u64,
    new: u64,
    path: Path,
}

impl ConsistencyBuilder {
    /// The next leaf, from the first after the old tree on. Leaves beyond the new tree are ignored.
    pub fn push(&mut self, leaf: TreeHash) {
        self.path.push(leaf);
    }

    /// The proof.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if there were fewer leaves than the new tree has.
    pub fn finish(self) -> Result<ConsistencyProof, Error> {
        check_whole(&self.path, self.new)?;
        Ok(ConsistencyProof {
            old: self.old,
            new: self.new,
            path: self.path.into_roots(),
        })
    }
}

/// PROOF(m, D[n]): from the root down, the half that does not hold the old tree's end.
fn spans(old: u64, new: u64) -> Vec<Span> {
    let mut tree = 0..new;
    let mut spans = Vec::new();
    while tree.end > old {
        let len = tree.end.saturating_sub(tree.start);
        let middle = tree.start.saturating_add(split(len));
        if old <= middle {
            spans.push(middle..tree.end);
            tree.end = middle;
        } else {
            spans.push(tree.start..middle);
            tree.start = middle;
        }
    }
    // The verifier knows the old root; where that is a part of the new tree it is not told.
    if tree.start > 0 {
        spans.push(tree);
    }
    spans.reverse();
    spans
}
