//! What is known of a store outside of it.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{certificate::Identity, fact::Continues};
use crate::{
    error::{Error, ErrorKind},
    seal::{
        Origin,
        merkle::TreeHash,
        note::{Note, WitnessKey},
        statement::Checkpoint,
    },
    verify::report::{Finding, Verdict},
};

/// A checkpoint, and where it comes from.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Known {
    source: String,
    /// `None` for what is none.
    checkpoint: Option<Checkpoint>,
    trust: Trust,
}

#[derive(Clone, Debug)]
enum Trust {
    /// The user names it, and knows.
    Named,
    /// It was read where anybody may have put it: the store's log key must have signed it, and the
    /// witness have cosigned it if it lay at one.
    Signed {
        note: Option<Note>,
        witness: Option<Box<WitnessKey>>,
    },
}

impl Known {
    pub(in crate::verify) fn named(source: String, note: &[u8]) -> Result<Self, Error> {
        let checkpoint =
            Note::parse(alone(note)).and_then(|note| Checkpoint::from_text(note.text()));
        let checkpoint = checkpoint.map_err(|error| error.context(&source))?;
        Ok(Self {
            source,
            checkpoint: Some(checkpoint),
            trust: Trust::Named,
        })
    }

    pub(in crate::verify) fn read(
        source: String,
        note: &[u8],
        witness: Option<WitnessKey>,
    ) -> Self {
        let note = Note::parse(alone(note)).ok();
        let checkpoint = note
            .as_ref()
            .and_then(|note| Checkpoint::from_text(note.text()).ok());
        Self {
            source,
            checkpoint,
            trust: Trust::Signed {
                note,
                witness: witness.map(Box::new),
            },
        }
    }

    /// Why it is of no use to anybody.
    pub(in crate::verify) fn useless(&self) -> Option<String> {
        self.checkpoint
            .is_none()
            .then(|| format!("bad anchor {}: no checkpoint", self.source))
    }

    fn check(&self, identity: &Identity) -> Result<(), Error> {
        match &self.trust {
            Trust::Named | Trust::Signed { note: None, .. } => Ok(()),
            Trust::Signed {
                note: Some(note),
                witness,
            } => {
                note.check(&identity.log)?;
                witness.as_ref().map_or(Ok(()), |witness| {
                    let cosigned = witness.cosigned(note)?;
                    let text =
                        || format!("{} ({}) did not cosign it", witness.name(), witness.id());
                    cosigned
                        .map(drop)
                        .ok_or_else(|| Error::new(ErrorKind::Seal, text()))
                })
            }
        }
    }
}

/// A note as it stands in a file of notes has an empty line behind it.
fn alone(note: &[u8]) -> &[u8] {
    match note.strip_suffix(b"\n") {
        Some(shorter) if shorter.ends_with(b"\n") => shorter,
        _ => note,
    }
}

/// What is known outside of one store.
#[derive(Debug, Default)]
pub(in crate::verify) struct Outside {
    checkpoints: Vec<(String, u64, TreeHash)>,
    sizes: Vec<u64>,
    /// What could not be compared with, and why.
    pub(in crate::verify) bad: Vec<String>,
}

impl Outside {
    pub(in crate::verify) fn of(
        identity: &Identity,
        known: &[Known],
        expected: &[(Origin, u64)],
    ) -> Self {
        let mut outside = Self::default();
        for known in known {
            let Some(checkpoint) = &known.checkpoint else {
                continue;
            };
            if checkpoint.origin != identity.origin {
                continue;
            }
            match known.check(identity) {
                Ok(()) => {
                    let source = known.source.clone();
                    outside.add(source, checkpoint.size, checkpoint.root);
                }
                Err(error) => {
                    let bad = format!("bad anchor {}, not used: {error}", known.source);
                    outside.bad.push(bad);
                }
            }
        }
        let ours = expected
            .iter()
            .filter(|(origin, _)| *origin == identity.origin);
        outside.sizes = ours.map(|(_, size)| *size).collect();
        outside
    }

    pub(in crate::verify) fn add(&mut self, source: String, size: u64, root: TreeHash) {
        self.checkpoints.push((source, size, root));
    }

    /// The sizes of which a root is known.
    pub(in crate::verify) fn probes(&self) -> impl Iterator<Item = u64> {
        self.checkpoints.iter().map(|(_, size, _)| *size)
    }

    /// The checkpoints that the store's records can neither confirm nor refute.
    pub(in crate::verify) fn unknown(
        &self,
        size: u64,
        root_at: impl Fn(u64) -> Option<TreeHash>,
    ) -> impl Iterator<Item = (String, u64)> {
        let unknown = move |(source, known, _): &'_ (String, u64, TreeHash)| {
            (*known <= size && root_at(*known).is_none()).then_some((source.clone(), *known))
        };
        self.checkpoints.iter().filter_map(unknown)
    }

    /// Compares it with the store: sealed to `size`, of which `root_at` knows some roots.
    pub(in crate::verify) fn judge(
        &self,
        size: u64,
        root_at: impl Fn(u64) -> Option<TreeHash>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |verdict, seq: u64, detail| {
            let mut finding = Finding::new(verdict, detail);
            finding.seq = Some(seq);
            findings.push(finding);
        };
        for (source, known, root) in &self.checkpoints {
            if *known > size {
                let detail =
                    format!("the store is sealed to size {size}; {source} knows size {known}");
                add(Verdict::Rollback, size, detail);
            } else if root_at(*known).is_some_and(|here| here != *root) {
                let detail = format!("{source} knows another history of size {known}");
                add(Verdict::Fork, known.saturating_sub(1), detail);
            }
        }
        for expected in self.sizes.iter().filter(|expected| **expected > size) {
            let detail =
                format!("the store is sealed to size {size}; size {expected} was expected");
            add(Verdict::Rollback, size, detail);
        }
        findings
    }

    /// What is known of stores that are not here. `continued` are those that stores which are here name
    /// as the ones before them.
    pub(in crate::verify) fn absent(
        here: &[Origin],
        continued: &[Continues],
        known: &[Known],
        expected: &[(Origin, u64)],
    ) -> Vec<Finding> {
        let named = known
            .iter()
            .filter(|known| matches!(known.trust, Trust::Named));
        let named = named.filter_map(|known| {
            let checkpoint = known.checkpoint.as_ref()?;
            let root = Some(checkpoint.root);
            Some((&*known.source, &checkpoint.origin, checkpoint.size, root))
        });
        let expected = expected
            .iter()
            .map(|(origin, size)| ("the list of expected stores", origin, *size, None));
        let absent = named
            .chain(expected)
            .filter(|(_, origin, ..)| !here.contains(origin));
        let findings = absent.filter_map(|(source, origin, size, root)| {
            let after = continued
                .iter()
                .find(|after| after.origin == origin.as_str());
            let (verdict, detail) = match after {
                None => (
                    Verdict::Rollback,
                    format!("{source} knows {origin}, which is not here"),
                ),
                Some(after) if after.size < size => (
                    Verdict::Rollback,
                    format!(
                        "{origin} was continued from size {}; {source} knows size {size}",
                        after.size
                    ),
                ),
                Some(after)
                    if after.size == size
                        && root.is_some_and(|root| root.to_string() != after.root) =>
                {
                    (
                        Verdict::Fork,
                        format!("{source} knows another history of {origin}, size {size}"),
                    )
                }
                Some(_) => return None,
            };
            Some(Finding::new(verdict, detail))
        });
        findings.collect()
    }
}
