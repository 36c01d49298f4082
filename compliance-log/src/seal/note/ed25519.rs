//! Ed25519 of RFC 8032.

use std::io;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

/// A public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Public(VerifyingKey);

impl Public {
    /// `None` for what is no point of the curve, and for the few under which anybody can sign.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Strict, so that no two verifiers differ on a signature.
    pub(super) fn accepts(&self, text: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .and_then(|signature| self.0.verify_strict(text, &signature))
            .is_ok()
    }
}

/// A private half; boxed, so that moving it leaves no copies behind, and wiped when dropped.
pub(super) struct Private(Box<SigningKey>);

impl Private {
    pub(super) fn generate() -> io::Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self(Box::new(SigningKey::from_bytes(&seed))))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = SigningKey::from_bytes(bytes.try_into().ok()?);
        Some(Self(Box::new(key)))
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.as_bytes().to_vec())
    }

    pub(super) fn public(&self) -> Public {
        Public(self.0.verifying_key())
    }

    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).to_bytes().to_vec()
    }
}
