//! The writer's side of one stream: append, sync, rotate, and what follows a failure.

mod rotate;
mod supersede;
mod watch;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    altered::Altered,
    fs::{Access, Fs},
    head::HeadFile,
    segment::{AppendError, Segment},
    tree::Tree,
};
use crate::{
    chain::{Digest, Head, Linked, StreamId},
    event::Channel,
    layout::{self, Slot},
    lifecycle::{Before, Previous, Scribe},
    metric,
    seal::merkle::Frontier,
};

/// How streams are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// A segment ends before it grows beyond this.
    pub(crate) segment_bytes_max: u64,
    /// A segment ends when it is as old as this.
    pub(crate) segment_age_max: Duration,
    /// Whether written lines are kept for another sink as well.
    pub(crate) echo: bool,
}

/// What a catalog segment is rarely too large for.
const CATALOG_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Settings {
    /// As the catalog is written beside streams that are written so: nobody else is shown it.
    pub(super) fn of_catalog(self) -> Self {
        Self {
            segment_age_max: CATALOG_AGE_MAX,
            echo: false,
            ..self
        }
    }
}

/// One stream of an open store.
#[derive(Debug)]
pub(crate) struct Stream {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    id: Arc<StreamId>,
    channel: Channel,
    settings: Settings,
    /// After everything that was linked.
    head: Head,
    tail: Tail,
    /// Linked lines that are not written yet.
    batch: Vec<u8>,
    /// Where the chain stood before the batch.
    written: Position,
    /// Every byte since the last good sync: after a failed one they are written again.
    unsynced: Vec<u8>,
    durable: Durable,
    /// None in the catalog, whose checkpoints say how far it is durable.
    head_file: Option<HeadFile>,
    /// Where the hashes of durable records go, in a sealed store.
    tree: Option<Arc<Tree>>,
    /// Of the records from `durable.next_seq` on, if there is a tree.
    hashes: Vec<Digest>,
    /// Of the file of checkpoints that belongs to the newest segment, if it has one yet; in the catalog
    /// alone.
    checkpoints: Option<Digest>,
    /// The segment that an attempt to supersede began and did not complete.
    restating: Option<u64>,
    /// Lines for the other sink.
    echo: Vec<u8>,
    /// Bytes that were appended since the start, to whatever segment.
    appended: u64,
    /// What somebody else did to its files, until it is told.
    altered: Vec<Altered>,
}

/// The newest segment.
#[derive(Debug)]
enum Tail {
    Open {
        segment: Segment,
        /// When it is as old as a segment may be, by the monotonic clock.
        due: Duration,
    },
    /// It has its footer, and the next one could not be begun yet.
    Closed { number: u64, previous: Previous },
    /// A sync or cutting back failed: nothing is appended until another segment supersedes it.
    Poisoned { segment: Segment },
}

#[derive(Clone, Copy, Debug)]
struct Position {
    next_seq: u64,
    last: Digest,
}

/// How far the newest segment is durable.
#[derive(Clone, Copy, Debug)]
struct Durable {
    offset: u64,
    next_seq: u64,
    /// The hash of the record before.
    last: Digest,
}

/// Why a stream could not be written.
#[derive(Debug)]
pub(crate) struct WriteError {
    pub(crate) error: io::Error,
    pub(crate) path: PathBuf,
    pub(crate) left: Left,
}

/// What a failed call left of the records that it should have stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// Some may be in a file, and a start after a crash may take them for stored.
    Perhaps,
}

/// What a start knows of a stream's end.
#[derive(Debug)]
pub(super) struct Resume {
    pub(super) segment: Segment,
    pub(super) next_seq: u64,
    pub(super) last: Digest,
    /// The newest segment ends in its footer.
    pub(super) complete: bool,
    /// Since its first record.
    pub(super) age: Duration,
}

impl Stream {
    /// A stream that holds nothing yet; its first record must be linked before anything is written.
    pub(super) fn create(
        fs: &Arc<dyn Fs>,
        dir: &Path,
        id: StreamId,
        channel: Channel,
        settings: Settings,
        now: Duration,
    ) -> io::Result<Self> {
        let name = layout::segment_name(0);
        let file = fs.open(&dir.join(&name), Access::Create)?;
        let segment = Segment {
            file,
            name,
            first_seq: 0,
            number: 0,
            len: 0,
        };
        let last = id.genesis_prev();
        let resume = Resume {
            segment,
            next_seq: 0,
            last,
            complete: false,
            age: Duration::ZERO,
        };
        let stream = Self::resume(fs, dir, id, channel, settings, resume, now)?;
        fs.sync_dir(dir)?;
        Ok(stream)
    }

