//! From a description to an open log.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    builder::{Builder, Sealing, StartFailure},
    compliance_log::ComplianceLog,
    machine::{allowed_name, boot_id, file_bytes_max, host_name, machine_id},
    policy_file::PolicyFile,
};
use crate::{
    chain::{LINE_BYTES_MAX, check_name},
    error::Error,
    event::{self, Category, Level},
    layout,
    lifecycle::{Origin, Scribe},
    loss::OnFailures,
    pipeline::{Handle, KeyWatch, Opener, Plan, Printer, Worker},
    pseudonym::{KeyFile, PseudonymKeys},
    redact::Policy,
    schema::{Service, is_rehearsal},
    seal::check_domain,
    store::{self, Fs, PrintFs, Seal, Settings},
    volume::Rules,
};

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

/// Whether a text of the configuration has to be an allowed name.
enum Named {
    Yes,
    No,
}

impl Builder {
    /// Opens the log and uses no global: records reach it through its handles, its layers and the
    /// scopes that they make.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`](crate::ErrorKind::Name) for a service, instance or environment name given in code that is not
    /// allowed. [`ErrorKind::Io`](crate::ErrorKind::Io) if a thread of the log cannot be started. Where
    /// [`StartFailure::Refuse`] was chosen, also whatever kept the store from being opened.
    pub fn open(mut self) -> Result<ComplianceLog, Error> {
        let (policy, policy_file) = self.redaction();
        self.redact(&policy);
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
        if let Some(dir) = dir.as_deref().filter(|_| !is_rehearsal(&env)) {
            self.warn_of_volume(dir);
        }
        let seal = self.sealing(dir.as_deref(), &env)?;
        let app_level = self.level();
        let rules = self.rules();
        let on_failure = self.on_failures();
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
        let policy = Arc::new(policy);
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
            tracer: self.tracer,
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
            told: ArcSwap::new(Arc::clone(&policy)),
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
                    .min(file_bytes_max())
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
            seal,
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
        if let Some(file) = worker.new_root_key() {
            warn_of(&[format!(
                "the root key of a new store is in {}: copy it off this machine now; whoever can replace both the store and this file can replace the history",
                file.display()
            )]);
        }
        let mut log = ComplianceLog::start(handle, worker, self.warnings)?;
        if let Some(Err(error)) = policy_file.map(|file| log.watch(file)) {
            warn_of(&[format!("{error}; the policy's file is not looked at again")]);
        }
        Ok(log)
    }

    /// How the store is sealed, if there is one and it is.
    fn sealing(&mut self, dir: Option<&Path>, env: &str) -> Result<Option<Seal>, Error> {
        let said = self.config.seal(&mut self.warnings);
        let said = self.seal.take().or(said);
        let seal = match said {
            Some(Sealing::As(seal)) => seal,
            None if !is_rehearsal(env) => Seal::default(),
            Some(Sealing::Not) | None => return Ok(None),
        };
        let Some(dir) = dir else { return Ok(None) };
        check_domain(seal.domain_name())?;
        Ok(Some(seal.on_machine(
            machine_id(),
            dir,
            layout::root_key_file(dir),
            &mut self.warnings,
        )))
    }

    /// Takes secrets out of what stands in records of the log's own, or in the names of its folders.
    fn redact(&mut self, policy: &Policy) {
        let config = &mut self.config;
        for (what, named, place) in [
            ("service", Named::Yes, &mut config.service),
            ("env", Named::Yes, &mut config.env),
            ("instance", Named::Yes, &mut config.instance),
            ("cluster", Named::No, &mut config.cluster),
            ("region", Named::No, &mut config.region),
            ("service_version", Named::No, &mut config.service_version),
        ] {
            let Some(clean) = place.as_deref().and_then(|text| policy.clean(text)) else {
                continue;
            };
            *place = Some(match named {
                Named::Yes => allowed_name(&clean),
                Named::No => clean,
            });
            self.warnings.push(format!(
                "configuration: what was found in `{what}` by the redaction policy is not written"
            ));
        }
        for warning in &mut self.warnings {
            if let Some(clean) = policy.clean(warning) {
                *warning = clean;
            }
        }
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
        // An empty name leads nowhere that a store could be found again.
        let dir = dir.filter(|dir| !dir.as_os_str().is_empty());
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

    fn on_failures(&mut self) -> OnFailures {
        let mut policies = OnFailures::default();
        let mut chosen = self.config.on_failure(&mut self.warnings);
        chosen.append(&mut self.on_failure);
        for (category, policy) in chosen {
            self.warnings.extend(policies.set(category, policy).err());
        }
        policies
    }

    fn keys(&mut self) -> Option<Arc<dyn PseudonymKeys>> {
        let file = self.config.pseudonym_keys(&mut self.warnings);
        let keys = self.pseudonym_keys.take();
        keys.or_else(|| Some(Arc::new(KeyFile::new(file?))))
    }

    /// The policy to begin with, and the file to watch for another one. A file that cannot be used is
    /// warned of, and the built-in policy stands until it can.
    fn redaction(&mut self) -> (Policy, Option<PolicyFile>) {
        if let Some(policy) = self.policy.take() {
            return (policy, None);
        }
        let Some(path) = self.config.policy.clone() else {
            return (Policy::builtin(), None);
        };
        let file = PolicyFile::new(&path);
        let policy = file.read().unwrap_or_else(|error| {
            self.warnings
                .push(format!("{error}; the built-in policy stands"));
            Policy::builtin()
        });
        (policy, Some(file))
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
}

/// Nobody may look into the log itself before something is missing from it. Where nobody reads standard
/// error either, that is no reason to fail.
fn warn_of(warnings: &[String]) {
    let mut out = std::io::stderr();
    for warning in warnings {
        writeln!(out, "compliance-log: {warning}").unwrap_or(());
    }
}

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
