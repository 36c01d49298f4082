//! An issuer of tokens with keys that are new in each run. It signs by itself, so that what is wrong in
//! the crate that verifies is not wrong here in the same way.

use std::sync::LazyLock;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://sso.example.org/realms/travel";
pub(crate) const AUDIENCE: &str = "booking-api";

/// Two processors need a second for such a key, so all tests share one issuer.
pub(crate) static KEYCLOAK: LazyLock<Issuer> = LazyLock::new(Issuer::new);

pub(crate) struct Issuer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        }
    }

    /// What lies behind `jwks_uri`: two keys that sign, and the one with which Keycloak has others
    /// encrypt.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [
            self.rsa_key("enc", "RSA-OAEP", "k-enc"),
            self.rsa_key("sig", "RS256", "k-rsa"),
            self.ec_key(),
        ]})
    }

    pub(crate) fn rsa_key(&self, usage: &str, alg: &str, id: &str) -> Value {
        let key = self.rsa.public_key();
        json!({
            "kty": "RSA", "use": usage, "alg": alg, "kid": id,
            "n": encoded(key.modulus().big_endian_without_leading_zero()),
            "e": encoded(key.exponent().big_endian_without_leading_zero()),
        })
    }

    fn ec_key(&self) -> Value {
        // Uncompressed: a tag, then the coordinates.
        let point = self.ec.public_key().as_ref();
        json!({
            "kty": "EC", "use": "sig", "alg": "ES256", "kid": "k-ec", "crv": "P-256",
            "x": encoded(&point[1..33]), "y": encoded(&point[33..65]),
        })
    }

    pub(crate) fn rs256(&self, claims: &Value) -> String {
        self.sign_rsa(
            &json!({ "alg": "RS256", "typ": "JWT", "kid": "k-rsa" }),
            claims,
        )
    }

    pub(crate) fn es256(&self, claims: &Value) -> String {
        self.sign_ec(
            &json!({ "alg": "ES256", "typ": "JWT", "kid": "k-ec" }),
            claims,
        )
    }

    /// Signed by the RSA key, whatever the header says.
    pub(crate) fn sign_rsa(&self, header: &Value, claims: &Value) -> String {
        token(header, claims, |text| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            let random = SystemRandom::new();
            self.rsa
                .sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                .unwrap();
            signature
        })
    }

    /// Signed by the EC key, whatever the header says.
    pub(crate) fn sign_ec(&self, header: &Value, claims: &Value) -> String {
        token(header, claims, |text| {
            let signature = self.ec.sign(&SystemRandom::new(), text).unwrap();
            signature.as_ref().to_vec()
        })
    }

    /// What everybody knows of the RSA key and might take for a secret: its modulus, the key as DER, and
    /// as PEM.
    pub(crate) fn rsa_public(&self) -> Vec<Vec<u8>> {
        use aws_lc_rs::encoding::AsDer as _;
        let key = self.rsa.public_key();
        let modulus = key.modulus().big_endian_without_leading_zero().to_vec();
        let der = key.as_der().unwrap().as_ref().to_vec();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            data_encoding::BASE64.encode(&der)
        );
        vec![
            modulus.clone(),
            encoded(&modulus).into_bytes(),
            key.as_ref().to_vec(),
            der,
            pem.into_bytes(),
        ]
    }
}

/// Signed with a secret.
pub(crate) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    token(header, claims, |text| {
        hmac::sign(&key, text).as_ref().to_vec()
    })
}

pub(crate) fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| encoded(value.to_string().as_bytes());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = sign(text.as_bytes());
    format!("{text}.{}", encoded(&signature))
}

fn encoded(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Seconds since 1970, so many from now.
pub(crate) fn seconds(from_now: i64) -> i64 {
    // The clock by which the verifier judges.
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap() + from_now
}

/// What Anna's token says, who works for acme.
pub(crate) fn anna() -> Value {
    json!({
        "iss": ISSUER, "aud": [AUDIENCE, "account"], "typ": "Bearer",
        "iat": seconds(-10), "exp": seconds(290),
        "sub": "u-anna", "azp": "booking-web", "preferred_username": "anna",
        "organization": ["acme"],
        "realm_access": { "roles": ["clerk"] },
        "resource_access": { "booking-api": { "roles": ["refund"] } },
    })
}

/// The same with another value of one claim; without it, if that is null.
pub(crate) fn anna_with(claim: &str, value: Value) -> Value {
    let mut claims = anna();
    let all = claims.as_object_mut().unwrap();
    if value.is_null() {
        all.remove(claim);
    } else {
        all.insert(claim.to_owned(), value);
    }
    claims
}
