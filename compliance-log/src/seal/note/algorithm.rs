use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// How a key signs. [`FromStr`] reads the words of [`as_str`](Self::as_str).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// RFC 8032, pure, `01`. What public witnesses expect.
    Ed25519,
    /// ECDSA with P-256 and SHA-256, `02`, in a validated module.
    #[cfg(feature = "fips")]
    EcdsaP256,
}

impl Algorithm {
    /// The word in a genesis: `ed25519`, `ecdsa-p256`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            #[cfg(feature = "fips")]
            Self::EcdsaP256 => "ecdsa-p256",
        }
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            #[cfg(feature = "fips")]
            Self::EcdsaP256 => 2,
        }
    }

    pub(super) fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Ed25519),
            #[cfg(feature = "fips")]
            2 => Some(Self::EcdsaP256),
            _ => None,
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for another word, and for `ecdsa-p256` without the feature `fips`.
    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "ed25519" => Ok(Self::Ed25519),
            #[cfg(feature = "fips")]
            "ecdsa-p256" => Ok(Self::EcdsaP256),
            #[cfg(not(feature = "fips"))]
            "ecdsa-p256" => Err(Error::new(
                ErrorKind::Seal,
                "ecdsa-p256 needs a build with the feature `fips`",
            )),
            _ => Err(Error::new(
                ErrorKind::Seal,
                "an algorithm is ed25519 or ecdsa-p256",
            )),
        }
    }
}
