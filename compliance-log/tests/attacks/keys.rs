//! Keys that are the same in each run, or with the feature `fips`, whose keys the module makes, in one.

use compliance_log::seal::note::{Algorithm, SigningKey};

#[cfg(feature = "fips")]
pub(crate) use self::module::{cosigner, key, renamed};
#[cfg(not(feature = "fips"))]
pub(crate) use self::seeded::{cosigner, key, renamed};

/// How stores are sealed here.
#[cfg(not(feature = "fips"))]
pub(crate) const ALGORITHM: Algorithm = Algorithm::Ed25519;
#[cfg(feature = "fips")]
pub(crate) const ALGORITHM: Algorithm = Algorithm::EcdsaP256;

#[cfg(not(feature = "fips"))]
mod seeded {
    use data_encoding::BASE64;
    use sha2::{Digest as _, Sha256};

    use super::SigningKey;

    /// The key of this name that a lineage of writers has. A thief is another lineage: he has the keys that he
    /// stole, and makes later ones himself.
    pub(crate) fn key(name: &str, lineage: &str) -> SigningKey {
        named(name, &Sha256::digest(format!("{name} of {lineage}")).into())
    }

    /// The key of a witness.
    pub(crate) fn cosigner(name: &str) -> SigningKey {
        key(name, "witness")
    }

    /// The same key under another name.
    pub(crate) fn renamed(key: &SigningKey, name: &str) -> SigningKey {
        let skey = key.to_skey().unwrap();
        let secret = skey.splitn(5, '+').last().unwrap();
        let secret = BASE64.decode(secret.as_bytes()).unwrap();
        named(name, secret[1..].try_into().unwrap())
    }

    fn named(name: &str, seed: &[u8; 32]) -> SigningKey {
        let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
        let id = Sha256::digest([name.as_bytes(), b"\n\x01", public.as_bytes()].concat());
        let id = u32::from_be_bytes(id[..4].try_into().unwrap());
        let secret = BASE64.encode(&[&[1], &seed[..]].concat());
        SigningKey::from_skey(&format!("PRIVATE+KEY+{name}+{id:08x}+{secret}")).unwrap()
    }
}

#[cfg(feature = "fips")]
mod module {
    use std::{
        collections::BTreeMap,
        sync::{Mutex, PoisonError},
    };

    use super::{ALGORITHM, Algorithm, SigningKey};

    static KEYS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

    /// As without the feature.
    pub(crate) fn key(name: &str, lineage: &str) -> SigningKey {
        made(name, lineage, ALGORITHM)
    }

    /// The key of a witness, which signs by Ed25519 whatever the log does.
    pub(crate) fn cosigner(name: &str) -> SigningKey {
        made(name, "witness", Algorithm::Ed25519)
    }

    fn made(name: &str, lineage: &str, algorithm: Algorithm) -> SigningKey {
        let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        let skey = keys
            .entry(format!("{name} of {lineage}"))
            .or_insert_with(|| {
                let key = SigningKey::generate(name.parse().unwrap(), algorithm).unwrap();
                key.to_skey().unwrap().to_string()
            });
        SigningKey::from_skey(skey).unwrap()
    }

    /// The same key under another name, which is no part of its id.
    pub(crate) fn renamed(key: &SigningKey, name: &str) -> SigningKey {
        let skey = key.to_skey().unwrap();
        let mut parts: Vec<&str> = skey.splitn(5, '+').collect();
        parts[2] = name;
        SigningKey::from_skey(&parts.join("+")).unwrap()
    }
}
