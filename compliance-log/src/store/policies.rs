//! The policy documents that a store's records were written under.

use std::{io, path::Path};

use super::{
    durable,
    fs::{Access, Fs},
};
use crate::{chain::Digest, layout, redact::Policy};

/// A document beyond this is none that was kept here.
const DOCUMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Keeps `policy`'s document as `<store>/policies/<sha256>.toml`.
pub(crate) fn keep(fs: &dyn Fs, store: &Path, policy: &Policy) -> io::Result<()> {
    let dir = store.join(layout::POLICIES);
    durable::create_dir_all(fs, &dir)?;
    let path = dir.join(layout::policy_name(policy.digest()));
    let document = policy.document().as_bytes();
    if let Ok(file) = fs.open(&path, Access::Read)
        && file.len()? == document.len() as u64
    {
        return Ok(());
    }
    match durable::write_new(fs, &path, document) {
        // A crash left a part of it: the name says which bytes belong there.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut file = fs.open(&path, Access::Write)?;
            file.write_at(document, 0)?;
            file.set_len(document.len() as u64)?;
            file.sync_data()?;
        }
        written => drop(written?),
    }
    fs.make_read_only(&path)
}

/// The kept policy whose digest starts with `short`, if its document is whole and understood.
pub(crate) fn find(fs: &dyn Fs, store: &Path, short: &str) -> Option<Policy> {
    let dir = store.join(layout::POLICIES);
    let name = fs
        .list(&dir)
        .ok()?
        .into_iter()
        .find(|name| name.starts_with(short))?;
    let file = fs.open(&dir.join(&name), Access::Read).ok()?;
    let len = file.len().ok().filter(|len| *len <= DOCUMENT_BYTES_MAX)?;
    let mut document = vec![0; usize::try_from(len).ok()?];
    let read = file.read_at(&mut document, 0).ok()?;
    document.truncate(read);
    if layout::policy_name(Digest::of(&document)) != name {
        return None;
    }
    Policy::parse(std::str::from_utf8(&document).ok()?).ok()
}
