//! The queue of encoded records, bounded in bytes.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    batch::{Batch, Entry},
    held::{Held, Waiting},
    turn::Turn,
};
use crate::{
    clock::Timestamp,
    event::Channel,
    loss::{Ledger, Reason},
    process::Process,
    receipt::{CommitError, CommitErrorKind, Promise},
    redact::Policy,
};

/// The writer takes a batch of this size without waiting for more.
const LINGER_BYTES: usize = 64 * 1024;
/// Records that nobody waits for gather for this long, so that a busy producer does not wake the
/// writer for each.
const LINGER: Duration = Duration::from_millis(2);

/// One of so many parts of the queue has no room for `app` records, so that a flood of them leaves
/// room for those that an operation depends on.
const RESERVED: usize = 4;
/// Deadlines are kept no finer than this, so that many of them cost no more than a few.
const STEP: Duration = Duration::from_millis(1);

/// Whether the writer could write now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Ready,
    Missing,
}

pub(super) struct Queue {
    process: Process,
    state: Mutex<State>,
    wake: Condvar,
    /// The thread that keeps deadlines has something new to wait for.
    held: Condvar,
    bytes_max: usize,
    /// Something was refused for lack of room since the writer came last, or what is owed stands above
    /// the bound. Changes only while the state is locked.
    crowded: AtomicBool,
}

struct State {
    batch: Batch,
    /// Commits that found no room, or no store, and wait for it.
    waiting: Waiting,
    /// Somebody waits for a record in the batch.
    urgent: bool,
    /// The writer sleeps until it is woken, and nobody has called it yet.
    asleep: bool,
    /// The writer has something new to wait for.
    changed: bool,
    phase: Phase,
    /// Records that are queued from now on are made under this one.
    policy: Arc<Policy>,
}

/// How far the log is from its end.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// The writer is to take what is queued and end.
    Closing,
    Closed,
    /// This is a copy in a process that was forked: what is in it belongs to the one before.
    Forked,
}

/// One record to be queued.
pub(super) struct Push<'a> {
    pub(super) bytes: &'a [u8],
    /// Under which it was made.
    pub(super) policy: &'a Arc<Policy>,
    pub(super) channel: Channel,
    pub(super) counted_as: &'static str,
    pub(super) at: Timestamp,
    pub(super) promise: Option<Promise>,
    pub(super) claim: Claim,
    /// Its loss is counted, whoever waits for it.
    pub(super) counted: bool,
    pub(super) is_redacted: bool,
}

/// What became of a record.
pub(super) enum Pushed {
    /// It is queued, or its loss counted.
    Done,
    /// The policy changed after the record was made: it is to be made again.
    Stale(Option<Promise>),
}

/// How far a record may go to find room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// There is room or there is none.
    Room,
    /// It waits for room, so long at most.
    Wait(Duration),
    /// It waits for room and until the store is mended, so long at most.
    WaitForStore(Duration),
    /// The duty of a request that was admitted: it is queued above the bound too, up to twice that,
    /// so that memory stays bounded when the writer stalls.
    Owed,
}

impl Queue {
    pub(super) fn new(bytes_max: usize, policy: Arc<Policy>, process: Process) -> Self {
        let state = State {
            batch: Batch::with_capacity(bytes_max),
            waiting: Waiting::default(),
            urgent: false,
            asleep: false,
            changed: false,
            phase: Phase::default(),
            policy,
        };
        Self {
            process,
            state: Mutex::new(state),
            wake: Condvar::new(),
            held: Condvar::new(),
            bytes_max,
            crowded: AtomicBool::new(false),
        }
    }

    /// A batch to exchange for the first one.
    pub(super) fn spare(&self) -> Batch {
        Batch::with_capacity(self.bytes_max)
    }

