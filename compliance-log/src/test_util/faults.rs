use std::{io, path::PathBuf, sync::Arc};

use crate::{
    log::Builder,
    store::{DirAnchor, Fault, FaultFs},
};

/// A file system under a log that fails on demand.
#[derive(Clone, Debug, Default)]
pub struct Faults(FaultFs);

impl Faults {
    /// The operating system's file system, without faults yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a fault in force, in place of the one before.
    pub fn set(&self, fault: Fault) {
        self.0.set(Some(fault));
    }

    /// Lets everything succeed again.
    pub fn clear(&self) {
        self.0.set(None);
    }

    /// Calls of the file system since a fault was set last, or since the beginning.
    pub fn calls(&self) -> u64 {
        self.0.calls()
    }

    /// Appends that have not returned, because of [`Fault::Stall`] or [`Fault::Slow`].
    pub fn stalled(&self) -> u64 {
        self.0.stalled()
    }

    /// The power fails: no call succeeds from here on, and of what no sync covers, `keep` decides how
    /// much is left. It is asked for a number from 0 to its argument: of each file's bytes beyond the
    /// last sync, and of the changes of names since the last sync of their folder.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn power_off(&self, mut keep: impl FnMut(u64) -> u64) -> io::Result<()> {
        self.0.power_off(&mut keep)
    }

    /// Syncs of files that were asked for so far.
    pub fn syncs(&self) -> u64 {
        self.0.syncs()
    }

    /// An anchor on this file system, whatever the log itself is on.
    pub fn anchor(&self, dir: impl Into<PathBuf>) -> DirAnchor {
        DirAnchor::on(Arc::new(self.0.clone()), dir.into())
    }

    /// Puts the file system under a log.
    pub fn under(&self, builder: Builder) -> Builder {
        builder.fs(Arc::new(self.0.clone()))
    }
}
