use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::anchors::{Places, deadline};
use crate::{
    lifecycle::Cadence,
    seal::{Anchor, NO_DOMAIN, Origin, note::Algorithm},
};

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
    pub(super) anchors: Vec<Arc<dyn Anchor>>,
    pub(super) anchor_every: Duration,
    pub(super) quorum: usize,
    pub(super) exposure_max: Option<Duration>,
    /// The anchors once a log has them.
    pub(super) places: Places,
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
            anchors: Vec::new(),
            anchor_every: Duration::from_secs(10),
            quorum: 1,
            exposure_max: None,
            places: Places::default(),
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
    /// once the writer is down. Default: 10 s; at least 100 ms, at most 60 s, and never more than a
    /// [heartbeat](Self::heartbeat).
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

    /// Has checkpoints kept by an anchor, so that a store that was rolled back together with its keys, or
    /// that runs a second time elsewhere, is found; may be called again for others. Default: none.
    ///
    /// No record, seal or shutdown waits for an anchor, but the start and the end of a log for what it
    /// answers within its [deadline](Self::anchor_every).
    pub fn anchor(mut self, anchor: impl Anchor + 'static) -> Self {
        self.anchors.push(Arc::new(anchor));
        self
    }

    /// How often a checkpoint goes to the anchors while records are written, and the deadline within which
    /// each has to answer, though that is never less than 1 s nor more than 10 s. Default: 10 s; at least
    /// 100 ms, at most 10 minutes.
    pub fn anchor_every(mut self, every: Duration) -> Self {
        self.anchor_every = every.clamp(Duration::from_millis(100), Duration::from_secs(600));
        self
    }

    /// How many anchors must have a checkpoint before what it covers counts as anchored. Those to which the
    /// operator's command carries checkpoints count as well, once their receipts are here. Default: 1.
    pub fn quorum(mut self, anchors: usize) -> Self {
        self.quorum = anchors.max(1);
        self
    }

    /// For how long records may lie here that no quorum of anchors covers. Above that commits are refused,
    /// and the log is [degraded](crate::Health::Degraded), until the anchors have caught up; what nobody
    /// waits for is stored all the same. Default: for ever; at least a second.
    ///
    /// It has to be longer than a checkpoint is on its way: [`every`](Self::every) and
    /// [`anchor_every`](Self::anchor_every) together, and what the anchor takes.
    pub fn exposure_max(mut self, time: Duration) -> Self {
        self.exposure_max = Some(time.max(Duration::from_secs(1)));
        self
    }

    /// What the log knows of the machine, for a store on disk, and what it warns of.
    pub(crate) fn on_machine(
        mut self,
        machine_id: Option<String>,
        dir: &Path,
        root_key_file: PathBuf,
        warnings: &mut Vec<String>,
    ) -> Self {
        self.machine_id = machine_id;
        self.every = self.every.min(self.heartbeat);
        self.root_key_file = Some(root_key_file);
        self.places = Places::new(&self.anchors);
        if !self.places.is_empty() && self.places.len() < self.quorum {
            warnings.push(format!(
                "seal: {} anchors are to have a checkpoint, and only {} are set: the others have to be served by the operator's command",
                self.quorum,
                self.places.len()
            ));
        }
        warnings.extend(self.places.warnings(dir, self.deadline()));
        self
    }

    /// Within which time an anchor has to answer.
    pub(super) fn deadline(&self) -> Duration {
        deadline(self.anchor_every)
    }

    /// How often the writer seals.
    pub(super) fn cadence(&self) -> Cadence {
        Cadence {
            every: self.every,
            heartbeat: self.heartbeat,
            epoch: self.epoch,
        }
    }

    /// For how long records may be exposed.
    pub(crate) fn exposure_limit(&self) -> Option<Duration> {
        self.exposure_max
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
