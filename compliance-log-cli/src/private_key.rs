//! Private keys in files of one line, the skey, that only their owner may read.

use std::{fs, io, os::unix::fs::PermissionsExt as _, path::Path};

use compliance_log::seal::note::SigningKey;
use zeroize::Zeroizing;

use crate::{
    durable::{self, Access},
    failure::Failure,
    small_file,
};

const HINT: &str = "give a file that `compliance-log keys init` made, and that belongs to you";

/// The key in a file.
///
/// # Errors
///
/// A file that cannot be read, is no key, or that others may read.
pub(crate) fn read(path: &Path) -> Result<SigningKey, Failure> {
    let text = small_file::text(path, HINT)?;
    let mode = fs::metadata(path).map_err(|error| Failure::io("read", path, error))?;
    if mode.permissions().mode() & 0o077 != 0 {
        return Err(Failure::new(
            format!("others may read the private key {}", path.display()),
            format!(
                "`chmod 600 {}`; if others did read it, make a new key",
                path.display()
            ),
        ));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    SigningKey::from_skey(line)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display()), HINT))
}

/// Writes a key into a new file.
///
/// # Errors
///
/// A file that is there already, or a folder that cannot be written.
pub(crate) fn create(path: &Path, key: &SigningKey) -> Result<(), Failure> {
    let skey = key
        .to_skey()
        .map_err(|error| Failure::new(error.to_string(), "this key cannot be kept in a file"))?;
    // One allocation, since a line that grows leaves copies behind.
    let line = Zeroizing::new([skey.as_bytes(), b"\n"].concat());
    durable::create(path, &line, Access::Owner).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AlreadyExists => "a key is never overwritten: give another name",
            _ => "write access is needed to the folder",
        };
        Failure::new(format!("cannot make {}: {error}", path.display()), hint)
    })
}
