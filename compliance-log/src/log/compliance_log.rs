use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{builder::Builder, policy_file::PolicyFile, watch::Watch};
use crate::{
    error::Error,
    loss::Ledger,
    pipeline::{Ending, Handle, Health, Worker},
    receipt::{Commit, CommitError},
    redact::Policy,
};

/// A log: owns the writer thread and the store's lock.
///
/// Not `Clone`; give [`ComplianceLog::handle`]s and layers away instead. They keep nothing open.
///
/// ```
/// use compliance_log::{ComplianceLog, audit_event, test_util};
///
/// #[audit_event(name = "booking.created", target = "booking/{booking_id}")]
/// struct BookingCreated {
///     booking_id: u64,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let log = ComplianceLog::builder("booking-api").env("test").dir(dir).open()?;
/// let receipt = test_util::within_sync(&log, || BookingCreated { booking_id: 17 }.commit().wait())?;
/// assert_eq!(receipt.stream().parts()[0], "booking-api");
/// log.shutdown()?;
/// # Ok(())
/// # }
/// ```
pub struct ComplianceLog {
    handle: Handle,
    store: Option<PathBuf>,
    warnings: Vec<String>,
    thread: Option<JoinHandle<Ending>>,
    /// Says that the thread ended, by going away.
    ended: Mutex<Receiver<()>>,
    /// Looks at the policy's file until the log ends.
    watch: Option<Watch>,
}

/// How a log ended that lost nothing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Closed;

/// What went wrong while a log ended.
#[non_exhaustive]
pub struct ShutdownError {
    /// Records that were lost while the log ended, or of whose loss no record tells.
    pub lost: u64,
    text: String,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ShutdownError {
    /// `main` shows this one, so it has the text too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShutdownError({} lost: {self})", self.lost)
    }
}

impl std::error::Error for ShutdownError {}

impl ComplianceLog {
    /// Describes the log of a service; `service` is `[A-Za-z0-9._-]{1,64}`.
    pub fn builder(service: &str) -> Builder {
        Builder::of_service(service)
    }

    /// Describes the log that a TOML file configures. A file that cannot be read leaves the
    /// defaults; the log then says so in its first record.
    pub fn from_file(path: impl AsRef<Path>) -> Builder {
        Builder::of_file(path.as_ref())
    }

    pub(super) fn start(
        handle: Handle,
        worker: Worker,
        warnings: Vec<String>,
    ) -> Result<Self, Error> {
        let store = worker.store().map(Path::to_path_buf);
        let (ends, ended) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("compliance-log".into())
            .spawn(move || {
                let _ends = ends;
                worker.run()
            })
            .map_err(|error| Error::io("cannot start the writer thread", error))?;
        Ok(Self {
            handle,
            store,
            warnings,
            thread: Some(thread),
            ended: Mutex::new(ended),
            watch: None,
        })
    }

    /// Takes what the file says into use whenever it changes.
    pub(super) fn watch(&mut self, file: PolicyFile) -> Result<(), Error> {
        self.watch = Some(file.watch(self.handle())?);
        Ok(())
    }

    /// Something to write with; keeps nothing open.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// A layer for any `tracing_subscriber` registry.
    ///
    /// ```
    /// use tracing_subscriber::layer::SubscriberExt as _;
    /// # use compliance_log::ComplianceLog;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path();
    /// let log = ComplianceLog::builder("booking-api").env("test").dir(dir).open()?;
    /// let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    /// tracing::subscriber::with_default(subscriber, || tracing::info!(cache = "offers", "cleared"));
    /// log.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tracing")]
    pub fn tracing_layer(&self) -> crate::layer::AuditTracing {
        crate::layer::AuditTracing::new(self.handle())
    }

    /// Whether records can be stored now.
    pub fn health(&self) -> Health {
        self.handle.health()
    }

    /// Why records cannot be stored now; see [`Handle::failure`].
    pub fn failure(&self) -> Option<std::sync::Arc<str>> {
        self.handle.failure()
    }

    /// What the configuration had to be warned of; the first `log.started` says it too.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The folder of the store that was opened at start, if one could be.
    pub fn store(&self) -> Option<&Path> {
        self.store.as_deref()
    }

    /// Blocks until every record that was queued before is durable, or was counted as lost.
    ///
    /// # Errors
    ///
    /// [`CommitError`] if the log was shut down or the store cannot be written now.
    pub fn flush(&self) -> Result<(), CommitError> {
        self.handle.flush()
    }

    /// Seals everything that was queued before, and gives the newest checkpoint: a signed note of a few
    /// lines. Whoever keeps it elsewhere finds every later change of what it covers. Blocks until the
    /// checkpoint is durable.
    ///
    /// ```
    /// use compliance_log::{ComplianceLog, Seal};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path().join("audit");
    /// let log = ComplianceLog::builder("booking-api").env("prod").dir(&dir).seal(Seal::default()).open()?;
    /// let checkpoint = log.checkpoint()?;
    /// assert!(checkpoint.starts_with("log.invalid/booking-api/"));
    /// log.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`](crate::ErrorKind::Seal) if the store is not sealed or cannot be written now;
    /// others if the checkpoint cannot be signed or stored.
    pub fn checkpoint(&self) -> Result<String, Error> {
        self.handle.checkpoint()
    }

