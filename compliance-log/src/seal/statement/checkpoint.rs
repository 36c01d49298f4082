use super::signed::{Signed, Statement, sealed::Read};
use crate::{
    error::{Error, ErrorKind},
    seal::{
        lines::{Lines, root_text},
        merkle::TreeHash,
        note::{Signature, Signer},
        origin::Origin,
    },
};

/// Size and root of a store's catalog at one moment, as <https://c2sp.org/tlog-checkpoint> writes them.
///
/// In a store it is signed twice, and by nobody else: by the log key and by the key of the epoch. It has no
/// extension lines, since not every kind of cosignature would cover them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// What was sealed.
    pub origin: Origin,
    /// Records of the catalog.
    pub size: u64,
    /// The root of the tree over their hashes.
    pub root: TreeHash,
}

impl Checkpoint {
    /// A checkpoint.
    pub fn new(origin: Origin, size: u64, root: TreeHash) -> Self {
        Self { origin, size, root }
    }

    /// Reads the text of a checkpoint, for notes with other signatures: those that come from outside.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] or [`ErrorKind::Name`] for anything but its three lines.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("checkpoint", text);
        let checkpoint = Self {
            origin: lines.parse()?,
            size: lines.number()?,
            root: lines.root()?,
        };
        lines.end()?;
        Ok(checkpoint)
    }

    /// Has it signed by the log key and by the key of the epoch.
    ///
    /// # Errors
    ///
    /// Those of [`Signed::sign`], also if a key has not the name that it should have.
    pub fn sign(self, log: &dyn Signer, epoch: &dyn Signer) -> Result<Signed<Self>, Error> {
        Signed::sign(self, &[log, epoch])
    }

    fn epoch(&self, signatures: &[Signature]) -> Option<u64> {
        let [log, epoch] = signatures else {
            return None;
        };
        if log.name().as_str() != self.origin.as_str() {
            return None;
        }
        self.origin.epoch_of(epoch.name())
    }
}

impl Signed<Checkpoint> {
    /// The epoch whose key signed it, as its name says.
    pub fn epoch(&self) -> u64 {
        let epoch = self.statement().epoch(self.signatures());
        epoch.unwrap_or_default() // There is one, or `check_signers` would have refused it.
    }
}

impl Statement for Checkpoint {
    fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, root_text(self.root))
    }
}

impl Read for Checkpoint {
    fn from_text(text: &str) -> Result<Self, Error> {
        Self::from_text(text)
    }

    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        if self.epoch(signatures).is_some() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Seal,
            format!(
                "a checkpoint of {} is signed by its log key and the key of an epoch, in that order, and by nobody else",
                self.origin
            ),
        ))
    }
}
