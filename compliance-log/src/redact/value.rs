//! The value net: finds secrets in one text and writes the text without them.

use std::{fmt::Write as _, ops::Range};

use super::{
    base64::{any_run, any_text, each_json},
    name::Names,
    number,
    prefilter::{BASE64_DEPTH_MAX, Prefilter},
    rule::{Detector, Effect, Finder, Hit},
    view::{STEPS_MAX, View},
};
use crate::pseudonym::{NO_KEY, Pseudonyms, is_within_one};

/// A text from which more is found each time is dropped as a whole.
const PASSES_MAX: usize = 4;
/// What is written instead may be so many times longer, and so many bytes more.
const GROWTH_MAX: usize = 12;
const GROWTH_BYTES_MAX: usize = 64;
const MARK_OPEN: &str = "[redacted:";

/// All value rules of a policy.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) detectors: Vec<Detector>,
    pub(super) prefilter: Prefilter,
    /// Shorter values hold nothing that a literal leads to.
    pub(super) literal_value_bytes_min: usize,
}

struct Span {
    range: Range<usize>,
    detector: usize,
    form: Form,
}

/// How what was found is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Plain,
    /// Encoded, escaped or disguised. No part of it is kept.
    Wrapped,
}

impl Net {
    /// Writes `text` to `out` without its secrets; returns false, and writes nothing, if it has none.
    ///
    /// What was written is searched again until nothing is found, so that no secret is left between
    /// two that overlapped, and redacting twice is the same as redacting once. It has at most
    /// [`GROWTH_MAX`] times the bytes of `text`, and [`GROWTH_BYTES_MAX`] more.
    pub(super) fn redact(
        &self,
        names: &Names,
        pseudonyms: Pseudonyms<'_>,
        text: &str,
        out: &mut String,
        found: &mut dyn FnMut(Hit<'_>),
    ) -> bool {
        let mut spans = self.search(text, names);
        let Some(first) = spans.first() else {
            return false;
        };
        let mut last = first.detector;
        let mut clean = self.replace(text, &spans, pseudonyms, found);
        for _ in 1..PASSES_MAX {
            spans = self.search(&clean, names);
            let Some(first) = spans.first() else { break };
            last = first.detector;
            clean = self.replace(&clean, &spans, pseudonyms, found);
        }
        let done = spans.is_empty() || self.search(&clean, names).is_empty();
        if done && clean.len() <= text.len() * GROWTH_MAX + GROWTH_BYTES_MAX {
            out.push_str(&clean);
        } else {
            mark(self.hit(last).rule, out);
        }
        true
    }

    /// Where in `text` what is found first stands, in the order in which it is reported.
    pub(super) fn spans(&self, names: &Names, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.search(text, names).into_iter().map(|span| span.range)
    }

    /// What to replace, in order and without overlaps. Of two that overlap the one that begins first,
    /// the longer, that of the earlier rule is whole; the other keeps what sticks out, since without
    /// its beginning it would not be found again.
    fn search(&self, text: &str, names: &Names) -> Vec<Span> {
        let mut spans = self.find(text, names, BASE64_DEPTH_MAX);
        spans.sort_by_key(|span| {
            (
                span.range.start,
                usize::MAX - span.range.end,
                span.form,
                span.detector,
            )
        });
        let mut free = 0;
        spans.retain_mut(|span| {
            span.range.start = span.range.start.max(free);
            free = free.max(span.range.end);
            !span.range.is_empty()
        });
        spans
    }

    /// Everything that any rule finds in `text`, as it is and with each layer of wrapping taken off.
    fn find(&self, text: &str, names: &Names, depth: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut add = |range, detector, form| {
            spans.push(Span {
                range,
                detector,
                form,
            });
        };
        self.plain(text, names, |range, detector| {
            add(range, detector, Form::Plain);
        });
        self.in_base64(text, names, depth, |run, detector| {
            add(run, detector, Form::Wrapped);
        });
        let mut view = View::of(text);
        for _ in 0..STEPS_MAX {
            let Some(now) = view else { break };
            let mut walked = 0..0;
            self.plain(&now.text, names, |range, detector| {
                let finder = self.detectors[detector].rule.find;
                let range = match finder {
                    Some(Finder::KeyValue | Finder::Query) => {
                        now.origin_of_value(text, range, &mut walked)
                    }
                    _ => now.origin(range),
                };
                add(range, detector, Form::Wrapped);
            });
            self.in_base64(&now.text, names, depth, |run, detector| {
                add(now.origin(run), detector, Form::Wrapped);
            });
            view = now.next();
        }
        spans
    }

    fn plain(&self, text: &str, names: &Names, mut found: impl FnMut(Range<usize>, usize)) {
        let rules = self.prefilter.rules(text.as_bytes());
        for (number, detector) in self.detectors.iter().enumerate() {
            if rules.contains(number) {
                detector.each(text, names, |range| {
                    let done = is_mark(&text[range.clone()])
                        // What a caller passes in may look like one, so no other rule leaves it.
                        || detector.rule.action == Effect::Pseudonym && is_within_one(text, &range);
                    if !range.is_empty() && !done {
                        found(range, number);
                    }
                });
            }
        }
    }

    /// Each run of Base64 that holds what a rule finds, and that rule.
    fn in_base64(
        &self,
        text: &str,
        names: &Names,
        depth: usize,
        mut found: impl FnMut(Range<usize>, usize),
    ) {
        if depth == 0 {
            return;
        }
        let mut look = |run: Range<usize>| {
            any_text(&text.as_bytes()[run.clone()], |held| {
                let spans = self.find(held, names, depth - 1);
                let first = spans.first();
                if let Some(span) = first {
                    found(run.clone(), span.detector);
                }
                first.is_some()
            });
        };
        each_json(text.as_bytes(), &mut look);
        any_run(text.as_bytes(), |run| {
            look(run);
            false
        });
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
            if span.form == Form::Wrapped {
                hit.action = Effect::Drop;
            }
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
pub(super) fn is_mark(text: &str) -> bool {
    let rule = text
        .strip_prefix(MARK_OPEN)
        .and_then(|rest| rest.strip_suffix(']'));
    rule.is_some_and(|rule| {
        rule.bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    })
}
