//! What the operators' ledger says of records whose text was taken out.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use serde::Deserialize;

use crate::{
    chain::Digest,
    error::Error,
    seal::{
        note::{NoteFile, VerifierKey},
        statement::{Expunge, OperatorCertificate, Revocation, Signed},
    },
};

/// More approvers than anybody asks for; each costs some signatures to check.
const CERTIFICATES_MAX: usize = 16;

/// That the text of a record is to be taken out, as it stands in the ledger: with its signatures, and the
/// certificates of those who signed.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Ordered {
    order: Signed<Expunge>,
    certificates: Vec<Signed<OperatorCertificate>>,
}

/// A record whose text was taken out, as the ledger says.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Expunged {
    origin: String,
    stream: String,
    pub(in crate::verify) seq: u64,
    hash: Digest,
    /// Why that does not count.
    refused: Option<String>,
}

impl Expunged {
    /// Whether it is about the stream `of` of a store.
    pub(in crate::verify) fn is_of(&self, origin: &str, of: &str) -> bool {
        self.origin == origin && self.stream == of
    }

    /// Why it says nothing of the record with this hash, if it does not.
    pub(in crate::verify) fn refuses(&self, hash: &Digest) -> Option<String> {
        if self.hash != *hash {
            return Some("it is of a record with another hash".into());
        }
        self.refused.clone()
    }
}

impl Ordered {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Record {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            order: String,
            certificates: String,
        }
        let data = serde_json::from_slice::<Record>(bytes).ok()?.data;
        let NoteFile { notes, torn } = NoteFile::split(data.certificates.as_bytes());
        if torn.is_some() || notes.len() > CERTIFICATES_MAX {
            return None;
        }
        let certificates = notes.into_iter().map(|(_, note)| Signed::parse(note));
        Some(Self {
            order: Signed::parse(data.order.as_bytes()).ok()?,
            certificates: certificates.collect::<Result<_, Error>>().ok()?,
        })
    }

    /// Whether two people signed it who may. A key that is revoked for the store does not count, whenever it
    /// signed.
    pub(in crate::verify) fn judge<'r>(
        &self,
        roots: &[VerifierKey],
        revoked: &(impl Iterator<Item = &'r Revocation> + Clone),
    ) -> Expunged {
        let order = self.order.statement();
        let origin = &order.origin;
        let trusted = |certificate: &&Signed<OperatorCertificate>| {
            let key = &certificate.statement().key;
            let mut revoked = revoked.clone();
            !revoked.any(|revoked| revoked.key == *key && revoked.of.covers(origin))
        };
        let certificates: Vec<_> = self.certificates.iter().filter(trusted).cloned().collect();
        let approved = self.order.approvers(&certificates, roots);
        Expunged {
            origin: origin.as_str().to_owned(),
            stream: order.stream.as_str().to_owned(),
            seq: order.seq,
            hash: order.hash,
            refused: approved.err().map(|error| error.to_string()),
        }
    }
}
