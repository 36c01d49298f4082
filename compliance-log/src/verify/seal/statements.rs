//! All that is signed in a store: certificate, epoch notes and checkpoints together.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    catalog::Catalog,
    certificate::Identity,
    checkpoints::{Age, Checkpoints, Depth, checkpoints_file},
    epochs::{Epochs, Keep},
    found::Found,
};
use crate::{
    chain::Digest,
    error::Error,
    layout::{CATALOG, EPOCHS, FileKind, SEAL, STREAMS, file_kind, segment_name, segment_seq},
    seal::merkle::TreeHash,
    verify::{
        plan::names,
        report::{Authenticity, Verdict},
    },
};

/// What a store's keys signed of its catalog.
#[derive(Debug, Default)]
pub(in crate::verify) struct Statements {
    /// In order.
    pub(in crate::verify) roots: Vec<(u64, TreeHash)>,
    /// The size up to which the catalog is sealed; 0 without a good checkpoint.
    pub(in crate::verify) size: u64,
    pub(in crate::verify) newest: Option<String>,
    pub(in crate::verify) epochs: u64,
    /// Nothing of it is refused.
    pub(in crate::verify) hold: bool,
    trusted_to: Option<u64>,
    /// Files of checkpoints of which only the last note was checked, by first sequence.
    closed: BTreeMap<u64, Digest>,
    /// The newest file of checkpoints, and its length when it was read.
    newest_file: Option<(u64, u64)>,
}

impl Statements {
    /// Reads them. `trusted_to` is a size above which the keys are revoked.
    pub(in crate::verify) fn read(
        store: &Path,
        identity: &Identity,
        trusted_to: Option<u64>,
        all: bool,
        found: &mut Found,
    ) -> Result<Self, Error> {
        let mut seen = Found::default();
        let keep = all.then_some(Keep::All);
        let mut read = Self::read_once(store, identity, trusted_to, keep, &mut seen)?;
        if read.is_none() {
            // Between files of checkpoints others are missing, so that too few keys were kept.
            seen = Found::default();
            let keep = Some(Keep::All);
            read = Self::read_once(store, identity, trusted_to, keep, &mut seen)?;
        }
        let mut read = read.unwrap_or_default();
        read.hold = seen.worst.is_none_or(|worst| worst.exit() != 1);
        found.take(seen);
        Ok(read)
    }

    /// `None` if a key was not kept that is needed after all.
    ///
    /// A writer signs an epoch note after the checkpoint that it names, and before the ones of its key. So
    /// what there is of epoch notes is looked at first, then what there is of checkpoints; then all notes
    /// are read, and the checkpoints that were seen.
    fn read_once(
        store: &Path,
        identity: &Identity,
        trusted_to: Option<u64>,
        keep: Option<Keep>,
        found: &mut Found,
    ) -> Result<Option<Self>, Error> {
        let all = keep.is_some();
        let epochs_looked = length(&store.join(SEAL).join(EPOCHS)).unwrap_or(0);
        let files = files(store)?;
        let looked: Vec<Option<u64>> = files
            .iter()
            .map(|first_seq| length(&store.join(checkpoints_file(*first_seq))))
            .collect();
        let keep = keep.unwrap_or_else(|| Keep::At(files.clone()));
        let epochs = Epochs::read(store, identity, &keep, epochs_looked, found)?;
        let mut checkpoints = Checkpoints::new(identity, &epochs, trusted_to);
        let mut closed = BTreeMap::new();
        let mut newest_file = None;
        for (first_seq, looked) in files.iter().zip(looked) {
            let newest = Some(first_seq) == files.last();
            let (depth, age) = match (newest, all) {
                (true, _) => (Depth::All, Age::Newest),
                (false, true) => (Depth::All, Age::Closed),
                (false, false) => (Depth::Last, Age::Closed),
            };
            let file = checkpoints_file(*first_seq);
            let read = checkpoints.read(store, (&file, looked), depth, age, found)?;
            let Some((bytes, digest)) = read else {
                continue;
            };
            if newest {
                newest_file = Some((*first_seq, bytes));
            } else {
                closed.insert(*first_seq, digest);
            }
        }
        if checkpoints.unkept_key && !all {
            return Ok(None);
        }
        let (epoch, _) = epochs.newest();
        let begun = epochs.begun;
        let (size, newest) = (checkpoints.size, checkpoints.newest.take());
        if newest.is_none() {
            let detail = match identity.authenticity {
                Authenticity::Uncertified => "neither a certificate nor a good checkpoint",
                _ => "no good checkpoint: nothing here is sealed",
            };
            found.in_file(Verdict::Unsealed, &format!("{STREAMS}/{CATALOG}"), detail);
        } else if begun > size
            && let Some(first_seq) = files.last()
        {
            let detail =
                format!("the newest checkpoint is of size {size}; an epoch began at size {begun}");
            found.in_file(Verdict::Truncated, &checkpoints_file(*first_seq), detail);
        }
        if identity.authenticity == Authenticity::Uncertified && newest.is_some() {
            let detail = "the store's keys are not certified yet";
            found.in_file(Verdict::Uncertified, &format!("{SEAL}/cert"), detail);
        }
        let statements = Self {
            // What a key of an epoch signed at its end is sealed, whatever became of its checkpoint.
            size: if newest.is_some() { size.max(begun) } else { 0 },
            roots: checkpoints.roots.into_iter().collect(),
            newest,
            epochs: epoch,
            hold: false,
            trusted_to,
            closed,
            newest_file,
        };
        Ok(Some(statements))
    }

