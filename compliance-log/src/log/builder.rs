use std::{
    collections::BTreeMap,
    fmt,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{compliance_log::ComplianceLog, config::Config};
use crate::{
    chain::{LINE_BYTES_MAX, check_name},
    clock::{Clock, SystemClock},
    current,
    error::{Error, ErrorKind},
    event::{self, Category, Level},
    lifecycle::{Origin, Scribe},
    loss::{OnFailure, OnFailures},
    pipeline::{Handle, KeyWatch, Mode, Opener, Plan, Printer, Worker},
    pseudonym::{KeyFile, PseudonymKeys},
    redact::Policy,
    schema::Service,
    store::{self, Fs, PrintFs, RealFs, Settings},
    volume::{Rules, Volume},
};

/// What to do when the store cannot be opened at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartFailure {
    /// Start all the same: audited operations are refused, the rest is counted, and opening is
    /// retried every second. The default.
    Degrade,
    /// Return the error. Right for tests and CI.
    Refuse,
}

/// Describes a log before it is opened.
///
/// Values given in code win over those of a configuration file.
#[must_use = "nothing is opened until `open` or `init`"]
pub struct Builder {
    config: Config,
    warnings: Vec<String>,
    /// A configuration file could not be read, so nobody knows what it says.
    unreadable: bool,
    policy: Option<Policy>,
    pseudonym_keys: Option<Arc<dyn PseudonymKeys>>,
    on_start_failure: Option<StartFailure>,
    app_level: Option<Level>,
    volumes: BTreeMap<String, Volume>,
    on_failure: BTreeMap<Category, OnFailure>,
    clock: Arc<dyn Clock>,
    fs: Arc<dyn Fs>,
    out: Option<Box<dyn Write + Send>>,
}

impl Builder {
    pub(super) fn new(config: Config, warnings: Vec<String>) -> Self {
        Self {
            config,
            warnings,
            unreadable: false,
            policy: None,
            pseudonym_keys: None,
            on_start_failure: None,
            app_level: None,
            volumes: BTreeMap::new(),
            on_failure: BTreeMap::new(),
            clock: Arc::new(SystemClock::new()),
            fs: Arc::new(RealFs),
            out: None,
        }
    }

    pub(super) fn of_service(service: &str) -> Self {
        Self::new(
            Config {
                service: Some(service.to_owned()),
                ..Config::default()
            },
            Vec::new(),
        )
    }

    /// A file that cannot be read or understood leaves the defaults and is warned of: a service
    /// never fails to start for its log's configuration.
    pub(super) fn of_file(path: &Path) -> Self {
        match Config::read(path) {
            Ok((config, warnings)) => Self::new(config, warnings),
            Err(error) => Self {
                unreadable: true,
                ..Self::new(Config::default(), vec![format!("{error}; defaults stand")])
            },
        }
    }

    /// Adds what a TOML file says about keys that were not set in code before.
    pub fn config_file(mut self, path: impl AsRef<Path>) -> Self {
        let Self {
            config: file,
            warnings,
            unreadable,
            ..
        } = Self::of_file(path.as_ref());
        let own = self.config;
        self.config = Config {
            service: own.service.or(file.service),
            instance: own.instance.or(file.instance),
            env: own.env.or(file.env),
            dir: own.dir.or(file.dir),
            stdout: own.stdout.or(file.stdout),
            cluster: own.cluster.or(file.cluster),
            region: own.region.or(file.region),
            service_version: own.service_version.or(file.service_version),
            app_level: own.app_level.or(file.app_level),
            on_start_failure: own.on_start_failure.or(file.on_start_failure),
            segment_bytes_max: own.segment_bytes_max.or(file.segment_bytes_max),
            segment_age_max_s: own.segment_age_max_s.or(file.segment_age_max_s),
            sync_after_ms: own.sync_after_ms.or(file.sync_after_ms),
            queue_bytes_max: own.queue_bytes_max.or(file.queue_bytes_max),
            max_bytes: own.max_bytes.or(file.max_bytes),
            mode: own.mode.or(file.mode),
            on_failure: own.on_failure.or(file.on_failure),
            volume: own.volume.or(file.volume),
            pseudonym: own.pseudonym.or(file.pseudonym),
        };
        self.warnings.extend(warnings);
        self.unreadable |= unreadable;
        self
    }

