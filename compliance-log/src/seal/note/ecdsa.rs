//! ECDSA with P-256 and SHA-256, computed in the validated module of AWS-LC.

use std::io;

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
        ParsedPublicKey, UnparsedPublicKey,
    },
};
use zeroize::Zeroizing;

/// What comes before the point in the SPKI of every P-256 key whose point is not compressed.
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public half, as SPKI in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Public(Box<[u8]>);

impl Public {
    /// `None` for what is no P-256 key, or one in another spelling.
    pub(super) fn from_bytes(spki: &[u8]) -> Option<Self> {
        let point = spki.strip_prefix(&SPKI_PREFIX)?;
        if point.len() != 65 || ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).is_err() {
            return None;
        }
        Some(Self(spki.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn accepts(&self, text: &[u8], signature: &[u8]) -> bool {
        let point = self.0.strip_prefix(&SPKI_PREFIX).unwrap_or_default();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        key.verify(text, signature).is_ok()
    }
}

/// A private half; AWS-LC wipes its memory when it is dropped.
pub(super) struct Private {
    pair: EcdsaKeyPair,
    public: Public,
}

impl Private {
    pub(super) fn generate() -> io::Result<Self> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(io::Error::other)?;
        Self::of_pair(pair).ok_or_else(|| io::Error::other("the new key has an unusual form"))
    }

    pub(super) fn from_bytes(pkcs8: &[u8]) -> Option<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).ok()?;
        Self::of_pair(pair)
    }

    fn of_pair(pair: EcdsaKeyPair) -> Option<Self> {
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
        let public = Public::from_bytes(spki.as_ref())?;
        Some(Self { pair, public })
    }

    pub(super) fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let document = self.pair.to_pkcs8v1().map_err(io::Error::other)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    pub(super) fn public(&self) -> Public {
        self.public.clone()
    }

    pub(super) fn sign(&self, text: &[u8]) -> io::Result<Vec<u8>> {
        let signature = self.pair.sign(&SystemRandom::new(), text);
        Ok(signature.map_err(io::Error::other)?.as_ref().to_vec())
    }
}
