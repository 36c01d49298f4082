#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::{
    chain::Digest,
    seal::merkle::{Frontier, TreeHash},
};

/// Consecutive leaves of a stream's tree, folded into full subtrees as far as nobody needs to see the
/// tree's root within them. So most of the tree is computed by the threads that check the lines.
#[derive(Clone, Debug, Default)]
pub(in crate::verify) struct Subtrees {
    nodes: Vec<Subtree>,
    /// The sizes next to the last leaf at which the root is wanted: no subtree reaches across one.
    floor: u64,
    ceiling: u64,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::verify) struct Subtree {
    level: u8,
    root: TreeHash,
}

impl Subtree {
    pub(in crate::verify) fn append_to(&self, tree: &mut Frontier) {
        tree.append_full(self.level, self.root);
    }
}

impl Subtrees {
    /// Adds the leaf of record `seq`, which follows the last one. `sizes` are in order.
    pub(in crate::verify) fn push(&mut self, seq: u64, record: &Digest, sizes: &[u64]) {
        if seq >= self.ceiling {
            let above = sizes.partition_point(|size| *size <= seq);
            let below = above.checked_sub(1).and_then(|at| sizes.get(at));
            self.floor = below.copied().unwrap_or(0);
            self.ceiling = sizes.get(above).copied().unwrap_or(u64::MAX);
        }
        let mut node = Subtree {
            level: 0,
            root: TreeHash::leaf(record),
        };
        let mut index = seq;
        while index & 1 == 1
            && let Some(left) = self.nodes.last()
            && left.level == node.level
        {
            let start = index
                .saturating_sub(1)
                .checked_shl(node.level.into())
                .unwrap_or(0);
            if start < self.floor {
                break;
            }
            node = Subtree {
                level: node.level.saturating_add(1),
                root: TreeHash::node(left.root, node.root),
            };
            self.nodes.pop();
            index >>= 1;
        }
        self.nodes.push(node);
    }

    /// Takes in those of the leaves that follow.
    pub(in crate::verify) fn absorb(&mut self, next: Self) {
        self.nodes.extend(next.nodes);
        self.floor = next.floor;
        self.ceiling = next.ceiling;
    }

    pub(in crate::verify) fn into_nodes(self) -> Vec<Subtree> {
        self.nodes
    }
}
