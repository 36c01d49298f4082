//! Signs what the streams of a store came to, again and again.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    anchoring::Worth,
    anchors::{Another, Standing},
    epochs::Epochs,
    exposure::Exposure,
    keys::Keys,
    note_log::NoteLog,
    settings::{Root, Seal},
};
use crate::{
    chain::StreamId,
    clock::Step,
    error::{Error, ErrorKind},
    event::Channel,
    layout,
    lifecycle::{Ended, Ratchet, Rotation, Scribe},
    metric,
    redact::Policy,
    seal::statement::{Checkpoint, Signed},
    store::{
        altered::Altered,
        fs::Fs,
        stream::{Stream, WriteError},
        tree::Tree,
    },
};

/// The catalog of an open store, its keys, and the trees of its streams. One thread works with it.
///
/// Whatever it does it does in one order, so that a reader who goes the other way finds everything that is
/// named: records durable, facts in the catalog, catalog durable, signature durable.
#[derive(Debug)]
pub(crate) struct Sealer {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) store: PathBuf,
    pub(super) settings: Seal,
    pub(super) scribe: Scribe,
    pub(super) keys: Keys,
    pub(super) catalog: Stream,
    tree: Arc<Tree>,
    checkpoints: CheckpointFile,
    /// The segment of the catalog that tells all that a start has to know.
    complete: Option<u64>,
    pub(super) epochs: Epochs,
    streams: Vec<Watched>,
    /// What is told again where a segment begins, and other facts that are to be sealed next.
    again: Vec<Vec<u8>>,
    facts: Vec<Fact>,
    /// When the writer started, by the clock that goes on while the machine sleeps.
    since: Duration,
    /// By the same clock: the newest fact, the newest checkpoint.
    last_fact: Duration,
    sealed_at: Duration,
    /// The newest checkpoint of this writer.
    pub(super) newest: Option<Signed<Checkpoint>>,
    pub(super) standing: Standing,
    pub(super) exposure: Exposure,
    /// When the streams were looked at last.
    looked_at: Duration,
    /// Facts that wait tell of growth, and as many are of anchors.
    has_grown: bool,
    pub(super) anchor_facts: usize,
    /// The same of facts that were written and are not signed yet.
    written: Written,
    /// What the newest checkpoints cover that the anchors were not given, and when they were given one.
    pub(super) unsent: Worth,
    pub(super) sent_at: Option<Duration>,
    /// Receipts that facts tell of.
    pub(super) taken: BTreeSet<PathBuf>,
    /// Why the store must not be gone on with: it has another history, or somebody altered its seal.
    pub(super) another: Option<Another>,
    altered: Option<Altered>,
}

/// What the catalog tells of beyond its newest checkpoint.
#[derive(Debug)]
struct Written {
    has_grown: bool,
    worth: Worth,
    /// Everything before this moment.
    until: Duration,
}

/// A record of the catalog, and when it was made.
#[derive(Debug)]
struct Fact {
    at: Duration,
    body: Vec<u8>,
}

/// Whether the end of a writer waits for its anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// Until they have its last checkpoint, or their time is over.
    Wait,
    /// Another writer is waited for.
    Go,
}

/// Whether all that was written to the streams is durable, and nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Whole,
    /// There may be records that nobody seals.
    Open,
}

/// The notes that belong to the newest segment of the catalog.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    pub(super) name: String,
    pub(super) notes: NoteLog,
}

/// A stream of records, and how much of it the catalog tells of.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) id: Arc<StreamId>,
    pub(super) tree: Arc<Tree>,
    /// The size in the newest `seal.head`; `None` where it is to be told again.
    pub(super) told: Option<u64>,
    /// The largest size that the catalog ever told of.
    pub(super) known: u64,
    /// Segments whose end the catalog tells of already.
    pub(super) ended: Vec<String>,
}

/// What a sealer begins with: a catalog that ends at its newest checkpoint.
pub(super) struct Parts {
    pub(super) store: PathBuf,
    pub(super) settings: Seal,
    pub(super) keys: Keys,
    pub(super) catalog: Stream,
    pub(super) tree: Arc<Tree>,
    pub(super) checkpoints: CheckpointFile,
    pub(super) epochs: NoteLog,
    /// The size in the newest epoch note.
    pub(super) epoch_size: u64,
    pub(super) streams: Vec<Watched>,
    pub(super) anchored: AnchorState,
}

