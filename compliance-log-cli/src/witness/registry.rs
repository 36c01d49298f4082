use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use compliance_log::{
    chain::Digest,
    seal::{
        Origin, Submission,
        merkle::TreeHash,
        note::{Algorithm, CosigningKey, Note, Signature, SigningKey, VerifierKey},
        statement::Certificates,
    },
};

use super::known::{Known, Newest};
use crate::{
    durable::{self, Access, UNFINISHED, Unwritten},
    failure::Failure,
    private_key,
};

const LOCK: &str = "lock";
const KEY: &str = "key";
const ORIGINS: &str = "origins";
const NAME: &str = "witness.invalid";

/// The folder of a witness, locked for as long as this lives:
///
/// ```text
/// lock            held by the process
/// key             the skey, 0600
/// origins/<SHA-256 of the origin, hex>     certificate, and newest cosigned checkpoint
/// ```
#[derive(Debug)]
pub(crate) struct Registry {
    origins: PathBuf,
    key: CosigningKey,
    roots: Vec<VerifierKey>,
    known: RwLock<BTreeMap<Digest, Arc<Mutex<Entry>>>>,
    _lock: File,
}

/// One store. Its lock is held from the look at what was cosigned until the new state is durable.
#[derive(Debug)]
struct Entry {
    known: Known,
    disk: Disk,
}

/// Whether the file of a store is known to hold what [`Entry`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Same,
    /// A failed write may have taken effect. Nothing is cosigned before the next start reads it.
    Unsure,
}

/// Why a request was not fulfilled.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is not well formed.
    Malformed(String),
    /// No certificate of the store was added.
    Unknown,
    /// No key that is trusted for it signed.
    Untrusted(String),
    /// Another checkpoint is the newest, of this size.
    Conflict(u64),
    /// The newest checkpoint has this size too, and another root.
    Fork(u64),
    /// The checkpoint does not continue the newest.
    Inconsistent,
    /// The store has another certificate already.
    Taken,
    /// The state was not made durable.
    Storage(String),
}

impl Registry {
    /// Opens a folder, or makes it, with a key of this name.
    ///
    /// # Errors
    ///
    /// A folder that another process uses, that is damaged, or has a key of another name.
    pub(crate) fn open(
        dir: &Path,
        name: Option<&str>,
        roots: Vec<VerifierKey>,
    ) -> Result<Self, Failure> {
        let origins = dir.join(ORIGINS);
        for folder in [dir, &origins] {
            durable::folder(folder).map_err(|error| cannot("make", folder, &error))?;
        }
        let lock = lock(dir)?;
        let known = read_known(&origins)?;
        let key = key(dir, name, known.is_empty())?;
        check_ours(&known, &key, dir)?;
        Ok(Self {
            origins,
            key,
            roots,
            known: RwLock::new(known),
            _lock: lock,
        })
    }

    /// What it signs with.
    pub(crate) fn key(&self) -> &CosigningKey {
        &self.key
    }

    /// Takes the certificate of a store.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; nothing is changed then.
    pub(crate) fn add_log(&self, body: &[u8]) -> Result<Origin, Refusal> {
        let certificates =
            Certificates::parse(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let certified = certificates
            .check(&self.roots)
            .map_err(|error| Refusal::Untrusted(error.to_string()))?;
        let (origin, log) = (certified.origin.clone(), certified.log.clone());
        let at = Digest::of(origin.as_str().as_bytes());
        // Held while the file is written: two certificates of one store come one after the other.
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = all.get(&at) {
            let entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
            let theirs = &entry.known.certificates.store().statement().log;
            return if *theirs == log {
                Ok(origin)
            } else {
                Err(Refusal::Taken)
            };
        }
        let known = Known {
            certificates,
            newest: None,
        };
        self.write(at, &known)
            .map_err(|unwritten| Refusal::Storage(io::Error::from(unwritten).to_string()))?;
        let disk = Disk::Same;
        all.insert(at, Arc::new(Mutex::new(Entry { known, disk })));
        Ok(origin)
    }

    /// Cosigns a checkpoint that continues the newest of its store; `time` in seconds since 1970. When this
    /// returns, the checkpoint is durable as the newest.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; nothing is cosigned then.
    pub(crate) fn add_checkpoint(&self, body: &[u8], time: u64) -> Result<Signature, Refusal> {
        let malformed = |error: compliance_log::Error| Refusal::Malformed(error.to_string());
        let submission = Submission::parse(body).map_err(malformed)?;
        let checkpoint = submission.checkpoint();
        let at = Digest::of(checkpoint.origin.as_str().as_bytes());
        let entry = self.entry(at).ok_or(Refusal::Unknown)?;
        let mut entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let certified = entry.known.certificates.store().statement().clone();
        submission
            .note()
            .check(&certified.log)
            .map_err(|error| Refusal::Untrusted(error.to_string()))?;
        if submission.old_size() > checkpoint.size {
            let text = "the old size is above that of the checkpoint";
            return Err(Refusal::Malformed(text.to_owned()));
        }
        if entry.disk == Disk::Unsure {
            let text = "an earlier write failed; the witness has to be started again";
            return Err(Refusal::Storage(text.to_owned()));
        }
        let held = entry.known.newest.as_ref();
        let (size, root) = held.map_or((0, TreeHash::EMPTY), |newest| {
            (newest.checkpoint.size, newest.checkpoint.root)
        });
        if submission.old_size() != size {
            return Err(Refusal::Conflict(size));
        }
        if held.is_some() && checkpoint.size == size && checkpoint.root != root {
            return Err(Refusal::Fork(size));
        }
        if submission.check(root).is_err() {
            return Err(Refusal::Inconsistent);
        }
        let text = submission.note().text();
        let signature = self
            .key
            .sign(text, time)
            .map_err(|error| Refusal::Storage(error.to_string()))?;
        let note = with(submission.note(), &certified.log, &signature);
        let known = Known {
            certificates: entry.known.certificates.clone(),
            newest: Some(Newest::parse(note.as_bytes()).map_err(malformed)?),
        };
        match self.write(at, &known) {
            Ok(()) => {
                entry.known = known;
                Ok(signature)
            }
            Err(unwritten) => {
                if let Unwritten::Either(_) = unwritten {
                    entry.disk = Disk::Unsure;
                }
                Err(Refusal::Storage(io::Error::from(unwritten).to_string()))
            }
        }
    }

    /// The newest cosigned checkpoint of the store whose origin has this SHA-256.
    pub(crate) fn newest(&self, origin: Digest) -> Option<String> {
        let entry = self.entry(origin)?;
        let entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = entry.known.newest.as_ref()?;
        Some(newest.note.to_string())
    }

    /// Every store and how large its catalog was at the newest checkpoint, by their origins.
    pub(crate) fn sizes(&self) -> Vec<(Origin, u64)> {
        let all = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let size = |entry: &Arc<Mutex<Entry>>| {
            let entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
            let certified = entry.known.certificates.store().statement();
            (certified.origin.clone(), entry.known.size())
        };
        let mut sizes: Vec<_> = all.values().map(size).collect();
        sizes.sort_unstable();
        sizes
    }

    fn entry(&self, origin: Digest) -> Option<Arc<Mutex<Entry>>> {
        let all = self.known.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&origin).map(Arc::clone)
    }

