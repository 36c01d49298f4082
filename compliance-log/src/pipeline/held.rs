//! Commits that found no room and wait for it.

use std::time::{Duration, Instant};

use super::batch::{Batch, Entry};
use crate::{clock::Timestamp, event::Channel, receipt::Promise};

/// One of them.
pub(super) struct Held {
    pub(super) bytes: Box<[u8]>,
    pub(super) channel: Channel,
    pub(super) counted_as: &'static str,
    /// Its loss is counted, although its caller is told.
    pub(super) counted: bool,
    pub(super) is_redacted: bool,
    pub(super) at: Timestamp,
    pub(super) promise: Promise,
    /// How long it may wait.
    pub(super) deadline: Duration,
    /// When that is over.
    pub(super) until: Instant,
}

/// All of them, in order of arrival.
#[derive(Default)]
pub(super) struct Waiting {
    held: Vec<Held>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether one of `bytes` more stays within `bytes_max`, what keeps it counted in.
    pub(super) fn has_room(&self, bytes: usize, bytes_max: usize) -> bool {
        self.bytes.saturating_add(cost(bytes)) <= bytes_max
    }

    pub(super) fn extend(&mut self, held: Option<Held>) {
        self.bytes += held.as_ref().map_or(0, |held| cost(held.bytes.len()));
        self.held.extend(held);
    }

    /// When the first of them has waited long enough.
    pub(super) fn next(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.until).min()
    }

    /// Takes those out that have waited long enough.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Held> {
        let overdue: Vec<Held> = self.held.extract_if(.., |held| held.until <= now).collect();
        self.bytes -= overdue
            .iter()
            .map(|held| cost(held.bytes.len()))
            .sum::<usize>();
        overdue
    }

    /// Puts all of them at the end of `batch`.
    pub(super) fn queue(self, batch: &mut Batch) {
        for held in self.held {
            batch.bytes.extend_from_slice(&held.bytes);
            batch.entries.push(Entry {
                bytes: held.bytes.len(),
                channel: held.channel,
                counted_as: held.counted_as,
                promise: Some(held.promise),
                counted: held.counted,
                is_redacted: held.is_redacted,
            });
        }
    }
}

fn cost(bytes: usize) -> usize {
    bytes.saturating_add(size_of::<Held>())
}
