//! One stream's way through the writer thread: link, write, sync, answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::batch::Entry;
use crate::{
    chain::Linked,
    event::Channel,
    lifecycle::{Scribe, name},
    loss::{Ledger, Reason},
    metric,
    receipt::{CommitError, CommitErrorKind, Promise, Receipt},
    store::{self, Ends, Left, Stream, WriteError},
    volume::Summary,
};

/// After a failure, mending it is tried again when this much time has passed.
pub(super) const RETRY: Duration = Duration::from_secs(1);
/// Unsynced bytes beyond this are synced at once.
const SYNC_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) stream: Stream,
    /// Linked, not yet written.
    pending: Vec<Pending>,
    /// Written, not yet durable, and awaited.
    awaited: Vec<Awaited>,
    /// Losses that no record in the batch tells of.
    pub(super) ledger: Ledger,
    /// Losses that the `log.gap` in the batch tells of.
    told: Ledger,
    /// Records of the log itself that are not in the batch: they wait until the stream can be written.
    unsaid: Vec<Vec<u8>>,
    /// Those that are in the batch, in case it cannot be written.
    said_in_batch: Vec<Vec<u8>>,
    /// Who waits for one of those.
    unsaid_awaited: Vec<Awaited>,
    pub(super) unsynced_since: Option<Instant>,
    pub(super) synced_at: Option<Instant>,
    broken: Option<Broken>,
    /// Errors that are not yet answered: whoever hears of one should find the log degraded.
    refused: Vec<(Promise, CommitError)>,
    room: Room,
}

/// Whether the budget has room for records of this stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    /// What was lost is told of when there is room again: a gap is no smaller than what it tells of.
    None,
}

/// Why the stream cannot be written, and when to try again.
#[derive(Debug)]
struct Broken {
    why: Arc<str>,
    retry_at: Instant,
}

struct Pending {
    counted_as: &'static str,
    /// Its loss is counted, whoever waits for it.
    counted: bool,
    awaited: Option<Awaited>,
}

struct Awaited {
    promise: Promise,
    linked: Linked,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.counted_as)
    }
}

impl std::fmt::Debug for Awaited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.linked)
    }
}

