use std::{
    collections::BTreeMap,
    fmt,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::config::Config;
use crate::{
    clock::{Clock, SystemClock},
    context::TraceIds,
    event::{Category, Level},
    loss::OnFailure,
    pipeline::{Mode, Tracer},
    pseudonym::PseudonymKeys,
    redact::Policy,
    store::{Fs, RealFs, Seal},
    volume::Volume,
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

/// Whether a store is sealed, where somebody said so.
#[derive(Debug)]
pub(super) enum Sealing {
    As(Seal),
    Not,
}

/// Describes a log before it is opened.
///
/// Values given in code win over those of a configuration file.
#[must_use = "nothing is opened until `open` or `init`"]
pub struct Builder {
    pub(super) config: Config,
    pub(super) warnings: Vec<String>,
    /// A configuration file could not be read, so nobody knows what it says.
    pub(super) unreadable: bool,
    pub(super) policy: Option<Policy>,
    pub(super) pseudonym_keys: Option<Arc<dyn PseudonymKeys>>,
    pub(super) on_start_failure: Option<StartFailure>,
    pub(super) app_level: Option<Level>,
    pub(super) volumes: BTreeMap<String, Volume>,
    pub(super) on_failure: BTreeMap<Category, OnFailure>,
    pub(super) tracer: Option<Tracer>,
    pub(super) seal: Option<Sealing>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) fs: Arc<dyn Fs>,
    pub(super) out: Option<Box<dyn Write + Send>>,
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
            tracer: None,
            seal: None,
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
            policy: own.policy.or(file.policy),
            pseudonym: own.pseudonym.or(file.pseudonym),
            seal: own.seal.or(file.seal),
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

    /// The file that says what is redacted, and how; see [`Policy`] for its shape. Default: none, and
    /// [`Policy::builtin`] counts. [`Builder::policy`] wins over it.
    ///
    /// It is looked at every second. What it says when it changed, and was left alone for a second, is
    /// taken into use; if it cannot be, the policy in force stays, and `policy.refused` says why. At
    /// start the built-in policy stands in for a file that cannot be used.
    pub fn policy_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.policy = Some(path.into());
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

    /// Where the service's tracer says that the current code runs, so that records have the ids of the
    /// spans that it exports. Default: none, and the ids of the [`AuditContext`] stand.
    ///
    /// ```
    /// use compliance_log::{
    ///     ComplianceLog,
    ///     context::{SpanId, TraceFlags, TraceId, TraceIds},
    /// };
    ///
    /// # fn current_span() -> Option<([u8; 16], [u8; 8], u8)> { None }
    /// # let builder =
    /// ComplianceLog::builder("booking-api").trace_ids(|| {
    ///     // What the tracer knows; `examples/otel` asks OpenTelemetry, in a version of its own.
    ///     let (trace, span, flags) = current_span()?;
    ///     Some(TraceIds {
    ///         trace_id: TraceId::from_bytes(trace)?,
    ///         span_id: SpanId::from_bytes(span)?,
    ///         flags: TraceFlags::from_byte(flags),
    ///     })
    /// })
    /// # ; drop(builder);
    /// ```
    ///
    /// # Whose ids a record has
    ///
    /// | the context's trace | the hook gives | the record has |
    /// |---|---|---|
    /// | continues one: a header, a message | a span of it | the span |
    /// | continues one | a span of another trace | the context's trace, and its span |
    /// | was drawn, and nobody was told it | a span | the span; the context's trace is the span's from now on |
    /// | was drawn, and somebody was told it | a span of another trace | the context's trace, and its span |
    /// | any | nothing: the span is filtered out, there is no tracer, another thread | the context's trace, and its span |
    /// | there is no context | a span | the span |
    ///
    /// So one context is one trace. The context's span is the first that the hook gives for it, such as
    /// the server's span when the request comes in; else one of its own. Records that an
    /// `http::AuditLayer` writes about the whole request, such as the access record, always have that
    /// one. Whether a span is sampled does not matter; `trace_flags` says it. A trace that the layer was
    /// told not to believe, by `Trust::edge`, is not taken over from the hook either.
    ///
    /// Records whose context is in another trace than the hook are counted as
    /// `compliance_log_trace_mismatches`: layers stand in the wrong order, or the tracer does not read
    /// the header. Put the layer that makes the server's span outside of the `http::AuditLayer`.
    ///
    /// # The contract
    ///
    /// The hook is called on the thread that records, at most once for each record, for each request that
    /// comes in and for each call that goes out, with no lock of this crate held. It should neither
    /// block nor allocate. What it logs itself is stored without its ids. A panic in it ends there and
    /// is counted as `compliance_log_trace_hook_panics`; the record is stored with the context's ids.
    ///
    /// [`AuditContext`]: crate::context::AuditContext
    pub fn trace_ids(
        mut self,
        hook: impl Fn() -> Option<TraceIds> + Send + Sync + 'static,
    ) -> Self {
        self.tracer = Some(Tracer::new(hook));
        self
    }

    /// How the store is sealed. Default: as [`Seal::default`] says, except where the environment is `dev`
    /// or `test`, whose stores are not sealed. A store is sealed or not for its whole life: a change of
    /// that begins a new one.
    pub fn seal(mut self, seal: Seal) -> Self {
        self.seal = Some(Sealing::As(seal));
        self
    }

    /// Does not seal the store: a chain alone shows no change to somebody who can write the whole of it.
    pub fn unsealed(mut self) -> Self {
        self.seal = Some(Sealing::Not);
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
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