/// What the anchors have to begin with.
pub(super) struct AnchorState {
    pub(super) standing: Standing,
    /// By place: what is the matter with the anchor.
    pub(super) failures: Vec<Option<String>>,
    /// The size of the catalog with which the streams grew last.
    pub(super) grown: u64,
    /// How long ago the newest record was written that the anchors cover.
    pub(super) ago: Duration,
}

/// Whether the store was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    Anew,
    Again,
}

impl Sealer {
    pub(super) fn new(fs: &Arc<dyn Fs>, scribe: &Scribe, parts: Parts) -> Self {
        let now = scribe.clock.boot_time();
        let mut catalog = parts.catalog;
        catalog.set_checkpoints(parts.checkpoints.notes.digest());
        let AnchorState {
            standing,
            failures,
            grown,
            ago,
        } = parts.anchored;
        let complete = catalog.newest_segment();
        let mut sealer = Self {
            fs: Arc::clone(fs),
            store: parts.store,
            settings: parts.settings,
            scribe: scribe.again(),
            keys: parts.keys,
            catalog,
            tree: parts.tree,
            checkpoints: parts.checkpoints,
            complete,
            epochs: Epochs::new(parts.epochs, parts.epoch_size, now),
            streams: parts.streams,
            again: Vec::new(),
            facts: Vec::new(),
            since: now,
            last_fact: now,
            sealed_at: now,
            newest: None,
            standing,
            exposure: Exposure::new(grown, ago, now),
            looked_at: now,
            has_grown: false,
            anchor_facts: 0,
            written: Written {
                has_grown: false,
                worth: Worth::Nothing,
                until: now,
            },
            unsent: Worth::Nothing,
            sent_at: None,
            taken: BTreeSet::new(),
            another: None,
            altered: None,
        };
        sealer.begin_with(failures);
        sealer
    }

    /// The first facts of a new store, sealed: which streams there are.
    pub(super) fn open_streams(&mut self) -> Result<(), Error> {
        let ids: Vec<_> = self
            .streams
            .iter()
            .map(|stream| Arc::clone(&stream.id))
            .collect();
        for id in ids {
            self.tell(|scribe, up| scribe.open_fact(up, &id));
        }
        self.seal()
    }

    /// Segments ended of which a crash kept the catalog from telling.
    pub(super) fn tell_of_ended(&mut self, ended: Vec<(Arc<StreamId>, Ended)>) {
        for (id, ended) in ended {
            self.tell(|scribe, up| scribe.ended_fact(up, &id, &ended));
        }
    }

    /// The store, which was made under another name, has its own now.
    pub(in crate::store) fn moved(&mut self, store: PathBuf) {
        self.catalog
            .moved(layout::stream_dir(&store, Channel::Catalog));
        self.store = store;
    }

    /// The first fact of a writer, sealed, and a new epoch.
    pub(crate) fn begin(&mut self, begun: Begun) -> Result<(), Error> {
        let (resumed, cadence) = (begun == Begun::Again, self.settings.cadence());
        self.tell(|scribe, up| scribe.started_fact(up, resumed, cadence));
        if self.catalog.newest_segment().is_none() {
            self.begin_segment()?;
        }
        self.seal()?;
        let turned = self.ratchet(Ratchet::Start);
        self.send();
        turned
    }

    /// The last fact, sealed: that the writer stopped, unless there may be more than it can seal. What is
    /// left of the keys afterwards has signed nothing but that a key was changed.
    pub(crate) fn close(&mut self, ends: Ends, farewell: Farewell) -> Result<(), Error> {
        self.mend()?;
        self.hear();
        if ends == Ends::Whole {
            self.tell(Scribe::stopped_fact);
        }
        self.seal()?;
        self.ratchet(Ratchet::Close)?;
        self.seal()?;
        self.remove_taken();
        if let Some(newest) = &self.newest {
            // Where there is another history, whoever writes that finds this one.
            let time = match farewell {
                Farewell::Wait => self.settings.deadline(),
                Farewell::Go => Duration::ZERO,
            };
            self.settings.places.keep_now(newest, time);
        }
        Ok(())
    }

    /// The wall clock was set.
    pub(crate) fn stepped(&mut self, step: Step) {
        self.tell(|scribe, up| scribe.stepped_fact(up, step));
    }

    /// Facts are written under another policy from here on.
    pub(crate) fn change_policy(&mut self, policy: Arc<Policy>) {
        self.scribe.policy = policy;
    }

    /// Grows the trees, so that little of that is left for the seal.
    pub(crate) fn keep_up(&self) {
        for stream in &self.streams {
            stream.tree.keep_up();
        }
    }

