use std::{fmt, str::FromStr};

#[cfg(feature = "fips")]
use super::ecdsa;
use super::{Algorithm, KeyName, base64, ed25519};
use crate::{
    error::{Error, ErrorKind},
    sha256::sha256,
};

/// What a signature line has beside the name, to tell keys apart; displays as 8 lower hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    pub(super) const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The 4 bytes.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The public half of a key, with its name; displays as its vkey, and is read from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    public: Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Public {
    Ed25519(ed25519::Public),
    #[cfg(feature = "fips")]
    EcdsaP256(ecdsa::Public),
}

impl VerifierKey {
    pub(super) fn new(name: KeyName, public: Public) -> Self {
        let digest = match &public {
            Public::Ed25519(key) => {
                let algorithm = [Algorithm::Ed25519.byte()];
                sha256(&[name.as_str().as_bytes(), b"\n", &algorithm, key.as_bytes()])
            }
            #[cfg(feature = "fips")]
            Public::EcdsaP256(key) => sha256(&[key.as_bytes()]),
        };
        let [a, b, c, d, ..] = digest;
        Self {
            name,
            id: KeyId([a, b, c, d]),
            public,
        }
    }

    /// Its name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match &self.public {
            Public::Ed25519(_) => Algorithm::Ed25519,
            #[cfg(feature = "fips")]
            Public::EcdsaP256(_) => Algorithm::EcdsaP256,
        }
    }

    /// Checks a signature over `text`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if it is not this key's.
    pub fn check(&self, text: &[u8], signature: &[u8]) -> Result<(), Error> {
        let accepted = match &self.public {
            Public::Ed25519(key) => key.accepts(text, signature),
            #[cfg(feature = "fips")]
            Public::EcdsaP256(key) => key.accepts(text, signature),
        };
        if accepted {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Seal,
            format!("the signature of {} ({}) does not hold", self.name, self.id),
        ))
    }

    /// The bare key, of an Ed25519 one.
    #[cfg_attr(
        not(feature = "fips"),
        expect(clippy::unnecessary_wraps, reason = "features change no signature")
    )]
    pub(super) fn ed25519(&self) -> Option<&ed25519::Public> {
        match &self.public {
            Public::Ed25519(key) => Some(key),
            #[cfg(feature = "fips")]
            Public::EcdsaP256(_) => None,
        }
    }

    /// Whether two vkeys hold the same key, whatever their names are.
    pub(in crate::seal) fn same_key(&self, other: &Self) -> bool {
        self.public == other.public
    }

    fn public_bytes(&self) -> &[u8] {
        match &self.public {
            Public::Ed25519(key) => key.as_bytes(),
            #[cfg(feature = "fips")]
            Public::EcdsaP256(key) => key.as_bytes(),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.algorithm().byte()], self.public_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, base64::encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(vkey: &str) -> Result<Self, Error> {
        let malformed = || {
            Error::new(
                ErrorKind::Seal,
                "a vkey is <name>+<8 lower hex digits>+<base64>",
            )
        };
        let (name, rest) = vkey.split_once('+').ok_or_else(malformed)?;
        let (id, key) = rest.split_once('+').ok_or_else(malformed)?;
        let name: KeyName = name.parse()?;
        let bytes =
            base64::decode(key).map_err(|error| error.context(format!("vkey of {name}")))?;
        let (algorithm, bytes) = bytes.split_first().ok_or_else(malformed)?;
        let public = match Algorithm::of_byte(*algorithm) {
            Some(Algorithm::Ed25519) => ed25519::Public::from_bytes(bytes).map(Public::Ed25519),
            #[cfg(feature = "fips")]
            Some(Algorithm::EcdsaP256) => ecdsa::Public::from_bytes(bytes).map(Public::EcdsaP256),
            None => return Err(unknown_algorithm(&name, *algorithm)),
        };
        let public = public.ok_or_else(|| {
            Error::new(ErrorKind::Seal, format!("the vkey of {name} holds no key"))
        })?;
        let key = Self::new(name, public);
        if key.id.to_string() != id {
            return Err(Error::new(
                ErrorKind::Seal,
                format!("the key of {} has id {}, not {id}", key.name, key.id),
            ));
        }
        Ok(key)
    }
}

pub(super) fn unknown_algorithm(name: &KeyName, byte: u8) -> Error {
    let hint = match byte {
        2 => ", which the feature fips has",
        _ => "",
    };
    Error::new(
        ErrorKind::Seal,
        format!("the key of {name} is of algorithm {byte:02x}{hint}"),
    )
}
