//! The seal: what shows that a store was not changed, cut, or written anew.
//!
//! A hash chain binds each record to the one before it, but whoever can write the files can compute a
//! whole new chain. The seal adds signatures, over as few bytes as possible:
//!
//! 1. Each record's hash is appended to the [tree](merkle) of its stream.
//! 2. Now and then a `seal.head` record puts size and root of each tree that grew into the *catalog*, a
//!    stream of its own with a tree of its own.
//! 3. One checkpoint states size and root of the catalog's tree, under two signatures: of the *log key*,
//!    which stays for the store's life and is what a witness knows, and of the *epoch key*, which is what
//!    a verifier trusts.
//! 4. An epoch key lives some minutes. Then its epoch note names the next key, together with the tree at
//!    that moment, and it is erased: who steals a key cannot sign for what was before it.
//! 5. A certificate, signed by a root key that does not lie on this machine, binds the log key and the
//!    first epoch key to the store's origin.
//! 6. Checkpoints are carried to places outside, the anchors. Whoever knows one of them finds every later
//!    change of what it covers.
//! 7. A [`proof`] shows one record to somebody who sees nothing else of the store, if a
//!    [policy](WitnessPolicy) of witnesses is content with who cosigned the checkpoint.
//!
//! So a verifier reads certificate, epoch notes and checkpoints, then the catalog up to the newest one,
//! then the streams up to what the catalog says of them. Everything here is pure: bytes in, bytes out,
//! without files and without a clock.

#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

pub mod merkle;
pub mod note;
mod origin;
mod lines;
pub mod statement;
mod unique;
mod policy;
pub mod proof;
mod submission;
mod anchor;
mod crypto_module;

pub use anchor::Anchor;
pub use crypto_module::CryptoModule;
pub(crate) use origin::check_domain;
pub use origin::{NO_DOMAIN, Origin, OriginPrefix};
pub use policy::{Cosigned, WitnessPolicy};
pub use submission::Submission;
