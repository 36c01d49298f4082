use super::{Certificate, IssuerCertificate, Signed, Statement};
use crate::{
    error::{Error, ErrorKind},
    seal::note::{NoteFile, VerifierKey},
};

/// The file `seal/cert`: the certificate of a store, and that of the issuer if one signed it. An issuer
/// never certifies another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    store: Signed<Certificate>,
    issuer: Option<Signed<IssuerCertificate>>,
}

impl Certificates {
    /// Puts them together.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if the store's origin has not the issuer's prefix.
    pub fn new(
        store: Signed<Certificate>,
        issuer: Option<Signed<IssuerCertificate>>,
    ) -> Result<Self, Error> {
        if let Some(issuer) = &issuer {
            let (prefix, origin) = (&issuer.statement().prefix, &store.statement().origin);
            if !prefix.covers(origin) {
                return Err(Error::new(
                    ErrorKind::Seal,
                    format!("an issuer for {prefix} cannot certify {origin}"),
                ));
            }
        }
        Ok(Self { store, issuer })
    }

    /// Reads the file. No signature is checked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] or [`ErrorKind::Name`] unless there are one or two whole notes of these kinds.
    pub fn parse(file: &[u8]) -> Result<Self, Error> {
        let NoteFile { notes, torn } = NoteFile::split(file);
        let (store, issuer) = match notes[..] {
            [(_, store)] if torn.is_none() => (store, None),
            [(_, store), (_, issuer)] if torn.is_none() => (store, Some(issuer)),
            _ => {
                return Err(Error::new(
                    ErrorKind::Seal,
                    "one or two certificates, each with an empty line after it, were expected",
                ));
            }
        };
        Self::new(
            Signed::parse(store)?,
            issuer.map(Signed::parse).transpose()?,
        )
    }

    /// Checks the signatures: by one of the roots, or by the issuer and one of the roots. Where an issuer's
    /// certificate stands in the file it counts, whoever else signed the store's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if they do not lead to a root.
    pub fn check(&self, roots: &[VerifierKey]) -> Result<&Certificate, Error> {
        let of_store = signatures_of(&self.store, roots)?;
        let of_root = match &self.issuer {
            None => of_store,
            Some(issuer) => {
                self.store.check(&issuer.statement().key)?;
                signatures_of(issuer, roots)?
            }
        };
        if of_root == 0 {
            let text = format!("no root key signed for {}", self.store.statement().origin);
            return Err(Error::new(ErrorKind::Seal, text));
        }
        Ok(self.store.statement())
    }

    /// The store's certificate.
    pub fn store(&self) -> &Signed<Certificate> {
        &self.store
    }

    /// The issuer's, if there is one.
    pub fn issuer(&self) -> Option<&Signed<IssuerCertificate>> {
        self.issuer.as_ref()
    }

    /// The bytes of the file.
    pub fn to_file(&self) -> String {
        let issuer = self.issuer.as_ref().map(Signed::to_block);
        [self.store.to_block(), issuer.unwrap_or_default()].concat()
    }
}

/// How many of the keys signed. Each signature of theirs that is there must hold.
fn signatures_of<T: Statement>(signed: &Signed<T>, keys: &[VerifierKey]) -> Result<usize, Error> {
    let signed_it = |key: &&VerifierKey| {
        let mut signatures = signed.signatures().iter();
        signatures.any(|signature| signature.id() == key.id() && signature.name() == key.name())
    };
    let theirs = keys.iter().filter(signed_it);
    let checked = theirs.map(|key| signed.check(key));
    Ok(checked.collect::<Result<Vec<()>, Error>>()?.len())
}
