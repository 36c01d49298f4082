//! Schema locks, as files.

use std::{fs, io, path::Path};

use compliance_log::schema_lock::SchemaLock;

use crate::failure::Failure;

/// Far more than any service has.
const LOCK_BYTES_MAX: u64 = 16 << 20;

/// The lock in a file.
///
/// # Errors
///
/// A file that cannot be read, or that is no lock.
pub(crate) fn read(path: &Path) -> Result<SchemaLock, Failure> {
    let hint = "give the lock that `compliance_log::test_util::assert_schema_lock` keeps, audit-schema.lock";
    let text = text(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display()), hint))?;
    text.parse()
        .map_err(|error| Failure::new(format!("{}: {error}", path.display()), hint))
}

/// Looked at before it is opened: a pipe or a device may never end.
fn text(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if metadata.len() > LOCK_BYTES_MAX {
        return Err(io::Error::other("it is too large for a lock"));
    }
    fs::read_to_string(path)
}
