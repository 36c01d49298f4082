use super::{
    frontier::{Frontier, SIZE_MAX},
    hash::TreeHash,
    path::{Path, Span, split},
};
use crate::error::{Error, ErrorKind};

/// The way from a leaf to the root: RFC 6962 section 2.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    index: u64,
    size: u64,
    path: Vec<TreeHash>,
}

impl InclusionProof {
    /// A proof from elsewhere, for leaf `index` of a tree of `size` leaves; the path begins beside the
    /// leaf. Nothing is checked before [`check`](Self::check).
    pub fn from_parts(index: u64, size: u64, path: Vec<TreeHash>) -> Self {
        Self { index, size, path }
    }

    /// Begins a proof that leaf `index` is in the tree of the first `size` leaves.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if there is no such leaf, or no such tree.
    pub fn builder(index: u64, size: u64) -> Result<InclusionBuilder, Error> {
        Self::builder_after(&Frontier::new(), index, size)
    }

    /// Begins it after the tree that `before` is of: only the leaves after that one are needed.
    ///
    /// # Errors
    ///
    /// Those of [`builder`](Self::builder), and [`ErrorKind::Seal`] if the leaf is one of that tree.
    pub fn builder_after(
        before: &Frontier,
        index: u64,
        size: u64,
    ) -> Result<InclusionBuilder, Error> {
        if index >= size || index < before.size() || size > SIZE_MAX {
            return Err(Error::new(
                ErrorKind::Seal,
                format!(
                    "there is no leaf {index} after {} in a tree of {size} leaves",
                    before.size()
                ),
            ));
        }
        Ok(InclusionBuilder {
            index,
            size,
            path: Path::new(spans(index, size), before),
        })
    }

    /// Checks that the path leads from `leaf` to `root`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if it does not.
    pub fn check(&self, leaf: TreeHash, root: TreeHash) -> Result<(), Error> {
        if self.root(leaf) == Some(root) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Seal,
            format!(
                "the proof does not show leaf {} in that tree of {} leaves",
                self.index, self.size
            ),
        ))
    }

    /// RFC 9162 section 2.1.3.2.
    fn root(&self, leaf: TreeHash) -> Option<TreeHash> {
        if self.index >= self.size {
            return None;
        }
        let mut at = self.index;
        let mut last = self.size.checked_sub(1)?;
        let mut hash = leaf;
        for sibling in &self.path {
            if last == 0 {
                return None;
            }
            if at & 1 == 1 || at == last {
                hash = TreeHash::node(*sibling, hash);
                // A subtree at the right edge has no sibling on these levels.
                while at & 1 == 0 && at != 0 {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                hash = TreeHash::node(hash, *sibling);
            }
            at >>= 1;
            last >>= 1;
        }
        (last == 0).then_some(hash)
    }

    /// Which leaf.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Leaves of the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The siblings on the way, from the leaf's on.
    pub fn path(&self) -> &[TreeHash] {
        &self.path
    }
}

/// Takes a tree's leaves, one after the other, and keeps O(log n) hashes of them: about 4 KiB for a tree
/// of ten million.
#[derive(Clone, Debug)]
pub struct InclusionBuilder {
    index: u64,
    size: u64,
    path: Path,
}

impl InclusionBuilder {
    /// The next leaf, from leaf 0 on, or the first after the tree that it began after. Leaves beyond the tree are ignored.
    pub fn push(&mut self, leaf: TreeHash) {
        self.path.push(leaf);
    }

    /// The proof.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if there were fewer leaves than the tree has.
    pub fn finish(self) -> Result<InclusionProof, Error> {
        check_whole(&self.path, self.size)?;
        Ok(InclusionProof {
            index: self.index,
            size: self.size,
            path: self.path.into_roots(),
        })
    }
}

pub(super) fn check_whole(path: &Path, size: u64) -> Result<(), Error> {
    if path.at() >= size {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Seal,
        format!("of {size} leaves there were only {}", path.at()),
    ))
}

/// PATH(m, D[n]): from the root down, the half without the leaf.
fn spans(index: u64, size: u64) -> Vec<Span> {
    let mut tree = 0..size;
    let mut spans = Vec::new();
    while tree.end.saturating_sub(tree.start) > 1 {
        let len = tree.end.saturating_sub(tree.start);
        let middle = tree.start.saturating_add(split(len));
        if index < middle {
            spans.push(middle..tree.end);
            tree.end = middle;
        } else {
            spans.push(tree.start..middle);
            tree.start = middle;
        }
    }
    spans.reverse();
    spans
}
