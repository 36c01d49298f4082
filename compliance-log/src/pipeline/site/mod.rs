//! The store that records go to, open or waiting to be opened again.

mod first_records;
mod look;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    batch::Entry,
    lane::{Lane, RETRY, Room},
    policy::{self, Unkept},
    sealing::{CheckpointReply, Sealing},
    vitals::{BudgetUse, Seen},
};
use crate::{
    chain::FRAME_BYTES_MAX,
    error::{Error, ErrorKind},
    event::Channel,
    lifecycle::Scribe,
    loss::{Ledger, Reason},
    metric,
    receipt::{CommitError, CommitErrorKind, Promise},
    redact::Policy,
    store::{self, Begun, Budget, Fs, Lock, Open, Seal, Sealer, Settings, Start},
};

use first_records::{first_records, policy_record};
pub(super) use look::Past;

/// How to open the store, now and again after it could not be.
#[derive(Debug)]
pub(crate) struct Opener {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) dir: PathBuf,
    pub(crate) instance: Box<str>,
    pub(crate) settings: Settings,
    /// How the store is sealed, if it is.
    pub(crate) seal: Option<Seal>,
    /// The most bytes that the stores of this service and instance may take; `None` for the default.
    pub(crate) max_bytes: Option<u64>,
    /// What the configuration had to be warned of; the first `log.started` says it.
    pub(crate) warnings: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Site {
    Open {
        lanes: Box<[Lane; 2]>,
        path: PathBuf,
        /// Before the lock, since it ends before.
        sealing: Option<Sealing>,
        lock: Lock,
        budget: Box<Budget>,
        /// When to look at the files again; never, where records are only printed.
        watch_at: Option<Instant>,
        unkept: Unkept,
    },
    /// Nothing can be stored until opening succeeds.
    Missing {
        why: Error,
        retry_at: Instant,
        carried: Carried,
    },
}

/// What a store that is opened has to be told of the time before.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// Losses, by channel.
    pub(super) ledgers: [Ledger; 2],
    /// What the log itself has to say.
    pub(super) unsaid: Vec<Vec<u8>>,
    /// Policies that were in force: a commit that waited for the store names the one it was made under.
    pub(super) unkept: Unkept,
}

/// Why records cannot be stored.
pub(super) struct Failure<'s> {
    pub(super) why: Cow<'s, str>,
    /// By which those that are lost meanwhile are counted.
    pub(super) reason: Reason,
}

/// How often the files are looked at, and the budget: twice in the second within which it should be
/// found that one is gone.
const WATCH: Duration = Duration::from_millis(500);

impl Site {
    pub(super) fn new(opener: &Opener, scribe: &Scribe, carried: Carried) -> Self {
        let opened = store::open(
            &opener.fs,
            &opener.dir,
            &scribe.service.name,
            &opener.instance,
            opener.settings,
            opener.seal.as_ref(),
            scribe,
        );
        match opened {
            Ok(open) => Self::begin(open, opener, scribe, carried),
            Err(why) => Self::missing(why, carried),
        }
    }

    fn missing(why: Error, carried: Carried) -> Self {
        Self::Missing {
            why,
            retry_at: Instant::now() + RETRY,
            carried,
        }
    }

    /// Where the root key of a store that was just made is, if it has one of its own.
    pub(super) fn new_root_key(&self) -> Option<&Path> {
        match self {
            Self::Open { sealing, .. } => sealing.as_ref()?.new_root_key(),
            Self::Missing { .. } => None,
        }
    }

    /// Writes the records that tell how the store was found, and makes them durable.
    fn begin(open: Open, opener: &Opener, scribe: &Scribe, carried: Carried) -> Self {
        let Open {
            path,
            streams,
            sealer,
            start,
            others,
            lock,
        } = open;
        // It is sealed that a writer is at work before there are records of its: those of nobody would be
        // tampering.
        let sealing = match sealer
            .map(|sealer| begin_sealing(sealer, &start))
            .transpose()
        {
            Ok(sealing) => sealing,
            Err(why) => return Self::missing(why, carried),
        };
        let mut lanes = Box::new(streams.map(Lane::new));
        let mut unkept = carried.unkept;
        unkept.keep(&path, opener, scribe);
        if let Some(body) = policy_record(&path, &start, opener, scribe) {
            lanes[Channel::Audit.index()].own(body, scribe);
        }
        for ((lane, ledger), recovery) in
            lanes.iter_mut().zip(carried.ledgers).zip(&start.recovered)
        {
            lane.ledger = ledger;
            if let Some(recovery) = recovery {
                let channel = lane.stream.channel();
                let first = scribe.recovery(channel, recovery.adopted, recovery.torn.first());
                lane.own(first, scribe);
                for torn in recovery.torn.iter().skip(1) {
                    lane.own(scribe.recovery(channel, None, Some(torn)), scribe);
                }
            }
        }
        for body in first_records(&path, &start, opener, scribe)
            .into_iter()
            .chain(carried.unsaid)
        {
            lanes[Channel::Audit.index()].own(body, scribe);
        }
        for lane in lanes.iter_mut() {
            lane.write(scribe);
            lane.sync_if_due(Duration::ZERO, scribe);
        }
        let stored = !opener.dir.as_os_str().is_empty();
        let budget = if stored {
            let stores = std::iter::once(path.clone()).chain(others).collect();
            let (fs, now) = (&*opener.fs, scribe.clock.monotonic());
            Budget::new(fs, stores, opener.max_bytes, now, appended(&lanes))
        } else {
            Budget::unlimited()
        };
        Self::Open {
            lanes,
            path,
            sealing,
            lock,
            budget: Box::new(budget),
            watch_at: stored.then(Instant::now),
            unkept,
        }
    }

