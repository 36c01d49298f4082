//! Records between the queue and the chain.

use crate::{event::Channel, loss::Ledger, receipt::Promise};

/// One record in the queue; without bytes, a question whether all before it is durable.
pub(super) struct Entry {
    pub(super) bytes: usize,
    pub(super) channel: Channel,
    pub(super) counted_as: &'static str,
    pub(super) promise: Option<Promise>,
}

/// All that was queued at one moment, in order. Its buffers go back to the queue emptied.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// Losses that callers counted, by channel.
    pub(super) ledgers: [Ledger; 2],
    /// Nothing comes after this.
    pub(super) last: bool,
}
