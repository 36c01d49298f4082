//! For tests: scopes without globals, a log in memory, a file system that fails on demand.

use std::{
    future::Future,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    current::Scoped,
    log::{Builder, ComplianceLog},
    store::FaultFs,
};

pub use crate::{
    clock::ManualClock,
    store::{Effect, Fault},
};

/// Runs `future` with `log` as the log of everything in it.
pub fn within<F: Future>(log: &ComplianceLog, future: F) -> Scoped<F> {
    log.handle().scope(future)
}

/// Runs `f` with `log` as the log of everything in it.
pub fn within_sync<R>(log: &ComplianceLog, f: impl FnOnce() -> R) -> R {
    log.handle().scope_sync(f)
}

/// A log that is kept in memory, and what it wrote.
///
/// ```
/// use compliance_log::{audit_event, test_util};
///
/// #[audit_event(name = "user.locked", category = "admin", target = "user/{user}")]
/// struct UserLocked {
///     user: u32,
/// }
///
/// let (log, captured) = test_util::capture();
/// test_util::within_sync(&log, || UserLocked { user: 7 }.emit()).unwrap();
/// let records = captured.of(&log, "user.locked");
/// assert_eq!(records[0]["target_resource"], "user/7");
/// ```
///
/// # Panics
///
/// If the log cannot be opened, which for a log in memory would be a defect.
pub fn capture() -> (ComplianceLog, Captured) {
    capture_with(|builder| builder)
}

/// [`capture`] with a builder that the test completes.
///
/// # Panics
///
/// If the test's values are refused.
#[expect(
    clippy::expect_used,
    reason = "a test helper: the test is to stop here"
)]
pub fn capture_with(complete: impl FnOnce(Builder) -> Builder) -> (ComplianceLog, Captured) {
    let captured = Captured::default();
    let builder = ComplianceLog::builder("test-service")
        .env("test")
        .instance("test");
    let log = complete(builder)
        .out(Box::new(captured.clone()))
        .open()
        .expect("the log opens in memory");
    (log, captured)
}

/// What a captured log wrote, line by line.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was written so far, as it is.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// All records so far, after those that are still queued in `log`.
    ///
    /// # Panics
    ///
    /// If a line is no JSON, which would be a defect.
    #[expect(
        clippy::expect_used,
        reason = "a test helper: the test is to stop here"
    )]
    pub fn records(&self, log: &ComplianceLog) -> Vec<serde_json::Value> {
        log.flush().expect("the log takes a flush");
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).expect("a record is JSON"))
            .collect()
    }

    /// The records of one event.
    ///
    /// # Panics
    ///
    /// As [`Captured::records`].
    pub fn of(&self, log: &ComplianceLog, event: &str) -> Vec<serde_json::Value> {
        let mut records = self.records(log);
        records.retain(|record| record["event"] == event);
        records
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

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

    /// Puts the file system under a log.
    pub fn under(&self, builder: Builder) -> Builder {
        builder.fs(Arc::new(self.0.clone()))
    }
}
