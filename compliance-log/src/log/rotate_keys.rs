//! Other keys for a store whose service does not run.

use std::{path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use super::machine::{boot_id, host_name, machine_id};
use crate::{
    chain::LINE_BYTES_MAX,
    clock::SystemClock,
    error::{Error, ErrorKind},
    layout,
    lifecycle::{Origin, Scribe},
    redact::Policy,
    schema::Service,
    store::{Begun, Ends, Farewell, Fs, Open, RealFs, Seal, Settings, open_ended},
};

impl Seal {
    /// Has other keys sign for a store from now on, and erases those before, as
    /// [`ComplianceLog::rotate_keys`](crate::ComplianceLog::rotate_keys) does for a log that is open. Holds
    /// the locks of store and keys meanwhile, so that no service writes it. Its catalog says that a writer
    /// started and stopped; the other streams stay as they are. Gives the first checkpoint of the next keys.
    ///
    /// Of the settings only those of anchors and of the times between seals count.
    ///
    /// ```
    /// use compliance_log::{ComplianceLog, Seal};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path().join("audit");
    /// let log = ComplianceLog::builder("booking-api").env("prod").dir(&dir).seal(Seal::default()).open()?;
    /// log.shutdown()?;
    /// for store in std::fs::read_dir(&dir)? {
    ///     let path = store?.path();
    ///     if path.join("streams").is_dir() {
    ///         Seal::default().rotate_keys(&path)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if somebody writes the store, or if it was not shut down, which its
    /// service's next start has to tell of first; others if it must not be gone on with, or its files cannot
    /// be read or written.
    pub fn rotate_keys(self, store: &Path) -> Result<String, Error> {
        let path = store.canonicalize();
        let path = path.map_err(|error| Error::io(store.display().to_string(), error))?;
        let dir = path.parent().unwrap_or(&path);
        let seal = self.on_machine(
            machine_id(),
            dir,
            layout::root_key_file(dir),
            &mut Vec::new(),
        );
        let settings = Settings {
            segment_bytes_max: u64::MAX,
            segment_age_max: Duration::MAX,
            echo: false,
        };
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let Open { sealer, lock, .. } = open_ended(&fs, &path, settings, &seal, scribe)?;
        let mut sealer = sealer.ok_or_else(|| {
            let text = format!("{}: it is not sealed", path.display());
            Error::new(ErrorKind::Seal, text)
        })?;
        sealer.begin(Begun::Again)?;
        let checkpoint = sealer.rotate_keys()?;
        sealer.close(Ends::Whole, Farewell::Wait)?;
        drop((sealer, lock));
        Ok(checkpoint)
    }
}

/// Writes as a log of that service would, under the policy that is built in.
fn scribe(service: &str, env: &str) -> Scribe {
    let policy = Arc::new(Policy::builtin());
    Scribe {
        service: Service {
            name: service.into(),
            env: env.into(),
            line_bytes_max: LINE_BYTES_MAX,
        },
        origin: Origin {
            host: host_name().into(),
            boot_id: boot_id(),
            ..Origin::default()
        },
        clock: Arc::new(SystemClock::new()),
        told: ArcSwap::new(Arc::clone(&policy)),
        policy,
    }
}