impl Lane {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            awaited: Vec::new(),
            ledger: Ledger::default(),
            told: Ledger::default(),
            unsaid: Vec::new(),
            said_in_batch: Vec::new(),
            unsaid_awaited: Vec::new(),
            unsynced_since: None,
            synced_at: None,
            broken: None,
            refused: Vec::new(),
            room: Room::Enough,
        }
    }

    pub(super) fn set_room(&mut self, room: Room) {
        self.room = room;
    }

    /// Does not store a record, for which the budget has no room.
    pub(super) fn refuse(&mut self, entry: Entry, scribe: &Scribe) {
        let text = "the store's budget has no room for it; the record is not stored";
        let error = || CommitError::new(CommitErrorKind::Unavailable, text);
        let Entry {
            counted_as,
            counted,
            promise,
            ..
        } = entry;
        self.lose(
            (counted_as, counted),
            promise,
            Reason::Budget,
            error,
            scribe,
        );
    }

    /// Looks whether the stream's files are still there, and goes on in others if not.
    pub(super) fn watch(&mut self, scribe: &Scribe) {
        if !self.is_ready() {
            return;
        }
        if let Err(failure) = self.stream.watch(scribe) {
            self.failed(&failure);
        }
        self.note_unsynced();
    }

    /// Leaves a store whose folder is gone: what was lost with it, and what the log itself still has
    /// to say.
    pub(super) fn abandon(&mut self, scribe: &Scribe) -> (Ledger, Vec<Vec<u8>>) {
        let lost = self.stream.abandon();
        if lost > 0 {
            self.ledger
                .add_many("*", Reason::StoreRemoved, lost, scribe.now());
            Reason::StoreRemoved.report_many(lost);
        }
        let ledger = std::mem::take(&mut self.ledger);
        (ledger, std::mem::take(&mut self.unsaid))
    }

    /// Makes durable what was linked, at once.
    pub(super) fn settle(&mut self, scribe: &Scribe) {
        self.write(scribe);
        self.sync(scribe);
    }

    /// Why records cannot be written now; `None` where they can, as far as is known.
    pub(super) fn failure(&self) -> Option<&str> {
        self.broken.as_ref().map(|broken| &*broken.why)
    }

    fn is_ready(&self) -> bool {
        self.broken.is_none()
    }

    /// Whether the stream can be written, and nothing of the log itself waits for that to be seen.
    pub(super) fn is_settled(&self) -> bool {
        self.is_ready() && self.unsaid.is_empty() && self.said_in_batch.is_empty()
    }

    /// When there is something to do without a record.
    pub(super) fn deadline(&self, sync_after: Duration) -> Option<Instant> {
        let sync = self.unsynced_since.map(|since| since + sync_after);
        match (&self.broken, sync) {
            (Some(broken), _) => Some(broken.retry_at),
            (None, sync) => sync,
        }
    }

    /// Makes the stream ready again once it is time to try.
    pub(super) fn mend(&mut self, scribe: &Scribe) {
        if self
            .broken
            .as_ref()
            .is_some_and(|broken| Instant::now() >= broken.retry_at)
        {
            self.broken = None;
            if let Err(failure) = self.stream.ready(scribe) {
                self.failed(&failure);
            }
        }
        if self.is_ready() {
            self.link_own(scribe);
        }
    }

    /// Makes the stream ready again, if it can be, without waiting for its time.
    pub(super) fn mend_now(&mut self, scribe: &Scribe) {
        if let Some(broken) = &mut self.broken {
            broken.retry_at = Instant::now();
        }
        self.mend(scribe);
    }

    /// 1. Links a record, after a `log.gap` for what was lost before it. A segment that is full or
    ///    old enough ends first, and with it all that was linked before is durable.
    pub(super) fn link(&mut self, entry: Entry, body: &[u8], scribe: &Scribe) {
        if body.is_empty() {
            entry
                .promise
                .into_iter()
                .for_each(|promise| self.answer_when_durable(promise));
            return;
        }
        if let Err(failure) = self.prepare(body.len(), scribe) {
            self.failed(&failure);
        }
        if let Some(broken) = &self.broken {
            let text = format!("{}; the record is not stored", broken.why);
            let error = || CommitError::new(CommitErrorKind::Unavailable, text);
            let lost = (entry.counted_as, entry.counted);
            self.lose(lost, entry.promise, Reason::StoreUnavailable, error, scribe);
            return;
        }
        let linked = self.stream.link(body);
        let awaited = entry.promise.map(|promise| Awaited { promise, linked });
        self.pending.push(Pending {
            counted_as: entry.counted_as,
            counted: entry.counted,
            awaited,
        });
    }

    /// Answers once all that was linked before is durable.
    pub(super) fn answer_when_durable(&mut self, promise: Promise) {
        let linked = self.stream.last_linked();
        self.awaited.push(Awaited { promise, linked });
    }

    /// Answers once the log's own records so far are durable; says so where they cannot be written now,
    /// although they will be.
    pub(super) fn answer_when_told(&mut self, promise: Promise) {
        if let Some(why) = self.failure() {
            let text = format!("{why}; it is in force, its record is not stored yet");
            let error = CommitError::new(CommitErrorKind::Unavailable, text);
            self.refused.push((promise, error));
            return;
        }
        let linked = self.stream.last_linked();
        let awaited = Awaited { promise, linked };
        if self.stream.has_batch() {
            self.unsaid_awaited.push(awaited);
        } else {
            self.awaited.push(awaited);
        }
    }

    /// Links a record of the log itself, now or as soon as the stream can be written.
    pub(super) fn own(&mut self, body: Vec<u8>, scribe: &Scribe) {
        let bytes = body.len();
        self.unsaid.push(body);
        if let Err(failure) = self.prepare(bytes, scribe) {
            self.failed(&failure);
        }
    }

    /// Links how many records were counted instead of written, as [`Lane::own`] does.
    pub(super) fn summarise(&mut self, summary: Option<&Summary>, scribe: &Scribe) {
        let Some(summary) = summary else { return };
        let channel = self.stream.channel();
        for body in scribe.summaries(channel, summary) {
            self.own(body, scribe);
        }
        let (channel, counted) = (channel.as_str(), summary.total());
        metric::report(|| {
            metrics::counter!("compliance_log_counted", "channel" => channel).increment(counted);
        });
    }

    fn prepare(&mut self, body_bytes: usize, scribe: &Scribe) -> Result<(), WriteError> {
        if !self.is_ready() {
            return Ok(());
        }
        self.stream.ready(scribe)?;
        if let Some(reason) = self
            .stream
            .rotation_due(body_bytes, scribe.clock.monotonic())
        {
            self.write(scribe);
            self.sync(scribe);
            self.stream.rotate(scribe, reason)?;
            self.note_unsynced();
        }
        if self.is_ready() {
            self.link_own(scribe);
        }
        Ok(())
    }

    /// What the log itself has to say, then what was lost, before any later record.
    fn link_own(&mut self, scribe: &Scribe) {
        for body in std::mem::take(&mut self.unsaid) {
            self.stream.link(&body);
            self.said_in_batch.push(body);
        }
        if self.pending.is_empty() && !self.ledger.is_empty() && self.room == Room::Enough {
            let body = scribe.gap(self.stream.channel(), &self.ledger);
            self.told.merge(std::mem::take(&mut self.ledger));
            self.stream.link(&body);
        }
    }

    /// Records of the log itself that are not stored.
    pub(super) fn unsaid(&self) -> usize {
        self.unsaid.len()
    }

    /// 2. Writes what was linked, by one call. On an error nothing of it is stored.
    pub(super) fn write(&mut self, scribe: &Scribe) {
        if !self.stream.has_batch() {
            return;
        }
        for awaited in self
            .pending
            .iter_mut()
            .filter_map(|pending| pending.awaited.as_mut())
            .chain(&mut self.unsaid_awaited)
        {
            awaited.promise.writing();
        }
        match self.stream.write() {
            Ok(()) => {
                let stored = self.pending.len() as u64;
                let channel = self.stream.channel().as_str();
                metric::report(|| {
                    metrics::counter!("compliance_log_records", "channel" => channel)
                        .increment(stored);
                });
                self.awaited
                    .extend(self.pending.drain(..).filter_map(|pending| pending.awaited));
                self.told = Ledger::default();
                self.said_in_batch.clear();
                self.awaited.append(&mut self.unsaid_awaited);
                let untold = |body: &Vec<u8>| store::says(body, name::POLICY_CHANGED);
                if self.stream.channel() == Channel::Audit && !self.unsaid.iter().any(untold) {
                    scribe.policy_is_told();
                }
            }
            Err(failure) => {
                self.ledger.merge(std::mem::take(&mut self.told));
                self.said_in_batch.append(&mut self.unsaid);
                std::mem::swap(&mut self.unsaid, &mut self.said_in_batch);
                let (kind, what) = match failure.left {
                    Left::Nothing => (CommitErrorKind::Unavailable, "the record is not stored"),
                    Left::Perhaps => (CommitErrorKind::Unknown, "the record may be stored or not"),
                };
                let text: Arc<str> = format!("{}; {what}", describe(&failure)).into();
                for Awaited { promise, .. } in std::mem::take(&mut self.unsaid_awaited) {
                    let error = CommitError::new(kind, Arc::clone(&text));
                    self.refused.push((promise, error));
                }
                for pending in std::mem::take(&mut self.pending) {
                    let promise = pending.awaited.map(|awaited| awaited.promise);
                    let error = || CommitError::new(kind, Arc::clone(&text));
                    let lost = (pending.counted_as, pending.counted);
                    self.lose(lost, promise, Reason::StoreUnavailable, error, scribe);
                }
                self.failed(&failure);
            }
        }
        self.note_unsynced();
    }

    /// 3. Syncs if somebody waits or it is time, and 4. answers.
    pub(super) fn sync_if_due(&mut self, sync_after: Duration, scribe: &Scribe) {
        let due = self
            .unsynced_since
            .is_some_and(|since| since.elapsed() >= sync_after);
        if !self.awaited.is_empty() || due || self.stream.unsynced_bytes() >= SYNC_BYTES {
            self.sync(scribe);
        }
    }

    fn sync(&mut self, scribe: &Scribe) {
        if !self.is_ready() && self.awaited.is_empty() {
            return;
        }
        let (started, something) = (Instant::now(), self.stream.unsynced_bytes() > 0);
        match self.stream.sync(scribe) {
            Ok(()) => {
                if something {
                    self.synced_at = Some(Instant::now());
                }
                let took = started.elapsed();
                metric::report(|| {
                    metrics::histogram!("compliance_log_commit_seconds").record(took);
                });
                let stream = self.stream.id();
                for Awaited { promise, linked } in self.awaited.drain(..) {
                    promise.answer(Ok(Receipt::new(
                        Arc::clone(stream),
                        linked.seq,
                        linked.hash,
                    )));
                }
            }
            Err(failure) => {
                let text: Arc<str> =
                    format!("{}; the record may be stored or not", describe(&failure)).into();
                for Awaited { promise, .. } in self.awaited.drain(..) {
                    let error = CommitError::new(CommitErrorKind::Unknown, Arc::clone(&text));
                    self.refused.push((promise, error));
                }
                self.failed(&failure);
            }
        }
        self.note_unsynced();
    }

    fn note_unsynced(&mut self) {
        self.unsynced_since = match self.stream.unsynced_bytes() {
            0 => None,
            _ => self.unsynced_since.or_else(|| Some(Instant::now())),
        };
    }

    /// A record that nobody waits for is counted; who waits is told instead. Of one that is to be
    /// counted in any case both is done.
    fn lose(
        &mut self,
        (counted_as, counted): (&'static str, bool),
        promise: Option<Promise>,
        reason: Reason,
        error: impl FnOnce() -> CommitError,
        scribe: &Scribe,
    ) {
        if counted || promise.is_none() {
            self.ledger.add(counted_as, reason, scribe.now());
            reason.report();
        }
        if let Some(promise) = promise {
            self.refused.push((promise, error()));
        }
    }

    /// 5. Answers those whose records are not, or perhaps not, stored.
    pub(super) fn answer_refused(&mut self) {
        for (promise, error) in self.refused.drain(..) {
            promise.answer(Err(error));
        }
    }

    fn failed(&mut self, failure: &WriteError) {
        self.broken = Some(Broken {
            why: describe(failure).into(),
            retry_at: Instant::now() + RETRY,
        });
    }

    /// Ends the stream: everything durable, the head file too.
    pub(super) fn close(&mut self, scribe: &Scribe) -> Result<(), WriteError> {
        self.write(scribe);
        self.sync(scribe);
        self.stream.close(scribe)
    }

    /// Of a stream that was closed: whether there may be more in its files than is durable.
    pub(super) fn ends(&self) -> Ends {
        if self.is_ready() && self.stream.unsynced_bytes() == 0 {
            Ends::Whole
        } else {
            Ends::Open
        }
    }
}

fn describe(failure: &WriteError) -> String {
    format!("cannot write {}: {}", failure.path.display(), failure.error)
}
