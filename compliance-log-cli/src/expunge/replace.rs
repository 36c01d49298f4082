use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use super::Target;
use crate::failure::Failure;

/// Puts another line where the record stands: a new file beside the old one, of the same owner and mode, synced;
/// then it takes the old one's name, and the folder is synced. Until then the old file is there, whole.
///
/// # Errors
///
/// A file that changed meanwhile, or a folder that cannot be written. The old file stands then.
pub(crate) fn replace(target: &Target, line: &[u8]) -> Result<(), Failure> {
    let path = &target.file;
    let start = target.offset()?;
    let failed = |error: io::Error| {
        Failure::new(
            format!("cannot write {} anew: {error}", path.display()),
            "the file is as it was; write access is needed to its folder, as the user that it belongs to",
        )
    };
    let old = fs::read(path).map_err(failed)?;
    let end = start + target.line.len();
    let (before, there, after) = match (old.get(..start), old.get(start..end), old.get(end..)) {
        (Some(before), Some(there), Some(after)) if there == target.line => (before, there, after),
        _ => return Err(failed(io::Error::other("it changed meanwhile"))),
    };
    debug_assert_eq!(there, target.line, "it was looked at");
    let new = unfinished(path);
    write(&new, path, &[before, line, after]).map_err(failed)?;
    put(&new, path).map_err(failed)
}

#[expect(clippy::disallowed_methods, reason = "the folder is synced after it")]
fn put(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn write(new: &Path, like: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // What a crash left.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let like = fs::metadata(like)?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(new)?;
    for part in parts {
        file.write_all(part)?;
    }
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
        fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(like.permissions().mode()))?;
    file.sync_all()
}

fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}