    /// Seals everything that was queued before and has other keys sign from then on; those before are erased.
    /// That happens every [`Seal::epoch`](crate::Seal::epoch) without being asked for: ask where somebody may
    /// have seen the machine's memory or the folder of keys. Gives the first checkpoint of the next keys, and
    /// blocks until it is durable.
    ///
    /// The log's own key, by which witnesses know the store, stays.
    ///
    /// ```
    /// use compliance_log::{ComplianceLog, Seal};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path().join("audit");
    /// let log = ComplianceLog::builder("booking-api").env("prod").dir(&dir).seal(Seal::default()).open()?;
    /// let checkpoint = log.rotate_keys()?;
    /// assert!(checkpoint.contains("/e2 "));
    /// log.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`checkpoint`](Self::checkpoint). A change that was begun is completed with the next seal.
    pub fn rotate_keys(&self) -> Result<String, Error> {
        self.handle.rotate_keys()
    }

    /// Takes another redaction policy into use, for every record that is made from now on. The answer
    /// comes when `policy.changed` is durable; the document is kept in the store before.
    ///
    /// In the audit stream that record stands between those that were made under the policy before and those
    /// under this one; only commits that were waiting for room may follow it. An answer that the store cannot be
    /// written changes nothing: the policy counts all the same, and its record follows as soon as there
    /// is a store. Of several in the meantime only the last has a record; the documents of all are kept.
    ///
    /// ```
    /// use compliance_log::{ComplianceLog, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path();
    /// # let path = dir.join("redaction.toml");
    /// # std::fs::write(&path, Policy::builtin().document())?;
    /// let log = ComplianceLog::builder("booking-api").env("test").dir(dir).open()?;
    /// log.set_policy(Policy::from_file(&path)?).wait()?;
    /// log.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_policy(&self, policy: Policy) -> Commit {
        self.handle.set_policy(policy)
    }

    /// Waits up to two seconds for requests in flight to end, stores what is queued, makes all of it
    /// durable and ends the log. Every handle answers `Closed` from then on. Blocks, for ten seconds more
    /// where the disk does not return; shut the server down first.
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] if requests had not ended, if records were lost that no record of the log
    /// tells of, or if the end of a stream could not be made durable. In a process that was forked from
    /// the one that opened the log, always; nothing is ended then.
    pub fn shutdown(mut self) -> Result<Closed, ShutdownError> {
        self.close()
    }

    fn close(&mut self) -> Result<Closed, ShutdownError> {
        let Some(thread) = self.thread.take() else {
            return Ok(Closed);
        };
        if self.handle.check_process().is_err() {
            forget(thread);
            return Err(ShutdownError {
                lost: 0,
                text: "the log goes on in the process that this one was forked from".to_owned(),
            });
        }
        self.watch = None;
        let unfinished = self.handle.close(GRACE);
        if thread.thread().id() == thread::current().id() {
            return Err(ShutdownError {
                lost: unfinished,
                text: "the log's own thread cannot wait for itself; the log ends when it goes on"
                    .to_owned(),
            });
        }
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(END) == Err(RecvTimeoutError::Timeout) {
            return Err(ShutdownError {
                lost: unfinished,
                text: "the disk, or who reads standard output, does not return; records that were not \
                       acknowledged may be lost"
                    .to_owned(),
            });
        }
        let ending = thread.join().map_err(|_panic| ShutdownError {
            lost: 0,
            text: "the writer thread panicked; records that were not acknowledged may be lost"
                .to_owned(),
        })?;
        let untold = Ledger::total(&ending.untold);
        let mut said = Vec::new();
        if unfinished > 0 {
            said.push(format!(
                "{unfinished} records of requests that had not ended; log.gap tells of them"
            ));
        }
        if let Some(error) = &ending.error {
            said.push(error.to_string());
        }
        if untold > 0 {
            said.push(format!(
                "no record tells of these losses: {}",
                ending.untold
            ));
        }
        if said.is_empty() {
            return Ok(Closed);
        }
        Err(ShutdownError {
            lost: untold + unfinished,
            text: said.join("; "),
        })
    }
}

/// A fork has no such thread, and nothing to give back to the system for it.
#[expect(
    clippy::mem_forget,
    reason = "dropping it would detach a thread of another process"
)]
fn forget(thread: JoinHandle<Ending>) {
    std::mem::forget(thread);
}

/// How long the end of a log waits for requests in flight.
const GRACE: Duration = Duration::from_secs(2);
/// How long it then waits for the writer.
const END: Duration = Duration::from_secs(10);

impl Drop for ComplianceLog {
    /// As [`ComplianceLog::shutdown`], but errors can only be counted.
    fn drop(&mut self) {
        if self.close().is_err() {
            crate::metric::count("compliance_log_shutdown_errors");
        }
    }
}

impl fmt::Debug for ComplianceLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComplianceLog")
            .field("handle", &self.handle)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
