//! Files that are whole or not there, whenever the power goes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// After the name of a file that is not whole yet. It has a dot before it too.
pub(crate) const UNFINISHED: &str = ".new";

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Its owner: 0600.
    Owner,
    /// Everybody, as far as the umask lets them: 0644.
    Everybody,
}

/// Why a file was not written.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// What stood there before stands there still.
    Before(io::Error),
    /// The old bytes or the new ones: only reading tells.
    Either(io::Error),
}

impl From<Unwritten> for io::Error {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Before(error) | Unwritten::Either(error) => error,
        }
    }
}

/// Replaces a file: open, write, fsync, rename, fsync of the folder. One caller at a time for each path.
#[expect(clippy::disallowed_methods, reason = "the folder is synced after it")]
pub(crate) fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<(), Unwritten> {
    let new = unfinished(path);
    write(&new, bytes, access).map_err(Unwritten::Before)?;
    fs::rename(&new, path).map_err(Unwritten::Either)?;
    sync_folder(path).map_err(Unwritten::Either)
}

/// Makes a file, and never touches one that is there: open, write, fsync, link, unlink, fsync of the folder.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] if there is one.
pub(crate) fn create(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let new = unfinished(path);
    let made = write(&new, bytes, access).and_then(|()| fs::hard_link(&new, path));
    // It may be a key: nothing of it stays behind.
    let removed = fs::remove_file(&new);
    made.and(removed)?;
    sync_folder(path)
}

fn write(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    // What a crash left may have other rights.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mode = match access {
        Access::Owner => 0o600,
        Access::Everybody => 0o644,
    };
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{UNFINISHED}"))
}

/// Makes a folder whose own folder is there: mkdir, fsync of the folder it is in. One that is there stays.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
