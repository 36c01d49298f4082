//! Keys that are the same in each run.

use compliance_log::seal::note::SigningKey;
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

/// The key of this name that a lineage of writers has. A thief is another lineage: he has the keys that he
/// stole, and makes later ones himself.
pub(crate) fn key(name: &str, lineage: &str) -> SigningKey {
    named(name, &Sha256::digest(format!("{name} of {lineage}")).into())
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
