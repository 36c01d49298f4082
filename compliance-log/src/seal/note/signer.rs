use std::{fmt, io};

use super::VerifierKey;

/// What signs: a [`SigningKey`](super::SigningKey) in memory, or a module that keeps the key to itself.
///
/// `sign` is called on one thread at a time, the one that seals, at each checkpoint. It may block, and
/// what is appended meanwhile waits for the next checkpoint. Each signature is checked with
/// [`key`](Self::key) before it is used, so a wrong one is an error and never stored.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The public half; the same at each call.
    fn key(&self) -> &VerifierKey;

    /// The bytes of a signature over `text`: 64 for Ed25519, DER for ECDSA.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from signing. It is asked again at the next checkpoint.
    fn sign(&self, text: &[u8]) -> io::Result<Vec<u8>>;
}
