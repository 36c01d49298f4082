use serde::Deserialize;

use super::{
    Checkpoint, Signed,
    certificate::check_signed,
    signed::{Statement, sealed::Read},
};
use crate::{
    error::{Error, ErrorKind},
    seal::{lines::Lines, note::Signature},
};

const TAG: &str = "compliance-log/v1/evidence";

/// What a verifier found in a store: one JSON object on one line. The verifier's key signs it.
///
/// The object's `newest_checkpoint`, if it has one, is the note of the checkpoint that the store was found
/// sealed to: a trusted checkpoint for the next run. Everything else is for people and their tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    object: Box<str>,
    newest: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Object {
    newest_checkpoint: Option<Box<str>>,
}

impl Evidence {
    /// Evidence of a JSON object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for what is no JSON object on one line, or has something else than a checkpoint
    /// for its newest.
    pub fn new(object: &str) -> Result<Self, Error> {
        let refuse = |reason: String| Error::new(ErrorKind::Seal, format!("evidence: {reason}"));
        if !object.starts_with('{') || object.contains('\n') {
            return Err(refuse("it is no JSON object on one line".into()));
        }
        let read: Object =
            serde_json::from_str(object).map_err(|error| refuse(error.to_string()))?;
        if let Some(note) = &read.newest_checkpoint {
            Signed::<Checkpoint>::parse(note.as_bytes())
                .map_err(|error| error.context("the newest checkpoint of evidence"))?;
        }
        Ok(Self {
            object: object.into(),
            newest: read.newest_checkpoint,
        })
    }

    /// The object.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// The note of the checkpoint that the store was found sealed to.
    pub fn newest_checkpoint(&self) -> Option<&str> {
        self.newest.as_deref()
    }
}

impl Statement for Evidence {
    fn to_text(&self) -> String {
        format!("{TAG}\n{}\n", self.object)
    }
}

impl Read for Evidence {
    fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("evidence", text);
        lines.exactly(TAG)?;
        let evidence = Self::new(lines.next()?)?;
        lines.end()?;
        Ok(evidence)
    }

    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        check_signed(signatures)
    }
}
