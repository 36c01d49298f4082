use super::signed::{Statement, sealed::Read};
use crate::{
    error::{Error, ErrorKind},
    seal::{
        lines::{Lines, NONE},
        note::{Signature, VerifierKey},
        origin::{Origin, OriginPrefix},
    },
};

const TAG: &str = "compliance-log/v1/cert";
const ISSUER: &str = "issuer";

/// What a store is trusted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It holds the records of a service.
    Store,
    /// It holds what operators did: it alone can say that a file was archived, or that it expired.
    Ops,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Ops => "ops",
        }
    }
}

/// Which keys a store begins with. A root signs it, or an issuer whose certificate a root signed.
///
/// It binds the key of epoch 0 too: otherwise a stolen log key could make up a past. There are no dates in
/// it, since no clock decides what is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// What the store is trusted for.
    pub role: Role,
    /// The store.
    pub origin: Origin,
    /// The key that stays, named like the origin.
    pub log: VerifierKey,
    /// The key of epoch 0, named `<origin>/e0`.
    pub epoch0: VerifierKey,
}

impl Certificate {
    /// A certificate.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for keys that have not the names they should have, or two algorithms: a store
    /// has one.
    pub fn new(
        role: Role,
        origin: Origin,
        log: VerifierKey,
        epoch0: VerifierKey,
    ) -> Result<Self, Error> {
        let refuse = |reason: &str| Err(Error::new(ErrorKind::Seal, format!("{origin}: {reason}")));
        if log.name().as_str() != origin.as_str() {
            return refuse("the log key has another name");
        }
        if origin.epoch_of(epoch0.name()) != Some(0) {
            return refuse("the key of epoch 0 has another name");
        }
        if log.algorithm() != epoch0.algorithm() {
            return refuse("its keys are of two algorithms");
        }
        Ok(Self {
            role,
            origin,
            log,
            epoch0,
        })
    }
}

impl Certificate {
    /// Reads the text of a certificate that nobody signed yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] or [`ErrorKind::Name`] for anything but its five lines.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("certificate", text);
        lines.exactly(TAG)?;
        let role = match lines.next()? {
            "store" => Role::Store,
            "ops" => Role::Ops,
            _ => return Err(lines.refuse("it is neither of a store nor of an operator's")),
        };
        let certificate = Self::new(role, lines.parse()?, lines.parse()?, lines.parse()?)?;
        lines.end()?;
        Ok(certificate)
    }
}

impl Statement for Certificate {
    fn to_text(&self) -> String {
        let role = self.role.as_str();
        format!(
            "{TAG}\n{role}\n{}\n{}\n{}\n",
            self.origin, self.log, self.epoch0
        )
    }
}

impl Read for Certificate {
    fn from_text(text: &str) -> Result<Self, Error> {
        Self::from_text(text)
    }

    /// Anybody may: a second root adds a line.
    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        check_signed(signatures)
    }
}

/// That a key may sign the certificates of all origins with a prefix. Only a root signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerCertificate {
    /// How those origins begin.
    pub prefix: OriginPrefix,
    /// The key, of any name.
    pub key: VerifierKey,
}

impl IssuerCertificate {
    /// A certificate.
    pub fn new(prefix: OriginPrefix, key: VerifierKey) -> Self {
        Self { prefix, key }
    }
}

impl Statement for IssuerCertificate {
    fn to_text(&self) -> String {
        format!("{TAG}\n{ISSUER}\n{}\n{}\n{NONE}\n", self.prefix, self.key)
    }
}

impl Read for IssuerCertificate {
    fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("issuer's certificate", text);
        lines.exactly(TAG)?;
        lines.exactly(ISSUER)?;
        let certificate = Self::new(lines.parse()?, lines.parse()?);
        lines.exactly(NONE)?;
        lines.end()?;
        Ok(certificate)
    }

    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        check_signed(signatures)
    }
}

pub(super) fn check_signed(signatures: &[Signature]) -> Result<(), Error> {
    if signatures.is_empty() {
        return Err(Error::new(ErrorKind::Seal, "nobody signed it"));
    }
    Ok(())
}