    /// The trees of the streams, whose writer wakes whoever grows them.
    pub(crate) fn trees(&self) -> impl Iterator<Item = &Arc<Tree>> {
        self.streams.iter().map(|stream| &stream.tree)
    }

    /// Where the store's root key is, if it has one of its own.
    pub(crate) fn root_key_file(&self) -> Option<&Path> {
        let file = self.settings.root_key_file.as_deref();
        file.filter(|_| self.settings.root == Root::Own)
    }

    /// How often there is something to do.
    pub(crate) fn every(&self) -> Duration {
        self.settings.every
    }

    /// How old the newest checkpoint is.
    pub(crate) fn age(&self) -> Duration {
        self.now().saturating_sub(self.sealed_at)
    }

    /// Does what it is time for.
    pub(crate) fn work(&mut self) -> Result<(), Error> {
        let worked = self.try_work();
        self.show_exposure();
        worked
    }

    fn try_work(&mut self) -> Result<(), Error> {
        self.look()?;
        let idle = self.now().saturating_sub(self.sealed_at);
        if self.has_unsealed() || idle >= self.settings.heartbeat {
            self.seal()?;
        }
        if self.epochs.age(self.now()) >= self.settings.epoch {
            self.ratchet(Ratchet::Time)?;
        }
        self.settle()
    }

    /// Seals everything that is durable, and gives the newest checkpoint.
    pub(crate) fn checkpoint(&mut self) -> Result<String, Error> {
        let sealed = self.seal_all();
        self.show_exposure();
        sealed?;
        Ok(self
            .newest
            .as_ref()
            .map_or_else(String::new, Signed::to_string))
    }

    /// Seals everything that is durable, has the next keys take the place of those that sign, and gives the
    /// newest checkpoint, which is one of theirs.
    pub(crate) fn rotate_keys(&mut self) -> Result<String, Error> {
        self.checkpoint()?;
        self.ratchet(Ratchet::Request)?;
        self.checkpoint()
    }

    fn seal_all(&mut self) -> Result<(), Error> {
        self.look()?;
        if self.has_unsealed() {
            self.seal()?;
        }
        self.settle()
    }

    /// Has a fact sealed with the next checkpoint.
    pub(super) fn tell(&mut self, fact: impl FnOnce(&Scribe, Duration) -> Vec<u8>) {
        let at = self.now();
        let body = fact(&self.scribe, at.saturating_sub(self.since));
        self.facts.push(Fact { at, body });
    }

    /// Whether nothing waits to be told.
    pub(super) fn is_told(&self) -> bool {
        self.facts.is_empty()
    }

    /// Gathers what there is to seal.
    fn look(&mut self) -> Result<(), Error> {
        self.mend()?;
        self.hear();
        Ok(())
    }

    /// Does what follows a seal.
    fn settle(&mut self) -> Result<(), Error> {
        self.rotate_if_due()?;
        self.remove_taken();
        self.send();
        Ok(())
    }

    /// Completes what failed halfway: no checkpoint is signed between a ratchet's note and its key.
    /// A file of checkpoints is as its digest says before another one follows it.
    fn mend(&mut self) -> Result<(), Error> {
        self.check_files()?;
        let mended = self.checkpoints.notes.mend();
        mended.map_err(|error| self.checkpoints_failed(error))?;
        self.finish_ratchet()?;
        if self.catalog.newest_segment().is_none() {
            self.begin_segment()?;
        }
        Ok(())
    }

    /// A segment begins with all that a start has to know, since that reads no other: which streams there
    /// are, what of them is sealed, and what the anchors have.
    fn complete_segment(&mut self) {
        let segment = self.catalog.newest_segment();
        if segment.is_none() || self.complete == segment {
            return;
        }
        let up = self.up();
        self.again.clear();
        for stream in &mut self.streams {
            self.again.push(self.scribe.open_fact(up, &stream.id));
            stream.told = None;
            stream.ended.clear();
        }
        // The receipts themselves are in the segments before.
        let held = self.standing.held();
        let receipt = |(anchor, size)| self.scribe.receipt_fact(up, anchor, size, None);
        self.again.extend(held.map(receipt));
        self.complete = segment;
    }

