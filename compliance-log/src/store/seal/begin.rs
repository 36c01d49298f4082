//! What a sealed store is made with.

use std::{collections::BTreeMap, io, path::Path, sync::Arc, time::Duration};

use super::{
    anchors::Standing,
    keys::Keys,
    note_log::NoteLog,
    root_key::{RootKey, certify},
    sealer::{AnchorState, CheckpointFile, Parts, Sealer, Watched},
    settings::{KeyPlace, Root, Seal},
};
use crate::{
    error::Error,
    event::Channel,
    layout,
    lifecycle::{Genesis, Scribe, Sealed},
    seal::{merkle::Frontier, statement::Checkpoint},
    store::{
        durable,
        fs::Fs,
        stream::{Settings, Stream},
    },
};

/// A store that is being made.
pub(in crate::store) struct Making<'a> {
    /// Its folder until it is whole, and from then on.
    pub(in crate::store) folder: &'a Path,
    pub(in crate::store) store: &'a Path,
    pub(in crate::store) genesis: Genesis<'a>,
    /// The newest checkpoint of the store that this one continues.
    pub(in crate::store) continues: Option<&'a Checkpoint>,
    pub(in crate::store) settings: Settings,
}

/// Makes keys, certificate and catalog for a store whose streams hold their first records, and signs them.
/// Its root key, if it has one of its own, is to be kept.
pub(in crate::store) fn begin(
    fs: &Arc<dyn Fs>,
    seal: &Seal,
    making: &Making<'_>,
    streams: &[Stream],
    scribe: &Scribe,
) -> Result<(Sealer, Option<RootKey>), Error> {
    let failed = |error: io::Error| {
        let text = format!("cannot seal a store in {}", making.folder.display());
        Error::io(text, error)
    };
    let id = making.genesis.stream;
    let [service, instance, incarnation, _] = id.parts();
    let origin = seal.origin(service, instance, incarnation)?;
    let mut keys = Keys::generate(origin.clone(), seal.algorithm, seal.machine_id.as_deref())?;
    let folder = making.folder.join(layout::SEAL);
    durable::create_dir_all(&**fs, &folder).map_err(failed)?;
    let mut root_key = None;
    if seal.root == Root::Own {
        let (certificate, key) = certify(seal, &keys)?;
        root_key = key;
        let path = folder.join(layout::CERTIFICATE);
        durable::write_new(&**fs, &path, certificate.as_bytes()).map_err(failed)?;
    }
    if seal.keys == KeyPlace::Folder {
        keys.keep_in(fs, &layout::keys_dir(making.store))
            .map_err(failed)?;
    }

    let dir = layout::stream_dir(making.folder, Channel::Catalog);
    durable::create_dir_all(&**fs, &dir).map_err(failed)?;
    let now = scribe.clock.monotonic();
    let (channel, settings) = (Channel::Catalog, making.settings.of_catalog());
    let mut catalog =
        Stream::create(fs, &dir, id.clone(), channel, settings, now).map_err(failed)?;
    let tree = catalog.grow(Frontier::new());
    let sealed = Sealed {
        origin: &origin,
        algorithm: seal.algorithm,
        cadence: seal.cadence(),
        log: keys.log(),
        epoch0: keys.key(),
        machine_id: keys.machine_id(),
        continues: making.continues,
    };
    catalog.link(&scribe.catalog_genesis(making.genesis, sealed));

    let name = layout::checkpoints_name(0);
    let notes = NoteLog::create(&**fs, &dir, &name).map_err(failed)?;
    let epochs = NoteLog::create(&**fs, &folder, layout::EPOCHS).map_err(failed)?;
    let watched = |stream: &Stream| {
        Some(Watched {
            id: Arc::clone(stream.id()),
            tree: Arc::clone(stream.tree()?),
            told: None,
            known: 0,
            ended: Vec::new(),
        })
    };
    let parts = Parts {
        store: making.folder.to_path_buf(),
        settings: seal.clone(),
        keys,
        catalog,
        tree,
        checkpoints: CheckpointFile { name, notes },
        epochs,
        epoch_size: 0,
        streams: streams.iter().filter_map(watched).collect(),
        anchored: AnchorState {
            standing: Standing::new(seal.places.names(scribe), seal.quorum, BTreeMap::new()),
            failures: Vec::new(),
            grown: 0,
            ago: Duration::ZERO,
        },
    };
    let mut sealer = Sealer::new(fs, scribe, parts);
    sealer.open_streams()?;
    Ok((sealer, root_key))
}

/// Removes what [`begin`] left outside of the folder that is being made.
pub(in crate::store) fn undo(fs: &dyn Fs, store: &Path) {
    fs.remove_unfinished(&layout::keys_dir(store)).unwrap_or(());
}
