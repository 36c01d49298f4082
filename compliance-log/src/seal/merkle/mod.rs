//! The tree over a stream's record hashes, as RFC 6962 section 2.1 defines it.
//!
//! The data of a leaf are the 32 bytes of a record's hash. A writer keeps the [`Frontier`] alone, which
//! holds at most 64 hashes whatever the size. Proofs are built from a stream of leaves that goes by once,
//! in O(log n) memory:
//!
//! ```
//! use compliance_log::{
//!     chain::Digest,
//!     seal::merkle::{ConsistencyProof, Frontier, InclusionProof, TreeHash},
//! };
//!
//! # fn main() -> Result<(), compliance_log::Error> {
//! let records: Vec<Digest> = (0..1000_u32).map(|n| Digest::of(&n.to_be_bytes())).collect();
//! let leaves = || records.iter().map(TreeHash::leaf);
//!
//! let mut tree = Frontier::new();
//! leaves().take(300).for_each(|leaf| tree.append(leaf));
//! let then = tree.clone();
//! leaves().skip(300).for_each(|leaf| tree.append(leaf));
//!
//! // Record 17 is in the tree of 1000.
//! let mut proof = InclusionProof::builder(17, 1000)?;
//! leaves().for_each(|leaf| proof.push(leaf));
//! proof.finish()?.check(TreeHash::leaf(&records[17]), tree.root())?;
//!
//! // The tree of 1000 begins with the tree of 300. Only the leaves after it are needed.
//! let mut proof = ConsistencyProof::builder(&then, 1000)?;
//! leaves().skip(300).for_each(|leaf| proof.push(leaf));
//! proof.finish()?.check(then.root(), tree.root())?;
//! # Ok(())
//! # }
//! ```

mod hash;
mod frontier;
mod path;
mod inclusion;
mod consistency;

pub use consistency::{ConsistencyBuilder, ConsistencyProof};
pub use frontier::{Frontier, SIZE_MAX};
pub use hash::TreeHash;
pub use inclusion::{InclusionBuilder, InclusionProof};
