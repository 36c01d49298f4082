use std::{fs, io::Read as _, path::Path};

use super::{document, policy::Policy};
use crate::error::{Error, ErrorKind};

impl Policy {
    /// Reads the policy document in a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be read, or is no file; those of [`Policy::parse`]. The text has the path.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = read(path).map_err(|error| {
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

/// One byte more than a document may have, so that a longer one is seen to be longer.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // A pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    let mut text = Vec::new();
    let max = document::BYTES_MAX as u64 + 1;
    fs::File::open(path)?.take(max).read_to_end(&mut text)?;
    Ok(text)
}
