use std::{collections::BTreeMap, fmt, sync::Arc};

use compliance_log::keycloak::VerifiedClaims;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    errors::{Error, ErrorKind},
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde_json::Value;

/// How far clocks may be apart, in seconds.
const LEEWAY_S: u64 = 30;

/// Verifies the tokens of one issuer, for one audience. Clones share the keys.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: Arc<BTreeMap<String, Key>>,
}

/// A key, and what must be true of a token that it signed. The algorithm is the key's own: were it the
/// token's, anybody could sign with the public key as the secret of an HMAC.
#[derive(Debug)]
struct Key {
    key: DecodingKey,
    validation: Validation,
}

/// Among the issuer's keys is none that signs with RS256 or ES256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoKey;

/// Why a token is not believed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refused {
    /// It is no token, or it does not say which key signed it.
    Malformed,
    /// No key of the issuer has its `kid`.
    UnknownKey,
    /// Another algorithm than that of its key.
    Algorithm,
    /// The signature is not by the key that it names.
    Signature,
    /// It is over.
    Expired,
    /// It is not valid yet.
    NotYet,
    /// Somebody else issued it.
    Issuer,
    /// It is for another service.
    Audience,
    /// A claim is missing or not of its shape.
    Claims,
    /// The same issuer signed it for something else, such as an ID token.
    Kind,
    /// Only with a proof by its sender may it be used, and nobody here asks for one.
    Bound,
}

impl Verifier {
    /// Takes the keys of an issuer, from its `jwks_uri`. Those that do not sign, or with anything but
    /// RS256 and ES256, are left out.
    ///
    /// # Errors
    ///
    /// [`NoKey`] if none is left.
    pub fn new(keys: &JwkSet, issuer: &str, audience: &str) -> Result<Self, NoKey> {
        let key = |jwk: &Jwk| {
            let id = jwk.common.key_id.clone()?;
            let mut validation = Validation::new(algorithm(jwk)?);
            validation.leeway = LEEWAY_S;
            validation.validate_nbf = true;
            validation.set_issuer(&[issuer]);
            validation.set_audience(&[audience]);
            // What is absent would pass.
            validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
            let key = DecodingKey::from_jwk(jwk).ok()?;
            Some((id, Key { key, validation }))
        };
        let keys: BTreeMap<_, _> = keys.keys.iter().filter_map(key).collect();
        if keys.is_empty() {
            return Err(NoKey);
        }
        Ok(Self {
            keys: Arc::new(keys),
        })
    }

    /// The claims of a token, once everything about it is verified.
    ///
    /// # Errors
    ///
    /// [`Refused`], for the first thing that is wrong.
    pub fn verify(&self, token: &str) -> Result<VerifiedClaims, Refused> {
        let header = decode_header(token).map_err(|_no_header| Refused::Malformed)?;
        // RFC 7515, section 4.1.11: what must be understood and is not.
        if header.crit.is_some() {
            return Err(Refused::Malformed);
        }
        let id = header.kid.ok_or(Refused::Malformed)?;
        let Key { key, validation } = self.keys.get(&id).ok_or(Refused::UnknownKey)?;
        let claims = decode::<Value>(token, key, validation)?.claims;
        if claims["typ"] != "Bearer" {
            return Err(Refused::Kind);
        }
        if claims.get("cnf").is_some() {
            return Err(Refused::Bound);
        }
        VerifiedClaims::from_json(&claims).map_err(|_which| Refused::Claims)
    }
}

/// The one algorithm in which a key signs.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let common = &jwk.common;
    if matches!(&common.public_key_use, Some(other) if *other != PublicKeyUse::Signature) {
        return None;
    }
    match (&jwk.algorithm, common.key_algorithm) {
        (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Some(Algorithm::RS256),
        (AlgorithmParameters::EllipticCurve(key), None | Some(KeyAlgorithm::ES256))
            if key.curve == EllipticCurve::P256 =>
        {
            Some(Algorithm::ES256)
        }
        _ => None,
    }
}

impl Refused {
    /// The code under which it is recorded.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "TOKEN_MALFORMED",
            Self::UnknownKey => "TOKEN_UNKNOWN_KEY",
            Self::Algorithm => "TOKEN_ALGORITHM",
            Self::Signature => "TOKEN_SIGNATURE",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYet => "TOKEN_NOT_YET",
            Self::Issuer => "TOKEN_ISSUER",
            Self::Audience => "TOKEN_AUDIENCE",
            Self::Claims => "TOKEN_CLAIMS",
            Self::Kind => "TOKEN_KIND",
            Self::Bound => "TOKEN_BOUND",
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidAlgorithm => Self::Algorithm,
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYet,
            ErrorKind::InvalidIssuer => Self::Issuer,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::Json(_)
            | ErrorKind::MissingRequiredClaim(_)
            | ErrorKind::InvalidClaimFormat(_) => Self::Claims,
            _ => Self::Malformed,
        }
    }
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none of the issuer's keys has a `kid` and signs with RS256 or ES256")
    }
}

impl std::error::Error for NoKey {}
