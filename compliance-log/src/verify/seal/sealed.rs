#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{
    catalog::SealedStream,
    fact::Facts,
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
    pub(in crate::verify) facts: Facts,
}

impl Sealed {
    /// The catalog: `probes` are sizes at which others know its root.
    pub(in crate::verify) fn catalog(
        stream: String,
        roots: Vec<(u64, TreeHash)>,
        size: u64,
        probes: impl IntoIterator<Item = u64>,
        gone: Vec<Gone>,
    ) -> Self {
        let mut sealed = Self::new(stream, roots, size, gone, Facts::Catalog);
        // Only what its own keys signed says where a catalog may begin.
        sealed
            .gone
            .retain(|gone| find(&sealed.roots, gone.size) == Some(gone.root));
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
        let mut roots: Vec<_> = known.roots().collect();
        let contradicts =
            |gone: &Gone| find(&roots, gone.size).is_some_and(|root| root != gone.root);
        let gone: Vec<Gone> = gone.into_iter().filter(|gone| !contradicts(gone)).collect();
        for gone in &gone {
            if find(&roots, gone.size).is_none() {
                roots.push((gone.size, gone.root));
                roots.sort_unstable_by_key(|(size, _)| *size);
            }
        }
        let mut sealed = Self::new(id, roots, known.size, gone, facts);
        sealed.place = known.place;
        sealed
    }

    fn new(
        stream: String,
        roots: Vec<(u64, TreeHash)>,
        size: u64,
        mut gone: Vec<Gone>,
        facts: Facts,
    ) -> Self {
        gone.sort_by_key(|gone| (gone.first_seq, gone.whereabouts == Whereabouts::Archived));
        // What was archived and then expired is expired.
        gone.dedup_by_key(|gone| gone.first_seq);
        Self {
            stream,
            sizes: roots.iter().map(|(size, _)| *size).collect(),
            probes: Vec::new(),
            roots,
            size,
            place: None,
            gone,
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
