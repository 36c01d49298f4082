use std::fmt;

use super::hash::TreeHash;
use crate::error::{Error, ErrorKind};

/// Leaves of a tree are never more: a size fits a signed 64-bit integer, as other readers have them.
pub const SIZE_MAX: u64 = (1 << 63) - 1;

const LEVELS: usize = 64;

/// The roots of the maximal full subtrees: all that is needed to append to a tree and to know its root.
///
/// It has a fixed size of about 2 KiB, and appending allocates nothing: one hash for the leaf and one for
/// each subtree that becomes full, two in the mean.
#[derive(Clone)]
pub struct Frontier {
    size: u64,
    /// The root of the full subtree of 2^i leaves, where bit i of the size is set; otherwise whatever
    /// stood there before.
    levels: [TreeHash; LEVELS],
}

impl Frontier {
    /// That of the empty tree.
    pub const fn new() -> Self {
        Self {
            size: 0,
            levels: [TreeHash::EMPTY; LEVELS],
        }
    }

    /// That of a tree of `size` leaves with these roots, largest subtree first. Whether the roots are
    /// true can only be seen by comparing [`root`](Self::root) with one that is known.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] unless there are as many roots as the size has full subtrees, and for a size
    /// above [`SIZE_MAX`].
    pub fn from_parts(size: u64, roots: &[TreeHash]) -> Result<Self, Error> {
        if size > SIZE_MAX {
            return Err(Error::new(
                ErrorKind::Seal,
                format!("a tree has at most {SIZE_MAX} leaves, not {size}"),
            ));
        }
        if roots.len() as u64 != u64::from(size.count_ones()) {
            return Err(Error::new(
                ErrorKind::Seal,
                format!(
                    "a tree of {size} leaves has {} full subtrees, not {}",
                    size.count_ones(),
                    roots.len()
                ),
            ));
        }
        let mut frontier = Self::new();
        frontier.size = size;
        let mut largest_first = roots.iter();
        for (level, slot) in frontier.levels.iter_mut().enumerate().rev() {
            if is_full(size, level)
                && let Some(root) = largest_first.next()
            {
                *slot = *root;
            }
        }
        Ok(frontier)
    }

    /// As [`from_parts`](Self::from_parts), with the roots in hex as a segment's header has them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Damaged`] for what is not 64 lower hex digits, and those of `from_parts`.
    pub fn from_hex<T: AsRef<str>>(size: u64, roots: &[T]) -> Result<Self, Error> {
        let roots = roots.iter().map(|root| root.as_ref().parse());
        Self::from_parts(size, &roots.collect::<Result<Vec<TreeHash>, Error>>()?)
    }

    /// The roots in hex, largest subtree first.
    pub fn to_hex(&self) -> Vec<String> {
        self.roots().map(|root| root.to_string()).collect()
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: TreeHash) {
        self.append_full(0, leaf);
    }

    /// Adds a full subtree of 2^`level` leaves, as if its leaves were added one by one. The size must be a
    /// multiple of that.
    pub(crate) fn append_full(&mut self, level: u8, root: TreeHash) {
        // Each full subtree at the end, smallest first, is the left half of a larger one from now on.
        let mut hash = root;
        let mut size = self.size.checked_shr(level.into()).unwrap_or(0);
        for slot in self.levels.iter_mut().skip(level.into()) {
            if size & 1 == 0 {
                *slot = hash;
                break;
            }
            hash = TreeHash::node(*slot, hash);
            size >>= 1;
        }
        let leaves = 1_u64.checked_shl(level.into()).unwrap_or(0);
        self.size = self.size.saturating_add(leaves);
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree; O(log n).
    pub fn root(&self) -> TreeHash {
        let smallest_first = self.full().map(|(_, root)| root);
        smallest_first
            .reduce(|right, left| TreeHash::node(left, right))
            .unwrap_or(TreeHash::EMPTY)
    }

    /// The roots of the maximal full subtrees, largest first.
    pub fn roots(&self) -> impl Iterator<Item = TreeHash> {
        self.full().rev().map(|(_, root)| root)
    }

    /// The root of the full subtree of 2^`level` leaves, if there is one.
    pub(super) fn at(&self, level: u32) -> Option<TreeHash> {
        let level = usize::try_from(level).ok()?;
        self.full()
            .find(|(found, _)| *found == level)
            .map(|(_, root)| root)
    }

    /// That of the last `size` leaves alone, where they are made of the smallest full subtrees.
    pub(super) fn smallest(&self, size: u64) -> Self {
        Self {
            size,
            levels: self.levels,
        }
    }

    fn full(&self) -> impl DoubleEndedIterator<Item = (usize, TreeHash)> {
        let levels = self.levels.iter().copied().enumerate();
        levels.filter(|(level, _)| is_full(self.size, *level))
    }
}

fn is_full(size: u64, level: usize) -> bool {
    u32::try_from(level)
        .ok()
        .and_then(|level| size.checked_shr(level))
        .is_some_and(|rest| rest & 1 == 1)
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Frontier {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.full().eq(other.full())
    }
}

impl Eq for Frontier {}

impl fmt::Debug for Frontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots: Vec<TreeHash> = self.roots().collect();
        f.debug_struct("Frontier")
            .field("size", &self.size)
            .field("roots", &roots)
            .finish_non_exhaustive()
    }
}
