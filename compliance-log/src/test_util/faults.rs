use std::sync::Arc;

use crate::{
    log::Builder,
    store::{Fault, FaultFs},
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

    /// Syncs of files that were asked for so far.
    pub fn syncs(&self) -> u64 {
        self.0.syncs()
    }

    /// Puts the file system under a log.
    pub fn under(&self, builder: Builder) -> Builder {
        builder.fs(Arc::new(self.0.clone()))
    }
}
