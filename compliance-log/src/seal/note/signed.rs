use std::fmt;

use super::{Signature, Signer, VerifierKey};
use crate::error::{Error, ErrorKind};

/// What is larger is not read.
const BYTES_MAX: usize = 1_000_000;
/// What has more signatures is not read: each may cost a check.
const SIGNATURES_MAX: usize = 100;

/// A text and the signatures over it; displays as the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: Box<str>,
    signatures: Vec<Signature>,
}

impl Note {
    /// A note that nobody signed yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] unless the text is made of whole lines, none of them empty, without control
    /// characters.
    pub fn unsigned(text: &str) -> Result<Self, Error> {
        let control = |c: char| c < ' ' && c != '\n';
        let empty_line = text.starts_with('\n') || text.contains("\n\n");
        if text.len() > BYTES_MAX || empty_line || !text.ends_with('\n') || text.contains(control) {
            return Err(Error::new(
                ErrorKind::Seal,
                "the text of a note is made of lines, none of them empty, without control characters",
            ));
        }
        Ok(Self {
            text: text.into(),
            signatures: Vec::new(),
        })
    }

    /// Reads a note with its signatures, none of which is checked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for what is no note, has no signature, more than 100, or two of one key, or is
    /// longer than a million bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = |text: &str| Error::new(ErrorKind::Seal, text);
        if bytes.len() > BYTES_MAX {
            return Err(malformed("a note has at most a million bytes"));
        }
        let all = std::str::from_utf8(bytes).ok();
        let all = all.ok_or_else(|| malformed("a note is not UTF-8"))?;
        let (text, lines) = all
            .split_once("\n\n")
            .ok_or_else(|| malformed("a note has no empty line before its signatures"))?;
        let mut note = Self::unsigned(&[text, "\n"].concat())?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or_else(|| malformed("a note ends within a line"))?;
        for line in lines.split('\n') {
            if note.signatures.len() == SIGNATURES_MAX {
                return Err(malformed("a note has at most 100 signatures"));
            }
            note.add(line.parse()?)?;
        }
        Ok(note)
    }

    fn add(&mut self, signature: Signature) -> Result<(), Error> {
        let (name, id) = (signature.name(), signature.id());
        if self.signature_of(name.as_str(), id).is_some() {
            return Err(Error::new(
                ErrorKind::Seal,
                format!("a note has two signatures of {name} ({id})"),
            ));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Adds a signature, after those that there are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if the signer fails, [`ErrorKind::Seal`] if its signature does not hold or if it
    /// signed before.
    pub fn sign(&mut self, signer: &dyn Signer) -> Result<(), Error> {
        let key = signer.key();
        let signature = signer
            .sign(self.text.as_bytes())
            .map_err(|error| Error::io(format!("{} did not sign", key.name()), error))?;
        key.check(self.text.as_bytes(), &signature)?;
        self.add(Signature::new(key.name().clone(), key.id(), &signature))
    }

    /// Checks that `key` signed it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if there is no signature with the key's name and id, or if it does not hold.
    pub fn check(&self, key: &VerifierKey) -> Result<(), Error> {
        let signature = self
            .signature_of(key.name().as_str(), key.id())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Seal,
                    format!("{} ({}) did not sign it", key.name(), key.id()),
                )
            })?;
        key.check(self.text.as_bytes(), signature.bytes())
    }

    pub(super) fn signature_of(&self, name: &str, id: super::KeyId) -> Option<&Signature> {
        let of = |found: &&Signature| found.id() == id && found.name().as_str() == name;
        self.signatures.iter().find(of)
    }

    /// The text, lines with their ends.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The note as it stands in a file of notes: with an empty line after it.
    pub fn to_block(&self) -> String {
        format!("{self}\n")
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