    /// What the streams came to since the catalog told of them last: segments that ended are facts from
    /// then on, how the streams stand is told once it is written.
    fn collect(&mut self) -> Vec<Vec<u8>> {
        self.looked_at = self.now();
        let at = self.looked_at;
        let up = at.saturating_sub(self.since);
        let mut heads = Vec::new();
        for stream in &mut self.streams {
            let (grown, ended) = stream.tree.look();
            for ended in ended {
                if !stream.ended.contains(&ended.file) {
                    let body = self.scribe.ended_fact(up, &stream.id, &ended);
                    self.facts.push(Fact { at, body });
                    stream.ended.push(ended.file);
                }
            }
            if stream.told != Some(grown.size) && grown.size > 0 {
                heads.push(self.scribe.head_fact(up, &stream.id, &grown));
                stream.told = Some(grown.size);
            }
            if grown.size > stream.known {
                stream.known = grown.size;
                self.has_grown = true;
            }
        }
        heads
    }

    /// Seals what the streams came to.
    ///
    /// 1. facts written to the catalog   crash: they are above the newest checkpoint, and are written anew
    /// 2. catalog synced                 crash: as above; where another segment took the place of one that
    ///    could not be synced, it is completed first
    /// 3. note appended and synced       crash: it is torn, or it counts
    /// 4. remembered beside the keys     crash: the note counts
    fn seal(&mut self) -> Result<(), Error> {
        self.catalog.ready(&self.scribe).map_err(failed)?;
        self.complete_segment();
        // 1, 2
        self.write_facts()?;
        while self.complete != self.catalog.newest_segment() {
            self.complete_segment();
            self.write_facts()?;
        }
        // 3, 4
        self.sign()
    }

    /// Writes what there is to tell, and makes it durable.
    fn write_facts(&mut self) -> Result<(), Error> {
        let heads = self.collect();
        let has_news = !heads.is_empty() || !self.again.is_empty();
        if self.facts.is_empty() && !has_news && self.is_signed() {
            self.tell(Scribe::heartbeat_fact);
        }
        let looked_at = has_news.then_some(self.looked_at);
        let newest = self.facts.iter().map(|fact| fact.at).chain(looked_at).max();
        let newest = newest.unwrap_or(self.last_fact);
        let late = self.late_fact(newest);
        let facts = self.facts.iter().map(|fact| &fact.body);
        for fact in late.iter().chain(&self.again).chain(facts).chain(&heads) {
            self.catalog.link(fact);
        }
        self.catalog.write().map_err(|failure| {
            // How the streams stand is told when they are asked again.
            self.streams
                .iter_mut()
                .for_each(|stream| stream.told = None);
            failed(failure)
        })?;
        let worth = if self.has_grown {
            Worth::Records
        } else if has_news || self.facts.len() > self.anchor_facts {
            Worth::Life
        } else {
            Worth::Nothing
        };
        self.written = Written {
            has_grown: self.written.has_grown || self.has_grown,
            worth: self.written.worth.max(worth),
            until: self.looked_at,
        };
        (self.has_grown, self.anchor_facts) = (false, 0);
        self.again.clear();
        self.facts.clear();
        self.last_fact = newest;
        self.catalog.sync(&self.scribe).map_err(failed)
    }

    /// Says first of all that the writer woke late: an honest sleep is not to be taken for silence, at
    /// whatever moment it began.
    fn late_fact(&self, newest: Duration) -> Option<Vec<u8>> {
        let silent = newest.saturating_sub(self.last_fact);
        (silent > self.settings.heartbeat.saturating_mul(3)).then(|| {
            let late = silent.saturating_sub(self.settings.heartbeat);
            self.scribe
                .late_fact(newest.saturating_sub(self.since), late)
        })
    }

    /// Facts that are not written, or that no signature covers since one failed.
    fn has_unsealed(&self) -> bool {
        let is_untold = |stream: &Watched| stream.told.unwrap_or(0) != stream.tree.size();
        !self.facts.is_empty()
            || !self.again.is_empty()
            || self.streams.iter().any(is_untold)
            || self.catalog.unsynced_bytes() > 0
            || !self.is_signed()
    }

    /// Whether there are records that no checkpoint covers.
    pub(super) fn has_unsealed_records(&self) -> bool {
        let has_grown = |stream: &Watched| stream.tree.size() > stream.known;
        self.has_grown || self.written.has_grown || self.streams.iter().any(has_grown)
    }

    fn is_signed(&self) -> bool {
        self.tree.frontier().size() == self.keys.newest().0
    }

    /// What somebody else did to the files of the seal.
    pub(crate) fn altered(&self) -> Option<&Altered> {
        self.altered.as_ref()
    }

