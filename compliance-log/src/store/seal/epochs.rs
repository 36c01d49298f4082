//! The epochs of a store: how the next key takes the place of the one that signs.

use std::time::Duration;

use super::{note_log::NoteLog, sealer::Sealer};
use crate::{
    error::Error,
    lifecycle::Ratchet,
    seal::statement::{EpochNote, Signed},
};

/// The epoch notes, and how far a ratchet came.
#[derive(Debug)]
pub(super) struct Epochs {
    notes: NoteLog,
    /// The size in the newest note.
    size: u64,
    /// When the epoch began, by the clock that goes on while the machine sleeps.
    since: Duration,
    /// The note of a ratchet that was begun, and why it was.
    turning: Option<(String, Ratchet)>,
    /// The keys that count are not those that are kept.
    is_unsaved: bool,
}

impl Epochs {
    pub(super) fn new(notes: NoteLog, size: u64, now: Duration) -> Self {
        Self {
            notes,
            size,
            since: now,
            turning: None,
            is_unsaved: false,
        }
    }

    pub(super) fn notes(&self) -> &NoteLog {
        &self.notes
    }

    /// The size in the newest note.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }
}

impl Sealer {
    /// The epoch's key certifies the next one for the tree as it is signed, and is erased.
    ///
    /// 1. next key kept                  crash: it is forgotten
    /// 2. note appended and synced       crash: the next start takes the next key into use
    /// 3. next key kept in its place
    pub(super) fn ratchet(&mut self, why: Ratchet) -> Result<(), Error> {
        // 1
        let next = self.keys.next()?;
        let (size, root) = self.keys.newest();
        let note = EpochNote::new(self.keys.origin().clone(), size, root, next)?;
        let note = Signed::sign(note, &[self.keys.epoch_key()])?;
        self.epochs.turning = Some((note.to_block(), why));
        self.finish_ratchet()
    }

    /// Goes on with a ratchet where it stopped, if it did.
    pub(super) fn finish_ratchet(&mut self) -> Result<(), Error> {
        let store = self.store.clone();
        let failed = |what: &str, error| {
            let text = format!("cannot write {what} of {}", store.display());
            Error::io(text, error)
        };
        // 2
        if let Some((note, why)) = &self.epochs.turning {
            self.epochs
                .notes
                .append(note)
                .map_err(|error| failed("the epoch notes", error))?;
            let why = *why;
            self.epochs.turning = None;
            self.epochs.since = self.now();
            self.epochs.size = self.keys.newest().0;
            self.epochs.is_unsaved = true;
            self.keys.turn();
            let (epoch, key) = (self.keys.epoch(), self.keys.key().clone());
            self.tell(|scribe, up| scribe.epoch_fact(up, epoch, &key, why));
        }
        // 3
        if self.epochs.is_unsaved {
            self.keys
                .save()
                .map_err(|error| failed("the keys", error))?;
            self.epochs.is_unsaved = false;
        }
        Ok(())
    }
}
