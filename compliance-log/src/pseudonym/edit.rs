//! Changing a key file: all of a change, or nothing of it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::keyring::Keyring;
use crate::error::{Error, ErrorKind};

impl Keyring {
    /// Changes the key file at `path`, and gives what `change` gives. One that is missing is made, mode
    /// 0600. Services that use it notice within a second.
    ///
    /// The new file is written beside it, as `<path>.new`, and takes its place only when it is on the
    /// disk, so that a crash leaves one of the two whole. While that file is there, nobody else can
    /// change the keys.
    ///
    /// # Errors
    ///
    /// Those of [`Keyring::read`] and of `change`; [`ErrorKind::Locked`] where `<path>.new` is there;
    /// [`ErrorKind::Config`] where `path` is a link or belongs to another user. The file is as it was.
    pub fn edit<R>(
        path: impl AsRef<Path>,
        change: impl FnOnce(&mut Self) -> Result<R, Error>,
    ) -> Result<R, Error> {
        // Not moved by a later change of the working directory, and with a folder to sync.
        let path = std::path::absolute(&path)
            .map_err(|error| Error::io("cannot tell the working directory", error))?;
        let fresh = Fresh::create(&path)?;
        let mut keys = match fs::symlink_metadata(&path) {
            Ok(old) if old.is_symlink() => {
                return Err(wrong(
                    &path,
                    "it is a link; change the file that it leads to",
                ));
            }
            Ok(old) if old.uid() != fresh.uid => {
                return Err(wrong(
                    &path,
                    "it belongs to another user, who would be shut out",
                ));
            }
            Ok(_) => Self::read(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => {
                return Err(Error::io(
                    format!("cannot read pseudonym keys {}", path.display()),
                    error,
                ));
            }
        };
        let result = change(&mut keys)?;
        fresh.replace(&path, keys.document().as_bytes())?;
        Ok(result)
    }
}

fn wrong(path: &Path, reason: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("pseudonym keys {}: {reason}", path.display()),
    )
}

/// The file that takes the old one's place; removed if it does not.
struct Fresh {
    path: PathBuf,
    file: File,
    uid: u32,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Beside,
    InPlace,
}

impl Fresh {
    /// `open(O_CREAT | O_EXCL)`, mode 0600.
    fn create(path: &Path) -> Result<Self, Error> {
        let mut name = OsString::from(path);
        name.push(".new");
        let beside = PathBuf::from(name);
        let refused = |error: io::Error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                let text = format!(
                    "{} is there: somebody is changing the keys, or a change was cut short; if nobody is, remove it",
                    beside.display()
                );
                return Error::new(ErrorKind::Locked, text);
            }
            Error::io(format!("cannot create {}", beside.display()), error)
        };
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .map_err(refused)?;
        let uid = file.metadata().map_err(refused)?.uid();
        Ok(Self {
            path: beside.clone(),
            file,
            uid,
            state: State::Beside,
        })
    }

    /// `write`, `fsync`; a crash leaves the old file and this one, which the next change tells of. Then
    /// `rename`, `fsync` of the folder.
    fn replace(mut self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut replace = || {
            self.file.write_all(bytes)?;
            self.file.sync_all()?;
            #[expect(clippy::disallowed_methods, reason = "the folder is synced next")]
            fs::rename(&self.path, path)?;
            self.state = State::InPlace;
            match path.parent() {
                Some(dir) => File::open(dir)?.sync_all(),
                None => Ok(()),
            }
        };
        replace().map_err(|error| Error::io(format!("cannot write {}", path.display()), error))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if self.state == State::Beside {
            // The next change tells of one that stays.
            fs::remove_file(&self.path).unwrap_or(());
        }
    }
}
