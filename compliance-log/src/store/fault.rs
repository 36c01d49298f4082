//! A file system that fails on demand, and that can lose its power.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::fs::{Access, DirLock, Fs, RealFs, Seen, Space, StoreFile};

/// Which calls fail, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The next `count` syncs of files fail with `EIO`; the bytes may or may not be there.
    Sync {
        /// How many of them.
        count: u64,
    },
    /// Every append fails with `ENOSPC` after half of its bytes, until the fault is cleared.
    NoSpace,
    /// Every append to a file in folders of this name and every sync of one fails, until the fault is
    /// cleared.
    In {
        /// Such as `audit` or `catalog`.
        folder: &'static str,
    },
    /// Appends do not return until the fault is cleared.
    Stall,
    /// Each append takes this much longer, until the fault is cleared.
    Slow {
        /// How much.
        by: Duration,
    },
    /// One call of any kind fails, `EIO` or for an append `ENOSPC`: of opening, reading, writing,
    /// cutting, renaming, listing, locking, syncing.
    Call {
        /// Which, counted from the moment in which the fault is set, from 0.
        number: u64,
        /// What it did all the same.
        effect: Effect,
    },
    /// The process ends in one call, counted as for `Call`: from there on every call fails.
    End {
        /// Which.
        number: u64,
        /// What it did of it.
        effect: Effect,
    },
    /// Every call fails, as if the process had ended.
    Off,
}

/// What a call did that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between")]
pub enum Effect {
    /// Nothing.
    None,
    /// An append wrote half of its bytes; other calls did nothing.
    Half,
    /// All of it: only the answer got lost.
    Whole,
}

/// The operating system's file system, with faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultFs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    fault: Option<Fault>,
    /// Calls that do not return.
    stalled: u64,
    /// Calls since the fault was set.
    calls: u64,
    /// Syncs of files that were asked for so far.
    syncs: u64,
    disk: Disk,
}

/// What a loss of power may take.
#[derive(Debug, Default)]
struct Disk {
    /// Every file that was opened for writing.
    files: Vec<Written>,
    /// Changes of names that no sync of their folder covers yet, in order.
    names: Vec<Change>,
}

#[derive(Debug)]
struct Written {
    /// Its name now.
    path: PathBuf,
    /// Bytes that a sync covers.
    synced: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Created(PathBuf),
    Renamed {
        from: PathBuf,
        to: PathBuf,
        /// What had that name before.
        over: Option<Vec<u8>>,
    },
}