    /// Whether the writer has signed more since.
    pub(in crate::verify) fn is_outdated(&self, store: &Path) -> Result<bool, Error> {
        let newest = files(store)?.pop();
        let bytes = |first_seq| length(&store.join(checkpoints_file(first_seq)));
        let now = newest.and_then(|first_seq| Some((first_seq, bytes(first_seq)?)));
        Ok(now != self.newest_file)
    }

    /// The root that was signed for this size.
    pub(in crate::verify) fn root(&self, size: u64) -> Option<TreeHash> {
        let at = self.roots.binary_search_by_key(&size, |(size, _)| *size);
        self.roots.get(at.ok()?).map(|(_, root)| *root)
    }

    /// Compares the closed files of checkpoints with what the catalog states of them. One of which it
    /// states nothing yet is read again, as a whole.
    pub(in crate::verify) fn check_closed(
        &self,
        store: &Path,
        identity: &Identity,
        catalog: &Catalog,
        found: &mut Found,
    ) -> Result<(), Error> {
        for segment in catalog.segments_with_checkpoints() {
            let Some(first_seq) = segment_seq(segment) else {
                continue;
            };
            let file = checkpoints_file(first_seq);
            let exists = |file: &str| store.join(file).exists();
            if !exists(&file) && exists(&format!("{STREAMS}/{CATALOG}/{segment}")) {
                let detail = "the checkpoints of this segment are missing";
                found.in_file(Verdict::MissingSegment, &file, detail);
            }
        }
        let stated = |first_seq: u64| catalog.checkpoints_of(&segment_name(first_seq));
        let open = |(first_seq, digest): &(&u64, &Digest)| stated(**first_seq) != Some(**digest);
        let mut open = self.closed.iter().filter(open).peekable();
        if open.peek().is_none() {
            return Ok(());
        }
        // With all keys, which were not kept before. What is wrong with them is listed already.
        let epochs = Epochs::read(store, identity, &Keep::All, 0, &mut Found::default())?;
        for (first_seq, _) in open {
            let file = checkpoints_file(*first_seq);
            let mut seen = Found::default();
            let mut checkpoints = Checkpoints::new(identity, &epochs, self.trusted_to);
            checkpoints.read(store, (&file, None), Depth::All, Age::Closed, &mut seen)?;
            let bad = seen.worst.is_some();
            // What was seen in the last note is listed already.
            let listed: Vec<_> = found.findings.clone();
            for one in seen.findings {
                if !listed.contains(&one) {
                    found.add(one);
                }
            }
            if stated(*first_seq).is_some() && !bad {
                let detail = "not the file of checkpoints of which the catalog has the digest";
                found.in_file(Verdict::BadSignature, &file, detail);
            }
        }
        Ok(())
    }
}

fn length(file: &Path) -> Option<u64> {
    fs::metadata(file).ok().map(|metadata| metadata.len())
}

/// The first sequences of the files of checkpoints, in order.
fn files(store: &Path) -> Result<Vec<u64>, Error> {
    let folder = store.join(STREAMS).join(CATALOG);
    if !fs::metadata(&folder).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for name in names(&folder)? {
        if let FileKind::Checkpoints(first_seq) = file_kind(&name) {
            files.push(first_seq);
        }
    }
    files.sort_unstable();
    Ok(files)
}
