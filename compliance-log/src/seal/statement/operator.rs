use super::{
    certificate::check_signed,
    signed::{Signed, Statement, sealed::Read},
};
use crate::{
    error::{Error, ErrorKind},
    seal::{
        lines::{Lines, NONE},
        note::{Signature, VerifierKey},
        origin::OriginPrefix,
    },
};

const TAG: &str = "compliance-log/v1/cert";
const OPS: &str = "ops";

/// That a person's key may sign what operators say of the stores with a prefix: an [`Expunge`](super::Expunge),
/// or [`Evidence`](super::Evidence). Only a root signs it.
///
/// It is the certificate of the role `ops` for a key that seals no store, so where a store's has the key of
/// its epoch 0 there is `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorCertificate {
    /// How the origins of those stores begin.
    pub prefix: OriginPrefix,
    /// The key. Its name is that of the person, and never of a second one.
    pub key: VerifierKey,
}

impl OperatorCertificate {
    /// A certificate.
    pub fn new(prefix: OriginPrefix, key: VerifierKey) -> Self {
        Self { prefix, key }
    }
}

impl Signed<OperatorCertificate> {
    /// Checks that one of the roots signed it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if none did.
    pub fn check_root(&self, roots: &[VerifierKey]) -> Result<(), Error> {
        if roots.iter().any(|root| self.check(root).is_ok()) {
            return Ok(());
        }
        let name = self.statement().key.name();
        let text = format!("no root key signed the certificate of {name}");
        Err(Error::new(ErrorKind::Seal, text))
    }
}

impl Statement for OperatorCertificate {
    fn to_text(&self) -> String {
        format!("{TAG}\n{OPS}\n{}\n{}\n{NONE}\n", self.prefix, self.key)
    }
}

impl Read for OperatorCertificate {
    fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("operator's certificate", text);
        lines.exactly(TAG)?;
        lines.exactly(OPS)?;
        let certificate = Self::new(lines.parse()?, lines.parse()?);
        lines.exactly(NONE)?;
        lines.end()?;
        Ok(certificate)
    }

    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        check_signed(signatures)
    }
}