impl Change {
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Created(path) | Self::Renamed { to: path, .. } => path.parent(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test takes back a rename")]
fn take_back(from: &Path, to: &Path, over: Option<&[u8]>) -> io::Result<()> {
    std::fs::rename(to, from)?;
    over.map_or(Ok(()), |over| std::fs::write(to, over))
}

/// What kind of call asks for its fate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Append,
    SyncFile,
    Other,
}

/// What becomes of a call.
enum Fate {
    Done,
    Fails(io::Error, Effect),
}

impl FaultFs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }

    pub(crate) fn set(&self, fault: Option<Fault>) {
        let mut state = self.state();
        state.fault = fault;
        state.calls = 0;
        self.0.changed.notify_all();
    }

    /// Calls since a fault was set last, or since the beginning.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Appends that wait for a fault to be over.
    pub(crate) fn stalled(&self) -> u64 {
        self.state().stalled
    }

    /// Syncs of files that were asked for so far.
    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// The power fails: no call succeeds from here on, and of what no sync covers, `keep` decides how
    /// much is left. It is asked for a number from 0 to its argument: of each file's bytes beyond the
    /// last sync, and of the changes of names since the last sync of their folder.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn power_off(&self, keep: &mut dyn FnMut(u64) -> u64) -> io::Result<()> {
        let mut state = self.state();
        state.fault = Some(Fault::Off);
        self.0.changed.notify_all();
        let disk = std::mem::take(&mut state.disk);
        let kept = usize::try_from(keep(disk.names.len() as u64)).unwrap_or(usize::MAX);
        for change in disk.names.iter().skip(kept).rev() {
            match change {
                Change::Created(path) if path.is_dir() => std::fs::remove_dir_all(path)?,
                Change::Created(path) if path.exists() => std::fs::remove_file(path)?,
                Change::Renamed { from, to, over } if to.exists() => {
                    take_back(from, to, over.as_deref())?;
                }
                Change::Created(_) | Change::Renamed { .. } => {}
            }
        }
        for Written { path, synced } in &disk.files {
            let Ok(file) = std::fs::OpenOptions::new().write(true).open(path) else {
                continue;
            };
            let unsynced = file.metadata()?.len().saturating_sub(*synced);
            file.set_len(synced + keep(unsynced).min(unsynced))?;
        }
        Ok(())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the disk answers nothing, or for as long as it is slow.
    fn wait<'s>(&'s self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        state.stalled += 1;
        let stalls = |state: &mut State| state.fault == Some(Fault::Stall);
        state = self
            .changed
            .wait_while(state, stalls)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(Fault::Slow { by }) = state.fault {
            let still_slow = |state: &mut State| matches!(state.fault, Some(Fault::Slow { .. }));
            state = self
                .changed
                .wait_timeout_while(state, by, still_slow)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.stalled -= 1;
        state
    }

    /// What becomes of a call that concerns a file.
    fn fate_of(&self, call: Call, file: &Path) -> Fate {
        let fate = self.fate(call);
        match self.state().fault {
            Some(Fault::In { folder }) if file.iter().any(|name| name == folder) => {
                Fate::Fails(io::ErrorKind::StorageFull.into(), Effect::None)
            }
            _ => fate,
        }
    }

    fn fate(&self, call: Call) -> Fate {
        let mut state = self.state();
        if call == Call::Append {
            state = self.wait(state);
        }
        let number = state.calls;
        state.calls += 1;
        if call == Call::SyncFile {
            state.syncs += 1;
        }
        let broken = || io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error());
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        match state.fault {
            Some(Fault::Off) => Fate::Fails(broken(), Effect::None),
            Some(Fault::NoSpace) if call == Call::Append => Fate::Fails(full(), Effect::Half),
            Some(Fault::Sync { count: 0 }) => {
                state.fault = None;
                Fate::Done
            }
            Some(Fault::Sync { count }) if call == Call::SyncFile => {
                state.fault = Some(Fault::Sync { count: count - 1 });
                Fate::Fails(broken(), Effect::None)
            }
            Some(Fault::Call {
                number: nth,
                effect,
            }) if nth == number => {
                let error = if call == Call::Append {
                    full()
                } else {
                    broken()
                };
                Fate::Fails(error, effect)
            }
            Some(Fault::End {
                number: nth,
                effect,
            }) if nth == number => {
                state.fault = Some(Fault::Off);
                Fate::Fails(broken(), effect)
            }
            _ => Fate::Done,
        }
    }

    /// Looks at what is there. Nothing that a store does depends on it alone, and it comes by the
    /// clock: it is not counted among the calls, and fails only without power.
    fn look<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.state().fault == Some(Fault::Off) {
            return Err(io::Error::from_raw_os_error(
                rustix::io::Errno::IO.raw_os_error(),
            ));
        }
        act()
    }

    /// Does `act`, or fails, or both.
    fn call<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.fate(Call::Other) {
            Fate::Done => act(),
            Fate::Fails(error, Effect::Whole) => act().and(Err(error)),
            Fate::Fails(error, Effect::None | Effect::Half) => Err(error),
        }
    }
}

impl Fs for FaultFs {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoreFile>> {
        let made = matches!(access, Access::Create | Access::Secret)
            || (access == Access::Write && !path.exists());
        let (file, written) = self.0.call(|| {
            let file = RealFs.open(path, access)?;
            let mut state = self.0.state();
            if made {
                let change = Change::Created(path.to_path_buf());
                state.disk.names.push(change);
            }
            let written = match access {
                Access::Read => None,
                _ => Some(state.disk.written(path, if made { 0 } else { file.len()? })),
            };
            Ok((file, written))
        })?;
        Ok(Box::new(FaultFile {
            file,
            path: path.to_path_buf(),
            written,
            shared: Arc::clone(&self.0),
        }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| {
            RealFs.create_dir(path)?;
            let change = Change::Created(path.to_path_buf());
            self.0.state().disk.names.push(change);
            Ok(())
        })
    }

