//! A new store, made whole under another name and then renamed.

use std::{io, path::Path, sync::Arc};

use super::{
    altered::How,
    durable,
    fs::{Access, DirLock, Fs, StoreFile},
    seal::{self, Making, RootKey, Seal, Sealer},
    stream::{Settings, Stream},
    volume,
};
use crate::{
    chain::StreamId,
    context::random,
    error::Error,
    event::Channel,
    layout,
    lifecycle::{Genesis, Predecessor, Scribe},
    seal::{merkle::Frontier, statement::Checkpoint},
};

/// A store that holds its first records and nothing else.
pub(super) struct Created {
    pub(super) name: String,
    pub(super) streams: [Stream; 2],
    pub(super) sealer: Option<Sealer>,
    pub(super) lock: Lock,
}

/// What a new store is called, and why there is one.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'a> {
    pub(super) service: &'a str,
    pub(super) instance: &'a str,
    pub(super) why: &'a str,
    pub(super) continues: [Option<&'a Predecessor>; 2],
    /// The newest checkpoint of the store before, if it was sealed.
    pub(super) continues_checkpoint: Option<&'a Checkpoint>,
}

/// `<dir>/<instance>-<incarnation>/` with one genesis in each stream, durable.
///
/// 1. folders, lock, genesis, head under `.new-<name>`, each synced   crash: leaves a folder that nothing reads
///    and, if it is to be sealed, its keys, catalog and first checkpoint, then its root key beside the stores
/// 2. renamed, `dir` synced                                           crash: there or not
pub(super) fn create(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    purpose: Purpose<'_>,
    settings: Settings,
    seal: Option<&Seal>,
    scribe: &Scribe,
) -> Result<Created, Error> {
    let mut random_bytes = [0; 8];
    random(&mut random_bytes);
    let incarnation = format!("{:016x}", u64::from_be_bytes(random_bytes));
    let name = format!("{}-{incarnation}", purpose.instance);
    let making = dir.join(format!("{}{name}", layout::UNFINISHED));
    let path = dir.join(&name);
    // Creating is tried again and again where it fails; what is left of it must not pile up.
    let undo = |root_key: Option<&RootKey>| {
        fs.remove_unfinished(&making).unwrap_or(());
        if seal.is_some() && matches!(fs.seen(&path), Ok(None)) {
            seal::undo(&**fs, &path);
            root_key.inspect(|key| key.take_back(&**fs));
        }
    };
    let failed = |error: io::Error| {
        undo(None);
        Error::io(format!("cannot create a store in {}", dir.display()), error)
    };

    // 1
    let begin = || {
        durable::create_dir_all(&**fs, &making)?;
        durable::write_new(&**fs, &making.join(layout::LOCK), b"")?;
        lock(&**fs, &making)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    };
    let lock = begin().map_err(failed)?;
    let volume = volume::kind(&making);
    let id = |channel: Channel| {
        let (service, instance) = (purpose.service, purpose.instance);
        StreamId::new(service, instance, &incarnation, channel.as_str())
    };
    let stream = |channel: Channel| -> Result<Stream, Error> {
        let id = id(channel)?;
        let folder = layout::stream_dir(&making, channel);
        durable::create_dir_all(&**fs, &folder).map_err(failed)?;
        let genesis = scribe.genesis(Genesis {
            stream: &id,
            channel,
            volume,
            sealed: seal.is_some(),
            continues: purpose.continues[channel.index()],
            why: purpose.why,
        });
        let now = scribe.clock.monotonic();
        let mut stream = Stream::create(fs, &folder, id, channel, settings, now).map_err(failed)?;
        if seal.is_some() {
            stream.grow(Frontier::new());
        }
        stream.link(&genesis);
        stream
            .close(scribe)
            .map_err(|failure| failed(failure.error))?;
        Ok(stream)
    };
    let mut streams = [stream(Channel::Audit)?, stream(Channel::App)?];
    let (mut sealer, mut root_key) = (None, None);
    if let Some(seal) = seal {
        let genesis = Genesis {
            stream: &id(Channel::Catalog)?,
            channel: Channel::Catalog,
            volume,
            sealed: true,
            continues: None,
            why: purpose.why,
        };
        let making = Making {
            folder: &making,
            store: &path,
            genesis,
            continues: purpose.continues_checkpoint,
            settings,
        };
        let begun = seal::begin(fs, seal, &making, &streams, scribe);
        let (begun, key) = begun.inspect_err(|_| undo(None))?;
        (sealer, root_key) = (Some(begun), key);
    }
    if let Some(key) = &root_key {
        key.keep(&**fs).inspect_err(|_| undo(Some(key)))?;
    }

    // 2
    fs.rename(&making, &path)
        .and_then(|()| fs.sync_dir(dir))
        .map_err(|error| {
            undo(root_key.as_ref());
            failed(error)
        })?;
    for stream in &mut streams {
        stream.moved(layout::stream_dir(&path, stream.channel()));
    }
    if let Some(sealer) = &mut sealer {
        sealer.moved(path);
    }
    Ok(Created {
        name,
        streams,
        sealer,
        lock,
    })
}

/// The exclusive right to write a store: its lock file, which shows to people that it is held, and
/// the folder itself, which nobody removes by mistake.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Box<dyn StoreFile>,
    dir: Box<dyn DirLock>,
}

impl Lock {
    /// What became of the store's folder since it was locked.
    pub(crate) fn folder_altered(&self, fs: &dyn Fs, store: &Path) -> Option<How> {
        How::of(fs, store, self.dir.seen().ok()?, 0)
    }

    /// Puts the lock file back where it is gone or another one stands in its place. The folder's lock
    /// has kept other writers out meanwhile.
    pub(crate) fn renew(&mut self, fs: &dyn Fs, store: &Path) -> Option<How> {
        let path = store.join(layout::LOCK);
        let how = How::of(fs, &path, self.file.seen().ok()?, 0)?;
        let file = fs.open(&path, Access::Write).ok()?;
        if !file.try_lock().ok()? {
            return None;
        }
        self.file = file;
        Some(how)
    }
}

/// Takes the right to write a store; `None` if somebody has it.
pub(super) fn lock(fs: &dyn Fs, store: &Path) -> io::Result<Option<Lock>> {
    let Some(dir) = fs.lock_dir(store)? else {
        return Ok(None);
    };
    let file = fs.open(&store.join(layout::LOCK), Access::Write)?;
    Ok(file.try_lock()?.then_some(Lock { file, dir }))
}
