use std::path::Path;

use super::{document::BYTES_MAX, policy::Policy};
use crate::{
    error::{Error, ErrorKind},
    plain_file,
};

impl Policy {
    /// Reads the policy document in a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be read, or is no file; those of [`Policy::parse`]. The text has the path.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = plain_file::read(path, BYTES_MAX as u64).map_err(|error| {
            Error::io(
                format!("cannot read redaction policy {}", path.display()),
                error,
            )
        })?;
        let text = String::from_utf8(text).map_err(|_bytes| {
            let text = format!("redaction policy {}: it is not UTF-8", path.display());
            Error::new(ErrorKind::Config, text)
        })?;
        Self::parse(&text).map_err(|error| error.context(path.display()))
    }
}