    /// Goes on after the last good record. Everything up to there must be synced already.
    pub(super) fn resume(
        fs: &Arc<dyn Fs>,
        dir: &Path,
        id: StreamId,
        channel: Channel,
        settings: Settings,
        resume: Resume,
        now: Duration,
    ) -> io::Result<Self> {
        let Resume {
            segment,
            next_seq,
            last,
            complete,
            age,
        } = resume;
        let durable = Durable {
            offset: segment.len,
            next_seq,
            last,
        };
        let head_file = match channel {
            Channel::Audit | Channel::App => Some(HeadFile::open(&**fs, dir)?),
            Channel::Catalog => None,
        };
        let mut stream = Self {
            fs: Arc::clone(fs),
            dir: dir.to_path_buf(),
            head: Head::after(&id, next_seq, last),
            id: Arc::new(id),
            channel,
            settings,
            tail: Tail::Open {
                segment,
                due: now.saturating_add(settings.segment_age_max.saturating_sub(age)),
            },
            batch: Vec::new(),
            written: Position { next_seq, last },
            unsynced: Vec::new(),
            durable,
            head_file,
            tree: None,
            hashes: Vec::new(),
            checkpoints: None,
            restating: None,
            echo: Vec::new(),
            appended: 0,
            altered: Vec::new(),
        };
        stream.publish();
        if complete {
            stream.close_segment();
        }
        Ok(stream)
    }

    /// The store was renamed, with this folder in it.
    pub(super) fn moved(&mut self, dir: PathBuf) {
        self.dir = dir;
    }

    pub(crate) fn id(&self) -> &Arc<StreamId> {
        &self.id
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel
    }

    /// Bytes that no sync covers yet.
    pub(crate) fn unsynced_bytes(&self) -> usize {
        self.unsynced.len()
    }

    /// Whether lines are linked that are not written yet.
    pub(crate) fn has_batch(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Seals it: from here on hashes are handed over to a tree, which is that of all records so far.
    pub(super) fn grow(&mut self, frontier: Frontier) -> Arc<Tree> {
        let (name, bytes) = match &self.tail {
            Tail::Open { segment, .. } | Tail::Poisoned { segment } => (&segment.name, segment.len),
            Tail::Closed { previous, .. } => (&previous.name, previous.bytes),
        };
        let tree = Arc::new(Tree::new(frontier, name.clone(), bytes));
        if let Tail::Closed { previous, .. } = &self.tail {
            tree.end_segment(&previous.name, previous.bytes, self.written.last);
        }
        self.tree = Some(Arc::clone(&tree));
        tree
    }

    /// The records that are durable, as a tree, in a sealed store.
    pub(crate) fn tree(&self) -> Option<&Arc<Tree>> {
        self.tree.as_ref()
    }

    /// The catalog has other checkpoints now; the next segment's header states it.
    pub(super) fn set_checkpoints(&mut self, digest: Digest) {
        self.checkpoints = Some(digest);
    }

    /// With which record the newest segment begins; `None` between two of them.
    pub(super) fn newest_segment(&self) -> Option<u64> {
        match &self.tail {
            Tail::Open { segment, .. } | Tail::Poisoned { segment } => Some(segment.first_seq),
            Tail::Closed { .. } => None,
        }
    }

    /// Links one record into the batch.
    pub(crate) fn link(&mut self, body: &[u8]) -> Linked {
        let linked = self.head.link(body, &mut self.batch);
        if self.tree.is_some() {
            self.hashes.push(linked.hash);
        }
        linked
    }

    /// The chain stands where it stood before what was not stored.
    fn go_back(&mut self) {
        self.head = Head::after(&self.id, self.written.next_seq, self.written.last);
        let kept = self.written.next_seq.saturating_sub(self.durable.next_seq);
        self.hashes
            .truncate(usize::try_from(kept).unwrap_or(usize::MAX));
    }

    /// The next record's place.
    pub(super) fn next_seq(&self) -> u64 {
        self.head.next_seq()
    }

    /// The place of the record that was linked last.
    pub(crate) fn last_linked(&self) -> Linked {
        Linked {
            seq: self.head.next_seq().saturating_sub(1),
            hash: self.head.last(),
        }
    }

    /// Moves the lines for the other sink to `out`.
    pub(crate) fn drain_echo(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.echo);
    }

