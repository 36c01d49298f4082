//! The operators' ledger: a store of its own, checked before it is believed.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{collections::BTreeMap, path::Path};

use super::{
    report::{Finding, Verdict},
    seal::{Found, Gone, LedgerFact},
};
use crate::chain::Digest;

/// What the ledger says.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    facts: Vec<LedgerFact>,
    /// Why parts of it are not believed.
    refused: Vec<String>,
}

impl Ledger {
    /// Takes what a store of the ledger says, if there is no reason against it.
    pub(super) fn take(&mut self, store: &Path, facts: Vec<LedgerFact>, refused: Option<String>) {
        match refused {
            None => self.facts.extend(facts),
            Some(why) => self.refused.push(format!(
                "the ledger {} is not believed: {why}",
                store.display()
            )),
        }
    }

    /// Tells a store that is checked with it what is wrong with it.
    pub(super) fn refuse(&self, found: &mut Found) {
        for why in &self.refused {
            found.add(Finding::new(Verdict::BadSignature, why.clone()));
        }
    }

    /// The records of a stream whose text was taken out.
    pub(super) fn expunged(&self, of: &str) -> BTreeMap<u64, Digest> {
        let expunged = self.facts.iter().filter_map(|fact| fact.expunged(of));
        expunged.collect()
    }

    /// What it excuses in a stream of a store.
    pub(super) fn gone(&self, origin: &str, of: &str) -> Vec<Gone> {
        let gone = self.facts.iter().filter_map(|fact| fact.gone(origin, of));
        gone.collect()
    }
}