    /// Nothing is signed any more once a file of the seal is not the one that was written: what comes after
    /// would be where nobody finds it, and remembered as signed.
    fn check_files(&mut self) -> Result<(), Error> {
        if self.altered.is_none() {
            self.altered = self.find_altered();
            if self.altered.is_some() {
                metric::count("compliance_log_files_altered");
            }
        }
        self.altered.as_ref().map_or(Ok(()), |altered| {
            let path = self.store.join(&altered.file);
            let text = format!("{} was {}", path.display(), altered.how.as_str());
            Err(Error::new(ErrorKind::Damaged, text))
        })
    }

    fn find_altered(&mut self) -> Option<Altered> {
        let left = self.catalog.take_altered().pop();
        if let Some(of_catalog) = left.or_else(|| self.catalog.altered()) {
            return Some(of_catalog);
        }
        let checkpoints = layout::stream_dir(Path::new(""), Channel::Catalog);
        let files = [
            (
                checkpoints.join(&self.checkpoints.name),
                &self.checkpoints.notes,
            ),
            (
                Path::new(layout::SEAL).join(layout::EPOCHS),
                self.epochs.notes(),
            ),
        ];
        files.into_iter().find_map(|(file, notes)| {
            let how = notes.altered(&*self.fs, &self.store.join(&file))?;
            Some(Altered {
                file: file.display().to_string(),
                how,
                records: None,
            })
        })
    }

    /// Signs the catalog as far as it is durable.
    fn sign(&mut self) -> Result<(), Error> {
        self.check_files()?;
        let frontier = self.tree.frontier();
        let (size, root) = (frontier.size(), frontier.root());
        if let Some(segment) = self.catalog.newest_segment() {
            // Another segment than before has a file of its own for its checkpoints.
            let name = layout::checkpoints_name(segment);
            if self.checkpoints.name != name {
                let folder = layout::stream_dir(&self.store, Channel::Catalog);
                let notes = NoteLog::create(&*self.fs, &folder, &name);
                let notes = notes.map_err(|error| self.checkpoints_failed(error))?;
                self.checkpoints = CheckpointFile { name, notes };
            }
        }
        let checkpoint = self.keys.sign(size, root)?;
        let kept = self.checkpoints.notes.append(&checkpoint.to_block());
        kept.map_err(|error| self.checkpoints_failed(error))?;
        self.catalog
            .set_checkpoints(self.checkpoints.notes.digest());
        self.keys.remember(size, root);
        let Written {
            has_grown, until, ..
        } = self.written;
        self.exposure.sealed(size, until, has_grown);
        self.unsent = self.unsent.max(self.written.worth);
        self.written.has_grown = false;
        self.written.worth = Worth::Nothing;
        self.newest = Some(checkpoint);
        self.sealed_at = self.now();
        Ok(())
    }

    fn checkpoints_failed(&self, error: io::Error) -> Error {
        let folder = layout::stream_dir(&self.store, Channel::Catalog);
        let text = format!("cannot write checkpoints in {}", folder.display());
        Error::io(text, error)
    }

    fn rotate_if_due(&mut self) -> Result<(), Error> {
        let now = self.scribe.clock.monotonic();
        match self.catalog.rotation_due(0, now) {
            Some(why) => self.rotate(why),
            None => Ok(()),
        }
    }

    /// Ends the segment of the catalog and begins the next.
    ///
    /// 1. footer written, synced   crash: the segment goes on, or it is complete
    fn rotate(&mut self, why: Rotation) -> Result<(), Error> {
        self.seal()?;
        // 1
        self.catalog
            .end_segment(&self.scribe, why)
            .map_err(failed)?;
        if self.catalog.newest_segment().is_some() {
            // The footer could not be made durable, and another segment goes on in its place.
            return self.seal();
        }
        self.begin_segment()
    }

    /// Begins a segment after one that has its footer. Goes on where it stopped, if it did.
    ///
    /// 1. footer signed             crash: the segment is complete
    /// 2. epoch ended at the footer crash: as above; its note keeps the root when the file is gone
    /// 3. next segment              crash: its header is above the newest checkpoint
    /// 4. what a start has to know, sealed
    fn begin_segment(&mut self) -> Result<(), Error> {
        // 1
        if !self.is_signed() {
            self.sign()?;
        }
        // 2
        if self.epochs.size() != self.keys.newest().0 {
            self.ratchet(Ratchet::Rotate)?;
        }
        // 3, 4
        self.seal()
    }

    pub(super) fn up(&self) -> Duration {
        self.now().saturating_sub(self.since)
    }

    pub(super) fn now(&self) -> Duration {
        self.scribe.clock.boot_time()
    }
}

fn failed(failure: WriteError) -> Error {
    let text = format!("cannot write {}", failure.path.display());
    Error::io(text, failure.error)
}