    /// For threads that only the process of the log has.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For callers, who may be in a fork.
    fn open_state(&self) -> Result<MutexGuard<'_, State>, CommitError> {
        let state = self
            .process
            .lock(&self.state)
            .ok_or_else(CommitError::forked)?;
        match state.phase {
            Phase::Open => Ok(state),
            Phase::Closing | Phase::Closed => Err(CommitError::closed()),
            Phase::Forked => Err(CommitError::forked()),
        }
    }

    /// Queues a record, or says why not; a promise is dropped only with the error that the caller
    /// returns instead.
    pub(super) fn push(&self, push: Push<'_>) -> Result<Pushed, CommitError> {
        let mut state = self.open_state()?;
        if !Arc::ptr_eq(&state.policy, push.policy) {
            return Ok(Pushed::Stale(push.promise));
        }
        let bytes_max = match (push.claim, push.channel) {
            (Claim::Owed, _) => self.bytes_max.saturating_mul(2),
            (_, Channel::App) => self.bytes_max - self.bytes_max / RESERVED,
            (_, Channel::Audit | Channel::Catalog) => self.bytes_max,
        };
        let bytes_before = state.batch.bytes.len();
        let bytes = bytes_before.saturating_add(push.bytes.len());
        if bytes > self.bytes_max && push.channel == Channel::Audit {
            self.crowded.store(true, Ordering::Relaxed);
        }
        let fits = bytes <= bytes_max;
        let waits = match push.claim {
            Claim::Room | Claim::Owed => None,
            // Nobody overtakes those who wait already.
            Claim::Wait(deadline) => (!fits || !state.waiting.is_empty()).then_some(deadline),
            Claim::WaitForStore(deadline) => Some(deadline),
        };
        if let Some(deadline) = waits {
            return self.hold(state, push, deadline).map(|()| Pushed::Done);
        }
        if !fits {
            return self.refuse(state, &push, None).map(|()| Pushed::Done);
        }
        // Not for each record until the writer has come, which may take it a while: to call it costs
        // as much as the rest.
        let calls = std::mem::replace(&mut state.asleep, false)
            || (push.promise.is_some() && !state.urgent)
            || bytes / LINGER_BYTES > bytes_before / LINGER_BYTES;
        state.urgent |= push.promise.is_some();
        state.batch.bytes.extend_from_slice(push.bytes);
        state.batch.entries.push(Entry {
            bytes: push.bytes.len(),
            channel: push.channel,
            counted_as: push.counted_as,
            promise: push.promise,
            counted: push.counted,
            is_redacted: push.is_redacted,
        });
        drop(state);
        if calls {
            self.wake_writer()?;
        }
        Ok(Pushed::Done)
    }

    /// Keeps a commit until there is room.
    #[cold]
    fn hold(
        &self,
        mut state: MutexGuard<'_, State>,
        push: Push<'_>,
        deadline: Duration,
    ) -> Result<(), CommitError> {
        if push.promise.is_none() || !state.waiting.has_room(push.bytes.len(), self.bytes_max) {
            return self.refuse(state, &push, Some(deadline));
        }
        state.waiting.extend(push.promise.map(|promise| Held {
            bytes: push.bytes.into(),
            channel: push.channel,
            counted_as: push.counted_as,
            counted: push.counted,
            is_redacted: push.is_redacted,
            at: push.at,
            promise,
            deadline,
            until: Instant::now() + deadline,
        }));
        drop(state);
        self.held.notify_one();
        self.wake_writer()
    }

    #[cold]
    fn refuse(
        &self,
        mut state: MutexGuard<'_, State>,
        push: &Push<'_>,
        deadline: Option<Duration>,
    ) -> Result<(), CommitError> {
        if push.counted {
            state.batch.ledgers[push.channel.index()].add(
                push.counted_as,
                Reason::QueueFull,
                push.at,
            );
        }
        drop(state);
        if push.counted {
            Reason::QueueFull.report();
        }
        if push.counted && push.promise.is_none() {
            return Ok(());
        }
        Err(self.full(deadline))
    }

    /// There was no room, also not within `deadline`.
    #[cold]
    pub(super) fn full(&self, deadline: Option<Duration>) -> CommitError {
        let bytes_max = self.bytes_max;
        let text = match deadline {
            None => format!(
                "the queue of {bytes_max} bytes is full; the record is not stored, try again"
            ),
            Some(deadline) => format!(
                "the queue of {bytes_max} bytes had no room within {} ms; the record is not stored, try again",
                deadline.as_millis()
            ),
        };
        CommitError::new(CommitErrorKind::Full, text)
    }

    /// A fork has no writer: whoever would wake it finds that out, and everybody after knows. So what
    /// a fork emits takes no more memory than one batch that the writer would take, and goes nowhere.
    fn wake_writer(&self) -> Result<(), CommitError> {
        if self.process.is_current() {
            self.wake.notify_one();
            return Ok(());
        }
        if let Some(mut state) = self.process.lock(&self.state) {
            state.phase = Phase::Forked;
        }
        Err(CommitError::forked())
    }

    /// Queues a question per channel that is answered once all before it is durable.
    pub(super) fn push_barriers(&self, promises: [Promise; 2]) -> Result<(), CommitError> {
        let mut state = self.open_state()?;
        for (channel, promise) in Channel::ALL.into_iter().zip(promises) {
            state.batch.entries.push(Entry {
                bytes: 0,
                channel,
                counted_as: "",
                promise: Some(promise),
                counted: false,
                is_redacted: false,
            });
        }
        state.urgent = true;
        drop(state);
        self.wake_writer()
    }

    /// Changes the policy between two records: `put_in_force` makes it that of those that come.
    pub(super) fn change_policy(
        &self,
        policy: Arc<Policy>,
        promise: Promise,
        put_in_force: impl FnOnce(Arc<Policy>),
    ) -> Result<(), CommitError> {
        let mut state = self.open_state()?;
        state.policy = Arc::clone(&policy);
        put_in_force(Arc::clone(&policy));
        self.turn(state, Turn::ChangePolicy { policy, promise })
    }

    /// Tells the writer something after the records that are queued.
    pub(super) fn tell(&self, turn: Turn) -> Result<(), CommitError> {
        self.turn(self.open_state()?, turn)
    }

    /// Has the writer say something in the log's own name, unless the policy changed since it was made.
    pub(super) fn say(&self, bytes: &[u8], policy: &Arc<Policy>) -> Result<Pushed, CommitError> {
        let state = self.open_state()?;
        if !Arc::ptr_eq(&state.policy, policy) {
            return Ok(Pushed::Stale(None));
        }
        let body = bytes.to_vec();
        self.turn(state, Turn::Say { body }).map(|()| Pushed::Done)
    }

    fn turn(&self, mut state: MutexGuard<'_, State>, turn: Turn) -> Result<(), CommitError> {
        let after = state.batch.entries.len();
        state.batch.turns.push((after, turn));
        state.changed = true;
        drop(state);
        self.wake_writer()
    }

    /// How many bytes wait, and how many may.
    pub(super) fn fill(&self) -> (u64, u64) {
        let state = self.process.lock(&self.state);
        let bytes = state.map_or(0, |state| state.batch.bytes.len());
        (bytes as u64, self.bytes_max as u64)
    }

    /// Whether new work should wait: what it would record finds no room. Asked by every request, so
    /// it takes no lock while there is room.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed) && self.open_state().is_ok()
    }

    /// Whether new work may come, and if not, why.
    pub(super) fn check_room(&self) -> Result<(), CommitError> {
        drop(self.open_state()?);
        if self.crowded.load(Ordering::Relaxed) {
            let text = "the queue is full; nothing was begun, try again";
            return Err(CommitError::new(CommitErrorKind::Full, text));
        }
        Ok(())
    }

    /// Lets the writer think again until when it may sleep.
    pub(super) fn wake(&self) {
        if let Ok(mut state) = self.open_state() {
            state.changed = true;
            drop(state);
            // A fork counts nothing that anybody is told of; its next record hears why.
            self.wake_writer().unwrap_or(());
        }
    }

    /// Counts records that were not even tried, as long as a record can still tell of them.
    pub(super) fn count_many(
        &self,
        channel: Channel,
        counted_as: &'static str,
        reason: Reason,
        count: u64,
        at: Timestamp,
    ) -> Result<(), CommitError> {
        let state = self.process.lock(&self.state);
        let state = state.filter(|_| self.process.is_current());
        let mut state = state.ok_or_else(CommitError::forked)?;
        if state.phase == Phase::Closed {
            return Err(CommitError::closed());
        }
        state.batch.ledgers[channel.index()].add_many(counted_as, reason, count, at);
        drop(state);
        reason.report_many(count);
        Ok(())
    }

    /// Exchanges `empty` for what is queued; waits until there is something to do or `deadline`.
    /// Commits that wait come after, since there is room now, unless there is no store to write to.
    pub(super) fn take(&self, empty: &mut Batch, deadline: Option<Instant>, store: Store) {
        let mut state = self.state();
        let mut linger = None;
        loop {
            let now = Instant::now();
            let queued = !state.batch.entries.is_empty();
            let ready = state.urgent || state.batch.bytes.len() >= LINGER_BYTES;
            let lingered = linger.is_some_and(|until| now >= until);
            let due = deadline.is_some_and(|deadline| now >= deadline);
            let awaited = store == Store::Ready && !state.waiting.is_empty();
            if state.phase != Phase::Open
                || due
                || state.changed
                || awaited
                || (queued && (ready || lingered))
            {
                break;
            }
            if queued {
                linger = linger.or(Some(now + LINGER));
            }
            let until = match (linger, deadline) {
                (Some(linger), Some(deadline)) => Some(linger.min(deadline)),
                (linger, deadline) => linger.or(deadline),
            };
            state.asleep = !queued;
            state = match until {
                Some(until) => {
                    let wait = until.saturating_duration_since(now);
                    self.wake
                        .wait_timeout(state, wait)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
            state.asleep = false;
        }
        state.urgent = false;
        self.crowded.store(false, Ordering::Relaxed);
        state.changed = false;
        std::mem::swap(&mut state.batch, empty);
        empty.last = state.phase != Phase::Open;
        if empty.last {
            state.phase = Phase::Closed;
        }
        let waiting = match store {
            Store::Missing if !empty.last => Waiting::default(),
            Store::Ready | Store::Missing => std::mem::take(&mut state.waiting),
        };
        drop(state);
        waiting.queue(empty);
    }

    /// Commits whose deadline has passed, once there are some; `None` when the log has ended.
    pub(super) fn overdue(&self, mut reason: impl FnMut() -> Reason) -> Option<Vec<Held>> {
        let mut state = self.state();
        loop {
            if state.phase == Phase::Closed {
                return None;
            }
            let now = Instant::now();
            let overdue = state.waiting.overdue(now);
            if !overdue.is_empty() {
                let reason = reason();
                for held in overdue.iter().filter(|held| held.counted) {
                    state.batch.ledgers[held.channel.index()].add(held.counted_as, reason, held.at);
                }
                drop(state);
                for _ in overdue.iter().filter(|held| held.counted) {
                    reason.report();
                }
                return Some(overdue);
            }
            state = match state.waiting.next() {
                Some(until) => {
                    let wait = until.saturating_duration_since(now).max(STEP);
                    self.held
                        .wait_timeout(state, wait)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .held
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Lets the writer take what is queued and then end.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.wake.notify_one();
    }

    /// However the writer ended, nothing is queued any more, and whoever waits is answered. Gives
    /// back what nobody counted in the chain.
    pub(super) fn abandon(&self) -> [Ledger; 2] {
        let (batch, waiting) = {
            let mut state = self.state();
            state.phase = Phase::Closed;
            (
                std::mem::take(&mut state.batch),
                std::mem::take(&mut state.waiting),
            )
        };
        self.held.notify_one();
        drop(waiting);
        batch.ledgers
    }
}
