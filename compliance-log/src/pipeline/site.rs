//! The store that records go to, open or waiting to be opened again.

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
    watch::{altered_record, budget_record, step_record},
};
use crate::{
    chain::FRAME_BYTES_MAX,
    clock::Step,
    encode::Object,
    error::{Error, ErrorKind},
    event::{Channel, Level},
    lifecycle::{Scribe, name},
    loss::{Ledger, Reason},
    metric,
    receipt::{CommitError, CommitErrorKind, Promise},
    redact::Policy,
    store::{
        self, Altered, Begun, Budget, Farewell, Fs, Lock, Open, Seal, Sealer, Settings, Start,
    },
};

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

/// Whether what was sealed is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    Whole,
    Changed,
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
        let sealing = match sealer.map(|sealer| seal(sealer, &start)).transpose() {
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

    /// Once it is time: looks whether the store's files are still there, and how much room is left. A
    /// store whose folder is gone is left for another one.
    pub(super) fn watch(&mut self, opener: &Opener, scribe: &Scribe) {
        let Self::Open {
            lanes,
            path,
            sealing,
            lock,
            budget,
            watch_at: Some(watch_at),
            unkept,
        } = self
        else {
            return;
        };
        if Instant::now() < *watch_at {
            return;
        }
        *watch_at = Instant::now() + WATCH;
        let fs = &*opener.fs;
        if let Some(how) = lock.folder_altered(fs, path) {
            metric::count("compliance_log_files_altered");
            let file = String::new();
            let altered = Altered {
                file,
                how,
                records: None,
            };
            let mut carried = Carried::default();
            for (lane, ledger) in lanes.iter_mut().zip(&mut carried.ledgers) {
                let (lost, unsaid) = lane.abandon(scribe);
                *ledger = lost;
                carried.unsaid.extend(unsaid);
            }
            carried.unsaid.push(altered_record(path, &altered, scribe));
            *sealing = None;
            *self = Self::new(opener, scribe, carried);
            return;
        }
        if let Some(how) = lock.renew(fs, path) {
            metric::count("compliance_log_files_altered");
            let altered = Altered {
                file: store::LOCK.to_owned(),
                how,
                records: None,
            };
            let body = altered_record(path, &altered, scribe);
            lanes[Channel::Audit.index()].own(body, scribe);
        }
        for lane in lanes.iter_mut() {
            lane.watch(scribe);
        }
        unkept.retry(path, opener);
        budget.watch(fs, scribe.clock.monotonic(), appended(lanes));
    }

    /// Looks at the files once more before the end, so that what is found is told before `log.stopped`.
    pub(super) fn last_look(&mut self, scribe: &Scribe) {
        if let Self::Open { lanes, .. } = self {
            lanes.iter_mut().for_each(|lane| lane.watch(scribe));
        }
        self.tell(scribe);
    }

    /// Says in the audit stream, at once, what somebody did to the files and which line the budget
    /// crossed.
    pub(super) fn tell(&mut self, scribe: &Scribe) -> Past {
        let Self::Open {
            lanes,
            path,
            sealing,
            budget,
            ..
        } = self
        else {
            return Past::Whole;
        };
        let altered: Vec<Altered> = lanes
            .iter_mut()
            .flat_map(|lane| lane.stream.take_altered())
            .collect();
        let past = match sealing {
            Some(sealing)
                if altered.iter().any(Altered::has_lost) || sealing.has_another_history() =>
            {
                Past::Changed
            }
            _ => Past::Whole,
        };
        let mut bodies: Vec<Vec<u8>> = altered
            .iter()
            .map(|altered| altered_record(path, altered, scribe))
            .collect();
        bodies.extend(
            budget
                .crossing()
                .map(|crossing| budget_record(crossing, scribe)),
        );
        if bodies.is_empty() {
            return past;
        }
        let audit = &mut lanes[Channel::Audit.index()];
        for body in bodies {
            audit.own(body, scribe);
        }
        audit.settle(scribe);
        past
    }

    /// Seals what there is of a store whose past was changed, or has another history elsewhere, and goes on with whatever a start finds:
    /// another incarnation, unless the past is there after all.
    pub(super) fn begin_again(&mut self, opener: &Opener, scribe: &Scribe) {
        let Self::Open { lanes, sealing, .. } = self else {
            return;
        };
        let mut carried = Carried::default();
        for (lane, ledger) in lanes.iter_mut().zip(&mut carried.ledgers) {
            // What cannot be closed now is as durable as it gets, and is answered.
            drop(lane.close(scribe));
            lane.answer_refused();
            let (lost, unsaid) = lane.abandon(scribe);
            *ledger = lost;
            carried.unsaid.extend(unsaid);
        }
        drop(sealing.take().map(|sealing| sealing.close(Farewell::Go)));
        // The lock ends with the old store, before the start looks for it.
        *self = Self::missing(
            Error::new(ErrorKind::Damaged, "its past was changed"),
            carried,
        );
        if let Self::Missing { carried, .. } = self {
            *self = Self::new(opener, scribe, std::mem::take(carried));
        }
    }

    /// Says something in the audit stream, or once there is one.
    pub(super) fn say(&mut self, body: Vec<u8>, scribe: &Scribe) {
        match self {
            Self::Open { lanes, .. } => lanes[Channel::Audit.index()].own(body, scribe),
            Self::Missing { carried, .. } => carried.unsaid.push(body),
        }
    }

    /// Asks for the newest checkpoint, of everything that is durable.
    pub(super) fn checkpoint(&self, reply: CheckpointReply) {
        let why = match self {
            Self::Open {
                sealing: Some(sealing),
                ..
            } => return sealing.checkpoint(reply),
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
fn seal(mut sealer: Sealer, start: &Start) -> Result<Sealing, Error> {
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

/// Where the last record was written under another policy, or there is none, the record that says so.
/// It comes before every other.
fn policy_record(path: &Path, start: &Start, opener: &Opener, scribe: &Scribe) -> Option<Vec<u8>> {
    let last = start.last_policy.as_deref();
    (last != Some(scribe.policy.short())).then(|| {
        let before = last.and_then(|short| store::find_policy(&*opener.fs, path, short));
        if let Some(before) = &before {
            scribe.told.store(Arc::new(before.clone()));
        }
        policy::changed_record(before.as_ref(), scribe)
    })
}

/// What the audit stream says of this start: how the log stopped before, and the clock.
fn first_records(path: &Path, start: &Start, opener: &Opener, scribe: &Scribe) -> Vec<Vec<u8>> {
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
        .text("volume", store::volume_kind(path))
        .text_if("passed_over", passed_over.map(|(store, _)| store))
        .text_if(
            "detail",
            passed_over.map(|(_, detail)| scribe.clean(detail)),
        );
    let data = if opener.warnings.is_empty() {
        data
    } else {
        data.texts("warnings", scribe.clean_list(&opener.warnings))
    };
    let calm = passed_over.is_none() && opener.warnings.is_empty();
    let level = if calm { Level::Info } else { Level::Warn };
    bodies.push(scribe.own_act(level, name::STARTED, data));
    let now = scribe.now();
    if let Some(last) = start.last_time.filter(|last| now < *last) {
        let step = Step {
            delta_ms: (now.as_micros() - last.as_micros()) / 1000,
            since: last,
        };
        bodies.push(step_record(step, scribe));
    }
    bodies
}
