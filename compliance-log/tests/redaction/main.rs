//! How well redaction finds secrets, and leaves alone what is none: a corpus that knows nothing of the
//! rules, through the public interface into a real store, and the bytes of that store.
//!
//! Secrets are drawn at run time from fixed seeds, so none stands in a source. `SHOW_MISSES=1` prints
//! the texts of misses too.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be set up ends the test"
)]
#![expect(
    clippy::print_stdout,
    reason = "the tables are what a reader of the test wants"
)]

mod checksum;
mod draw;
mod formats;
mod negatives;
mod noise;
mod positives;
mod score;
mod secret;
mod sought;
mod stored;
mod wraps;

use std::collections::BTreeMap;

use crate::{
    negatives::negatives, positives::positives, score::Score, sought::Views, stored::stored,
};

#[test]
fn long_secrets_are_found_and_nothing_else_is() {
    let mut score = Score::default();

    let positives = positives();
    let texts: Vec<&str> = positives
        .iter()
        .map(|positive| positive.text.as_str())
        .collect();
    let of_text: BTreeMap<&str, _> = positives
        .iter()
        .map(|positive| (positive.text.as_str(), positive))
        .collect();
    let lines = stored(&texts, |line, batch| {
        let parts = batch.iter().flat_map(|text| &of_text[text].parts);
        let long = parts.filter(|part| part.window >= 8);
        assert!(
            !Views::of(line).show(long),
            "a record of the log's own holds a secret"
        );
    });
    for (positive, line) in positives.iter().zip(&lines) {
        score.positive(positive, line);
    }

    let negatives = negatives();
    let texts: Vec<&str> = negatives
        .iter()
        .map(|negative| negative.text.as_str())
        .collect();
    for (negative, line) in negatives.iter().zip(&stored(&texts, |_, _| ())) {
        score.negative(negative, line);
    }

    score.print();
    let short = score.shortcomings();
    assert!(short.is_empty(), "{}", short.join("\n"));
}

#[test]
fn the_corpus_is_wide() {
    let positives = positives();
    let mut formats: Vec<&str> = positives.iter().map(|positive| positive.format).collect();
    formats.dedup();
    let negatives = negatives();
    println!(
        "{} positives of {} formats, {} negatives",
        positives.len(),
        formats.len(),
        negatives.len()
    );
    assert!(formats.len() >= 60 && positives.len() >= 900 && negatives.len() >= 1500);
    assert!(positives.iter().all(|positive| !positive.parts.is_empty()));
}
