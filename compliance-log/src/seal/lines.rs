//! The lines of a statement, read strictly: one spelling of each value, and nothing after the last.

use super::{
    merkle::{SIZE_MAX, TreeHash},
    note::{decode, encode},
};
use crate::error::{Error, ErrorKind};

/// What stands where there is no value.
pub(super) const NONE: &str = "-";

pub(super) struct Lines<'t> {
    /// What is read, for errors.
    what: &'static str,
    rest: &'t str,
}

impl<'t> Lines<'t> {
    pub(super) fn of(what: &'static str, text: &'t str) -> Self {
        Self { what, rest: text }
    }

    pub(super) fn refuse(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Seal, format!("{}: {reason}", self.what))
    }

    /// The next line, without its end.
    pub(super) fn next(&mut self) -> Result<&'t str, Error> {
        let (line, rest) = self
            .rest
            .split_once('\n')
            .ok_or_else(|| self.refuse("a line is missing"))?;
        self.rest = rest;
        Ok(line)
    }

    pub(super) fn exactly(&mut self, expected: &str) -> Result<(), Error> {
        if self.next()? == expected {
            return Ok(());
        }
        Err(self.refuse(&format!("there is no line {expected:?} where it should be")))
    }

    /// A line that another type reads.
    pub(super) fn parse<T: std::str::FromStr<Err = Error>>(&mut self) -> Result<T, Error> {
        let line = self.next()?;
        line.parse()
            .map_err(|error: Error| error.context(self.what))
    }

    /// A number in decimal, at most [`SIZE_MAX`].
    pub(super) fn number(&mut self) -> Result<u64, Error> {
        let line = self.next()?;
        let number = line.parse().ok().filter(|number: &u64| {
            // Neither a plus nor leading zeros.
            *number <= SIZE_MAX && number.to_string() == line
        });
        number.ok_or_else(|| self.refuse(&format!("{line:?} is no number as it is written here")))
    }

    pub(super) fn root(&mut self) -> Result<TreeHash, Error> {
        let line = self.next()?;
        let bytes = decode(line).map_err(|error| error.context(self.what))?;
        let bytes = bytes.try_into().ok().map(TreeHash::new);
        bytes.ok_or_else(|| self.refuse("a root has 32 bytes"))
    }

    /// A root, or a dash.
    pub(super) fn root_or_none(&mut self) -> Result<Option<TreeHash>, Error> {
        if let Some(rest) = self.rest.strip_prefix("-\n") {
            self.rest = rest;
            return Ok(None);
        }
        self.root().map(Some)
    }

    pub(super) fn end(self) -> Result<(), Error> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.refuse("there are lines after the last one"))
    }
}

/// A root as [`Lines::root`] reads it.
pub(super) fn root_text(root: TreeHash) -> String {
    encode(root.as_bytes())
}