    /// The environment, for example `prod`. Default: `dev`, which also changes what [`Builder::dir`]
    /// and [`Builder::stdout`] are where nothing is set.
    pub fn env(mut self, env: impl Into<String>) -> Self {
        self.config.env = Some(env.into());
        self
    }

    /// What tells this writer apart from others of its service, for example the pod's name.
    /// Default: the host name.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.config.instance = Some(instance.into());
        self
    }

    /// The folder that holds the stores. It is made if it is missing. Default: `target/compliance-log`
    /// where the environment is `dev`; elsewhere none, and records go to standard output alone.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.config.dir = Some(dir.into());
        self
    }

    /// Whether each stored line is printed on standard output as well, as it is. Default: only where
    /// the environment is `dev`. Lines are then at most 15,360 bytes, because container runtimes split longer ones.
    ///
    /// Without a folder it is the only sink, and a receipt says only that the line was printed.
    pub fn stdout(mut self, stdout: bool) -> Self {
        self.config.stdout = Some(stdout);
        self
    }

    /// The cluster, stated once in each stream.
    pub fn cluster(mut self, cluster: impl Into<String>) -> Self {
        self.config.cluster = Some(cluster.into());
        self
    }

    /// The region, stated once in each stream.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.config.region = Some(region.into());
        self
    }

    /// The version of the service, stated once in each stream.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.config.service_version = Some(version.into());
        self
    }

    /// The least severe level of ordinary `tracing` events that are stored. Default: INFO. Typed
    /// events are always stored.
    pub fn app_level(mut self, level: Level) -> Self {
        self.app_level = Some(level);
        self
    }

    /// How many records of an event (`cache.hit`; `log` for `tracing` events without a name) or of a
    /// route (`GET /health`) are written one by one. A route comes before its event `http.request`.
    /// Default: [`Volume::Each`], and what a route itself asks for. One that would leave out records
    /// of the categories audit, security or admin is warned of and has no effect.
    pub fn volume(mut self, of: impl Into<String>, volume: Volume) -> Self {
        self.volumes.insert(of.into(), volume);
        self
    }

    /// What to do when the store cannot be opened. Default: [`StartFailure::Degrade`].
    pub fn on_start_failure(mut self, what: StartFailure) -> Self {
        self.on_start_failure = Some(what);
        self
    }

    /// What becomes of records of a category that find no room or no store; see [`OnFailure`] for the
    /// defaults. [`OnFailure::DropAndCount`] for another category than access and app is warned of and
    /// has no effect.
    pub fn on_failure(mut self, category: Category, policy: OnFailure) -> Self {
        self.on_failure.insert(category, policy);
        self
    }

    /// What becomes of requests that cannot be recorded, or that lack a tenant. Default:
    /// [`Mode::Enforce`].
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = Some(mode);
        self
    }

    /// Bytes beyond which a segment ends. Default: 64 MiB; at least 64 KiB.
    pub fn segment_bytes_max(mut self, bytes: u64) -> Self {
        self.config.segment_bytes_max = Some(bytes);
        self
    }

    /// Age at which a segment ends. Default: 24 hours; at least one second.
    pub fn segment_age_max(mut self, age: Duration) -> Self {
        self.config.segment_age_max_s = Some(age.as_secs());
        self
    }

    /// Longest time that a record which nobody waits for stays unsynced. Default: 200 ms.
    pub fn sync_after(mut self, time: Duration) -> Self {
        self.config.sync_after_ms = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Bytes of records that may wait for the writer. Default: 4 MiB; at least 64 KiB. The last quarter
    /// has no room for category app.
    ///
    /// As much again may be written at the same time, as much may be owed by requests that were
    /// admitted, and as much may wait under [`OnFailure::Block`].
    pub fn queue_bytes_max(mut self, bytes: usize) -> Self {
        self.config.queue_bytes_max = Some(bytes);
        self
    }

    /// The most bytes that the stores of this service and instance in [`Builder::dir`] may take, older
    /// ones too. Default: half of the volume, but at least 64 MiB, or 1 GiB where the system does not
    /// tell its size; at least 1 MiB.
    ///
    /// At 75 % the log warns, at 90 % records of category `app` are dropped and counted, and at 100 %
    /// audited operations are refused. Nothing old is ever removed: move segments that are complete
    /// away, and the log goes on.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.config.max_bytes = Some(bytes);
        self
    }

    /// What is redacted, and how. Default: [`Policy::builtin`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Where the keys of pseudonyms come from, for example a [`KeyFile`]. Default: none, so that fields
    /// to be pseudonymised are left out, rule `no-key`. Keys that cannot be had at the start leave out
    /// those fields until they can, and are warned of.
    ///
    /// [`KeyFile`]: crate::pseudonym::KeyFile
    pub fn pseudonym_keys(mut self, keys: impl PseudonymKeys + 'static) -> Self {
        self.pseudonym_keys = Some(Arc::new(keys));
        self
    }

    /// Where time comes from. Default: the machine's clocks.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn fs(mut self, fs: Arc<dyn Fs>) -> Self {
        self.fs = fs;
        self
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn out(mut self, out: Box<dyn Write + Send>) -> Self {
        self.out = Some(out);
        self
    }

    /// Opens the log and uses no global: records reach it through its handles, its layers and the
    /// scopes that they make.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] for a service, instance or environment name given in code that is not
    /// allowed. Where [`StartFailure::Refuse`] was chosen, also whatever kept the store from being
    /// opened.
    pub fn open(mut self) -> Result<ComplianceLog, Error> {
        let host = host_name();
        let name = self
            .config
            .service
            .clone()
            .unwrap_or_else(|| self.unnamed());
        let env = self.config.env.clone().unwrap_or_else(|| DEV.to_owned());
        let instance = self
            .config
            .instance
            .clone()
            .unwrap_or_else(|| allowed_name(&host));
        for (what, name) in [("service", &name), ("env", &env), ("instance", &instance)] {
            check_name(what, name)?;
        }
        // Not moved by a later change of the working directory.
        let dir = self
            .folder(&env)
            .map(|dir| std::path::absolute(&dir).unwrap_or(dir));
        if let Some(dir) = dir.as_deref().filter(|_| env != DEV && env != "test") {
            self.warn_of_volume(dir);
        }
        let app_level = self.level();
        let rules = self.rules();
        let on_failure = self.policies();
        let pseudonym_keys = self.keys();
        let key_watch = pseudonym_keys.clone().map(KeyWatch::new);
        if let Some(why) = key_watch.as_ref().and_then(KeyWatch::failure) {
            let text =
                format!("{why}; fields to be pseudonymised are left out until that is mended");
            self.warnings.push(text);
        }
        let config = self.config;

        let print = config.stdout.unwrap_or(env == DEV) || dir.is_none();
        let service = Service {
            name: name.into(),
            env: env.into(),
            line_bytes_max: if print {
                STDOUT_LINE_BYTES_MAX
            } else {
                LINE_BYTES_MAX
            },
        };
        let policy = Arc::new(self.policy.unwrap_or_else(Policy::builtin));
        let handle = Handle::new(Plan {
            service: service.clone(),
            clock: Arc::clone(&self.clock),
            policy: Arc::clone(&policy),
            pseudonym_keys,
            queue_bytes_max: config
                .queue_bytes_max
                .unwrap_or(QUEUE_BYTES_MAX)
                .max(QUEUE_BYTES_MIN),
            app_level,
            mode: config.mode.unwrap_or_default(),
            rules,
            on_failure,
        });
        let scribe = Scribe {
            service,
            origin: Origin {
                cluster: config.cluster.clone().map(Into::into),
                region: config.region.clone().map(Into::into),
                service_version: config.service_version.clone().map(Into::into),
                host: host.into(),
                boot_id: boot_id(),
            },
            clock: self.clock,
            policy,
        };

        let out = || self.out.unwrap_or_else(|| Box::new(std::io::stdout()));
        let stored = dir.is_some();
        let (fs, printer) = match (stored, print) {
            (false, _) => (Arc::new(PrintFs::new(out())) as Arc<dyn Fs>, None),
            (true, false) => (self.fs, None),
            (true, true) => {
                let printer = Printer::start(out());
                (
                    self.fs,
                    Some(printer.map_err(|error| Error::io("cannot start a thread", error))?),
                )
            }
        };
        let settings = Settings {
            // What is printed alone has no segments.
            segment_bytes_max: if stored {
                config
                    .segment_bytes_max
                    .unwrap_or(SEGMENT_BYTES_MAX)
                    .max(SEGMENT_BYTES_MIN)
            } else {
                u64::MAX
            },
            segment_age_max: if stored {
                config
                    .segment_age_max()
                    .unwrap_or(SEGMENT_AGE_MAX)
                    .max(Duration::from_secs(1))
            } else {
                Duration::MAX
            },
            echo: printer.is_some(),
        };
        let opener = Opener {
            fs,
            dir: dir.unwrap_or_default(),
            instance: instance.into(),
            settings,
            max_bytes: config.max_bytes.map(|bytes| bytes.max(MAX_BYTES_MIN)),
            warnings: self.warnings.clone(),
        };
        let sync_after = config.sync_after().unwrap_or(SYNC_AFTER);
        let worker = Worker::new(&handle, opener, scribe, sync_after, key_watch, printer);
        let refuse = self
            .on_start_failure
            .or(config.on_start_failure.map(Into::into))
            == Some(StartFailure::Refuse);
        warn_of(&self.warnings);
        if let Some(failure) = worker.start_failure() {
            if refuse {
                return Err(failure.again().context("cannot start"));
            }
            warn_of(&[format!(
                "{failure}; what must be audited is refused until the store opens, which is tried every second"
            )]);
        }
        ComplianceLog::start(handle, worker, self.warnings)
    }

    fn unnamed(&mut self) -> String {
        self.warnings
            .push("configuration: no `service`; records name it `unnamed`".to_owned());
        "unnamed".to_owned()
    }

    /// The folder of the stores. A configuration that could not be read may have named one: nothing
    /// is stored elsewhere then.
    fn folder(&mut self, env: &str) -> Option<PathBuf> {
        let dir = self.config.dir.clone();
        let dir = dir.or_else(|| {
            (env == DEV && !self.unreadable).then(|| PathBuf::from("target/compliance-log"))
        });
        if dir.is_none() && self.out.is_none() {
            let text = "no `dir` is set: records go to standard output alone and are not stored";
            self.warnings.push(text.to_owned());
        }
        dir
    }

    /// Says what ends with the pod or the machine. The folder itself may not be there yet.
    fn warn_of_volume(&mut self, dir: &Path) {
        let there = dir.ancestors().find(|folder| folder.exists());
        let warning = there.and_then(|folder| store::volume_warning(store::volume_kind(folder)));
        self.warnings
            .extend(warning.map(|text| format!("{}: {text}", dir.display())));
    }

    fn rules(&mut self) -> Rules {
        let mut volumes = self.config.volumes(&mut self.warnings);
        volumes.append(&mut self.volumes);
        let known = event::registered();
        let category = |name: &str| {
            let of_name = known.iter().filter(|meta| meta.name == name);
            of_name
                .map(|meta| meta.category)
                .min_by_key(|category| *category == Category::App)
        };
        Rules::new(volumes, category, &mut self.warnings)
    }

    fn policies(&mut self) -> OnFailures {
        let mut policies = OnFailures::default();
        let mut chosen = self.config.on_failure(&mut self.warnings);
        chosen.append(&mut self.on_failure);
        for (category, policy) in chosen {
            self.warnings.extend(policies.set(category, policy).err());
        }
        policies
    }

    /// Those given in code, else the file that the configuration names.
    fn keys(&mut self) -> Option<Arc<dyn PseudonymKeys>> {
        let file = self.config.pseudonym_keys(&mut self.warnings);
        let keys = self.pseudonym_keys.take();
        keys.or_else(|| Some(Arc::new(KeyFile::new(file?))))
    }

    fn level(&mut self) -> Level {
        let level = self
            .app_level
            .or(self.config.app_level.map(Level::from))
            .unwrap_or(Level::Info);
        #[cfg(feature = "tracing")]
        self.warnings.extend(cut_at_build_time(level));
        level
    }

    /// [`Builder::open`], and makes the log the default of the process. With the feature `tracing`,
    /// a registry with the log's [`tracing_layer`](ComplianceLog::tracing_layer) becomes the global
    /// subscriber too. With the feature `log`, records of the `log` crate reach that subscriber, unless
    /// the process has a logger already.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::open`], and [`ErrorKind::Taken`] if the process has a default log or a
    /// global subscriber already.
    pub fn init(self) -> Result<ComplianceLog, Error> {
        // Before anything is opened: a store must not be left with a start that never was.
        if current::has_default() {
            return Err(default_taken());
        }
        #[cfg(feature = "tracing")]
        if tracing::dispatcher::has_been_set() {
            return Err(subscriber_taken());
        }
        let log = self.open()?;
        #[cfg(feature = "tracing")]
        {
            use tracing_subscriber::layer::SubscriberExt as _;

            let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
            tracing::subscriber::set_global_default(subscriber)
                .map_err(|_taken| subscriber_taken())?;
            #[cfg(feature = "log")]
            take_log_records(log.handle().app_level());
        }
        if !current::set_default(log.handle()) {
            return Err(default_taken());
        }
        Ok(log)
    }
}

