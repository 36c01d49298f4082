#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{collections::BTreeMap, path::Path};

use super::{
    certificate::Identity,
    epochs::Epochs,
    found::Found,
    notes::{NotePlace, read_notes},
};
use crate::{
    chain::Digest,
    error::Error,
    layout::{CATALOG, STREAMS, checkpoints_name},
    seal::{
        merkle::TreeHash,
        statement::{Checkpoint, Signed},
    },
    verify::report::Verdict,
};

/// The checkpoints of a store, as they are read one after the other.
#[derive(Debug)]
pub(super) struct Checkpoints<'s> {
    identity: &'s Identity,
    epochs: &'s Epochs,
    /// A size above which the store's keys are revoked.
    trusted_to: Option<u64>,
    /// Roots that were signed.
    pub(super) roots: BTreeMap<u64, TreeHash>,
    /// The size of the newest good one.
    pub(super) size: u64,
    /// The newest good one.
    pub(super) newest: Option<String>,
    /// A checkpoint is signed by a key that was not kept.
    pub(super) unkept_key: bool,
}

/// How much of a file of checkpoints is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    All,
    /// The last note; the catalog states the file's digest.
    Last,
}

/// Where the file stands in the order of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Newest,
    Closed,
}

pub(super) fn checkpoints_file(first_seq: u64) -> String {
    format!("{STREAMS}/{CATALOG}/{}", checkpoints_name(first_seq))
}

impl<'s> Checkpoints<'s> {
    pub(super) fn new(identity: &'s Identity, epochs: &'s Epochs, trusted_to: Option<u64>) -> Self {
        Self {
            identity,
            epochs,
            trusted_to,
            roots: epochs.roots.iter().copied().collect(),
            size: 0,
            newest: None,
            unkept_key: false,
        }
    }

    /// Reads the checkpoints of one segment, up to the length that the file had when somebody looked; gives the file's length and digest, if there is the file.
    pub(super) fn read(
        &mut self,
        store: &Path,
        (file, looked): (&str, Option<u64>),
        depth: Depth,
        age: Age,
        found: &mut Found,
    ) -> Result<Option<(u64, Digest)>, Error> {
        let mut last: Option<(NotePlace<'_>, Vec<u8>)> = None;
        let ended = read_notes(store, file, looked, |place, note| match depth {
            Depth::All => self.note(place, note, found),
            Depth::Last => {
                let (at, kept) = last.get_or_insert_with(|| (place, Vec::new()));
                *at = place;
                kept.clear();
                kept.extend_from_slice(note);
            }
        })?;
        if let Some((place, note)) = last {
            self.note(place, &note, found);
        }
        let Some(ended) = ended else {
            return Ok(None);
        };
        if let Some(place) = ended.torn {
            let (verdict, detail) = match age {
                Age::Newest => (
                    Verdict::Torn,
                    "bytes behind the last whole note, left by a crash or being written",
                ),
                Age::Closed => (
                    Verdict::BadSignature,
                    "bytes behind the last whole note of a file that is not the newest",
                ),
            };
            found.at(verdict, place, detail);
        }
        Ok(Some((ended.bytes, ended.digest)))
    }

    fn note(&mut self, place: NotePlace<'_>, note: &[u8], found: &mut Found) {
        let signed = match Signed::<Checkpoint>::parse(note) {
            Ok(signed) => signed,
            Err(error) => {
                found.at(Verdict::BadSignature, place, error.to_string());
                return;
            }
        };
        let checkpoint = signed.statement();
        if checkpoint.origin != self.identity.origin {
            let detail = format!("a checkpoint of {}", checkpoint.origin);
            found.at(Verdict::Splice, place, detail);
            return;
        }
        if let Err(why) = self.check_keys(&signed) {
            found.at(Verdict::BadSignature, place, why);
            return;
        }
        let (size, root) = (checkpoint.size, checkpoint.root);
        if *self.roots.entry(size).or_insert(root) != root {
            let detail = format!("two roots were signed for size {size}");
            found.at(Verdict::Fork, place, detail);
            return;
        }
        if size < self.size {
            let detail = format!(
                "the checkpoint of size {size} stands behind that of size {}",
                self.size
            );
            found.at(Verdict::Reorder, place, detail);
            return;
        }
        self.size = size;
        self.newest = Some(signed.to_string());
    }

    fn check_keys(&mut self, signed: &Signed<Checkpoint>) -> Result<(), String> {
        let size = signed.statement().size;
        let epoch = signed.epoch();
        signed
            .check(&self.identity.log)
            .map_err(|error| error.to_string())?;
        let Some((begins, ends)) = self.epochs.range(epoch) else {
            return Err(format!("no epoch note names the key of epoch {epoch}"));
        };
        let Some(key) = self.epochs.key(epoch) else {
            self.unkept_key = true;
            return Err(format!("the key of epoch {epoch} signs no checkpoint here"));
        };
        signed.check(key).map_err(|error| error.to_string())?;
        if size < begins || ends.is_some_and(|ends| size > ends) {
            let ends = ends.map_or_else(|| "on".to_owned(), |ends| format!("to {ends}"));
            return Err(format!(
                "the key of epoch {epoch} signs from size {begins} {ends}, not {size}"
            ));
        }
        if self.trusted_to.is_some_and(|last| size > last) {
            return Err(format!(
                "size {size} was signed with a key that is revoked above size {}",
                self.trusted_to.unwrap_or_default()
            ));
        }
        Ok(())
    }
}
