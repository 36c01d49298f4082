//! A new store, made whole under another name and then renamed.

use std::{io, path::Path, sync::Arc};

use super::{
    durable,
    fs::{Access, Fs, StoreFile},
    stream::{Settings, Stream},
    volume,
};
use crate::{
    chain::{self, Digest},
    context::random,
    error::Error,
    event::Channel,
    layout,
    lifecycle::{Predecessor, Scribe},
};

/// A store that holds its first records and nothing else.
pub(super) struct Created {
    pub(super) name: String,
    pub(super) streams: [Stream; 2],
    pub(super) lock: Box<dyn StoreFile>,
}

/// What a new store is called, and why there is one.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'a> {
    pub(super) service: &'a str,
    pub(super) instance: &'a str,
    pub(super) why: &'a str,
    pub(super) continues: [Option<&'a Predecessor>; 2],
}

/// `<dir>/<instance>-<incarnation>/` with one genesis in each stream, durable.
///
/// 1. folders, lock, genesis, head under `.new-<name>`, each synced   crash: leaves a folder that nothing reads
/// 2. renamed, `dir` synced                                           crash: there or not
pub(super) fn create(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    purpose: Purpose<'_>,
    settings: Settings,
    scribe: &Scribe,
) -> Result<Created, Error> {
    let mut incarnation = [0; 8];
    random(&mut incarnation);
    let incarnation = Digest::of(&incarnation).to_string();
    let incarnation = incarnation.get(..16).unwrap_or_default();
    let name = format!("{}-{incarnation}", purpose.instance);
    let making = dir.join(format!("{}{name}", layout::UNFINISHED));
    let failed =
        |error: io::Error| Error::io(format!("cannot create a store in {}", dir.display()), error);

    // 1
    durable::create_dir_all(&**fs, &making).map_err(failed)?;
    let lock = durable::write_new(&**fs, &making.join(layout::LOCK), b"").map_err(failed)?;
    if !lock.try_lock().map_err(failed)? {
        return Err(failed(io::ErrorKind::WouldBlock.into()));
    }
    let volume = volume::kind(&making);
    let stream = |channel: Channel| -> Result<Stream, Error> {
        let id = chain::stream_id(purpose.service, purpose.instance, incarnation, channel)?;
        let path = layout::stream_dir(&making, channel);
        durable::create_dir_all(&**fs, &path).map_err(failed)?;
        let continues = purpose.continues[channel.index()];
        let genesis = scribe.genesis(&id, channel, volume, continues, purpose.why);
        let now = scribe.clock.monotonic();
        let mut stream = Stream::create(fs, &path, id, channel, settings, now).map_err(failed)?;
        stream.link(&genesis);
        stream
            .close(scribe)
            .map_err(|failure| failed(failure.error))?;
        Ok(stream)
    };
    let mut streams = [stream(Channel::Audit)?, stream(Channel::App)?];

    // 2
    let path = dir.join(&name);
    fs.rename(&making, &path).map_err(failed)?;
    fs.sync_dir(dir).map_err(failed)?;
    for stream in &mut streams {
        stream.moved(layout::stream_dir(&path, stream.channel()));
    }
    Ok(Created {
        name,
        streams,
        lock,
    })
}

/// Opens the lock of an existing store; `None` if somebody holds it.
pub(super) fn lock(fs: &dyn Fs, store: &Path) -> io::Result<Option<Box<dyn StoreFile>>> {
    let file = fs.open(&store.join(layout::LOCK), Access::Write)?;
    Ok(file.try_lock()?.then_some(file))
}
