//! A file of notes that only ever grows.

use std::{io, path::Path};

use crate::{
    chain::Digest,
    seal::note::NoteFile,
    sha256::Sha256,
    store::{
        altered::How,
        durable,
        fs::{Access, Fs, StoreFile, read_whole},
    },
};

/// Checkpoints, or epoch notes.
#[derive(Debug)]
pub(super) struct NoteLog {
    file: Box<dyn StoreFile>,
    /// Bytes of whole notes that are durable.
    len: u64,
    /// SHA-256 of them.
    hasher: Sha256,
    /// An append failed: what stands after those bytes is not known.
    is_unsure: bool,
}

impl NoteLog {
    /// `open(O_CREAT)`, `fsync` of the folder; then as [`NoteLog::open`] goes on.
    pub(super) fn create(fs: &dyn Fs, dir: &Path, name: &str) -> io::Result<Self> {
        match fs.open(&dir.join(name), Access::Create) {
            Ok(file) => {
                fs.sync_dir(dir)?;
                Ok(Self::of(file, 0, Sha256::new()))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::open(fs, dir, name, |_| {})
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the notes that are there, and calls `last` with the newest. What stands after the last whole
    /// one never left this machine: a crash left it, and it is moved to a file of its own.
    pub(super) fn open(
        fs: &dyn Fs,
        dir: &Path,
        name: &str,
        last: impl FnOnce(&[u8]),
    ) -> io::Result<Self> {
        let path = dir.join(name);
        let mut file = fs.open(&path, Access::Append)?;
        let bytes = read_whole(&*file)?;
        let notes = NoteFile::split(&bytes);
        let len = notes.torn.unwrap_or(bytes.len() as u64);
        if len < bytes.len() as u64 {
            durable::keep_torn(fs, dir, name, &*file, len, bytes.len() as u64 - len)?;
            file.set_len(len)?;
            file.sync_data()?;
        }
        if let Some((_, note)) = notes.notes.last() {
            last(note);
        }
        let whole = bytes.get(..usize::try_from(len).unwrap_or(usize::MAX));
        let mut hasher = Sha256::new();
        hasher.update(whole.unwrap_or_default());
        Ok(Self::of(file, len, hasher))
    }

    fn of(file: Box<dyn StoreFile>, len: u64, hasher: Sha256) -> Self {
        Self {
            file,
            len,
            hasher,
            is_unsure: false,
        }
    }

    /// After an append that failed: the file ends where it ended before, and that is durable.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        if self.is_unsure {
            self.file.set_len(self.len)?;
            self.file.sync_data()?;
            self.is_unsure = false;
        }
        Ok(())
    }

    /// `write`, `fdatasync`. After an error the note may be there or not, until that is mended.
    pub(super) fn append(&mut self, block: &str) -> io::Result<()> {
        self.mend()?;
        self.is_unsure = true;
        self.file.append(block.as_bytes())?;
        self.file.sync_data()?;
        self.is_unsure = false;
        self.len += block.len() as u64;
        self.hasher.update(block);
        Ok(())
    }

    /// `fstat` of the file, `lstat` of its name.
    pub(super) fn altered(&self, fs: &dyn Fs, path: &Path) -> Option<How> {
        How::of(fs, path, self.file.seen().ok()?, self.len)
    }

    /// SHA-256 of the notes.
    pub(super) fn digest(&self) -> Digest {
        Digest::new(self.hasher.clone().finish())
    }
}
