use super::signed::{Statement, sealed::Read};
use crate::{
    error::{Error, ErrorKind},
    seal::{
        lines::{Lines, root_text},
        merkle::TreeHash,
        note::{Signature, VerifierKey},
        origin::Origin,
    },
};

const TAG: &str = "compliance-log/v1/epoch";

/// That an epoch ends at a checkpoint, and which key signs from there on.
///
/// The key of the old epoch signs it, alone, and is erased afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EpochNote {
    /// What was sealed.
    pub origin: Origin,
    /// The epoch that begins, from 1 on.
    pub epoch: u64,
    /// Records of the catalog at the newest checkpoint.
    pub size: u64,
    /// Its root.
    pub root: TreeHash,
    /// The key of the epoch that begins.
    pub key: VerifierKey,
}

impl EpochNote {
    /// That the epoch of `key`, whose name says which one it is, begins at a checkpoint.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] unless `key` is named for an epoch of the origin after the first.
    pub fn new(origin: Origin, size: u64, root: TreeHash, key: VerifierKey) -> Result<Self, Error> {
        let epoch = origin.epoch_of(key.name()).filter(|epoch| *epoch > 0);
        let Some(epoch) = epoch else {
            return Err(Error::new(
                ErrorKind::Seal,
                format!("{} is no key of a later epoch of {origin}", key.name()),
            ));
        };
        Ok(Self {
            origin,
            epoch,
            size,
            root,
            key,
        })
    }
}

impl Statement for EpochNote {
    fn to_text(&self) -> String {
        let root = root_text(self.root);
        format!(
            "{TAG}\n{}\n{}\n{}\n{root}\n{}\n",
            self.origin, self.epoch, self.size, self.key
        )
    }
}

impl Read for EpochNote {
    fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("epoch note", text);
        lines.exactly(TAG)?;
        let origin = lines.parse()?;
        let epoch = lines.number()?;
        let size = lines.number()?;
        let root = lines.root()?;
        let note = Self::new(origin, size, root, lines.parse()?)?;
        if note.epoch != epoch {
            return Err(lines.refuse("the key is that of another epoch"));
        }
        lines.end()?;
        Ok(note)
    }

    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        let names = signatures.iter().map(Signature::name);
        let epochs: Vec<_> = names.map(|name| self.origin.epoch_of(name)).collect();
        if epochs == [self.epoch.checked_sub(1)] {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Seal,
            format!(
                "the note of epoch {} is signed by the key of the epoch before, and by nobody else",
                self.epoch
            ),
        ))
    }
}
