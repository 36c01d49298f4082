//! The file that a policy is read from, at start and whenever it changes.

use std::path::{Path, PathBuf};

use super::watch::{Stamp, Watch};
use crate::{error::Error, pipeline::Handle, redact::Policy};

pub(super) struct PolicyFile {
    path: PathBuf,
    seen: Stamp,
}

impl PolicyFile {
    pub(super) fn new(path: &Path) -> Self {
        // Not moved by a later change of the working directory.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let seen = Stamp::of(&path);
        Self { path, seen }
    }

    pub(super) fn read(&self) -> Result<Policy, Error> {
        Policy::from_file(&self.path)
    }

    /// Takes into use what the file says from now on. What cannot be used is told of and changes nothing.
    pub(super) fn watch(self, handle: Handle) -> Result<Watch, Error> {
        let path = self.path.clone();
        Watch::start(self.path, self.seen, move || {
            match Policy::from_file(&path) {
                // The log itself tells of the change, in the chain.
                Ok(policy) => drop(handle.set_policy(policy)),
                Err(error) => handle.refuse_policy(error.to_string()),
            }
        })
    }
}
