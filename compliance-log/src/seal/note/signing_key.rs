use std::{fmt, io};

use zeroize::Zeroizing;

#[cfg(feature = "fips")]
use super::ecdsa;
use super::{
    Algorithm, KeyName, Signer, VerifierKey, base64, ed25519,
    verifier_key::{Public, unknown_algorithm},
};
use crate::error::{Error, ErrorKind};

const SKEY: &str = "PRIVATE+KEY+";

/// A key in memory, which is wiped when it is dropped. [`Debug`](fmt::Debug) shows its vkey alone.
pub struct SigningKey {
    verifier: VerifierKey,
    private: Private,
}

enum Private {
    Ed25519(ed25519::Private),
    #[cfg(feature = "fips")]
    EcdsaP256(ecdsa::Private),
}

impl SigningKey {
    /// A new random key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where the system has no random bytes.
    pub fn generate(name: KeyName, algorithm: Algorithm) -> Result<Self, Error> {
        let private = match algorithm {
            Algorithm::Ed25519 => ed25519::Private::generate().map(Private::Ed25519),
            #[cfg(feature = "fips")]
            Algorithm::EcdsaP256 => ecdsa::Private::generate().map(Private::EcdsaP256),
        };
        let private = private.map_err(|error| Error::io(format!("no key for {name}"), error))?;
        Ok(Self::new(name, private))
    }

    fn new(name: KeyName, private: Private) -> Self {
        let public = match &private {
            Private::Ed25519(key) => Public::Ed25519(key.public()),
            #[cfg(feature = "fips")]
            Private::EcdsaP256(key) => Public::EcdsaP256(key.public()),
        };
        Self {
            verifier: VerifierKey::new(name, public),
            private,
        }
    }

    /// Reads an skey.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for what is none. The text does not show the key.
    pub fn from_skey(skey: &str) -> Result<Self, Error> {
        let malformed = || {
            Error::new(
                ErrorKind::Seal,
                "an skey is PRIVATE+KEY+<name>+<8 lower hex digits>+<base64>",
            )
        };
        let rest = skey.strip_prefix(SKEY).ok_or_else(malformed)?;
        let (name, rest) = rest.split_once('+').ok_or_else(malformed)?;
        let (id, secret) = rest.split_once('+').ok_or_else(malformed)?;
        let name: KeyName = name.parse()?;
        let bytes = Zeroizing::new(base64::decode(secret)?);
        let (algorithm, bytes) = bytes.split_first().ok_or_else(malformed)?;
        let private = match Algorithm::of_byte(*algorithm) {
            Some(Algorithm::Ed25519) => ed25519::Private::from_bytes(bytes).map(Private::Ed25519),
            #[cfg(feature = "fips")]
            Some(Algorithm::EcdsaP256) => ecdsa::Private::from_bytes(bytes).map(Private::EcdsaP256),
            None => return Err(unknown_algorithm(&name, *algorithm)),
        };
        let key = Self::new(name, private.ok_or_else(malformed)?);
        if key.verifier.id().to_string() != id {
            return Err(Error::new(
                ErrorKind::Seal,
                format!("the skey of {} is not that of {id}", key.verifier.name()),
            ));
        }
        Ok(key)
    }

    /// The private half as text; it is wiped when it is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where the module does not give the key away.
    #[cfg_attr(
        not(feature = "fips"),
        expect(clippy::unnecessary_wraps, reason = "features change no signature")
    )]
    pub fn to_skey(&self) -> Result<Zeroizing<String>, Error> {
        let secret = match &self.private {
            Private::Ed25519(key) => key.to_bytes(),
            #[cfg(feature = "fips")]
            Private::EcdsaP256(key) => key
                .to_bytes()
                .map_err(|error| Error::io(format!("skey of {}", self.verifier.name()), error))?,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(secret.len().saturating_add(1)));
        bytes.push(self.verifier.algorithm().byte());
        bytes.extend_from_slice(&secret);
        let secret = Zeroizing::new(base64::encode(&bytes));
        let (name, id) = (
            self.verifier.name().as_str(),
            self.verifier.id().to_string(),
        );
        // One allocation, since a text that grows leaves copies behind.
        let parts = [SKEY, name, "+", &id, "+", &secret];
        Ok(Zeroizing::new(parts.concat()))
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }
}

impl Signer for SigningKey {
    fn key(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, text: &[u8]) -> io::Result<Vec<u8>> {
        match &self.private {
            Private::Ed25519(key) => Ok(key.sign(text)),
            #[cfg(feature = "fips")]
            Private::EcdsaP256(key) => key.sign(text),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}
