//! The head file: how far a stream was durable when last written.

use std::{io, path::Path};

use super::{
    altered::How,
    fs::{Access, Fs, StoreFile},
};
use crate::{
    layout::{self, SLOT_BYTES, Slot},
    metric,
};

/// Two slots, written in turn.
#[derive(Debug)]
pub(super) struct HeadFile {
    file: Box<dyn StoreFile>,
    next_slot: u64,
}

impl HeadFile {
    /// `open(O_CREAT)`; the folder is synced with the segments'.
    pub(super) fn open(fs: &dyn Fs, dir: &Path) -> io::Result<Self> {
        let file = fs.open(&dir.join(layout::HEAD), Access::Write)?;
        let mut bytes = [0; SLOT_BYTES];
        let first = file.read_at(&mut bytes, 0)?;
        let first = Slot::decode(&bytes[..first]);
        let second = file.read_at(&mut bytes, SLOT_BYTES as u64)?;
        let second = Slot::decode(&bytes[..second]);
        let older_is_second = first.map(|slot| slot.last_seq) > second.map(|slot| slot.last_seq);
        Ok(Self {
            file,
            next_slot: u64::from(older_is_second),
        })
    }

    /// `pwrite` of the older slot. A failure leaves the newer one, which lags, and this one's turn.
    pub(super) fn write(&mut self, slot: &Slot) {
        if self
            .file
            .write_at(&slot.encode(), self.next_slot * SLOT_BYTES as u64)
            .is_err()
        {
            metric::count("compliance_log_write_errors");
            return;
        }
        self.next_slot ^= 1;
    }

    /// `fstat` of the open file, `lstat` of its name.
    pub(super) fn altered(&self, fs: &dyn Fs, dir: &Path) -> Option<How> {
        How::of(fs, &dir.join(layout::HEAD), self.file.seen().ok()?, 0)
    }

    pub(super) fn sync(&mut self) {
        if self.file.sync_data().is_err() {
            metric::count("compliance_log_write_errors");
        }
    }
}
