//! Files that are read whole: keys, certificates, policies.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// The epochs of a year are less.
const BYTES_MAX: u64 = 64 << 20;

/// The bytes of a file, wiped when they are dropped, since it may be a key.
///
/// # Errors
///
/// What is no file, too large, or cannot be read; `hint` says what to give instead.
pub(crate) fn read(path: &Path, hint: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    bytes(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display()), hint))
}

/// The text of a file.
///
/// # Errors
///
/// As for [`read`], and what is not UTF-8.
pub(crate) fn text(path: &Path, hint: &str) -> Result<Zeroizing<String>, Failure> {
    let bytes = read(path, hint)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::new(format!("{} is no text", path.display()), hint)),
    }
}

/// Looked at before it is opened: a pipe or a device may never end.
fn bytes(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if metadata.len() > BYTES_MAX {
        return Err(io::Error::other("it is too large"));
    }
    // One allocation, since a buffer that grows leaves copies behind.
    let expected = usize::try_from(metadata.len()).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected.saturating_add(1)));
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
