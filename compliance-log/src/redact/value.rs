//! The value net: finds secrets in one text and writes the text without them.

use std::{fmt::Write as _, ops::Range};

use super::{
    name::Names,
    number,
    prefilter::Prefilter,
    rule::{Detector, Effect, Hit},
};
use crate::pseudonym::{NO_KEY, Pseudonyms, is_within_one};

/// A text from which more is found each time is dropped as a whole.
const PASSES_MAX: usize = 4;
const MARK_OPEN: &str = "[redacted:";

/// All value rules of a policy.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) detectors: Vec<Detector>,
    pub(super) prefilter: Prefilter,
}

struct Span {
    range: Range<usize>,
    detector: usize,
}

impl Net {
    /// Writes `text` to `out` without its secrets; returns false, and writes nothing, if it has none.
    ///
    /// What was written is searched again until nothing is found, so that no secret is left between
    /// two that overlapped, and redacting twice is the same as redacting once.
    pub(super) fn redact(
        &self,
        names: &Names,
        pseudonyms: Pseudonyms<'_>,
        text: &str,
        out: &mut String,
        found: &mut dyn FnMut(Hit<'_>),
    ) -> bool {
        let mut spans = self.search(text, names);
        if spans.is_empty() {
            return false;
        }
        let mut clean = self.replace(text, &spans, pseudonyms, found);
        for _ in 1..PASSES_MAX {
            spans = self.search(&clean, names);
            if spans.is_empty() {
                out.push_str(&clean);
                return true;
            }
            clean = self.replace(&clean, &spans, pseudonyms, found);
        }
        match self.search(&clean, names).last() {
            Some(last) => mark(self.hit(last.detector).rule, out),
            None => out.push_str(&clean),
        }
        true
    }

    /// What to replace, in order and without overlaps. Of two that overlap the one that begins first,
    /// the longer, that of the earlier rule is whole; the other keeps what sticks out, since without
    /// its beginning it would not be found again.
    fn search(&self, text: &str, names: &Names) -> Vec<Span> {
        let mut spans = Vec::new();
        let rules = self.prefilter.rules(text.as_bytes());
        for (number, detector) in self.detectors.iter().enumerate() {
            if rules.contains(number) {
                detector.each(text, names, |range| {
                    let done = is_mark(&text[range.clone()])
                        // What a caller passes in may look like one, so no other rule leaves it.
                        || detector.rule.action == Effect::Pseudonym && is_within_one(text, &range);
                    if !range.is_empty() && !done {
                        spans.push(Span {
                            range,
                            detector: number,
                        });
                    }
                });
            }
        }
        spans.sort_by_key(|span| (span.range.start, usize::MAX - span.range.end, span.detector));
        let mut free = 0;
        spans.retain_mut(|span| {
            span.range.start = span.range.start.max(free);
            free = free.max(span.range.end);
            !span.range.is_empty()
        });
        spans
    }

    fn replace(
        &self,
        text: &str,
        spans: &[Span],
        pseudonyms: Pseudonyms<'_>,
        found: &mut dyn FnMut(Hit<'_>),
    ) -> String {
        let mut out = String::with_capacity(text.len() + 32 * spans.len());
        let mut copied = 0;
        for span in spans {
            out.push_str(&text[copied..span.range.start]);
            let secret = &text[span.range.clone()];
            let mut hit = self.hit(span.detector);
            let mut pseudonym = None;
            if hit.action == Effect::Pseudonym {
                if touches_card(text, &span.range) {
                    hit.action = Effect::Drop;
                } else {
                    pseudonym = pseudonyms.key(hit.rule).map(|key| key.pseudonym(secret));
                }
            }
            match (hit.action, pseudonym) {
                (Effect::Drop, _) => mark(hit.rule, &mut out),
                (Effect::Mask, _) => number::mask(secret, &mut out),
                // Writing to a string cannot fail.
                (Effect::Pseudonym, Some(name)) => write!(out, "{name}").unwrap_or(()),
                (Effect::Pseudonym, None) => {
                    hit = Hit {
                        rule: NO_KEY,
                        action: Effect::Drop,
                    };
                    mark(hit.rule, &mut out);
                }
            }
            found(hit);
            copied = span.range.end;
        }
        out.push_str(&text[copied..]);
        out
    }

    fn hit(&self, detector: usize) -> Hit<'_> {
        let detector = &self.detectors[detector];
        Hit {
            rule: detector.id(),
            action: detector.rule.action,
        }
    }
}

fn mark(rule: &str, out: &mut String) {
    out.push_str(MARK_OPEN);
    out.push_str(rule);
    out.push(']');
}

/// Whether any digit of a card number stands in `range`. Seen in the whole text: what is found may be
/// part of one.
fn touches_card(text: &str, range: &Range<usize>) -> bool {
    let mut touches = number::holds_card(&text[range.clone()]);
    number::cards(text.as_bytes(), |card| {
        touches |= card.start < range.end && range.start < card.end;
    });
    touches
}

/// Whether `text` is what a redaction leaves.
fn is_mark(text: &str) -> bool {
    let rule = text
        .strip_prefix(MARK_OPEN)
        .and_then(|rest| rest.strip_suffix(']'));
    rule.is_some_and(|rule| {
        rule.bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    })
}
