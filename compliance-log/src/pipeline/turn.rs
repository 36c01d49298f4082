use std::sync::Arc;

use super::sealing::CheckpointReply;
use crate::{receipt::Promise, redact::Policy};

/// What the writer is told between two records.
pub(super) enum Turn {
    /// Records after this one are made under another policy.
    ChangePolicy {
        policy: Arc<Policy>,
        /// Answered once the record that says so is durable.
        promise: Promise,
    },
    /// A policy that was offered cannot be used; the one in force stays.
    RefusePolicy {
        /// Which file, where in it, and why.
        why: String,
    },
    /// A record of the log itself, which waits for a store if there is none.
    Say { body: Vec<u8> },
    /// Somebody wants the newest checkpoint.
    Checkpoint(CheckpointReply),
    /// Somebody wants other keys, and the newest checkpoint then.
    RotateKeys(CheckpointReply),
}
