use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use super::found::Found;
use crate::{
    event::AuditEvent,
    log::{Builder, ComplianceLog},
    pipeline::Handle,
    receipt::CommitErrorKind,
};

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
/// captured.assert_one::<UserLocked>().target("user/7");
/// ```
///
/// # Panics
///
/// If the log cannot be opened, which for a log in memory would be a defect.
pub fn capture() -> (ComplianceLog, Captured) {
    capture_with(|builder| builder)
}

/// [`capture`] with a builder that the test completes. One that is given a `dir` writes there, and
/// only prints into what is captured if `stdout` is switched on too.
///
/// # Panics
///
/// If the test's values are refused.
#[expect(
    clippy::expect_used,
    reason = "a test helper: the test is to stop here"
)]
pub fn capture_with(complete: impl FnOnce(Builder) -> Builder) -> (ComplianceLog, Captured) {
    let bytes = Bytes::default();
    let builder = ComplianceLog::builder("test-service")
        .env("test")
        .instance("test");
    let log = complete(builder)
        .out(Box::new(bytes.clone()))
        .open()
        .expect("the log opens in memory");
    let handle = log.handle();
    (log, Captured { bytes, handle })
}

/// What a captured log wrote, line by line. Still answers after the log was shut down.
#[derive(Clone, Debug)]
pub struct Captured {
    bytes: Bytes,
    handle: Handle,
}

impl Captured {
    /// Everything that was written, as it is, after all that is still queued.
    ///
    /// # Panics
    ///
    /// If the log cannot write, which for a log in memory would be a defect.
    pub fn text(&self) -> String {
        match self.handle.flush() {
            Err(error) if error.kind() != CommitErrorKind::Closed => {
                unwritten(&error);
            }
            _ => {}
        }
        let bytes = self.bytes.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Every record, in the order in which it was written.
    ///
    /// # Panics
    ///
    /// If a line is no JSON, which would be a defect.
    #[expect(
        clippy::expect_used,
        reason = "a test helper: the test is to stop here"
    )]
    pub fn records(&self) -> Vec<Found> {
        self.text()
            .lines()
            .map(|line| Found::of_line(line).expect("a record is JSON"))
            .collect()
    }

    /// The records of one event: also one that is no type of the service, such as `http.request`.
    ///
    /// # Panics
    ///
    /// As [`Captured::records`].
    pub fn named(&self, event: &str) -> Vec<Found> {
        let mut records = self.records();
        records.retain(|record| record["event"] == event);
        records
    }

    /// The records of one event type, in its version.
    ///
    /// # Panics
    ///
    /// As [`Captured::records`].
    pub fn all<E: AuditEvent>(&self) -> Vec<Found> {
        let mut records = self.named(E::META.name);
        records.retain(|record| record["event_version"] == E::META.version);
        records
    }
}

#[expect(clippy::panic, reason = "a test helper: the test is to stop here")]
#[track_caller]
fn unwritten(error: &crate::receipt::CommitError) {
    panic!("the captured log cannot write: {error}");
}

/// Where the log's standard output goes.
#[derive(Clone, Debug, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
