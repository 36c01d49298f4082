//! Signed notes, as <https://c2sp.org/signed-note> defines them: some lines of text, an empty line, and
//! one line for each signature.
//!
//! ```
//! use compliance_log::seal::note::{Algorithm, Note, SigningKey};
//!
//! # fn main() -> Result<(), compliance_log::Error> {
//! let key = SigningKey::generate("log.example/booking".parse()?, Algorithm::Ed25519)?;
//! let mut note = Note::unsigned("two lines\nof text\n")?;
//! note.sign(&key)?;
//!
//! let read = Note::parse(note.to_string().as_bytes())?;
//! read.check(key.verifier())?;
//! assert_eq!(read.text(), "two lines\nof text\n");
//! # Ok(())
//! # }
//! ```
//!
//! Reading is stricter than the specification asks for, so that no bit of a note can change unseen:
//!
//! - Base64 has its one canonical spelling, hex digits are lower case.
//! - No two signatures have the same key name and key id.
//! - The text has no empty line. So in a file of notes, each of which an empty line follows, texts and
//!   signatures alternate: see [`NoteFile`].
//!
//! # Keys
//!
//! A key has a *name*, which is part of what it is: the same key under another name is another key. Its
//! public half is written as a *vkey*, `<name>+<key id>+<base64>`, its private half as an *skey*,
//! `PRIVATE+KEY+<name>+<key id>+<base64>`. The first byte within the Base64 says the algorithm:
//!
//! | byte | algorithm | public half | private half | key id, the first 4 bytes of |
//! |---|---|---|---|---|
//! | `01` | Ed25519 | 32 bytes | 32 bytes | SHA-256(name ‖ `0A` ‖ `01` ‖ public half) |
//! | `02` | ECDSA with P-256 and SHA-256, signatures in DER | SPKI in DER | PKCS #8 in DER | SHA-256(public half) |
//!
//! `02` needs the feature `fips`, which computes it in the validated module of AWS-LC.

mod base64;
mod name;
mod algorithm;
mod ed25519;
#[cfg(feature = "fips")]
mod ecdsa;
mod verifier_key;
mod signer;
mod signing_key;
mod signature;
mod signed;
mod cosignature;
mod file;

pub(super) use self::base64::{decode, encode};
pub use algorithm::Algorithm;
pub use cosignature::{CosigningKey, WitnessKey};
pub use file::NoteFile;
pub use name::KeyName;
pub use signature::Signature;
pub use signed::Note;
pub use signer::Signer;
pub use signing_key::SigningKey;
pub use verifier_key::{KeyId, VerifierKey};
