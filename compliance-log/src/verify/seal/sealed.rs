#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{
    catalog::SealedStream,
    fact::Facts,
    retention::{Ended, Retention},
    tombstones::{Gone, Whereabouts},
};
use crate::seal::merkle::TreeHash;

/// What the seal says of one stream, before its files are looked at.
#[derive(Debug)]
pub(in crate::verify) struct Sealed {
    pub(in crate::verify) stream: String,
    /// By size.
    roots: Vec<(u64, TreeHash)>,
    /// All sizes at which the tree's root is looked at.
    pub(in crate::verify) sizes: Vec<u64>,
    /// Those of which others know the root.
    probes: Vec<u64>,
    /// Up to here it is sealed.
    pub(in crate::verify) size: u64,
    /// The segment in which that size ends, and its durable bytes then. The catalog's own is known by
    /// its size alone.
    pub(in crate::verify) place: Option<(u64, u64)>,
    gone: Vec<Gone>,
    /// When the segments in `gone` ended, as the catalog says; of its own it says nothing.
    ended: Vec<Option<Ended>>,
    pub(in crate::verify) facts: Facts,
}

impl Sealed {
    /// The catalog: `probes` are sizes at which others know its root.
    pub(in crate::verify) fn catalog(
        stream: String,
        roots: Vec<(u64, TreeHash)>,
        size: u64,
        probes: impl IntoIterator<Item = u64>,
        mut gone: Vec<Gone>,
    ) -> Self {
        // Only what its own keys signed says where a catalog may begin.
        gone.retain(|gone| find(&roots, gone.size) == Some(gone.root));
        let mut sealed = Self::new(stream, roots, size, gone, Facts::Catalog);
        sealed.probes = probes.into_iter().collect();
        sealed.probes.sort_unstable();
        sealed.sizes.extend(&sealed.probes);
        sealed.sizes.sort_unstable();
        sealed.sizes.dedup();
        sealed
    }

    /// Another stream, as the catalog knows it.
    pub(in crate::verify) fn stream(
        id: String,
        known: &SealedStream,
        gone: Vec<Gone>,
        facts: Facts,
    ) -> Self {
        let roots: Vec<_> = known.roots().collect();
        let contradicts =
            |gone: &Gone| find(&roots, gone.size).is_some_and(|root| root != gone.root);
        let gone: Vec<Gone> = gone.into_iter().filter(|gone| !contradicts(gone)).collect();
        let ended = gone.iter().map(|gone| known.ended(gone.size)).collect();
        let mut sealed = Self::new(id, roots, known.size, gone, facts);
        sealed.ended = ended;
        sealed.place = known.place;
        sealed
    }

    /// Keeps the reasons for the absence of segments that count; why others do not. `begins` are the files
    /// that are here: first sequence, and when their header was written.
    pub(in crate::verify) fn judge_gone(
        &mut self,
        retention: &Retention,
        begins: &(impl Iterator<Item = (u64, i64)> + Clone),
    ) -> Vec<String> {
        let mut refused = Vec::new();
        let stated = std::mem::take(&mut self.gone);
        let ended = std::mem::take(&mut self.ended);
        let ended = ended.into_iter().chain(std::iter::repeat(None));
        for (gone, ended) in stated.into_iter().zip(ended) {
            let mut after = begins.clone();
            let next = after.find(|(first_seq, _)| (gone.size..self.size).contains(first_seq));
            let next = next.map(|(first_seq, ms)| Ended {
                ms,
                near: first_seq == gone.size,
            });
            match retention.refuses(&gone, ended.or(next)) {
                None => self.gone.push(gone),
                Some(why) => refused.push(format!(
                    "the ledger's reason for the absence of {} does not count: {why}",
                    gone.file
                )),
            }
        }
        self.gone
            .sort_by_key(|gone| (gone.first_seq, gone.whereabouts == Whereabouts::Archived));
        // What was archived and then expired is expired.
        self.gone.dedup_by_key(|gone| gone.first_seq);
        for gone in &self.gone {
            if find(&self.roots, gone.size).is_none() {
                self.roots.push((gone.size, gone.root));
                self.roots.sort_unstable_by_key(|(size, _)| *size);
                self.sizes.push(gone.size);
                self.sizes.sort_unstable();
            }
        }
        refused
    }

    fn new(
        stream: String,
        roots: Vec<(u64, TreeHash)>,
        size: u64,
        gone: Vec<Gone>,
        facts: Facts,
    ) -> Self {
        Self {
            stream,
            sizes: roots.iter().map(|(size, _)| *size).collect(),
            probes: Vec::new(),
            roots,
            size,
            place: None,
            gone,
            ended: Vec::new(),
            facts,
        }
    }

    /// The root that was sealed at this size.
    pub(in crate::verify) fn root(&self, size: u64) -> Option<TreeHash> {
        find(&self.roots, size)
    }

    /// Whether somebody outside knows the root at this size.
    pub(in crate::verify) fn is_probe(&self, size: u64) -> bool {
        self.probes.binary_search(&size).is_ok()
    }

    /// The segments that held records `from..to`, if there is a reason for the absence of each.
    pub(in crate::verify) fn excused(&self, from: u64, to: u64) -> Option<&[Gone]> {
        let start = self.gone.iter().position(|gone| gone.first_seq == from)?;
        let mut next = from;
        let mut end = start;
        for gone in self.gone.get(start..)? {
            if next == to || gone.first_seq != next || gone.size <= next {
                break;
            }
            next = gone.size;
            end = end.saturating_add(1);
        }
        (next == to).then_some(self.gone.get(start..end)?)
    }
}

fn find(roots: &[(u64, TreeHash)], size: u64) -> Option<TreeHash> {
    let at = roots.binary_search_by_key(&size, |(size, _)| *size).ok()?;
    roots.get(at).map(|(_, root)| *root)
}
