//! The keys of a sealed store, in memory and in their folder.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    chain::Digest,
    encode::Object,
    error::{Error, ErrorKind},
    seal::{
        Origin,
        merkle::TreeHash,
        note::{Algorithm, SigningKey, VerifierKey},
        statement::{Checkpoint, Signed},
    },
    store::fs::{Access, DirLock, Fs, StoreFile},
};

const SIGNER: &str = "signer.json";
const SIGNER_NEW: &str = "signer.json.new";
const LAST: &str = "last";
/// A longer file is none of ours.
const BYTES_MAX: usize = 64 * 1024;

/// What signs for a store, and what it signed last.
#[derive(Debug)]
pub(super) struct Keys {
    origin: Origin,
    machine_id: Option<String>,
    folder: Option<Folder>,
    log: SigningKey,
    epoch: u64,
    key: SigningKey,
    /// The key of the next epoch, from the moment in which it is made known.
    next: Option<SigningKey>,
    /// Size and root of the newest checkpoint that is durable.
    newest: (u64, TreeHash),
}

/// Where keys are kept; locked as long as they are used, since it is they that must not be shared.
#[derive(Debug)]
struct Folder {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    _lock: Box<dyn DirLock>,
}

/// What `signer.json` says.
#[derive(Deserialize)]
struct Saved<'s> {
    origin: String,
    machine_id: Option<String>,
    #[serde(borrow)]
    log: &'s str,
    epoch: u64,
    key: &'s str,
    next: Option<&'s str>,
    size: u64,
    root: String,
}

/// Why there are no keys to go on with.
#[derive(Debug)]
pub(super) enum NoKeys {
    /// Another process uses them.
    Locked,
    Lost(Error),
}

impl From<Error> for NoKeys {
    fn from(error: Error) -> Self {
        Self::Lost(error)
    }
}

impl Keys {
    /// New keys for a store that is being made.
    pub(super) fn generate(
        origin: Origin,
        algorithm: Algorithm,
        machine_id: Option<&str>,
    ) -> Result<Self, Error> {
        Ok(Self {
            log: SigningKey::generate(origin.log_key(), algorithm)?,
            epoch: 0,
            key: SigningKey::generate(origin.epoch_key(0), algorithm)?,
            origin,
            machine_id: machine_id.map(str::to_owned),
            folder: None,
            next: None,
            newest: (0, TreeHash::EMPTY),
        })
    }

    /// From here on they are kept in a folder of their own.
    pub(super) fn keep_in(&mut self, fs: &Arc<dyn Fs>, path: &Path) -> io::Result<()> {
        fs.create_secret_dir(path)?;
        if let Some(parent) = path.parent() {
            fs.sync_dir(parent)?;
        }
        let lock = fs.lock_dir(path)?;
        self.folder = Some(Folder {
            fs: Arc::clone(fs),
            path: path.to_path_buf(),
            _lock: lock.ok_or(io::ErrorKind::WouldBlock)?,
        });
        self.save()
    }

