//! Whether a sealed store can be gone on with, or why not.

use std::{io, path::Path, sync::Arc, time::Duration};

use super::{
    anchors::{Another, Judged, Own, Standing, judge},
    facts::{Facts, time_below},
    keys::{Keys, NoKeys},
    note_log::NoteLog,
    rebuild::{Rebuilt, rebuild},
    sealer::{AnchorState, CheckpointFile, Parts, Sealer, Watched},
    settings::{KeyPlace, Seal},
};
use crate::{
    chain::StreamId,
    error::{Error, ErrorKind},
    event::Channel,
    layout::{self, FileKind},
    lifecycle::Scribe,
    seal::{
        merkle::TreeHash,
        statement::{Checkpoint, EpochNote, Signed},
    },
    store::{
        fs::Fs,
        recover::{End, recover},
        stream::{Settings, Stream},
        tree::Tree,
    },
};

/// Why a writer must not go on under a store's origin: it would sign a second history.
#[derive(Debug)]
pub(in crate::store) struct Refusal {
    pub(in crate::store) why: &'static str,
    pub(in crate::store) error: Error,
    /// What was signed last, as far as is known.
    pub(in crate::store) newest: Option<Checkpoint>,
}

/// The catalog of a store that was stopped, at whatever moment, up to its newest checkpoint.
pub(in crate::store) struct Resumed {
    keys: Keys,
    catalog: Stream,
    tree: Arc<Tree>,
    checkpoints: CheckpointFile,
    epochs: NoteLog,
    epoch_size: u64,
    facts: Facts,
    /// What each anchor has, or why that is not known.
    anchors: Vec<AtAnchor>,
}

type AtAnchor = Result<Option<(u64, TreeHash)>, String>;

impl Refusal {
    /// What cannot be read now is not said to be changed.
    fn new(why: &'static str, keys: Option<&Keys>, error: Error) -> Self {
        let is_unread = error.kind() == ErrorKind::Io && !is_not_found(&error);
        let why = if is_unread { "unreadable" } else { why };
        let newest = keys.map(|keys| {
            let (size, root) = keys.newest();
            Checkpoint::new(keys.origin().clone(), size, root)
        });
        Self { why, error, newest }
    }
}

fn is_not_found(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
}

