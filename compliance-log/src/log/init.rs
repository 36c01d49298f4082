//! A log as the default of its process.

use super::{builder::Builder, compliance_log::ComplianceLog};
#[cfg(feature = "log")]
use crate::event::Level;
use crate::{
    current,
    error::{Error, ErrorKind},
};

impl Builder {
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
