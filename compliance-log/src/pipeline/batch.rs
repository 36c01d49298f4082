//! Records between the queue and the chain.

use super::turn::Turn;
use crate::{event::Channel, loss::Ledger, receipt::Promise};

/// One record in the queue; without bytes, a question whether all before it is durable.
pub(super) struct Entry {
    pub(super) bytes: usize,
    pub(super) channel: Channel,
    pub(super) counted_as: &'static str,
    pub(super) promise: Option<Promise>,
    /// Its loss is counted, whoever waits for it.
    pub(super) counted: bool,
    /// It says what was redacted.
    pub(super) is_redacted: bool,
}

/// All that was queued at one moment, in order. Its buffers go back to the queue emptied.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// What became of the policy, each after how many of the entries.
    pub(super) turns: Vec<(usize, Turn)>,
    /// Losses that callers counted, by channel.
    pub(super) ledgers: [Ledger; 2],
    /// Nothing comes after this.
    pub(super) last: bool,
}

impl Batch {
    /// Room for a full queue, so that no caller pays for its growth; a very long one grows as it
    /// fills. Pages that are never used take no memory.
    pub(super) fn with_capacity(bytes_max: usize) -> Self {
        let bytes_max = bytes_max.min(CAPACITY_BYTES_MAX);
        Self {
            bytes: Vec::with_capacity(bytes_max),
            entries: Vec::with_capacity(bytes_max / RECORD_BYTES),
            ..Self::default()
        }
    }
}

const CAPACITY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Few records are smaller.
const RECORD_BYTES: usize = 256;
