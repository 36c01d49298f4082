//! The queue of encoded records, bounded in bytes.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::batch::{Batch, Entry};
use crate::{
    clock::Timestamp,
    event::Channel,
    loss::{Ledger, OnFailure, Reason},
    receipt::{CommitError, CommitErrorKind, Promise},
};

/// The writer takes a batch of this size without waiting for more.
const LINGER_BYTES: usize = 64 * 1024;
/// Records that nobody waits for gather for this long, so that a busy producer does not wake the
/// writer for each.
const LINGER: Duration = Duration::from_millis(2);

pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// Somebody waits for a record in the batch.
    urgent: bool,
    /// The writer sleeps until it is woken.
    asleep: bool,
    room: Room,
    /// The writer has something new to wait for.
    changed: bool,
    phase: Phase,
}

/// Whether new work may come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Room {
    #[default]
    Enough,
    /// Something was refused for lack of room since the writer came last, or what is owed stands
    /// above the bound.
    Crowded,
}

/// How far the log is from its end.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// The writer is to take what is queued and end.
    Closing,
    Closed,
}

/// One record to be queued.
pub(super) struct Push<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) channel: Channel,
    pub(super) counted_as: &'static str,
    pub(super) at: Timestamp,
    pub(super) on_failure: OnFailure,
    pub(super) promise: Option<Promise>,
    /// The record is the duty of a request that was admitted: it is queued above the bound too, and
    /// counted beyond twice that.
    pub(super) owed: bool,
}

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        let state = State {
            batch: Batch::with_capacity(bytes_max),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
            bytes_max,
        }
    }

    /// A batch to exchange for the first one.
    pub(super) fn spare(&self) -> Batch {
        Batch::with_capacity(self.bytes_max)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a record, or says why not; a promise is dropped only with the error that the caller
    /// returns instead.
    pub(super) fn push(&self, push: Push<'_>) -> Result<(), CommitError> {
        let mut state = self.state();
        if state.phase != Phase::Open {
            return Err(CommitError::closed());
        }
        // What is owed may use as much again, so that memory stays bounded when the writer stalls.
        let bytes_max = if push.owed {
            self.bytes_max.saturating_mul(2)
        } else {
            self.bytes_max
        };
        let bytes = state.batch.bytes.len().saturating_add(push.bytes.len());
        if bytes > self.bytes_max {
            state.room = Room::Crowded;
        }
        if bytes > bytes_max {
            if push.owed || push.on_failure == OnFailure::DropAndCount {
                state.batch.ledgers[push.channel.index()].add(
                    push.counted_as,
                    Reason::QueueFull,
                    push.at,
                );
                Reason::QueueFull.report();
            }
            drop(state);
            if push.promise.is_none() && push.on_failure == OnFailure::DropAndCount {
                return Ok(());
            }
            let text = format!(
                "the queue of {} bytes is full; the record is not stored, try again",
                self.bytes_max
            );
            return Err(CommitError::new(CommitErrorKind::Full, text));
        }
        state.urgent |= push.promise.is_some();
        state.batch.bytes.extend_from_slice(push.bytes);
        state.batch.entries.push(Entry {
            bytes: push.bytes.len(),
            channel: push.channel,
            counted_as: push.counted_as,
            promise: push.promise,
            owed: push.owed,
        });
        let ready = state.urgent || state.batch.bytes.len() >= LINGER_BYTES;
        let wake = state.asleep || ready;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Queues a question per channel that is answered once all before it is durable.
    pub(super) fn push_barriers(&self, promises: [Promise; 2]) -> Result<(), CommitError> {
        let mut state = self.state();
        if state.phase != Phase::Open {
            return Err(CommitError::closed());
        }
        for (channel, promise) in Channel::ALL.into_iter().zip(promises) {
            state.batch.entries.push(Entry {
                bytes: 0,
                channel,
                counted_as: "",
                promise: Some(promise),
                owed: false,
            });
        }
        state.urgent = true;
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Whether new work should wait: what it would record finds no room.
    pub(super) fn is_crowded(&self) -> bool {
        self.state().room == Room::Crowded
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().phase == Phase::Open
    }

    /// Lets the writer think again until when it may sleep.
    pub(super) fn wake(&self) {
        self.state().changed = true;
        self.wake.notify_one();
    }

    /// Counts a record that was not even tried.
    pub(super) fn count(
        &self,
        channel: Channel,
        counted_as: &'static str,
        reason: Reason,
        at: Timestamp,
    ) {
        self.state().batch.ledgers[channel.index()].add(counted_as, reason, at);
        reason.report();
    }

    /// Exchanges `empty` for what is queued; waits until there is something to do or `deadline`.
    pub(super) fn take(&self, empty: &mut Batch, deadline: Option<Instant>) {
        let mut state = self.state();
        let mut linger = None;
        loop {
            let now = Instant::now();
            let queued = !state.batch.entries.is_empty();
            let ready = state.urgent || state.batch.bytes.len() >= LINGER_BYTES;
            let lingered = linger.is_some_and(|until| now >= until);
            let due = deadline.is_some_and(|deadline| now >= deadline);
            if state.phase != Phase::Open || due || state.changed || (queued && (ready || lingered))
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
        state.room = Room::Enough;
        state.changed = false;
        std::mem::swap(&mut state.batch, empty);
        empty.last = state.phase != Phase::Open;
        if empty.last {
            state.phase = Phase::Closed;
        }
    }

    /// Lets the writer take what is queued and then end.
    pub(super) fn close(&self) {
        self.state().phase = Phase::Closing;
        self.wake.notify_one();
    }

    /// However the writer ended, nothing is queued any more, and whoever waits is answered. Gives
    /// back what nobody counted in the chain.
    pub(super) fn abandon(&self) -> [Ledger; 2] {
        let batch = {
            let mut state = self.state();
            state.phase = Phase::Closed;
            std::mem::take(&mut state.batch)
        };
        batch.ledgers
    }
}
