//! The system calls that a store makes, so that a test can make each of them fail.

use std::{
    fmt,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// For reading only.
    Read,
    /// For reading, and for writing at given places.
    Write,
    /// For reading, and for writing at the end.
    Append,
    /// As `Append`, and the file must not exist.
    Create,
    /// As `Create`, for this account alone.
    Secret,
}

/// What the system says of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Device and inode: another file in the same place has another.
    pub(crate) id: (u64, u64),
    /// Names that it has; none, and it ends when it is closed.
    pub(crate) links: u64,
    pub(crate) len: u64,
}

impl From<&std::fs::Metadata> for Seen {
    fn from(metadata: &std::fs::Metadata) -> Self {
        Self {
            id: (metadata.dev(), metadata.ino()),
            links: metadata.nlink(),
            len: metadata.len(),
        }
    }
}

/// Bytes of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) total: u64,
    /// What this account may still use.
    pub(crate) free: u64,
}

/// A file system. Every call may fail, and a failed one may have taken effect.
pub(crate) trait Fs: Send + Sync + fmt::Debug {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoreFile>>;
    /// Makes one folder, for this account and its group.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes one folder, for this account alone.
    fn create_secret_dir(&self, path: &Path) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a folder that never became a store, with all that is in it.
    fn remove_unfinished(&self, path: &Path) -> io::Result<()>;
    /// Removes a file that somebody left for the log, once it has what that says, or that a crash left.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Takes the exclusive lock of a folder if nobody else holds it; it ends with what is returned.
    /// It follows the folder when that is renamed, and cannot be removed as a file can.
    fn lock_dir(&self, path: &Path) -> io::Result<Option<Box<dyn DirLock>>>;
    /// Makes names in a folder durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Takes the right to write from a file that is complete.
    fn make_read_only(&self, path: &Path) -> io::Result<()>;
    /// `lstat`: what stands there now; `None` if nothing does.
    fn seen(&self, path: &Path) -> io::Result<Option<Seen>>;
    /// Bytes of the files in a folder, without those in folders below; none if it is not there.
    fn bytes_in(&self, folder: &Path) -> io::Result<u64>;
    /// `statvfs`; `None` where there is no volume.
    fn space(&self, path: &Path) -> io::Result<Option<Space>>;
}

/// A folder that is held locked.
pub(crate) trait DirLock: Send + fmt::Debug {
    /// `fstat`; `None` where there is no folder.
    fn seen(&self) -> io::Result<Option<Seen>>;
}

impl DirLock for File {
    fn seen(&self) -> io::Result<Option<Seen>> {
        Ok(Some((&self.metadata()?).into()))
    }
}

/// An open file.
pub(crate) trait StoreFile: Send + fmt::Debug {
    /// Writes all of `bytes` at the end, by one call where the system allows.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Fills `out` from `offset` on and says how much there was.
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize>;
    fn len(&self) -> io::Result<u64>;
    fn set_len(&mut self, len: u64) -> io::Result<()>;
    /// `fdatasync`: the bytes, and the length that leads to them, are on the medium.
    fn sync_data(&mut self) -> io::Result<()>;
    /// Takes the exclusive lock if nobody else holds it; it ends with the process.
    fn try_lock(&self) -> io::Result<bool>;
    /// `fstat`, whatever its name leads to now; `None` where there is no file.
    fn seen(&self) -> io::Result<Option<Seen>>;
}

/// A larger file is not read whole: epoch notes of a hundred years take less.
const WHOLE_BYTES_MAX: u64 = 1 << 32;

/// All that a file holds that is small, or grows slowly.
pub(super) fn read_whole(file: &dyn StoreFile) -> io::Result<Vec<u8>> {
    let len = file.len()?;
    if len > WHOLE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{len} bytes are too many"),
        ));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

const NOT_A_FILE: &str = "there is something else in the place of a file";

/// Whether something that is no file stands where one should: a folder, a pipe, a device.
pub(crate) fn is_no_file(error: &io::Error) -> bool {
    let symlink = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    symlink
        || matches!(
            error.kind(),
            io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput
        )
}

/// The operating system's.
#[derive(Debug)]
pub(crate) struct RealFs;

impl Fs for RealFs {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoreFile>> {
        let mut options = OpenOptions::new();
        // What is no file must not hold up whoever opens it, nor lead to a file somewhere else.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        options.read(true).mode(0o640).custom_flags(flags);
        match access {
            Access::Read => {}
            Access::Write => {
                options.write(true).create(true);
            }
            Access::Append => {
                options.append(true);
            }
            Access::Create => {
                options.append(true).create_new(true);
            }
            Access::Secret => {
                options.append(true).create_new(true).mode(0o600);
            }
        }
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, NOT_A_FILE));
        }
        Ok(Box::new(RealFile(file)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o750).create(path)
    }

    fn create_secret_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "callers sync the folder as a step of their own"
    )]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove_unfinished(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn lock_dir(&self, path: &Path) -> io::Result<Option<Box<dyn DirLock>>> {
        let dir = File::open(path)?;
        match dir.try_lock() {
            Ok(()) => Ok(Some(Box::new(dir))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path)? {
            // A name that is no UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn make_read_only(&self, path: &Path) -> io::Result<()> {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o440))
    }

    fn seen(&self, path: &Path) -> io::Result<Option<Seen>> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some((&metadata).into())),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn bytes_in(&self, folder: &Path) -> io::Result<u64> {
        let mut bytes = 0;
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        for entry in entries {
            // One that went meanwhile takes nothing.
            if let Ok(metadata) = entry?.metadata()
                && metadata.is_file()
            {
                bytes += metadata.len();
            }
        }
        Ok(bytes)
    }

    fn space(&self, path: &Path) -> io::Result<Option<Space>> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(Some(Space {
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
        }))
    }
}

#[derive(Debug)]
struct RealFile(File);

impl StoreFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < out.len() {
            match self.0.read_at(&mut out[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn seen(&self) -> io::Result<Option<Seen>> {
        Ok(Some((&self.0.metadata()?).into()))
    }
}