/// Reads keys, epochs, checkpoints and catalog. `None` if another process uses the keys.
///
/// What no checkpoint covers is moved aside, never adopted: it would be signed otherwise, whoever wrote it.
pub(in crate::store) fn resume(
    fs: &Arc<dyn Fs>,
    store: &Path,
    id: &StreamId,
    seal: &Seal,
    settings: Settings,
    scribe: &Scribe,
) -> Result<Option<Resumed>, Refusal> {
    if seal.keys == KeyPlace::Memory {
        let text = "its keys were in the memory of another process";
        let error = Error::new(ErrorKind::Damaged, format!("{}: {text}", store.display()));
        return Err(Refusal::new("keys_in_memory", None, error));
    }
    let mut keys = match Keys::load(fs, &layout::keys_dir(store)) {
        Ok(keys) => keys,
        Err(NoKeys::Locked) => return Ok(None),
        Err(NoKeys::Lost(error)) => return Err(Refusal::new("keys_lost", None, error)),
    };
    let damaged =
        |text: &str| Error::new(ErrorKind::Damaged, format!("{}: {text}", store.display()));
    if let (Some(here), Some(there)) = (seal.machine_id.as_deref(), keys.machine_id())
        && here != there
    {
        let error = damaged("its keys were made on another machine");
        return Err(Refusal::new("keys_on_other_machine", Some(&keys), error));
    }
    let [service, instance, incarnation, _] = id.parts();
    let [_, its_service, its_instance, its_incarnation] = keys.origin().parts();
    if [service, instance, incarnation] != [its_service, its_instance, its_incarnation] {
        let error = damaged("its keys are those of another store");
        return Err(Refusal::new("keys_lost", None, error));
    }
    let folder = store.join(layout::SEAL);
    let mut newest_note = None;
    let epochs = NoteLog::open(&**fs, &folder, layout::EPOCHS, |note| {
        newest_note = Some(Signed::<EpochNote>::parse(note));
    });
    let epochs = epochs.map_err(|error| {
        let error = Error::io(format!("cannot read {}", folder.display()), error);
        Refusal::new("tampered", Some(&keys), error)
    })?;
    let newest_note = newest_note
        .transpose()
        .map_err(|error| Refusal::new("tampered", Some(&keys), error.context(folder.display())))?;
    let newest_note = newest_note.as_ref().map(Signed::statement);
    finish_ratchet(&mut keys, newest_note)
        .map_err(|(why, error)| Refusal::new(why, Some(&keys), error.context(store.display())))?;

    let dir = layout::stream_dir(store, Channel::Catalog);
    let (checkpoints, checkpoint) = newest_checkpoint(&**fs, &dir)
        .and_then(|(checkpoints, checkpoint)| {
            checkpoint.check(keys.log())?;
            Ok((checkpoints, checkpoint))
        })
        .map_err(|error| Refusal::new("tampered", Some(&keys), error.context(dir.display())))?;
    let Checkpoint { size, root, .. } = *checkpoint.statement();
    let (signed, signed_root) = keys.newest();
    if size < signed {
        let error = damaged(&format!(
            "its newest checkpoint is of {size} records, but {signed} were signed"
        ));
        return Err(Refusal::new("rollback", Some(&keys), error));
    }
    if size == signed && root != signed_root {
        let error = damaged("its newest checkpoint is another one than was signed");
        return Err(Refusal::new("fork", Some(&keys), error));
    }
    keys.remember(size, root);
    let own = Own {
        fs: &**fs,
        store,
        id,
        origin: keys.origin(),
        log: keys.log(),
        newest: (size, root),
    };
    let anchors = ask(seal, own).map_err(|another| {
        let Another { why, text, .. } = another;
        Refusal::new(why, Some(&keys), damaged(&text))
    })?;

    let clock = &*scribe.clock;
    let (channel, settings) = (Channel::Catalog, settings.of_catalog());
    let recovered = recover(fs, &dir, id, channel, settings, End::Signed(size), clock);
    let mut catalog = match recovered {
        Ok(recovered) => recovered.stream,
        Err(refused) => return Err(Refusal::new("tampered", Some(&keys), refused.error)),
    };
    let tampered = |error: Error| Refusal::new("tampered", Some(&keys), error);
    let Rebuilt { frontier, .. } = rebuild(&**fs, &dir, id, (size, root)).map_err(tampered)?;
    let tree = catalog.grow(frontier);
    let facts = Facts::read(&**fs, &dir, id, keys.origin()).map_err(tampered)?;
    if let Some(Another { why, text, .. }) = facts.another {
        return Err(Refusal::new(why, Some(&keys), damaged(&text)));
    }
    let epoch_size = newest_note.map_or(0, |note| note.size);
    Ok(Some(Resumed {
        keys,
        catalog,
        tree,
        checkpoints,
        epochs,
        epoch_size,
        facts,
        anchors,
    }))
}

impl Resumed {
    /// How much of a stream was sealed.
    pub(in crate::store) fn sealed(&self, id: &StreamId) -> (u64, TreeHash) {
        let head = self.facts.heads.get(id.as_str()).copied();
        head.unwrap_or((0, TreeHash::EMPTY))
    }

    pub(in crate::store) fn refuse(&self, error: Error) -> Refusal {
        Refusal::new("tampered", Some(&self.keys), error)
    }

    /// Looks whether a stream has what was sealed of it, before anything of the stream is changed.
    pub(in crate::store) fn check(
        &self,
        fs: &dyn Fs,
        dir: &Path,
        id: &StreamId,
    ) -> Result<Rebuilt, Refusal> {
        rebuild(fs, dir, id, self.sealed(id)).map_err(|error| self.refuse(error))
    }

    /// What the anchors have, and for how long there is more than that.
    fn anchored(&self, fs: &dyn Fs, store: &Path, seal: &Seal, scribe: &Scribe) -> AnchorState {
        let receipts = self.facts.receipts.clone();
        let mut standing = Standing::new(seal.places.names(scribe), seal.quorum, receipts);
        let found = self.anchors.iter().enumerate();
        let found = found.map(|(at, found)| standing.agree(at, found.clone()?));
        let failures = found.map(Result::err).collect();
        let anchored = standing.anchored();
        let mut ago = Duration::ZERO;
        if let Some(anchored) = anchored.filter(|anchored| *anchored < self.facts.grown) {
            let dir = layout::stream_dir(store, Channel::Catalog);
            let time = time_below(fs, &dir, self.catalog.id(), anchored);
            let micros = time.map_or(0, |time| scribe.now().as_micros() - time.as_micros());
            ago = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        }
        AnchorState {
            standing,
            failures,
            grown: self.facts.grown,
            ago,
        }
    }

