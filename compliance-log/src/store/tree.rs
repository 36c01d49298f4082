//! The tree of a sealed stream, which grows away from the writer.

use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread::Thread,
};

use crate::{
    chain::Digest,
    lifecycle::{Ended, Grown},
    seal::merkle::{Frontier, TreeHash},
};

/// What a stream's writer shares with whoever seals: the writer hands over the hashes of records that are
/// durable, and the tree over them is grown by whoever looks at it.
#[derive(Debug)]
pub(crate) struct Tree {
    handed: Mutex<Handed>,
    frontier: Mutex<Frontier>,
    grower: OnceLock<Thread>,
}

#[derive(Debug, Default)]
struct Handed {
    hashes: Vec<Digest>,
    segment: String,
    bytes: u64,
    ended: Vec<Ended>,
}

/// So many hashes are worth waking whoever grows the tree.
const WAKES: usize = 4 * 1024;
/// If so many hashes wait, nobody looks: the writer grows the tree itself, so that memory stays bounded.
const WAITING_MAX: usize = 64 * 1024;

impl Tree {
    /// The tree of the records that a stream has already, up to a byte of a segment.
    pub(super) fn new(frontier: Frontier, segment: String, bytes: u64) -> Self {
        Self {
            handed: Mutex::new(Handed {
                segment,
                bytes,
                ..Handed::default()
            }),
            frontier: Mutex::new(frontier),
            grower: OnceLock::new(),
        }
    }

    /// This thread grows the tree, and is woken when much waits for it.
    pub(crate) fn grown_by(&self, thread: Thread) {
        self.grower.set(thread).unwrap_or(());
    }

    /// Records became durable, up to a byte of a segment.
    pub(super) fn hand_over(
        &self,
        hashes: impl Iterator<Item = Digest>,
        segment: &str,
        bytes: u64,
    ) {
        let mut handed = lock(&self.handed);
        let before = handed.hashes.len();
        handed.hashes.extend(hashes);
        if handed.segment != segment {
            segment.clone_into(&mut handed.segment);
        }
        handed.bytes = bytes;
        let waiting = handed.hashes.len();
        drop(handed);
        if waiting >= WAITING_MAX {
            self.keep_up();
        } else if before < WAKES
            && waiting >= WAKES
            && let Some(grower) = self.grower.get()
        {
            grower.unpark();
        }
    }

    /// The segment, whose records were all handed over, gets no more of them.
    pub(super) fn end_segment(&self, file: &str, bytes: u64, hash: Digest) {
        let frontier = self.grow();
        let ended = Ended {
            file: file.to_owned(),
            bytes,
            hash,
            size: frontier.size(),
            root: frontier.root(),
        };
        lock(&self.handed).ended.push(ended);
    }

    /// The tree of all records that are durable.
    pub(crate) fn frontier(&self) -> Frontier {
        self.grow().clone()
    }

    /// How many records are durable.
    pub(super) fn size(&self) -> u64 {
        self.grow().size()
    }

    /// Grows the tree. Whoever seals does it now and then, so that not all of it is left for the seal.
    pub(crate) fn keep_up(&self) {
        drop(self.grow());
    }

    /// How the stream stands, and the segments that ended since this was asked last.
    pub(super) fn look(&self) -> (Grown, Vec<Ended>) {
        let mut frontier = lock(&self.frontier);
        let mut handed = lock(&self.handed);
        let hashes = std::mem::take(&mut handed.hashes);
        let segment = handed.segment.clone();
        let bytes = handed.bytes;
        let ended = std::mem::take(&mut handed.ended);
        drop(handed);
        append(&mut frontier, &hashes);
        let grown = Grown {
            size: frontier.size(),
            root: frontier.root(),
            segment,
            bytes,
        };
        (grown, ended)
    }

    fn grow(&self) -> MutexGuard<'_, Frontier> {
        let mut frontier = lock(&self.frontier);
        let hashes = std::mem::take(&mut lock(&self.handed).hashes);
        append(&mut frontier, &hashes);
        frontier
    }
}

fn append(frontier: &mut Frontier, hashes: &[Digest]) {
    for hash in hashes {
        frontier.append(TreeHash::leaf(hash));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
