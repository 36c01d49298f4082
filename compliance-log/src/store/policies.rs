//! The policy documents that a store's records were written under.

use std::{io, path::Path};

use super::{
    durable,
    fs::{Access, Fs},
};
use crate::{layout, redact::Policy};

/// Keeps `policy`'s document as `<store>/policies/<sha256>.toml`. Says whether it was new here.
pub(crate) fn keep(fs: &dyn Fs, store: &Path, policy: &Policy) -> io::Result<bool> {
    let dir = store.join(layout::POLICIES);
    durable::create_dir_all(fs, &dir)?;
    let path = dir.join(format!("{}.toml", policy.digest()));
    if let Ok(file) = fs.open(&path, Access::Read)
        && file.len()? == policy.document().len() as u64
    {
        return Ok(false);
    }
    match durable::write_new(fs, &path, policy.document().as_bytes()) {
        // A crash left a part of it: the name says which bytes belong there.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut file = fs.open(&path, Access::Write)?;
            file.write_at(policy.document().as_bytes(), 0)?;
            file.set_len(policy.document().len() as u64)?;
            file.sync_data()?;
        }
        written => drop(written?),
    }
    fs.make_read_only(&path)?;
    Ok(true)
}