    fn write(&self, origin: Digest, known: &Known) -> Result<(), Unwritten> {
        let path = self.origins.join(origin.to_string());
        durable::replace(&path, known.to_file().as_bytes(), Access::Everybody)
    }
}

/// The checkpoint with the signature of the log key, and ours. What else was sent along is not kept: anybody
/// may have put it there.
fn with(note: &Note, log: &VerifierKey, ours: &Signature) -> String {
    let of_log = |line: &&Signature| line.id() == log.id() && line.name() == log.name();
    let theirs = note.signatures().iter().filter(of_log);
    let lines = theirs.chain([ours]).map(|line| format!("{line}\n"));
    let lines: Vec<String> = lines.collect();
    format!("{}\n{}", note.text(), lines.concat())
}

fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join(LOCK);
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    let lock = options
        .open(&path)
        .map_err(|error| cannot("open", &path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            format!("another process runs the witness in {}", dir.display()),
            "two of them could cosign two histories: stop the other one, or give another folder",
        )),
        Err(TryLockError::Error(error)) => Err(cannot("lock", &path, &error)),
    }
}

fn read_known(origins: &Path) -> Result<BTreeMap<Digest, Arc<Mutex<Entry>>>, Failure> {
    let unread = |error| cannot("read", origins, &error);
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(origins).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(UNFINISHED) {
            continue; // What a crash left; the next write of this file replaces it.
        }
        let bytes = fs::read(&path).map_err(|error| cannot("read", &path, &error))?;
        let known = Known::parse(&bytes).and_then(|known| {
            let origin = &known.certificates.store().statement().origin;
            let at = Digest::of(origin.as_str().as_bytes());
            if at.to_string() == name {
                Ok((at, known))
            } else {
                Err(format!("it is of {origin}, which has another name"))
            }
        });
        let (at, known) = known.map_err(|reason| {
            Failure::new(
                format!("{} is damaged: {reason}", path.display()),
                "this witness cannot know what it cosigned: begin another one in another folder, with a new key",
            )
        })?;
        let disk = Disk::Same;
        all.insert(at, Arc::new(Mutex::new(Entry { known, disk })));
    }
    Ok(all)
}

/// The key of the folder; a new one only where there is nothing that another key cosigned.
fn key(dir: &Path, name: Option<&str>, is_new: bool) -> Result<CosigningKey, Failure> {
    let path = dir.join(KEY);
    if !path.exists() {
        if !is_new {
            return Err(Failure::new(
                format!(
                    "{} is missing, but there are stores that it cosigned",
                    path.display()
                ),
                "put the key back, or begin another witness in another folder",
            ));
        }
        let key = name
            .unwrap_or(NAME)
            .parse()
            .and_then(|name| SigningKey::generate(name, Algorithm::Ed25519));
        let key = key.map_err(|error| {
            Failure::new(
                error.to_string(),
                "give a name such as `witness.example/w1`",
            )
        })?;
        private_key::create(&path, &key)?;
    }
    let key = private_key::read(&path)?;
    let found = key.verifier().name().as_str().to_owned();
    if let Some(name) = name
        && name != found
    {
        return Err(Failure::new(
            format!("the key in {} is named {found}, not {name}", dir.display()),
            "leave --name out, or give another folder",
        ));
    }
    CosigningKey::new(key).map_err(|error| Failure::new(error.to_string(), "give another folder"))
}

/// Another key of the same name would be believed by those who know its vkey alone.
fn check_ours(
    known: &BTreeMap<Digest, Arc<Mutex<Entry>>>,
    key: &CosigningKey,
    dir: &Path,
) -> Result<(), Failure> {
    for entry in known.values() {
        let entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(newest) = &entry.known.newest else {
            continue;
        };
        if !matches!(key.witness().cosigned(&newest.note), Ok(Some(_))) {
            let origin = &newest.checkpoint.origin;
            let text = format!("the key in {} did not cosign {origin}", dir.display());
            let hint = "put back the key that did, or begin another witness in another folder";
            return Err(Failure::new(text, hint));
        }
    }
    Ok(())
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot {what} {}: {error}", path.display()),
        "a witness needs a folder of its own that it can write",
    )
}
