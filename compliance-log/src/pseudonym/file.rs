use std::{
    error::Error as StdError,
    fmt,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use super::{document::BYTES_MAX, key::PseudonymKey, keyring::Keyring, keys::PseudonymKeys};
use crate::error::{Error, ErrorKind};

/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Keys in a file, which the command `compliance-log pseudonym` writes; [`Keyring::parse`] says what it
/// holds.
///
/// A file that changes is read again within a second. One that cannot be read or understood leaves the
/// keys that were read last in use; at the start there are none, and values are left out of records. The
/// log says so in either case. Only the owner may have access to the file, mode 0600 or 0400.
pub struct KeyFile {
    path: PathBuf,
    keys: ArcSwap<Keyring>,
    seen: Mutex<Seen>,
}

/// What was found last.
#[derive(Debug, Default)]
struct Seen {
    stamp: Option<Stamp>,
    failure: Option<String>,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp([i128; 5]);

impl Stamp {
    fn of(file: &Metadata) -> Self {
        let time =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self([
            file.dev().into(),
            file.ino().into(),
            file.size().into(),
            time(file.mtime(), file.mtime_nsec()),
            // A changed mode is a change too.
            time(file.ctime(), file.ctime_nsec()),
        ])
    }
}

impl KeyFile {
    /// The keys in the file at `path`, which need not be there yet. It is read by
    /// [`refresh`](PseudonymKeys::refresh), first while the log is opened.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            // Not moved by a later change of the working directory.
            path: std::path::absolute(&path).unwrap_or(path),
            keys: ArcSwap::default(),
            seen: Mutex::default(),
        }
    }
}

impl PseudonymKeys for KeyFile {
    fn key(&self, tenant: &str, field: &str) -> Option<PseudonymKey> {
        self.keys.load().key(tenant, field)
    }

    fn refresh(&self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = fs::metadata(&self.path).ok().map(|file| Stamp::of(&file));
        if stamp.is_none() || stamp != seen.stamp {
            // Looked at before it is read: what is written meanwhile is seen the next time.
            seen.stamp = stamp;
            seen.failure = match Keyring::read(&self.path) {
                Ok(keys) => {
                    self.keys.store(keys.into());
                    None
                }
                Err(error) => Some(error.to_string()),
            };
        }
        match &seen.failure {
            None => Ok(()),
            Some(failure) => Err(failure.as_str().into()),
        }
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where the system refuses; [`ErrorKind::Config`] for a file to which others than
    /// its owner have access, one of more than 4 MiB, and whatever [`Keyring::parse`] refuses. No error
    /// holds a key.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = text(path)?;
        Self::parse(&text).map_err(|error| error.context(path.display()))
    }
}

/// `stat`, `open`, `fstat`, `read`. A pipe or a device is not opened, since it may never answer.
fn text(path: &Path) -> Result<Zeroizing<String>, Error> {
    let refused = |error| {
        Error::io(
            format!("cannot read pseudonym keys {}", path.display()),
            error,
        )
    };
    let wrong = |reason: &str| {
        Error::new(
            ErrorKind::Config,
            format!("pseudonym keys {}: {reason}", path.display()),
        )
    };
    if !fs::metadata(path).map_err(refused)?.is_file() {
        return Err(wrong("it is no file"));
    }
    let file = File::open(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    if metadata.mode() & OTHERS != 0 {
        return Err(wrong(&format!(
            "mode {:04o} lets others than its owner have access; use 0600",
            metadata.mode() & 0o7777
        )));
    }
    let bytes_max = BYTES_MAX as u64;
    if metadata.size() > bytes_max {
        return Err(wrong(&format!("it is longer than {bytes_max} bytes")));
    }
    // Room for all of it at once: what is moved is not wiped.
    let room = usize::try_from(metadata.size())
        .unwrap_or(BYTES_MAX)
        .min(BYTES_MAX)
        + 1;
    let mut text = Zeroizing::new(String::with_capacity(room));
    match file.take(room as u64).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(wrong("it is no UTF-8")),
        Err(error) => Err(refused(error)),
    }
}
