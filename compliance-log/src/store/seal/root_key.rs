//! The root key of a store that certifies itself.

use std::{
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{keys::Keys, settings::Seal};
use crate::{
    error::Error,
    seal::{
        note::SigningKey,
        statement::{Certificate, Role, Signed},
    },
    store::fs::{Access, Fs, StoreFile, read_whole},
};

/// Its public half, which is kept beside the stores.
#[derive(Debug)]
pub(in crate::store) struct RootKey {
    path: PathBuf,
    line: String,
}

/// Others who begin stores beside it hold the file only while they write a line.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// A certificate by a root key that ends here.
pub(super) fn certify(seal: &Seal, keys: &Keys) -> Result<(String, Option<RootKey>), Error> {
    let origin = keys.origin();
    let root = SigningKey::generate(format!("{origin}/root").parse()?, seal.algorithm)?;
    let certificate = Certificate::new(
        Role::Store,
        origin.clone(),
        keys.log().clone(),
        keys.key().clone(),
    )?;
    let certificate = Signed::sign(certificate, &[&root])?;
    let root_key = seal.root_key_file.as_ref().map(|path| RootKey {
        path: path.clone(),
        line: format!("{}\n", root.verifier()),
    });
    Ok((certificate.to_block(), root_key))
}

impl RootKey {
    /// `open(O_CREAT)`, lock, `write`, `fdatasync`, `fsync` of the folder. A line that a crash left in half
    /// goes. To be called last before there is the store, and [taken back](Self::take_back) if there is none
    /// after all.
    pub(in crate::store) fn keep(&self, fs: &dyn Fs) -> Result<(), Error> {
        let kept = self.open(fs).and_then(|mut file| {
            let bytes = read_whole(&*file)?;
            let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at as u64 + 1);
            if whole < bytes.len() as u64 {
                file.set_len(whole)?;
            }
            if let Err(error) = file.append(self.line.as_bytes()) {
                file.set_len(whole)?;
                return Err(error);
            }
            file.sync_data()?;
            fs.sync_dir(self.path.parent().unwrap_or_else(|| Path::new(".")))
        });
        kept.map_err(|error| {
            let text = format!(
                "cannot keep the store's root key in {}",
                self.path.display()
            );
            Error::io(text, error)
        })
    }

    /// There is no such store: its line goes, if it is still the last one.
    pub(in crate::store) fn take_back(&self, fs: &dyn Fs) {
        let taken = self.open(fs).and_then(|mut file| {
            let bytes = read_whole(&*file)?;
            let Some(before) = bytes.strip_suffix(self.line.as_bytes()) else {
                return Ok(());
            };
            file.set_len(before.len() as u64)?;
            file.sync_data()
        });
        // A line too many harms nobody: its private half is gone.
        taken.unwrap_or(());
    }

    fn open(&self, fs: &dyn Fs) -> io::Result<Box<dyn StoreFile>> {
        let file = match fs.open(&self.path, Access::Create) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs.open(&self.path, Access::Append)?
            }
            opened => opened?,
        };
        for _ in 0..TRIES {
            if file.try_lock()? {
                return Ok(file);
            }
            thread::sleep(PAUSE);
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}
