//! The ledger, open for writing. Commands take turns: each has it for some records at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use compliance_log::{
    Commit, ComplianceLog, Receipt, Seal, StartFailure, context::AuditContext, seal::Origin,
};

use super::actor;
use crate::{failure::Failure, printer::hint, sealed::SealedStore, source};

/// The service of a ledger.
pub(crate) const SERVICE: &str = "compliance-log";
/// Held while a command writes.
const TURN: &str = ".turn";
const WAIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(20);
/// Records of the ledger are few; each session ends with a checkpoint anyway.
const HEARTBEAT: Duration = Duration::from_secs(3_600);

/// The ledger, open until it is closed.
pub(crate) struct Session {
    log: ComplianceLog,
    context: AuditContext,
    dir: PathBuf,
    // Until the log is closed.
    _turn: File,
}

impl Session {
    /// Waits for its turn, and continues the newest store of the ledger.
    ///
    /// # Errors
    ///
    /// A folder that is no ledger, cannot be written, or is in use for longer than 10 s.
    pub(crate) fn open(dir: &Path) -> Result<Self, Failure> {
        let turn = turn(dir)?;
        let Some((store, origin)) = newest(dir) else {
            return Err(Failure::new(
                format!("{} is no ledger", dir.display()),
                "`compliance-log ledger init` makes one",
            ));
        };
        let [domain, _, instance, _] = origin.parts();
        let session = Self::start(dir, domain, Some(instance), turn)?;
        let new = session.log.store().filter(|path| !same(path, &store));
        if let Some(new) = new {
            hint(format!(
                "the ledger could not go on in {}: it goes on in {}, which has to be certified like the first",
                store.display(),
                new.display()
            ));
        }
        Ok(session)
    }

    fn start(
        dir: &Path,
        domain: &str,
        instance: Option<&str>,
        turn: File,
    ) -> Result<Self, Failure> {
        let seal = Seal::default()
            .domain(domain)
            .heartbeat(HEARTBEAT)
            .certified_outside();
        let builder = ComplianceLog::builder(SERVICE)
            .env("prod")
            .dir(dir)
            .on_start_failure(StartFailure::Refuse)
            .service_version(env!("CARGO_PKG_VERSION"))
            .seal(seal);
        let builder = match instance {
            Some(instance) => builder.instance(instance),
            None => builder,
        };
        let log = builder.open().map_err(|error| failed(dir, &error))?;
        let actor = actor::name();
        let context = AuditContext::job("operator")
            .tenant("none")
            .actor(actor.as_str())
            .build();
        Ok(Self {
            log,
            context,
            dir: dir.to_owned(),
            _turn: turn,
        })
    }

    /// Records an event; it is on disk when this returns.
    ///
    /// # Errors
    ///
    /// A disk that is full or fails.
    pub(crate) fn record(&self, event: impl FnOnce() -> Commit) -> Result<Receipt, Failure> {
        let commit = || event().wait();
        let done = self
            .log
            .handle()
            .scope_sync(|| self.context.scope_sync(commit));
        done.map_err(|error| failed(&self.dir, &error))
    }

    /// Seals what was recorded.
    ///
    /// # Errors
    ///
    /// What could not be sealed.
    pub(crate) fn close(self) -> Result<(), Failure> {
        let done = self.log.shutdown();
        done.map(drop).map_err(|error| failed(&self.dir, &error))
    }
}

/// Makes a ledger, and tells its first store.
///
/// # Errors
///
/// A folder that is one already, or cannot be made.
pub(crate) fn begin(dir: &Path, domain: &str) -> Result<PathBuf, Failure> {
    fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let turn = turn(dir)?;
    if let Some((store, _)) = newest(dir) {
        return Err(Failure::new(
            format!("{} is a ledger already: {}", dir.display(), store.display()),
            "nothing was changed; `compliance-log keys request` prints what is to be certified",
        ));
    }
    let session = Session::start(dir, domain, None, turn)?;
    let store = session.log.store().map(Path::to_owned);
    session.close()?;
    store.ok_or_else(|| failed(dir, &"no store was made"))
}

fn turn(dir: &Path) -> Result<File, Failure> {
    let path = dir.join(TURN);
    let mut options = OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).mode(0o600);
    let file = opened.open(&path).map_err(|error| failed(dir, &error))?;
    let until = Instant::now() + WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(STEP),
            Err(TryLockError::WouldBlock) => {
                let text = format!("the ledger {} is in use by another command", dir.display());
                return Err(Failure::new(text, "nothing was done: try again"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(dir, &error)),
        }
    }
}

/// The newest of its stores.
fn newest(dir: &Path) -> Option<(PathBuf, Origin)> {
    if !dir.is_dir() {
        return None;
    }
    let mut newest: Option<(Option<std::time::SystemTime>, PathBuf, Origin)> = None;
    for path in source::stores(dir).unwrap_or_default() {
        let Ok(origin) = SealedStore::open(&path).and_then(|store| store.origin()) else {
            continue;
        };
        if origin.parts()[1] != SERVICE {
            continue;
        }
        let made = fs::metadata(path.join("streams")).and_then(|streams| streams.created());
        let made = made.ok();
        if newest.as_ref().is_none_or(|(at, ..)| made > *at) {
            newest = Some((made, path, origin));
        }
    }
    newest.map(|(_, path, origin)| (path, origin))
}

fn same(one: &Path, two: &Path) -> bool {
    let whole = |path: &Path| fs::canonicalize(path).ok();
    whole(one).is_some() && whole(one) == whole(two)
}

fn failed(dir: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        format!("cannot record in the ledger {}: {error}", dir.display()),
        "what cannot be recorded is not done; --record and COMPLIANCE_LOG_LEDGER name the ledger",
    )
}