    fn create_secret_dir(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| {
            RealFs.create_secret_dir(path)?;
            let change = Change::Created(path.to_path_buf());
            self.0.state().disk.names.push(change);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.call(|| {
            let over = to.is_file().then(|| std::fs::read(to)).transpose()?;
            RealFs.rename(from, to)?;
            let mut state = self.0.state();
            state.disk.moved(from, to);
            state.disk.names.push(Change::Renamed {
                from: from.to_path_buf(),
                to: to.to_path_buf(),
                over,
            });
            Ok(())
        })
    }

    fn remove_unfinished(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| RealFs.remove_unfinished(path))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| RealFs.remove_file(path))
    }

    fn lock_dir(&self, path: &Path) -> io::Result<Option<Box<dyn DirLock>>> {
        self.0.call(|| RealFs.lock_dir(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| {
            RealFs.sync_dir(path)?;
            let mut state = self.0.state();
            state
                .disk
                .names
                .retain(|change| change.folder() != Some(path));
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.0.call(|| RealFs.list(path))
    }

    fn make_read_only(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| RealFs.make_read_only(path))
    }

    fn seen(&self, path: &Path) -> io::Result<Option<Seen>> {
        self.0.look(|| RealFs.seen(path))
    }

    fn bytes_in(&self, folder: &Path) -> io::Result<u64> {
        self.0.look(|| RealFs.bytes_in(folder))
    }

    fn space(&self, path: &Path) -> io::Result<Option<Space>> {
        self.0.look(|| RealFs.space(path))
    }
}

impl Disk {
    /// The place of a file in the list.
    fn written(&mut self, path: &Path, synced: u64) -> usize {
        if let Some(known) = self.files.iter().position(|file| file.path == path) {
            return known;
        }
        self.files.push(Written {
            path: path.to_path_buf(),
            synced,
        });
        self.files.len() - 1
    }

    fn synced(&mut self, written: Option<usize>) -> Option<&mut u64> {
        Some(&mut self.files.get_mut(written?)?.synced)
    }

    /// A file, or a folder with all that is in it, has another name now.
    fn moved(&mut self, from: &Path, to: &Path) {
        // What had that name is a file without one.
        for file in self.files.iter_mut().filter(|file| file.path == to) {
            file.path = PathBuf::new();
        }
        for file in &mut self.files {
            if let Ok(rest) = file.path.strip_prefix(from) {
                let rest = rest.to_path_buf();
                file.path = to.to_path_buf();
                if !rest.as_os_str().is_empty() {
                    file.path.push(rest);
                }
            }
        }
    }
}

#[derive(Debug)]
struct FaultFile {
    file: Box<dyn StoreFile>,
    /// Where it was when it was opened.
    path: PathBuf,
    /// Its place among the files that were opened for writing.
    written: Option<usize>,
    shared: Arc<Shared>,
}

impl StoreFile for FaultFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.shared.fate_of(Call::Append, &self.path) {
            Fate::Done => self.file.append(bytes),
            Fate::Fails(error, effect) => {
                let written = match effect {
                    Effect::None => 0,
                    Effect::Half => bytes.len() / 2,
                    Effect::Whole => bytes.len(),
                };
                self.file.append(&bytes[..written])?;
                Err(error)
            }
        }
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.shared.call(|| self.file.write_at(bytes, offset))
    }

    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        self.shared.call(|| self.file.read_at(out, offset))
    }

    fn len(&self) -> io::Result<u64> {
        self.shared.call(|| self.file.len())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.shared.call(|| {
            self.file.set_len(len)?;
            if let Some(synced) = self.shared.state().disk.synced(self.written) {
                *synced = len.min(*synced);
            }
            Ok(())
        })
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let fate = self.shared.fate_of(Call::SyncFile, &self.path);
        if let Fate::Fails(error, Effect::None | Effect::Half) = fate {
            return Err(error);
        }
        self.file.sync_data()?;
        let len = self.file.len()?;
        if let Some(synced) = self.shared.state().disk.synced(self.written) {
            *synced = len;
        }
        match fate {
            Fate::Done => Ok(()),
            Fate::Fails(error, _) => Err(error),
        }
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.shared.call(|| self.file.try_lock())
    }

    fn seen(&self) -> io::Result<Option<Seen>> {
        self.shared.look(|| self.file.seen())
    }
}
