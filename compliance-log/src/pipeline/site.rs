//! The store that records go to, open or waiting to be opened again.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::lane::{Lane, RETRY};
use crate::{
    encode::Object,
    error::Error,
    event::{Channel, Level},
    lifecycle::{Scribe, name},
    loss::Ledger,
    redact::Policy,
    store::{self, Fs, Lock, Open, Settings, Start},
};

/// How to open the store, now and again after it could not be.
#[derive(Debug)]
pub(crate) struct Opener {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) dir: PathBuf,
    pub(crate) instance: Box<str>,
    pub(crate) settings: Settings,
    pub(crate) policy: Arc<Policy>,
    /// What the configuration had to be warned of; the first `log.started` says it.
    pub(crate) warnings: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Site {
    Open {
        lanes: Box<[Lane; 2]>,
        path: PathBuf,
        _lock: Lock,
    },
    /// Nothing can be stored until opening succeeds.
    Missing {
        why: Error,
        retry_at: Instant,
        ledgers: [Ledger; 2],
    },
}

impl Site {
    pub(super) fn new(opener: &Opener, scribe: &Scribe, ledgers: [Ledger; 2]) -> Self {
        let opened = store::open(
            &opener.fs,
            &opener.dir,
            &scribe.service.name,
            &opener.instance,
            opener.settings,
            scribe,
        );
        match opened {
            Ok(open) => Self::begin(open, opener, scribe, ledgers),
            Err(why) => Self::Missing {
                why,
                retry_at: Instant::now() + RETRY,
                ledgers,
            },
        }
    }

    /// Writes the records that tell how the store was found, and makes them durable.
    fn begin(open: Open, opener: &Opener, scribe: &Scribe, ledgers: [Ledger; 2]) -> Self {
        let Open {
            path,
            streams,
            start,
            lock,
        } = open;
        let mut lanes = Box::new(streams.map(Lane::new));
        for ((lane, ledger), recovery) in lanes.iter_mut().zip(ledgers).zip(&start.recovered) {
            lane.ledger = ledger;
            if let Some(recovery) = recovery {
                let channel = lane.stream.channel();
                let first = scribe.recovery(channel, recovery.adopted, recovery.torn.first());
                lane.own(&first, scribe);
                for torn in recovery.torn.iter().skip(1) {
                    lane.own(&scribe.recovery(channel, None, Some(torn)), scribe);
                }
            }
        }
        let audit = &mut lanes[Channel::Audit.index()];
        for body in first_records(&start, opener, scribe) {
            audit.own(&body, scribe);
        }
        match store::keep_policy(&*opener.fs, &path, &opener.policy) {
            Ok(true) => {
                let added = opener.policy.rules().map(|(id, _)| id);
                let data = Object::new()
                    .text("sha256", opener.policy.digest().to_string())
                    .texts("added", added);
                audit.own(
                    &scribe.own_act(Level::Info, name::POLICY_CHANGED, data),
                    scribe,
                );
            }
            Ok(false) => {}
            Err(_) => metrics::counter!("compliance_log_write_errors").increment(1),
        }
        for lane in lanes.iter_mut() {
            lane.write(scribe);
            lane.sync_if_due(Duration::ZERO, scribe);
        }
        Self::Open {
            lanes,
            path,
            _lock: lock,
        }
    }

    /// Whether records can be stored, as far as is known.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Open { lanes, .. } => lanes.iter().all(Lane::is_ready),
            Self::Missing { .. } => false,
        }
    }

    /// When there is something to do without a record.
    pub(super) fn deadline(&self, sync_after: Duration) -> Option<Instant> {
        match self {
            Self::Open { lanes, .. } => lanes
                .iter()
                .filter_map(|lane| lane.deadline(sync_after))
                .min(),
            Self::Missing { retry_at, .. } => Some(*retry_at),
        }
    }

    /// Tries again what failed, once it is time.
    pub(super) fn mend(&mut self, opener: &Opener, scribe: &Scribe) {
        match self {
            Self::Open { lanes, .. } => lanes.iter_mut().for_each(|lane| lane.mend(scribe)),
            Self::Missing {
                retry_at, ledgers, ..
            } => {
                if Instant::now() >= *retry_at {
                    *self = Self::new(opener, scribe, std::mem::take(ledgers));
                }
            }
        }
    }
}

/// What the audit stream says first: how the log stopped before, that it started, and the clock.
fn first_records(start: &Start, opener: &Opener, scribe: &Scribe) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    if start.resumed && start.unclean {
        let last = start.last_time.map(|time| time.to_string());
        let data = Object::new().text_if("last_record", last);
        bodies.push(scribe.own_act(Level::Warn, name::UNCLEAN_STOP, data));
    }
    let passed_over = start.passed_over.as_ref();
    let data = Object::new()
        .number("pid", std::process::id().into())
        .flag("resumed", start.resumed)
        .text_if("why", start.why)
        .text_if("passed_over", passed_over.map(|(store, _)| store))
        .text_if("detail", passed_over.map(|(_, detail)| detail));
    let data = if opener.warnings.is_empty() {
        data
    } else {
        data.texts("warnings", &opener.warnings)
    };
    let calm = passed_over.is_none() && opener.warnings.is_empty();
    let level = if calm { Level::Info } else { Level::Warn };
    bodies.push(scribe.own_act(level, name::STARTED, data));
    let now = scribe.now();
    if let Some(last) = start.last_time.filter(|last| now < *last) {
        let data = Object::new()
            .signed("delta_ms", (now.as_micros() - last.as_micros()) / 1000)
            .text("since", last.to_string());
        bodies.push(scribe.own_act(Level::Warn, name::CLOCK_STEPPED, data));
    }
    bodies
}
