use std::{fmt, str::FromStr};

use super::{
    certificate::check_signed,
    signed::{Statement, sealed::Read},
};
use crate::{
    error::Error,
    seal::{
        lines::{Lines, NONE, root_text},
        merkle::TreeHash,
        note::{Signature, VerifierKey},
        origin::{Origin, OriginPrefix},
    },
};

const TAG: &str = "compliance-log/v1/revoke";

/// That a log key, an issuer or a verifier is not trusted any more. A root signs it; verifiers are given it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revocation {
    /// The key.
    pub key: VerifierKey,
    /// For what it is not trusted.
    pub of: Revoked,
    /// Records of the catalog that are trusted all the same: what was sealed above them is not.
    pub size: u64,
    /// The root at that size, if it is known.
    pub root: Option<TreeHash>,
}

/// For what a key is not trusted any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one store, or several")]
pub enum Revoked {
    /// One store.
    Origin(Origin),
    /// All stores whose origin begins so.
    Prefix(OriginPrefix),
}

impl Revoked {
    /// Whether it is about this store.
    pub fn covers(&self, origin: &Origin) -> bool {
        match self {
            Self::Origin(one) => one == origin,
            Self::Prefix(prefix) => prefix.covers(origin),
        }
    }
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin(origin) => fmt::Display::fmt(origin, f),
            Self::Prefix(prefix) => fmt::Display::fmt(prefix, f),
        }
    }
}

impl FromStr for Revoked {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.ends_with('/') {
            text.parse().map(Self::Prefix)
        } else {
            text.parse().map(Self::Origin)
        }
    }
}

impl Revocation {
    /// A revocation.
    pub fn new(key: VerifierKey, of: Revoked, size: u64, root: Option<TreeHash>) -> Self {
        Self {
            key,
            of,
            size,
            root,
        }
    }
}

impl Statement for Revocation {
    fn to_text(&self) -> String {
        let root = self.root.map_or_else(|| NONE.to_owned(), root_text);
        format!("{TAG}\n{}\n{}\n{}\n{root}\n", self.key, self.of, self.size)
    }
}

impl Read for Revocation {
    fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("revocation", text);
        lines.exactly(TAG)?;
        let revocation = Self::new(
            lines.parse()?,
            lines.parse()?,
            lines.number()?,
            lines.root_or_none()?,
        );
        lines.end()?;
        Ok(revocation)
    }

    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        check_signed(signatures)
    }
}
