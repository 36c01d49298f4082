//! What somebody else did to the files of an open store.

use std::path::Path;

use super::fs::{Fs, Seen};

/// A file or folder of the store that is no longer what the log has open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Altered {
    /// Relative to the store's folder; empty for that folder itself.
    pub(crate) file: String,
    pub(crate) how: How,
    /// The first and the last of the records that were durable in it and are in no other file.
    pub(crate) records: Option<(u64, u64)>,
}

impl Altered {
    /// Whether records that were durable are in no file any more.
    pub(crate) fn has_lost(&self) -> bool {
        self.records.is_some() || self.how == How::Cut
    }
}

/// What is the matter with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Nothing has its name.
    Removed,
    /// Something else has its name.
    Replaced,
    /// It is shorter than what was written to it.
    Cut,
}

impl How {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::Cut => "cut",
        }
    }

    /// Compares what is open with what its name leads to. What cannot be looked at now is not said to
    /// be altered.
    pub(super) fn of(fs: &dyn Fs, path: &Path, open: Option<Seen>, len: u64) -> Option<Self> {
        let open = open?;
        match fs.seen(path).ok()? {
            None => Some(Self::Removed),
            Some(there) if there.id != open.id => Some(Self::Replaced),
            Some(there) if there.len < len => Some(Self::Cut),
            Some(_) => None,
        }
    }
}
