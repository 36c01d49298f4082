//! Keys and origins for the tests.

use compliance_log::seal::{
    Origin,
    note::{Algorithm, KeyName, SigningKey},
};

/// All that this build has.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    Algorithm::Ed25519,
    #[cfg(feature = "fips")]
    Algorithm::EcdsaP256,
];

pub(crate) fn key(name: &str, algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(name.parse().unwrap(), algorithm).unwrap()
}

/// A key of a name that cannot be wrong.
pub(crate) fn named(name: KeyName, algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(name, algorithm).unwrap()
}

pub(crate) fn origin() -> Origin {
    Origin::new("log.example", "booking", "pod-7", "0123456789abcdef").unwrap()
}

/// Every way to change one bit.
pub(crate) fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}
