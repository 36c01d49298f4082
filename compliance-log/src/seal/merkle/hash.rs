use std::{fmt, str::FromStr};

use crate::{chain::Digest, error::Error, sha256::sha256};

const LEAF: &[u8] = &[0];
const NODE: &[u8] = &[1];

/// A hash in a tree: of a leaf, of a node, or the root; displays as 64 lower hex digits.
///
/// It has a type of its own because a record's hash is not the hash of its leaf.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash(Digest);

impl TreeHash {
    /// The root of the tree without leaves, SHA-256 of nothing.
    pub const EMPTY: Self = Self::new([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ]);

    /// A hash from its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Digest::new(bytes))
    }

    /// The leaf of a record: SHA-256(0x00 ‖ the record's hash).
    pub fn leaf(record: &Digest) -> Self {
        Self::leaf_of(record.as_bytes())
    }

    pub(super) fn leaf_of(data: &[u8]) -> Self {
        Self::new(sha256(&[LEAF, data]))
    }

    /// The node over two subtrees: SHA-256(0x01 ‖ left ‖ right).
    pub fn node(left: Self, right: Self) -> Self {
        Self::new(sha256(&[NODE, left.as_bytes(), right.as_bytes()]))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for TreeHash {
    type Err = Error;

    /// Reads 64 lower hex digits and nothing else.
    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self)
    }
}
