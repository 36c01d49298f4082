//! The operators' ledger: a store of its own, checked before it is believed.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{
    options::Options,
    report::Verdict,
    seal::{Facts, Found, Gone, LedgerFact},
    store::{check_store, find_stores},
};
use crate::{error::Error, seal::statement::Role};

/// What the ledger says.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    facts: Vec<LedgerFact>,
    /// Why parts of it are not believed.
    refused: Vec<String>,
}

impl Ledger {
    /// Checks the ledger's stores and reads what they sealed.
    pub(super) fn read(options: &Options) -> Result<Self, Error> {
        let mut ledger = Self::default();
        let Some(path) = &options.ledger else {
            return Ok(ledger);
        };
        let (stores, _) = find_stores(path)?;
        for store in stores {
            let nothing = Self::default();
            let checked = check_store(
                &store,
                &nothing,
                Facts::Ledger,
                &options.for_ledger(),
                &mut 0,
            )
            .map_err(|error| {
                error.context(format_args!("cannot verify the ledger {}", store.display()))
            })?;
            let verdict = checked.report.verdict;
            let why = if !matches!(checked.report.exit(), 0 | 4) {
                Some(format!("it comes to {verdict}"))
            } else if options.roots.is_empty() {
                Some("no root key was given".to_owned())
            } else if checked.role != Some(Role::Ops) {
                Some("it is not certified as an operators' ledger".to_owned())
            } else {
                None
            };
            match why {
                Some(why) => ledger.refused.push(format!(
                    "the ledger {} is not believed: {why}",
                    store.display()
                )),
                None => ledger.facts.extend(checked.ledger),
            }
        }
        Ok(ledger)
    }

    /// Tells a store that is checked with it what is wrong with it.
    pub(super) fn refuse(&self, found: &mut Found) {
        for why in &self.refused {
            found.add(super::report::Finding::new(
                Verdict::BadSignature,
                why.clone(),
            ));
        }
    }

    /// What it excuses in a stream of a store.
    pub(super) fn gone(&self, origin: &str, of: &str) -> Vec<Gone> {
        let gone = self.facts.iter().filter_map(|fact| fact.gone(origin, of));
        gone.collect()
    }
}
