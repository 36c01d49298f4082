#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{collections::BTreeMap, path::Path};

use super::{certificate::Identity, found::Found, notes::read_notes};
use crate::{
    error::Error,
    layout::{EPOCHS, SEAL},
    seal::{
        merkle::TreeHash,
        note::VerifierKey,
        statement::{EpochNote, Signed},
    },
    verify::{report::Verdict, window::to_u64},
};

/// The epochs of a store, each with its first size and its key.
#[derive(Debug)]
pub(super) struct Epochs {
    /// By epoch: the size at which its key begins to sign.
    begins: Vec<u64>,
    /// Of the epochs that were asked for, and the newest.
    keys: BTreeMap<u64, VerifierKey>,
    /// What the notes sign, in the order of sizes.
    pub(super) roots: Vec<(u64, TreeHash)>,
    /// The size at which the newest epoch begins of those that there were before the checkpoints were
    /// looked at: there is a checkpoint of it.
    pub(super) begun: u64,
}

/// Of which epochs the keys are kept. A year has a hundred thousand, and few sign what is looked at.
#[derive(Clone, Debug)]
pub(super) enum Keep {
    All,
    /// Those that may have signed a checkpoint of one of these sizes, in order, or of one above the last.
    At(Vec<u64>),
}

impl Keep {
    fn wants(&self, begins: u64, ends: u64) -> bool {
        match self {
            Self::All => true,
            Self::At(sizes) => {
                let at = sizes.partition_point(|size| *size < begins);
                sizes.get(at).is_some_and(|size| *size <= ends)
                    || sizes.last().is_none_or(|last| ends >= *last)
            }
        }
    }
}

impl Epochs {
    /// Reads the notes, each of which must be signed by the key that the one before names. `looked` is how
    /// long their file was before the checkpoints were looked at.
    pub(super) fn read(
        store: &Path,
        identity: &Identity,
        keep: &Keep,
        looked: u64,
        found: &mut Found,
    ) -> Result<Self, Error> {
        let file = format!("{SEAL}/{EPOCHS}");
        let mut epochs = Self {
            begins: vec![0],
            keys: BTreeMap::new(),
            roots: Vec::new(),
            begun: 0,
        };
        let mut key = identity.epoch0.clone();
        let mut broken = false;
        let ended = read_notes(store, &file, None, |place, note| {
            if broken {
                return;
            }
            match epochs.next(identity, &key, note) {
                Ok(note) => {
                    let (epoch, begins) = epochs.newest();
                    if keep.wants(begins, note.size) {
                        epochs.keys.insert(epoch, key.clone());
                    }
                    key = note.key.clone();
                    epochs.begins.push(note.size);
                    if place.offset.saturating_add(place.length) <= looked {
                        epochs.begun = note.size;
                    }
                    if epochs.roots.last() != Some(&(note.size, note.root)) {
                        epochs.roots.push((note.size, note.root));
                    }
                }
                Err(why) => {
                    broken = true;
                    let detail = format!("{why}; later keys are not known");
                    found.at(Verdict::BadSignature, place, detail);
                }
            }
        })?;
        let (epoch, _) = epochs.newest();
        epochs.keys.insert(epoch, key);
        if let Some(place) = ended.and_then(|ended| ended.torn) {
            let detail = "bytes behind the last whole note, left by a crash or being written";
            found.at(Verdict::Torn, place, detail);
        }
        Ok(epochs)
    }

    fn next(
        &self,
        identity: &Identity,
        key: &VerifierKey,
        note: &[u8],
    ) -> Result<EpochNote, String> {
        let signed = Signed::<EpochNote>::parse(note).map_err(|error| error.to_string())?;
        let note = signed.statement();
        let (epoch, begins) = self.newest();
        let expected = epoch.saturating_add(1);
        if note.origin != identity.origin {
            return Err(format!("an epoch note of {}", note.origin));
        }
        if note.epoch != expected {
            return Err(format!(
                "the note of epoch {} stands where that of epoch {expected} should",
                note.epoch
            ));
        }
        signed.check(key).map_err(|error| error.to_string())?;
        if note.size < begins {
            return Err(format!(
                "epoch {} begins at size {}, before the one before it",
                note.epoch, note.size
            ));
        }
        Ok(note.clone())
    }

    /// The newest epoch, and the size at which it begins.
    pub(super) fn newest(&self) -> (u64, u64) {
        let epoch = to_u64(self.begins.len()).saturating_sub(1);
        (epoch, self.begins.last().copied().unwrap_or(0))
    }

    /// Within which sizes an epoch's key signs; the last one has no end yet.
    pub(super) fn range(&self, epoch: u64) -> Option<(u64, Option<u64>)> {
        let at = usize::try_from(epoch).ok()?;
        let begins = self.begins.get(at)?;
        Some((*begins, self.begins.get(at.checked_add(1)?).copied()))
    }

    pub(super) fn key(&self, epoch: u64) -> Option<&VerifierKey> {
        self.keys.get(&epoch)
    }
}