    /// Reads the keys of a store that is to be continued.
    pub(super) fn load(fs: &Arc<dyn Fs>, path: &Path) -> Result<Self, NoKeys> {
        let failed = |error: io::Error| Error::io(format!("keys in {}", path.display()), error);
        let lock = match fs.lock_dir(path) {
            Err(error) => return Err(failed(error).into()),
            Ok(None) => return Err(NoKeys::Locked),
            Ok(Some(lock)) => lock,
        };
        let bytes = read_secret(&**fs, &path.join(SIGNER)).map_err(failed)?;
        let malformed = |text: String| {
            let text = format!("{}: {text}", path.join(SIGNER).display());
            Error::new(ErrorKind::Damaged, text)
        };
        // What stands there is a secret, so the error says only where.
        let saved: Saved<'_> = serde_json::from_slice(&bytes)
            .map_err(|error| malformed(format!("line {} is malformed", error.line())))?;
        let origin: Origin = saved.origin.parse()?;
        let log = SigningKey::from_skey(saved.log)?;
        let key = SigningKey::from_skey(saved.key)?;
        let next = saved.next.map(SigningKey::from_skey).transpose()?;
        let is_named = |key: &SigningKey, epoch| *key.verifier().name() == origin.epoch_key(epoch);
        let fits = *log.verifier().name() == origin.log_key()
            && is_named(&key, saved.epoch)
            && next
                .as_ref()
                .is_none_or(|next| is_named(next, saved.epoch.saturating_add(1)));
        if !fits {
            return Err(malformed("its keys are not those of its origin".to_owned()).into());
        }
        let mut newest = (saved.size, saved.root.parse::<TreeHash>()?);
        if let Some(last) = last(&**fs, &path.join(LAST))
            && last.0 > newest.0
        {
            newest = last;
        }
        Ok(Self {
            origin,
            machine_id: saved.machine_id,
            folder: Some(Folder {
                fs: Arc::clone(fs),
                path: path.to_path_buf(),
                _lock: lock,
            }),
            log,
            epoch: saved.epoch,
            key,
            next,
            newest,
        })
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Which machine they were made on, if it said so.
    pub(super) fn machine_id(&self) -> Option<&str> {
        self.machine_id.as_deref()
    }

    pub(super) fn log(&self) -> &VerifierKey {
        self.log.verifier()
    }

    pub(super) fn key(&self) -> &VerifierKey {
        self.key.verifier()
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Size and root of what was signed last, as far as is remembered.
    pub(super) fn newest(&self) -> (u64, TreeHash) {
        self.newest
    }

    pub(super) fn sign(&self, size: u64, root: TreeHash) -> Result<Signed<Checkpoint>, Error> {
        Checkpoint::new(self.origin.clone(), size, root).sign(&self.log, &self.key)
    }

    pub(super) fn epoch_key(&self) -> &SigningKey {
        &self.key
    }

    /// A checkpoint is durable. It is remembered unsynced, so that a writer that is killed and starts
    /// again knows what it signed a second ago; a failure leaves what is older, which does not harm.
    pub(super) fn remember(&mut self, size: u64, root: TreeHash) {
        self.newest = (size, root);
        let Some(folder) = &self.folder else { return };
        let text = format!("{size} {root}");
        let line = format!("{text} {}\n", Digest::of(text.as_bytes()));
        let file = folder.fs.open(&folder.path.join(LAST), Access::Write);
        let written = file.and_then(|mut file| {
            file.write_at(line.as_bytes(), 0)?;
            // A shorter line is not to have the end of a longer one.
            file.set_len(line.len() as u64)
        });
        if written.is_err() {
            crate::metric::count("compliance_log_write_errors");
        }
    }

    /// Begins a ratchet: the key of the next epoch is made and kept, so that it is not lost once the
    /// epoch note names it. The same one where that was begun already.
    pub(super) fn next(&mut self) -> Result<VerifierKey, Error> {
        if self.next.is_none() {
            let algorithm = self.log.verifier().algorithm();
            let name = self.origin.epoch_key(self.epoch.saturating_add(1));
            self.next = Some(SigningKey::generate(name, algorithm)?);
            if let Err(error) = self.save() {
                self.next = None;
                return Err(Error::io(format!("keys of {}", self.origin), error));
            }
        }
        let next = self.next.as_ref().map(SigningKey::verifier);
        next.cloned()
            .ok_or_else(|| Error::new(ErrorKind::Seal, "there is no next key"))
    }

    /// The key of the next epoch, if a ratchet was begun.
    pub(super) fn pending(&self) -> Option<&VerifierKey> {
        self.next.as_ref().map(SigningKey::verifier)
    }

    /// The epoch note is durable: the next key takes the place of the old one, which is wiped. It is to be
    /// [saved](Self::save) then, so that the old one is erased.
    pub(super) fn turn(&mut self) {
        if let Some(next) = self.next.take() {
            self.key = next;
            self.epoch = self.epoch.saturating_add(1);
        }
    }

    /// No epoch note names the next key: it never was.
    pub(super) fn forget_next(&mut self) -> io::Result<()> {
        self.next = None;
        self.save()
    }

    /// Replaces `signer.json`: a new file, `fdatasync`, `rename`, `fsync` of the folder. Then the bytes of
    /// the old one are overwritten, as far as the file system writes where they stood; so are those of a new
    /// one that a crash left.
    pub(super) fn save(&mut self) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let skey = |key: &SigningKey| key.to_skey().map_err(io::Error::other);
        let (log, key) = (skey(&self.log)?, skey(&self.key)?);
        let next = self.next.as_ref().map(skey).transpose()?;
        let (size, root) = self.newest;
        let state = Object::new()
            .text("origin", self.origin.as_str())
            .text_if("machine_id", self.machine_id.as_ref())
            .text("log", &*log)
            .number("epoch", self.epoch)
            .text("key", &*key)
            .text_if("next", next.as_ref().map(|next| &***next))
            .number("size", size)
            .text("root", root.to_string());
        let state = Zeroizing::new(state.into_json());
        let (path, new) = (folder.path.join(SIGNER), folder.path.join(SIGNER_NEW));
        let mut file = match folder.fs.open(&new, Access::Secret) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                overwrite(&mut *folder.fs.open(&new, Access::Write)?)?;
                folder.fs.remove_file(&new)?;
                folder.fs.open(&new, Access::Secret)?
            }
            opened => opened?,
        };
        file.append(state.as_bytes())?;
        file.sync_data()?;
        let old = match folder.fs.seen(&path)? {
            Some(_) => Some(folder.fs.open(&path, Access::Write)?),
            None => None,
        };
        folder.fs.rename(&new, &path)?;
        folder.fs.sync_dir(&folder.path)?;
        old.map_or(Ok(()), |mut old| overwrite(&mut *old))
    }
}

