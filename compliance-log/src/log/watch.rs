//! Files that are looked at now and then.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use crate::error::Error;

/// How often a file is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// A thread that looks at a file; it ends when this is dropped.
pub(super) struct Watch {
    _ends: Sender<()>,
}

/// What tells one state of a file from another. `None` where there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<[i64; 5]>);

impl Stamp {
    /// The state of the file at `path`, behind links.
    pub(super) fn of(path: &std::path::Path) -> Self {
        let stamp = fs::metadata(path).map(|meta| {
            [
                meta.ino().cast_signed(),
                meta.size().cast_signed(),
                meta.mtime(),
                meta.ctime(),
                meta.ctime_nsec(),
            ]
        });
        Self(stamp.ok())
    }
}

impl Watch {
    /// Calls `changed` whenever the file is no longer as `seen`, once it was left alone from one look to
    /// the next, so that none is read that is half written.
    pub(super) fn start(
        path: PathBuf,
        mut seen: Stamp,
        mut changed: impl FnMut() + Send + 'static,
    ) -> Result<Self, Error> {
        let (ends, end) = mpsc::channel::<()>();
        thread::Builder::new()
            .name("compliance-log-files".into())
            .spawn(move || {
                let mut last = seen;
                while end.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    let now = Stamp::of(&path);
                    if now != seen && now == last {
                        seen = now;
                        changed();
                    }
                    last = now;
                }
            })
            .map_err(|error| Error::io("cannot start a thread", error))?;
        Ok(Self { _ends: ends })
    }
}
