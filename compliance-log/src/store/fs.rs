//! The system calls that a store makes, so that a test can make each of them fail.

use std::{
    fmt,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt},
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
}

/// A file system. Every call may fail, and a failed one may have taken effect.
pub(crate) trait Fs: Send + Sync + fmt::Debug {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoreFile>>;
    /// Makes one folder, for this account and its group.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a folder that never became a store, with all that is in it.
    fn remove_unfinished(&self, path: &Path) -> io::Result<()>;
    /// Takes the exclusive lock of a folder if nobody else holds it; it ends with what is returned.
    /// It follows the folder when that is renamed, and cannot be removed as a file can.
    fn lock_dir(&self, path: &Path) -> io::Result<Option<Box<dyn DirLock>>>;
    /// Makes names in a folder durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Takes the right to write from a file that is complete.
    fn make_read_only(&self, path: &Path) -> io::Result<()>;
}

/// A folder that is held locked.
pub(crate) trait DirLock: Send + fmt::Debug {}

impl DirLock for File {}

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
}