    /// Goes on with streams whose trees are known.
    pub(in crate::store) fn into_sealer(
        self,
        fs: &Arc<dyn Fs>,
        store: &Path,
        seal: &Seal,
        streams: Vec<(&mut Stream, Rebuilt)>,
        scribe: &Scribe,
    ) -> Result<Sealer, Refusal> {
        let anchored = self.anchored(&**fs, store, seal, scribe);
        let mut watched = Vec::new();
        let mut facts = Vec::new();
        for (stream, rebuilt) in streams {
            let id = Arc::clone(stream.id());
            let dir = layout::stream_dir(store, stream.channel());
            let rebuilt = if rebuilt.frontier.size() == stream.next_seq() {
                rebuilt
            } else {
                // Recovery left out what a crash had left.
                self.check(&**fs, &dir, &id)?
            };
            let Rebuilt { frontier, ended } = rebuilt;
            let known = self.facts.ended.get(id.as_str()).cloned();
            let mut known = known.unwrap_or_default();
            for ended in ended {
                if !known.contains(&ended.file) {
                    facts.push((Arc::clone(&id), ended.clone()));
                    known.push(ended.file);
                }
            }
            let told = self.facts.heads.get(id.as_str()).map(|(size, _)| *size);
            watched.push(Watched {
                tree: stream.grow(frontier),
                id,
                told,
                known: told.unwrap_or(0),
                ended: known,
            });
        }
        let parts = Parts {
            store: store.to_path_buf(),
            settings: seal.clone(),
            keys: self.keys,
            catalog: self.catalog,
            tree: self.tree,
            checkpoints: self.checkpoints,
            epochs: self.epochs,
            epoch_size: self.epoch_size,
            streams: watched,
            anchored,
        };
        let mut sealer = Sealer::new(fs, scribe, parts);
        sealer.tell_of_ended(facts);
        Ok(sealer)
    }
}

/// Asks the anchors what they have of the store. One that cannot be reached is no reason not to go on.
fn ask(seal: &Seal, own: Own<'_>) -> Result<Vec<AtAnchor>, Another> {
    if let Some(another) = seal.places.another_of(own.origin) {
        return Err(another);
    }
    let mut found = Vec::new();
    for note in seal.places.newest(own.origin, seal.deadline()) {
        found.push(match note {
            Err(why) => Err(why),
            Ok(None) => Ok(None),
            Ok(Some(note)) => match judge(&note, own, None) {
                Judged::Ours(size, root) => Ok(Some((size, root))),
                Judged::Another(another) => return Err(another),
                Judged::Useless(why) => Err(why),
            },
        });
    }
    Ok(found)
}

/// A crash may have come between the note of an epoch and its key: the note decides.
fn finish_ratchet(
    keys: &mut Keys,
    newest: Option<&EpochNote>,
) -> Result<(), (&'static str, Error)> {
    let refuse = |why, text: &str| Err((why, Error::new(ErrorKind::Damaged, text.to_owned())));
    let failed = |error| ("keys_lost", Error::io("cannot keep the keys", error));
    if let Some(next) = keys.pending() {
        if newest.is_some_and(|note| note.key == *next) {
            keys.turn();
            keys.save().map_err(failed)?;
        } else {
            keys.forget_next().map_err(failed)?;
        }
    }
    let noted = newest.map_or(0, |note| note.epoch);
    if noted > keys.epoch() {
        return refuse(
            "keys_lost",
            "the key of its newest epoch is not among its keys",
        );
    }
    if noted < keys.epoch() || newest.is_some_and(|note| note.key != *keys.key()) {
        return refuse(
            "tampered",
            "its epoch notes are not those that were written",
        );
    }
    Ok(())
}

/// The newest whole checkpoint, and the file that it stands in.
fn newest_checkpoint(
    fs: &dyn Fs,
    dir: &Path,
) -> Result<(CheckpointFile, Signed<Checkpoint>), Error> {
    let failed = |error| Error::io("cannot read its checkpoints", error);
    let names = fs.list(dir).map_err(failed)?;
    for name in names.into_iter().rev() {
        if !matches!(layout::file_kind(&name), FileKind::Checkpoints(_)) {
            continue;
        }
        let mut newest = None;
        let notes = NoteLog::open(fs, dir, &name, |note| {
            newest = Some(Signed::<Checkpoint>::parse(note));
        });
        let notes = notes.map_err(failed)?;
        if let Some(newest) = newest {
            return Ok((CheckpointFile { name, notes }, newest?));
        }
    }
    Err(Error::new(ErrorKind::Damaged, "there is no checkpoint"))
}
