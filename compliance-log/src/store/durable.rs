//! File operations that last: each says which system calls it makes, in which order.

use std::{io, path::Path};

use super::fs::{Access, Fs, StoreFile};
use crate::{chain::Digest, layout, sha256::Sha256};

/// `mkdir` for each folder on the way that is missing, `fsync` of its parent.
pub(super) fn create_dir_all(fs: &dyn Fs, path: &Path) -> io::Result<()> {
    match fs.create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(parent) = path.parent() else {
                return Err(error);
            };
            create_dir_all(fs, parent)?;
            match fs.create_dir(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Err(error) => return Err(error),
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs.sync_dir(parent),
        _ => Ok(()),
    }
}

/// `open(O_CREAT | O_EXCL)`, `write`, `fdatasync`, `fsync` of the folder.
pub(super) fn write_new(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<Box<dyn StoreFile>> {
    let mut file = fs.open(path, Access::Create)?;
    file.append(bytes)?;
    file.sync_data()?;
    if let Some(dir) = path.parent() {
        fs.sync_dir(dir)?;
    }
    Ok(file)
}

/// `rename` to the first free name that `name` makes of 1, 2, 3 …, then `fsync` of the folder.
pub(super) fn set_aside(
    fs: &dyn Fs,
    dir: &Path,
    from: &str,
    name: impl Fn(u32) -> String,
) -> io::Result<String> {
    let taken = fs.list(dir)?;
    let free = (1..=u32::MAX).map(name).find(|name| !taken.contains(name));
    let to = free.ok_or(io::ErrorKind::AlreadyExists)?;
    fs.rename(&dir.join(from), &dir.join(&to))?;
    fs.sync_dir(dir)?;
    Ok(to)
}

/// Copies `len` bytes from `offset` on into a new file beside the segment, as `write_new` does.
pub(super) fn keep_torn(
    fs: &dyn Fs,
    dir: &Path,
    segment: &str,
    file: &dyn StoreFile,
    offset: u64,
    len: u64,
) -> io::Result<()> {
    let taken = fs.list(dir)?;
    let free = (1..=u32::MAX)
        .map(|n| layout::torn_name(segment, offset, n))
        .find(|name| !taken.contains(name));
    let name = free.ok_or(io::ErrorKind::AlreadyExists)?;
    let mut copy = fs.open(&dir.join(&name), Access::Create)?;
    blocks(file, offset, offset + len, |block| copy.append(block))?;
    copy.sync_data()?;
    fs.sync_dir(dir)
}

/// The length and SHA-256 of a file.
pub(super) fn digest(file: &dyn StoreFile) -> io::Result<(u64, Digest)> {
    let len = file.len()?;
    let mut hasher = Sha256::new();
    blocks(file, 0, len, |block| {
        hasher.update(block);
        Ok(())
    })?;
    Ok((len, Digest::new(hasher.finish())))
}

/// Calls `each` with the bytes between two places, block by block.
fn blocks(
    file: &dyn StoreFile,
    from: u64,
    to: u64,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut at = from;
    while at < to {
        let want = usize::try_from((to - at).min(buffer.len() as u64)).unwrap_or(buffer.len());
        let read = file.read_at(&mut buffer[..want], at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        each(&buffer[..read])?;
        at += read as u64;
    }
    Ok(())
}