fn default_taken() -> Error {
    let text = "this process has a default log already: use `open` for a second one";
    Error::new(ErrorKind::Taken, text)
}

#[cfg(feature = "tracing")]
fn subscriber_taken() -> Error {
    let text = "this process has a global tracing subscriber already: use `open`, add `tracing_layer()` to it, \
                and run work in `handle().scope(..)`";
    Error::new(ErrorKind::Taken, text)
}

/// A logger that is there already stays: where its records go is the service's choice.
#[cfg(feature = "log")]
fn take_log_records(app_level: Level) {
    use tracing_log::log::LevelFilter;

    let level = match app_level {
        Level::Trace => LevelFilter::Trace,
        Level::Debug => LevelFilter::Debug,
        Level::Info => LevelFilter::Info,
        Level::Warn => LevelFilter::Warn,
        Level::Error => LevelFilter::Error,
    };
    tracing_log::LogTracer::init_with_filter(level).unwrap_or(());
}

/// Nobody may look into the log itself before something is missing from it.
#[expect(
    clippy::print_stderr,
    reason = "the log itself may be what is misconfigured"
)]
fn warn_of(warnings: &[String]) {
    for warning in warnings {
        eprintln!("compliance-log: {warning}");
    }
}

/// The environment of a developer's own machine: what was logged is seen at once, and kept in `target`.
const DEV: &str = "dev";
const STDOUT_LINE_BYTES_MAX: usize = 15_360;
const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
const SEGMENT_BYTES_MIN: u64 = 64 * 1024;
const SEGMENT_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
const SYNC_AFTER: Duration = Duration::from_millis(200);
const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
const QUEUE_BYTES_MIN: usize = 64 * 1024;
const MAX_BYTES_MIN: u64 = 1024 * 1024;

/// A `max_level` feature of `tracing` that removes records which this log would store.
#[cfg(feature = "tracing")]
fn cut_at_build_time(app_level: Level) -> Option<String> {
    use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

    let wanted = match app_level {
        Level::Trace => LevelFilter::TRACE,
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    };
    (STATIC_MAX_LEVEL < wanted).then(|| {
        format!("this build has no tracing events beyond {STATIC_MAX_LEVEL}; app_level {wanted} cannot be met")
    })
}

fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// A name made of what is allowed of `text`, so that a host's own name never keeps a service from
/// starting.
fn allowed_name(text: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = text.chars().take(64).map(keep).collect();
    if name.is_empty() {
        "host".to_owned()
    } else {
        name
    }
}

/// Where the system tells: which boot of the machine this is.
fn boot_id() -> Option<Box<str>> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().into())
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