    /// `write` of the batch. On an error its records are not stored and the chain stands where it
    /// stood before; the next call of `ready` mends what the error left.
    pub(crate) fn write(&mut self) -> Result<(), WriteError> {
        self.write_batch().map_err(|error| self.error(error))
    }

    fn write_batch(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let appended = match &mut self.tail {
            Tail::Open { segment, .. } => segment.append(&self.batch),
            Tail::Closed { .. } | Tail::Poisoned { .. } => Err(AppendError::CutBack(
                io::Error::other("the segment takes no more records"),
            )),
        };
        let error = match appended {
            Ok(()) => {
                self.appended += self.batch.len() as u64;
                if self.settings.echo {
                    self.echo.extend_from_slice(&self.batch);
                }
                self.unsynced.append(&mut self.batch);
                self.written = Position {
                    next_seq: self.head.next_seq(),
                    last: self.head.last(),
                };
                return Ok(());
            }
            Err(AppendError::CutBack(error)) => error,
            Err(AppendError::LeftPartial(error)) => {
                self.poison();
                error
            }
        };
        self.batch.clear();
        self.go_back();
        Err(error)
    }

    /// `fdatasync`, then the head file's slot. After a failed sync nothing is known of the bytes
    /// since the last good one: another segment restates them, and only then is this `Ok`.
    pub(crate) fn sync(&mut self, scribe: &Scribe) -> Result<(), WriteError> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        let synced = match &mut self.tail {
            Tail::Open { segment, .. } => segment.file.sync_data(),
            Tail::Closed { .. } => Ok(()),
            Tail::Poisoned { .. } => Err(io::Error::other("the segment is poisoned")),
        };
        if synced.is_ok() {
            // What was synced into a file that nobody can find is not stored.
            if let Some(how) = self.segment_altered() {
                return self.leave(how, scribe);
            }
            self.mark_durable();
            return Ok(());
        }
        self.poison();
        self.supersede(scribe).map_err(|error| self.error(error))
    }

    /// Bytes that were appended since the start, to whatever segment.
    pub(crate) fn appended_bytes(&self) -> u64 {
        self.appended
    }

    /// Makes everything durable and the head file too; the segment stays open for the next start.
    pub(crate) fn close(&mut self, scribe: &Scribe) -> Result<(), WriteError> {
        self.write()?;
        self.sync(scribe)?;
        self.sync_head_file();
        Ok(())
    }

    fn sync_head_file(&mut self) {
        if let Some(head_file) = &mut self.head_file {
            head_file.sync();
        }
    }

    /// What a header states of the time before the segment's first line, all of which is durable.
    fn before(&self) -> Option<Before> {
        let tree = self.tree.as_ref()?;
        Some(Before {
            frontier: tree.frontier().to_hex(),
            checkpoints: self.checkpoints,
        })
    }

    fn mark_durable(&mut self) {
        let Tail::Open { segment, .. } = &self.tail else {
            return;
        };
        let durable = Durable {
            offset: segment.len,
            next_seq: self.written.next_seq,
            last: self.written.last,
        };
        if let Some(tree) = &self.tree {
            let records = durable.next_seq.saturating_sub(self.durable.next_seq);
            let records = usize::try_from(records).unwrap_or(usize::MAX);
            let hashes = self.hashes.drain(..records.min(self.hashes.len()));
            tree.hand_over(hashes, &segment.name, segment.len);
        }
        self.durable = durable;
        self.unsynced.clear();
        self.publish();
    }

    /// Writes the head file's slot, unsynced: it may lag behind the segment, never lead.
    fn publish(&mut self) {
        let Tail::Open { segment, .. } = &self.tail else {
            return;
        };
        if let Some(last_seq) = self
            .durable
            .next_seq
            .checked_sub(1)
            .filter(|_| self.durable.offset > 0)
        {
            let slot = Slot {
                segment: segment.first_seq,
                last_seq,
                offset: self.durable.offset,
                hash: self.written.last,
            };
            if let Some(head_file) = &mut self.head_file {
                head_file.write(&slot);
            }
        }
    }

    fn error(&self, error: io::Error) -> WriteError {
        metric::count("compliance_log_write_errors");
        let name = match &self.tail {
            Tail::Open { segment, .. } | Tail::Poisoned { segment } => &segment.name,
            Tail::Closed { previous, .. } => &previous.name,
        };
        WriteError {
            error,
            path: self.dir.join(name),
            left: match &self.tail {
                Tail::Poisoned { .. } => Left::Perhaps,
                Tail::Open { .. } | Tail::Closed { .. } => Left::Nothing,
            },
        }
    }
}
