//! Texts without a secret, of the kinds that are easily taken for one: one table per theme, each row a
//! group, how often each pattern is drawn, and the patterns.

mod agents;
mod code;
mod commands;
mod config;
mod ids;
mod keys;
mod logs;
mod numbers;
mod people;
mod prose;
mod traces;

use std::collections::BTreeSet;

use crate::{draw::Draw, secret::Secret};

type Rows = &'static [(&'static str, usize, &'static [&'static str])];

/// A text that must come out as it went in.
#[derive(Debug)]
pub(crate) struct Negative {
    pub(crate) group: &'static str,
    pub(crate) seed: u64,
    pub(crate) text: String,
}

/// All of them, each text once.
pub(crate) fn negatives() -> Vec<Negative> {
    let tables = [
        ids::IDS,
        numbers::NUMBERS,
        keys::KEYS,
        people::PEOPLE,
        agents::AGENTS,
        prose::PROSE,
        config::CONFIG,
        code::CODE,
        commands::COMMANDS,
        traces::TRACES,
        logs::LOGS,
    ];
    let mut negatives = Vec::new();
    for (group, copies, patterns) in tables.into_iter().flatten() {
        for pattern in *patterns {
            negatives.extend((0..*copies).map(|copy| {
                let mut draw = Draw::named(&format!("{group}/{copy}/{pattern}"));
                let text = Secret::draw(pattern, &mut draw).text;
                let seed = draw.seed;
                Negative { group, seed, text }
            }));
        }
    }
    let mut seen = BTreeSet::new();
    negatives.retain(|negative| seen.insert(negative.text.clone()));
    negatives
}