    /// Says something in the audit stream, or once there is one.
    pub(super) fn say(&mut self, body: Vec<u8>, scribe: &Scribe) {
        match self {
            Self::Open { lanes, .. } => lanes[Channel::Audit.index()].own(body, scribe),
            Self::Missing { carried, .. } => carried.unsaid.push(body),
        }
    }

    /// Asks the seal for something, where there is one.
    pub(super) fn ask(&self, reply: CheckpointReply, what: impl FnOnce(&Sealing, CheckpointReply)) {
        let why = match self {
            Self::Open {
                sealing: Some(sealing),
                ..
            } => return what(sealing, reply),
            Self::Open { .. } => "the store is not sealed",
            Self::Missing { .. } => "there is no store",
        };
        let error = Error::new(ErrorKind::Seal, why);
        reply.send(Err(error)).unwrap_or(());
    }

    /// Begins a batch: how much room each stream has.
    pub(super) fn begin_batch(&mut self) {
        let Self::Open { lanes, budget, .. } = self else {
            return;
        };
        budget.begin(appended(lanes));
        for lane in lanes.iter_mut() {
            let room = if budget.has_room(lane.stream.channel()) {
                Room::Enough
            } else {
                Room::None
            };
            lane.set_room(room);
        }
    }

    /// Links a record to its stream, or counts or refuses it where there is no store or no room.
    pub(super) fn link(&mut self, entry: Entry, body: &[u8], scribe: &Scribe) {
        match self {
            Self::Open { lanes, budget, .. } => {
                let lane = &mut lanes[entry.channel.index()];
                if body.is_empty() || budget.take(entry.channel, body.len() + FRAME_BYTES_MAX) {
                    lane.link(entry, body, scribe);
                } else {
                    lane.set_room(Room::None);
                    lane.refuse(entry, scribe);
                }
            }
            Self::Missing { why, carried, .. } => {
                if entry.counted || entry.promise.is_none() {
                    let reason = Reason::StoreUnavailable;
                    let ledger = &mut carried.ledgers[entry.channel.index()];
                    ledger.add(entry.counted_as, reason, scribe.now());
                    reason.report();
                }
                if let Some(promise) = entry.promise {
                    let text = format!("{why}; the record is not stored");
                    promise.answer(Err(CommitError::new(CommitErrorKind::Unavailable, text)));
                }
            }
        }
    }

    /// Takes another policy into use. Its record is written now, or as soon as there is a store.
    pub(super) fn change_policy(
        &mut self,
        policy: Arc<Policy>,
        promise: Promise,
        opener: &Opener,
        scribe: &mut Scribe,
    ) {
        if let Self::Open { lanes, .. } = self {
            // With this, a change before this one is told, as far as it can be.
            lanes[Channel::Audit.index()].write(scribe);
        }
        let before = std::mem::replace(&mut scribe.policy, policy);
        let (lanes, path, unkept) = match self {
            Self::Open {
                lanes,
                path,
                sealing,
                unkept,
                ..
            } => {
                if let Some(sealing) = sealing {
                    sealing.change_policy(Arc::clone(&scribe.policy));
                }
                (lanes, path, unkept)
            }
            Self::Missing { why, carried, .. } => {
                carried.unkept.add(before);
                let text = format!("{why}; the policy is in force, its record is not stored yet");
                promise.answer(Err(CommitError::new(CommitErrorKind::Unavailable, text)));
                return;
            }
        };
        let audit = &mut lanes[Channel::Audit.index()];
        if before.digest() != scribe.policy.digest() {
            unkept.keep(path, opener, scribe);
            audit.own(policy::changed_record(Some(&before), scribe), scribe);
        }
        audit.answer_when_told(promise);
    }

