//! The writer thread: the only one that links, writes, syncs and answers.

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    batch::Batch,
    handle::Handle,
    keys::KeyWatch,
    lane::{Lane, Room},
    policy::refused_record,
    printer::Printer,
    queue::Store,
    redactions,
    sealing::Sealing,
    shared::Shared,
    site::{Carried, Opener, Past, Site},
    turn::Turn,
    watch::step_record,
};
use crate::{
    clock::Steps,
    encode::Object,
    error::{Error, ErrorKind},
    event::{Channel, Level},
    lifecycle::{Scribe, name},
    loss::{Ledger, Reason},
    metric,
    receipt::answer_here,
    store::{Ends, Farewell},
    volume::{Due, Summary},
};

/// What the writer thread works with.
pub(crate) struct Worker {
    guard: Guard,
    opener: Opener,
    scribe: Scribe,
    site: Site,
    sync_after: Duration,
    steps: Steps,
    keys: Option<KeyWatch>,
    /// The second sink.
    printer: Option<Printer>,
}

/// However the thread ends, by a panic too, its guard closes the queue and answers all who wait.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.condition.close();
        let untold = self.0.queue.abandon();
        let uncounted = self.0.selection.counter.take(Due::Last);
        let untold: u64 = untold.iter().map(Ledger::total).sum();
        let untold = untold + uncounted.iter().flatten().map(Summary::total).sum::<u64>();
        metric::report(|| metrics::counter!("compliance_log_untold").increment(untold));
    }
}

/// How a log ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Losses that no record tells of.
    pub(crate) untold: Ledger,
    /// What could not be made durable.
    pub(crate) error: Option<Error>,
}

impl Worker {
    /// Opens the store and writes its first records, on the caller's thread.
    pub(crate) fn new(
        handle: &Handle,
        opener: Opener,
        scribe: Scribe,
        sync_after: Duration,
        keys: Option<KeyWatch>,
        printer: Option<Printer>,
    ) -> Self {
        let steps = Steps::new(&*scribe.clock);
        let site = Site::new(&opener, &scribe, Carried::default());
        let guard = Guard(Arc::clone(&handle.0));
        let mut worker = Self {
            guard,
            opener,
            scribe,
            site,
            sync_after,
            steps,
            keys,
            printer,
        };
        worker.set_condition();
        worker.print();
        worker
    }

    /// Why the store could not be opened.
    pub(crate) fn start_failure(&self) -> Option<&Error> {
        match &self.site {
            Site::Missing { why, .. } => Some(why),
            Site::Open { .. } => None,
        }
    }

    /// Where the root key of a store that was just made is, if it has one of its own.
    pub(crate) fn new_root_key(&self) -> Option<&Path> {
        self.site.new_root_key()
    }

    /// The folder of the store, where there is one on disk.
    pub(crate) fn store(&self) -> Option<&Path> {
        match &self.site {
            Site::Open { path, .. } if !self.opener.dir.as_os_str().is_empty() => Some(path),
            Site::Open { .. } | Site::Missing { .. } => None,
        }
    }

    /// Works until the log is closed.
    pub(crate) fn run(mut self) -> Ending {
        answer_here();
        let mut batch = self.guard.0.queue.spare();
        loop {
            let deadline = self.deadline();
            let store = match self.site.failure(&self.opener, &self.scribe) {
                None => Store::Ready,
                Some(_) => Store::Missing,
            };
            self.guard.0.queue.take(&mut batch, deadline, store);
            self.guard.0.pulse.begin();
            let waited = u32::try_from(batch.bytes.len()).unwrap_or(u32::MAX);
            metric::report(|| metrics::gauge!("compliance_log_queue_bytes").set(waited));
            self.step(&mut batch);
            if batch.last {
                return self.end();
            }
        }
    }

    /// When there is something to do without a record.
    fn deadline(&self) -> Option<Instant> {
        let site = self.site.deadline(self.sync_after);
        let summary = self.site.is_settled();
        let summary = summary.then(|| self.guard.0.selection.counter.due());
        let summary = summary.flatten().and_then(|due| {
            let left = due.saturating_sub(self.scribe.clock.monotonic());
            Instant::now().checked_add(left)
        });
        let keys = self.keys.as_ref().map(KeyWatch::deadline);
        [site, summary, keys].into_iter().flatten().min()
    }

