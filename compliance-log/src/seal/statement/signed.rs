use std::fmt;

use crate::{
    error::Error,
    seal::note::{Note, Signature, Signer, VerifierKey},
};

/// What can be signed. The types of this module are all there are.
pub trait Statement: Sized + sealed::Read {
    /// The text of its note, lines with their ends.
    fn to_text(&self) -> String;
}

pub(super) mod sealed {
    use crate::{error::Error, seal::note::Signature};

    #[expect(unnameable_types, reason = "it keeps others from stating anything")]
    pub trait Read: Sized {
        /// Reads `to_text`, and nothing else.
        fn from_text(text: &str) -> Result<Self, Error>;

        /// Checks by their names that those signed who may, in the order in which they must.
        fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error>;
    }
}

/// A statement and the note that carries it; displays as the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    statement: T,
    note: Note,
}

impl<T: Statement> Signed<T> {
    /// Has a statement signed, in the order of the signers.
    ///
    /// # Errors
    ///
    /// Those of [`Note::sign`], and [`ErrorKind::Seal`](crate::ErrorKind::Seal) for signers that are not
    /// those that such a statement has.
    pub fn sign(statement: T, signers: &[&dyn Signer]) -> Result<Self, Error> {
        let mut note = Note::unsigned(&statement.to_text())?;
        for signer in signers {
            note.sign(*signer)?;
        }
        statement.check_signers(note.signatures())?;
        Ok(Self { statement, note })
    }

    /// Reads a note. Who signed is checked by name alone: see [`check`](Self::check).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`](crate::ErrorKind::Seal) or [`ErrorKind::Name`](crate::ErrorKind::Name) for what is
    /// no such statement, has signatures of others, or not all that it must have.
    pub fn parse(note: &[u8]) -> Result<Self, Error> {
        let note = Note::parse(note)?;
        let statement = T::from_text(note.text())?;
        statement.check_signers(note.signatures())?;
        Ok(Self { statement, note })
    }

    /// Checks that a key signed it.
    ///
    /// # Errors
    ///
    /// Those of [`Note::check`].
    pub fn check(&self, key: &VerifierKey) -> Result<(), Error> {
        self.note.check(key)
    }

    /// Adds a signature, after those that there are.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign); nothing is added then.
    pub fn countersign(&mut self, signer: &dyn Signer) -> Result<(), Error> {
        let mut note = self.note.clone();
        note.sign(signer)?;
        self.statement.check_signers(note.signatures())?;
        self.note = note;
        Ok(())
    }

    /// What is stated. It is as good as the keys for which [`check`](Self::check) was asked.
    pub fn statement(&self) -> &T {
        &self.statement
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[Signature] {
        self.note.signatures()
    }

    /// The note as it stands in a file of notes: with an empty line after it.
    pub fn to_block(&self) -> String {
        self.note.to_block()
    }
}

impl<T> fmt::Display for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.note, f)
    }
}
