use std::{path::PathBuf, time::Duration};

use crate::seal::{NO_DOMAIN, Origin, note::Algorithm};

/// How a log seals its store, so that its past cannot be written anew: see [`seal`](crate::seal).
///
/// ```
/// use std::time::Duration;
///
/// use compliance_log::{ComplianceLog, Seal};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("audit");
/// let log = ComplianceLog::builder("booking-api")
///     .env("prod")
///     .dir(&dir)
///     .seal(Seal::default().domain("log.example").every(Duration::from_secs(5)))
///     .open()?;
/// log.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Seal {
    pub(super) domain: String,
    pub(super) algorithm: Algorithm,
    pub(super) every: Duration,
    pub(super) heartbeat: Duration,
    pub(super) epoch: Duration,
    pub(super) keys: KeyPlace,
    pub(super) root: Root,
    pub(super) machine_id: Option<String>,
    pub(super) root_key_file: Option<PathBuf>,
}

/// Where the signing keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyPlace {
    Folder,
    Memory,
}

/// Who certifies the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// A key that is made for it and erased at once.
    Own,
    /// Somebody else, later.
    Outside,
}

impl Default for Seal {
    fn default() -> Self {
        Self {
            domain: NO_DOMAIN.to_owned(),
            algorithm: Algorithm::Ed25519,
            every: Duration::from_secs(10),
            heartbeat: Duration::from_secs(300),
            epoch: Duration::from_secs(300),
            keys: KeyPlace::Folder,
            root: Root::Own,
            machine_id: None,
            root_key_file: None,
        }
    }
}

impl Seal {
    /// The first name of the store's origin, `<domain>/<service>/<instance>/<incarnation>`, by which
    /// witnesses know it: a host name in lower case. Default: `log.invalid`.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self
    }

    /// How keys sign. Default: Ed25519, which public witnesses expect.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// How often a checkpoint is signed while records are written. What is younger can be changed unseen
    /// once the writer is down. Default: 10 s; at least 100 ms, at most 60 s.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.clamp(Duration::from_millis(100), Duration::from_secs(60));
        self
    }

    /// How often one is signed while nothing is written, so that silence shows. Default: 300 s; at least
    /// 10 s, at most an hour.
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat.clamp(Duration::from_secs(10), Duration::from_secs(3600));
        self
    }

    /// How long a key signs before the next one takes its place and it is erased. Whoever steals the
    /// machine's state can change nothing that was sealed before that. Default: 300 s; at least 60 s, at
    /// most 15 minutes.
    pub fn epoch(mut self, epoch: Duration) -> Self {
        self.epoch = epoch.clamp(Duration::from_secs(60), Duration::from_secs(900));
        self
    }

    /// Keeps the keys in memory alone, for pods whose volume others can read. Each start is then a new
    /// incarnation of the store. Default: in `<store>.keys`, for this account alone.
    pub fn keys_in_memory(mut self) -> Self {
        self.keys = KeyPlace::Memory;
        self
    }

    /// Has the store certified by a root or an issuer of yours, by `compliance-log keys request` and
    /// `certify`; until then it is uncertified. Default: a root key of its own, whose private half is
    /// erased at birth. Its public half is added to `<dir>.root.vkey`: copy it off the machine, since
    /// whoever can replace both the store and that file can replace the history.
    pub fn certified_outside(mut self) -> Self {
        self.root = Root::Outside;
        self
    }

    /// What the log knows of the machine, for a store on disk.
    pub(crate) fn on_machine(mut self, machine_id: Option<String>, root_key_file: PathBuf) -> Self {
        self.machine_id = machine_id;
        self.root_key_file = Some(root_key_file);
        self
    }

    /// The domain that was set, for a check before anything is opened.
    pub(crate) fn domain_name(&self) -> &str {
        &self.domain
    }

    pub(super) fn origin(
        &self,
        service: &str,
        instance: &str,
        incarnation: &str,
    ) -> Result<Origin, crate::Error> {
        Origin::new(&self.domain, service, instance, incarnation)
    }
}