/// A file of keys that are not needed any more.
fn overwrite(file: &mut dyn StoreFile) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(file.len()?).unwrap_or(0).min(BYTES_MAX)];
    file.write_at(&zeros, 0)?;
    file.sync_data()
}

fn read_secret(fs: &dyn Fs, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = fs.open(path, Access::Read)?;
    let mut bytes = Zeroizing::new(vec![0; BYTES_MAX]);
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// What stands in `last`, if it is whole.
fn last(fs: &dyn Fs, path: &Path) -> Option<(u64, TreeHash)> {
    let file = fs.open(path, Access::Read).ok()?;
    let mut bytes = [0; 256];
    let read = file.read_at(&mut bytes, 0).ok()?;
    let line = std::str::from_utf8(bytes.get(..read)?).ok()?;
    let (text, digest) = line.strip_suffix('\n')?.rsplit_once(' ')?;
    if digest != Digest::of(text.as_bytes()).to_string() {
        return None;
    }
    let (size, root) = text.split_once(' ')?;
    Some((size.parse().ok()?, root.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fs::RealFs;

    #[expect(clippy::disallowed_methods, reason = "a crash leaves it so")]
    #[test]
    fn what_a_crash_left_of_keys_is_overwritten_and_in_no_ones_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let origin: Origin = "log.example/s/i/0123456789abcdef".parse().unwrap();
        let mut keys = Keys::generate(origin, Algorithm::Ed25519, None).unwrap();
        keys.keep_in(&fs, &path).unwrap();
        let (new, seen) = (path.join(SIGNER_NEW), path.join("seen"));
        std::fs::write(&new, b"a secret").unwrap();
        std::fs::hard_link(&new, &seen).unwrap();
        keys.next().unwrap();
        assert_eq!(std::fs::read(&seen).unwrap(), [0; 8]);
        keys.turn();
        keys.save().unwrap();
        drop(keys);
        assert_eq!(Keys::load(&fs, &path).unwrap().epoch(), 1);
    }
}