    /// What becomes of one batch. A crash after any step leaves whole records and perhaps a torn
    /// one at the end, which the next start moves aside; nothing is acknowledged before 4.
    ///
    /// 0. watch    now and then: whether the files are there, how much room is left, whether the clock stepped,
    ///    whether there are newer keys of pseudonyms
    /// 1. link     in order of arrival, each to its stream; then what was counted instead, if it is time
    /// 2. write    once per stream
    /// 3. sync     each stream that somebody waits for, or whose time has come; then its head slot
    /// 4. answer   whoever waits, each by its own stream's sync
    ///    and say what was found of the files and the room
    /// 5. refuse   the others, once the log's health tells what they will hear
    /// 6. print    to the second sink, after the first
    fn step(&mut self, batch: &mut Batch) {
        self.site.count(std::mem::take(&mut batch.ledgers));
        // 0
        self.site.watch(&self.opener, &self.scribe);
        self.site.mend(&self.opener, &self.scribe);
        let keys = self.keys.as_mut();
        if let Some(body) = keys.and_then(|keys| keys.watch(&self.scribe)) {
            self.site.say(body, &self.scribe);
        }
        self.site.begin_batch();
        if let Site::Open { lanes, sealing, .. } = &mut self.site
            && let Some(step) = self.steps.look(&*self.scribe.clock)
        {
            let body = step_record(step, &self.scribe);
            lanes[Channel::Audit.index()].own(body, &self.scribe);
            if let Some(sealing) = sealing {
                sealing.stepped(step);
            }
        }
        // 1
        let mut turns = std::mem::take(&mut batch.turns).into_iter().peekable();
        let mut rest = &batch.bytes[..];
        for (place, entry) in batch.entries.drain(..).enumerate() {
            while let Some((_, turn)) = turns.next_if(|(after, _)| *after == place) {
                self.turn(turn);
            }
            let (body, after) = rest.split_at(entry.bytes);
            rest = after;
            if entry.is_redacted {
                redactions::report(body);
            }
            self.site.link(entry, body, &self.scribe);
        }
        turns.for_each(|(_, turn)| self.turn(turn));
        let is_settled = self.site.is_settled();
        if let Site::Open { lanes, .. } = &mut self.site {
            // Counts take no more memory while they wait; records of them would.
            let summaries = if is_settled {
                let due = Due::At(self.scribe.clock.monotonic());
                self.guard.0.selection.counter.take(due)
            } else {
                [None, None]
            };
            for (lane, summary) in lanes.iter_mut().zip(&summaries) {
                lane.summarise(summary.as_ref(), &self.scribe);
            }
            // 2, 3, 4
            for lane in lanes.iter_mut() {
                lane.write(&self.scribe);
            }
            for lane in lanes.iter_mut() {
                lane.sync_if_due(self.sync_after, &self.scribe);
            }
        }
        if self.site.tell(&self.scribe) == Past::Changed {
            self.site.begin_again(&self.opener, &self.scribe);
        }
        batch.bytes.clear();
        self.set_condition();
        // 5
        if let Site::Open { lanes, .. } = &mut self.site {
            lanes.iter_mut().for_each(Lane::answer_refused);
        }
        // 6
        self.print();
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::ChangePolicy { policy, promise } => {
                let (opener, scribe) = (&self.opener, &mut self.scribe);
                self.site.change_policy(policy, promise, opener, scribe);
            }
            Turn::RefusePolicy { why } => {
                let body = refused_record(&why, &self.scribe);
                self.site.say(body, &self.scribe);
            }
            Turn::Say { body } => self.site.say(body, &self.scribe),
            Turn::Checkpoint(reply) => self.site.ask(reply, Sealing::checkpoint),
            Turn::RotateKeys(reply) => self.site.ask(reply, Sealing::rotate_keys),
        }
    }

    fn print(&mut self) {
        let (Some(printer), Site::Open { lanes, .. }) = (&self.printer, &mut self.site) else {
            return;
        };
        let mut lines = Vec::new();
        for lane in lanes.iter_mut() {
            lane.stream.drain_echo(&mut lines);
        }
        if !lines.is_empty() {
            printer.print(lines);
        }
    }

    fn set_condition(&self) {
        let failure = self.site.failure(&self.opener, &self.scribe);
        self.guard.0.condition.set(failure);
        self.guard.0.pulse.show(self.site.seen(&self.scribe));
    }

    /// The last record, then everything durable.
    fn end(mut self) -> Ending {
        let mut ending = Ending {
            untold: Ledger::default(),
            error: None,
        };
        let summaries = self.guard.0.selection.counter.take(Due::Last);
        self.site.last_look(&self.scribe);
        match &mut self.site {
            Site::Missing { carried, .. } => {
                for ledger in std::mem::take(&mut carried.ledgers) {
                    ending.untold.merge(ledger);
                }
                for _ in summaries.iter().flatten() {
                    let reason = Reason::StoreUnavailable;
                    ending.untold.add(name::SUMMARY, reason, self.scribe.now());
                }
            }
            Site::Open { lanes, sealing, .. } => {
                let mut stopped = self.scribe.own_act(
                    Level::Info,
                    name::STOPPED,
                    Object::new().text("reason", "shutdown"),
                );
                // The audit stream's last record says that nothing comes after it, so it ends last.
                let mut ends = Ends::Whole;
                let [audit, app] = &mut **lanes;
                let [of_audit, of_app] = &summaries;
                for (lane, summary) in [(app, of_app), (audit, of_audit)] {
                    // What was lost for lack of room is told of at the last.
                    lane.set_room(Room::Enough);
                    lane.mend_now(&self.scribe);
                    lane.summarise(summary.as_ref(), &self.scribe);
                    if lane.stream.channel() == Channel::Audit {
                        lane.own(std::mem::take(&mut stopped), &self.scribe);
                    }
                    if let Err(failure) = lane.close(&self.scribe) {
                        let text = format!("cannot close {}", failure.path.display());
                        ending.error = Some(Error::io(text, failure.error));
                    }
                    if lane.ends() == Ends::Open {
                        ends = Ends::Open;
                    }
                    if lane.unsaid() > 0 && ending.error.is_none() {
                        let why = lane.failure().unwrap_or("it cannot be written").to_owned();
                        let text = format!(
                            "{} records of the log itself are not stored: {why}",
                            lane.unsaid()
                        );
                        ending.error = Some(Error::new(ErrorKind::Io, text));
                    }
                    lane.answer_refused();
                    ending.untold.merge(std::mem::take(&mut lane.ledger));
                }
                // What was written is as durable as it gets; now it is sealed.
                let close = |sealing: Sealing| sealing.close(ends, Farewell::Wait);
                if let Some(Err(error)) = sealing.take().map(close)
                    && ending.error.is_none()
                {
                    ending.error = Some(error.context("the last records are not sealed"));
                }
            }
        }
        self.print();
        ending
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}
