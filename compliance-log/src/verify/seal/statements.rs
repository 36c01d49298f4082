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

/// A writer may ratchet while its epoch notes are read, or rotate.
const ATTEMPTS: u32 = 3;

/// What a store's keys signed of its catalog.
#[derive(Debug)]
pub(in crate::verify) struct Statements {
    /// In order.
    pub(in crate::verify) roots: Vec<(u64, TreeHash)>,
    /// The size up to which the catalog is sealed; 0 without a good checkpoint.
    pub(in crate::verify) size: u64,
    pub(in crate::verify) newest: Option<String>,
    pub(in crate::verify) epochs: u64,
    trusted_to: Option<u64>,
    /// Files of checkpoints of which only the last note was checked, by first sequence.
    closed: BTreeMap<u64, Digest>,
}

/// Why the statements have to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    No,
    /// A key is missing that is named, but was not kept.
    WithAllKeys,
    /// The epoch notes grew while the checkpoints were read.
    Grown,
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
        let mut attempt = 1_u32;
        let mut keep = all.then_some(Keep::All);
        loop {
            let mut seen = Found::default();
            let (statements, again) =
                Self::read_once(store, identity, trusted_to, (all, &keep), &mut seen)?;
            match again {
                // Files of checkpoints between which others are missing.
                Again::WithAllKeys if keep.is_none() => {
                    keep = Some(Keep::All);
                    continue;
                }
                Again::Grown if attempt < ATTEMPTS => {
                    attempt = attempt.saturating_add(1);
                    continue;
                }
                _ => (),
            }
            seen.findings.into_iter().for_each(|one| found.add(one));
            found.omitted = found.omitted.saturating_add(seen.omitted);
            return Ok(statements);
        }
    }

    /// And whether something stands in the way of judging them.
    fn read_once(
        store: &Path,
        identity: &Identity,
        trusted_to: Option<u64>,
        (all, keep): (bool, &Option<Keep>),
        found: &mut Found,
    ) -> Result<(Self, Again), Error> {
        let files = files(store)?;
        let few = || Keep::At(files.clone());
        let keep = keep.clone().unwrap_or_else(few);
        let epochs = Epochs::read(store, identity, &keep, found)?;
        let mut checkpoints = Checkpoints::new(identity, &epochs, trusted_to);
        let mut closed = BTreeMap::new();
        for first_seq in &files {
            let newest = Some(first_seq) == files.last();
            let (depth, age) = match (newest, all) {
                (true, _) => (Depth::All, Age::Newest),
                (false, true) => (Depth::All, Age::Closed),
                (false, false) => (Depth::Last, Age::Closed),
            };
            let file = checkpoints_file(*first_seq);
            if let Some(digest) = checkpoints.read(store, &file, depth, age, found)?
                && !newest
            {
                closed.insert(*first_seq, digest);
            }
        }
        let grown = fs::metadata(store.join(SEAL).join(EPOCHS))
            .is_ok_and(|metadata| metadata.len() > epochs.bytes);
        let again = if checkpoints.unkept_key {
            Again::WithAllKeys
        } else if checkpoints.unknown_epoch && grown {
            Again::Grown
        } else {
            Again::No
        };
        let (epoch, begins) = epochs.newest();
        let (size, newest) = (checkpoints.size, checkpoints.newest.take());
        if newest.is_none() {
            let detail = match identity.authenticity {
                Authenticity::Uncertified => "neither a certificate nor a good checkpoint",
                _ => "no good checkpoint: nothing here is sealed",
            };
            found.in_file(Verdict::Unsealed, &format!("{STREAMS}/{CATALOG}"), detail);
        } else if begins > size
            && let Some(first_seq) = files.last()
        {
            let detail = format!(
                "the newest checkpoint is of size {size}; epoch {epoch} began at size {begins}"
            );
            found.in_file(Verdict::Truncated, &checkpoints_file(*first_seq), detail);
        }
        if identity.authenticity == Authenticity::Uncertified && newest.is_some() {
            let detail = "the store's keys are not certified yet";
            found.in_file(Verdict::Uncertified, &format!("{SEAL}/cert"), detail);
        }
        let statements = Self {
            // What a key of an epoch signed at its end is sealed, whatever became of its checkpoint.
            size: if newest.is_some() {
                size.max(begins)
            } else {
                0
            },
            roots: checkpoints.roots.into_iter().collect(),
            newest,
            epochs: epoch,
            trusted_to,
            closed,
        };
        Ok((statements, again))
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
        let epochs = Epochs::read(store, identity, &Keep::All, &mut Found::default())?;
        for (first_seq, _) in open {
            let file = checkpoints_file(*first_seq);
            let mut seen = Found::default();
            let mut checkpoints = Checkpoints::new(identity, &epochs, self.trusted_to);
            checkpoints.read(store, &file, Depth::All, Age::Closed, &mut seen)?;
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