    /// Takes over the losses that callers counted, by channel.
    pub(super) fn count(&mut self, counted: [Ledger; 2]) {
        match self {
            Self::Open { lanes, .. } => {
                for (lane, ledger) in lanes.iter_mut().zip(counted) {
                    lane.ledger.merge(ledger);
                }
            }
            Self::Missing { carried, .. } => {
                for (kept, ledger) in carried.ledgers.iter_mut().zip(counted) {
                    kept.merge(ledger);
                }
            }
        }
    }

    /// Whether the log may say more of itself: nothing that it has to say waits for the disk.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Open { lanes, .. } => lanes.iter().all(Lane::is_settled),
            Self::Missing { .. } => false,
        }
    }

    /// What is shown to who asks how the log is doing.
    pub(super) fn seen(&self, scribe: &Scribe) -> Seen {
        let Self::Open {
            lanes,
            budget,
            sealing,
            ..
        } = self
        else {
            return Seen::default();
        };
        let now = scribe.clock.boot_time();
        Seen {
            exposure: sealing.as_ref().and_then(|sealing| sealing.exposure(now)),
            budget: budget.fill().map(|(used_bytes, max_bytes)| BudgetUse {
                level: budget.level(),
                used_bytes,
                max_bytes,
                full_in: budget.full_in,
            }),
            synced_at: lanes.iter().filter_map(|lane| lane.synced_at).max(),
            unsynced_since: lanes.iter().filter_map(|lane| lane.unsynced_since).min(),
            busy_since: None,
        }
    }

    /// Why records cannot be stored now; `None` where they can, as far as is known.
    pub(super) fn failure(&self, opener: &Opener, scribe: &Scribe) -> Option<Failure<'_>> {
        let unavailable = |why| Failure {
            why,
            reason: Reason::StoreUnavailable,
        };
        match self {
            Self::Open {
                lanes,
                budget,
                sealing,
                ..
            } => {
                let failure = lanes.iter().find_map(Lane::failure);
                let failure = failure.map(|why| unavailable(why.into()));
                let budget = || {
                    budget.failure().map(|why| Failure {
                        why: why.into(),
                        reason: Reason::Budget,
                    })
                };
                let exposed = || {
                    let limit = opener.seal.as_ref()?.exposure_limit()?;
                    let window = sealing.as_ref()?.exposure(scribe.clock.boot_time())?;
                    (window > limit).then(|| Failure {
                        why: exposed(limit).into(),
                        reason: Reason::Exposed,
                    })
                };
                failure.or_else(budget).or_else(exposed)
            }
            Self::Missing { why, .. } => Some(unavailable(why.to_string().into())),
        }
    }

    /// When there is something to do without a record.
    pub(super) fn deadline(&self, sync_after: Duration) -> Option<Instant> {
        match self {
            Self::Open {
                lanes, watch_at, ..
            } => lanes
                .iter()
                .filter_map(|lane| lane.deadline(sync_after))
                .chain(*watch_at)
                .min(),
            Self::Missing { retry_at, .. } => Some(*retry_at),
        }
    }

    /// Tries again what failed, once it is time.
    pub(super) fn mend(&mut self, opener: &Opener, scribe: &Scribe) {
        match self {
            Self::Open { lanes, .. } => lanes.iter_mut().for_each(|lane| lane.mend(scribe)),
            Self::Missing {
                retry_at, carried, ..
            } => {
                if Instant::now() >= *retry_at {
                    *self = Self::new(opener, scribe, std::mem::take(carried));
                }
            }
        }
    }
}

/// Begins to seal a store that was opened.
fn begin_sealing(mut sealer: Sealer, start: &Start) -> Result<Sealing, Error> {
    let begun = if start.resumed {
        Begun::Again
    } else {
        Begun::Anew
    };
    let new_root_key = match begun {
        Begun::Anew => sealer.root_key_file().map(Path::to_path_buf),
        Begun::Again => None,
    };
    let begun = sealer.begin(begun);
    let begun = begun.and_then(|()| Sealing::start(sealer, new_root_key));
    begun.inspect_err(|_| metric::count("compliance_log_seal_errors"))
}

/// The same text as long as it lasts: it is compared.
fn exposed(limit: Duration) -> String {
    format!(
        "no quorum of anchors has what was recorded in the last {} s, so that it could be changed unseen",
        limit.as_secs_f32()
    )
}

/// Bytes that were appended to both streams since the start.
fn appended(lanes: &[Lane; 2]) -> u64 {
    lanes.iter().map(|lane| lane.stream.appended_bytes()).sum()
}
