use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use compliance_log::{
    chain::Digest,
    seal::{
        Origin, Submission,
        merkle::TreeHash,
        note::{CosigningKey, Note, Signature, VerifierKey},
        statement::Certificates,
    },
};

use super::{
    folder::Folder,
    known::{Known, Newest},
};
use crate::{durable::Unwritten, failure::Failure};

/// What a witness decides, by what its folder holds. It may be asked on any thread.
#[derive(Debug)]
pub(crate) struct Registry {
    folder: Folder,
    roots: Vec<VerifierKey>,
    known: RwLock<BTreeMap<Digest, Arc<Mutex<Entry>>>>,
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
        let (folder, known) = Folder::open(dir, name)?;
        let entries = known.into_iter().map(|(at, known)| (at, Entry::of(known)));
        Ok(Self {
            folder,
            roots,
            known: RwLock::new(entries.collect()),
        })
    }

    /// What it signs with.
    pub(crate) fn key(&self) -> &CosigningKey {
        &self.folder.key
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
        self.folder
            .write(at, &known)
            .map_err(|unwritten| Refusal::Storage(io::Error::from(unwritten).to_string()))?;
        all.insert(at, Entry::of(known));
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
            .key()
            .sign(text, time)
            .map_err(|error| Refusal::Storage(error.to_string()))?;
        let note = with(submission.note(), &certified.log, &signature);
        let known = Known {
            certificates: entry.known.certificates.clone(),
            newest: Some(Newest::parse(note.as_bytes()).map_err(malformed)?),
        };
        match self.folder.write(at, &known) {
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
}

impl Entry {
    fn of(known: Known) -> Arc<Mutex<Self>> {
        let disk = Disk::Same;
        Arc::new(Mutex::new(Self { known, disk }))
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
