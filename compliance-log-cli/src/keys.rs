//! Key files of pseudonyms.

use std::path::Path;

use compliance_log::{Error, ErrorKind, pseudonym::Keyring};

use crate::failure::Failure;

/// The keys in a file.
///
/// # Errors
///
/// A file that cannot be read, that is no key file, or that others may read.
pub(crate) fn read(path: &Path) -> Result<Keyring, Failure> {
    Keyring::read(path).map_err(|error| failure(&error))
}

/// Changes the keys in a file; all of the change, or nothing of it.
///
/// # Errors
///
/// As for [`read`], and a file that somebody else is changing.
pub(crate) fn edit<R>(
    path: &Path,
    change: impl FnOnce(&mut Keyring) -> Result<R, Error>,
) -> Result<R, Failure> {
    Keyring::edit(path, change).map_err(|error| failure(&error))
}

fn failure(error: &Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::Io => "give a key file that belongs to you; `pseudonym new-key` makes one",
        ErrorKind::Locked => "no key was changed",
        _ => "nothing was changed; `compliance-log pseudonym --help` says what a key file is",
    };
    Failure::new(error.to_string(), hint)
}
