use std::{fmt, io, path::Path};

use super::{
    origin::Origin,
    statement::{Checkpoint, Signed},
};

/// A place outside of the machine, or at least outside of the reach of who writes the store, that keeps
/// checkpoints: whoever changes, cuts or rolls back what one of them covers has to change it there too.
///
/// [`DirAnchor`](crate::DirAnchor) is one. Those of a log are named by [`Seal::anchor`](crate::Seal::anchor).
///
/// # The contract
///
/// A log calls an anchor on a thread that it has for this anchor alone, one call after the other: each may
/// block, and none delays a record or a seal. One that takes longer than its
/// [deadline](crate::Seal::anchor_every) counts as failed until it returns. A panic ends there and counts as
/// a failure.
///
/// At start, and before each checkpoint that is to be kept, the log asks for the newest one. If that is
/// larger than what it signed itself, or of another tree, somebody has rolled the store back or runs it a
/// second time: the log goes on in a new incarnation. What the store's log key did not sign is believed to
/// be nothing but a failure of the anchor.
pub trait Anchor: Send + Sync + fmt::Debug {
    /// Tells it apart from the other anchors of a log, in records: a short text that never changes.
    fn name(&self) -> &str;

    /// What it is, in one word: `dir`, `object`, `witness`.
    fn kind(&self) -> &str;

    /// The note of the checkpoint with the largest size that is kept here for an origin; `None` if there is
    /// none. An anchor that can tell gives one first that somebody else had it keep since it was asked last.
    ///
    /// # Errors
    ///
    /// Whatever keeps that from being known.
    fn newest(&self, origin: &Origin) -> io::Result<Option<Vec<u8>>>;

    /// Keeps a checkpoint, so that it outlives a crash of whatever keeps it, and gives what shows that; it
    /// becomes the `receipt` of a record. To keep the same one twice is no error.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if another note of the same origin and size is kept:
    /// the log asks for the newest one then. Any other for whatever kept it from being kept; it is tried
    /// again with the next checkpoint.
    fn keep(&self, checkpoint: &Signed<Checkpoint>) -> io::Result<Option<String>>;

    /// What the user should be warned of, asked once at start: for example that the anchor does not outlive
    /// what happens to the folder of the stores. Default: nothing.
    fn warning(&self, stores: &Path) -> Option<String> {
        let _ = stores;
        None
    }
}
