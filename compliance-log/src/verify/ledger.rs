//! The operators' ledger: a store of its own, checked before it is believed.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{collections::BTreeMap, path::Path};

use super::{
    options::Options,
    report::{Finding, Verdict},
    seal::{Expunged, Found, Gone, LedgerFact, SegmentGone},
};

/// What the ledger says.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    gone: Vec<SegmentGone>,
    expunged: Vec<Expunged>,
    /// Why parts of it are not believed.
    refused: Vec<(Verdict, String)>,
}

impl Ledger {
    /// Takes what a store of the ledger says, of which nothing is to be said against it.
    pub(super) fn take(&mut self, facts: Vec<LedgerFact>, options: &Options) {
        for fact in facts {
            match fact {
                LedgerFact::Segment(gone) => self.gone.push(gone),
                LedgerFact::Expunged(ordered) => {
                    let expunged = ordered.judge(&options.roots, &options.revoked());
                    self.expunged.push(expunged);
                }
            }
        }
    }

    /// Believes nothing of what a store of the ledger says.
    pub(super) fn refuse(&mut self, path: &Path, verdict: Verdict, why: &str) {
        let text = format!("the ledger {} is not believed: {why}", path.display());
        self.refused.push((verdict, text));
    }

    /// Tells a store that is checked with it what is wrong with it.
    pub(super) fn tell(&self, found: &mut Found) {
        for (verdict, why) in &self.refused {
            found.add(Finding::new(*verdict, why.clone()));
        }
    }

    /// The records of a stream of a store whose text was taken out, as the ledger says.
    pub(super) fn expunged(&self, origin: &str, of: &str) -> BTreeMap<u64, Vec<Expunged>> {
        let mut expunged: BTreeMap<u64, Vec<Expunged>> = BTreeMap::new();
        for one in self.expunged.iter().filter(|one| one.is_of(origin, of)) {
            expunged.entry(one.seq).or_default().push(one.clone());
        }
        expunged
    }

    /// What it says of segments of a stream of a store.
    pub(super) fn gone(&self, origin: &str, of: &str) -> Vec<Gone> {
        let gone = self.gone.iter().filter_map(|fact| fact.gone(origin, of));
        gone.cloned().collect()
    }
}
