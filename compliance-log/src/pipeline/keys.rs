//! The keys of pseudonyms, looked at now and then.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    encode::Object,
    event::Level,
    lifecycle::{Scribe, name},
    metric,
    pseudonym::PseudonymKeys,
};

const LOOK: Duration = Duration::from_millis(500);

/// Has the keys refreshed, and says when they no longer are, and when they are again.
#[derive(Debug)]
pub(crate) struct KeyWatch {
    keys: Arc<dyn PseudonymKeys>,
    look_at: Instant,
    failure: Option<String>,
}

impl KeyWatch {
    /// Looks for the first time.
    pub(crate) fn new(keys: Arc<dyn PseudonymKeys>) -> Self {
        let mut watch = Self {
            keys,
            look_at: Instant::now(),
            failure: None,
        };
        watch.look();
        watch
    }

    /// Why the newest keys are not in use.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.look_at
    }

    /// Once it is time, looks; gives the record that says what has changed.
    pub(super) fn watch(&mut self, scribe: &Scribe) -> Option<Vec<u8>> {
        if Instant::now() < self.look_at {
            return None;
        }
        let failed_before = self.failure.is_some();
        self.look();
        let data = Object::new().text("of", "pseudonyms");
        match &self.failure {
            Some(why) if !failed_before => {
                let data = data.text("why", scribe.clean(why));
                Some(scribe.own_act(Level::Warn, name::KEY_UNAVAILABLE, data))
            }
            None if failed_before => Some(scribe.own_act(Level::Info, name::KEY_AVAILABLE, data)),
            _ => None,
        }
    }

    fn look(&mut self) {
        self.look_at = Instant::now() + LOOK;
        let refreshed = catch_unwind(AssertUnwindSafe(|| {
            self.keys.refresh().map_err(|error| error.to_string())
        }));
        let failure = refreshed
            .unwrap_or_else(|_panic| Err("looking for pseudonym keys panicked".to_owned()))
            .err();
        if failure.is_some() && self.failure.is_none() {
            metric::count("compliance_log_pseudonym_key_errors");
        }
        self.failure = failure;
    }
}
