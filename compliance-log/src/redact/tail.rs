//! Patterns whose search would not be linear.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Whether a pattern may end in something optional that is looked for without bound, past where the next match
/// begins: `key=(?:.*;end)?` reads the rest of the text again behind each `key=`.
pub(super) fn is_far(pattern: &Hir) -> bool {
    let mut gaps = Vec::new();
    at_end(pattern, &mut gaps);
    gaps.iter().any(|gap| fits(pattern, gap))
}

/// Collects the classes that are repeated without bound within an optional end of `hir`.
fn at_end<'h>(hir: &'h Hir, gaps: &mut Vec<&'h Class>) {
    match hir.kind() {
        HirKind::Concat(parts) => {
            for part in parts.iter().rev() {
                at_end(part, gaps);
                if least(part) > 0 {
                    break;
                }
            }
        }
        HirKind::Capture(capture) => at_end(&capture.sub, gaps),
        HirKind::Alternation(branches) => {
            let (mut within, mut covered) = (Vec::new(), Vec::new());
            let empty = branches.iter().filter(|branch| least(branch) == 0);
            // Of `.*end|.*` what is read in vain belongs to the match.
            empty
                .clone()
                .for_each(|branch| unbounded(branch, &mut covered));
            for branch in branches {
                at_end(branch, gaps);
                if empty.clone().count() > 0 {
                    before_more(branch, &mut within);
                }
            }
            gaps.extend(within.into_iter().filter(|gap| !covered.contains(gap)));
        }
        HirKind::Repetition(repetition) => {
            at_end(&repetition.sub, gaps);
            if repetition.min == 0 {
                before_more(&repetition.sub, gaps);
            }
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => (),
    }
}

/// Collects the classes that are repeated without bound before something that must follow.
fn before_more<'h>(hir: &'h Hir, gaps: &mut Vec<&'h Class>) {
    match hir.kind() {
        HirKind::Concat(parts) => {
            for (number, part) in parts.iter().enumerate() {
                let mut within = Vec::new();
                if parts[number + 1..].iter().any(|part| least(part) > 0) {
                    unbounded(part, &mut within);
                }
                before_more(part, &mut within);
                reached(&parts[..number], within, gaps);
            }
        }
        HirKind::Capture(capture) => before_more(&capture.sub, gaps),
        HirKind::Repetition(repetition) => before_more(&repetition.sub, gaps),
        HirKind::Alternation(branches) => branches.iter().for_each(|one| before_more(one, gaps)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => (),
    }
}

fn unbounded<'h>(hir: &'h Hir, gaps: &mut Vec<&'h Class>) {
    match hir.kind() {
        HirKind::Repetition(repetition) => match (repetition.max, repetition.sub.kind()) {
            (None, HirKind::Class(class)) => gaps.push(class),
            _ => unbounded(&repetition.sub, gaps),
        },
        HirKind::Capture(capture) => unbounded(&capture.sub, gaps),
        HirKind::Alternation(branches) => branches.iter().for_each(|one| unbounded(one, gaps)),
        HirKind::Concat(parts) => {
            for (number, part) in parts.iter().enumerate() {
                let mut within = Vec::new();
                unbounded(part, &mut within);
                reached(&parts[..number], within, gaps);
            }
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => (),
    }
}

/// Takes the classes over to which the parts before may belong: where these hold what ends a gap, none goes past
/// the next.
fn reached<'h>(before: &[Hir], within: Vec<&'h Class>, gaps: &mut Vec<&'h Class>) {
    let reached = within
        .into_iter()
        .filter(|gap| before.iter().all(|part| fits(part, gap)));
    gaps.extend(reached);
}

/// Whether some match of `hir` has only characters of the class: then one may begin within a gap.
fn fits(hir: &Hir, gap: &Class) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => literal.0.iter().all(|byte| has(gap, *byte)),
        HirKind::Class(class) => (0..0x80).any(|byte| has(class, byte) && has(gap, byte)),
        HirKind::Repetition(repetition) => repetition.min == 0 || fits(&repetition.sub, gap),
        HirKind::Capture(capture) => fits(&capture.sub, gap),
        HirKind::Concat(parts) => parts.iter().all(|part| fits(part, gap)),
        HirKind::Alternation(branches) => branches.iter().any(|branch| fits(branch, gap)),
    }
}

/// Whether a class has an ASCII character. Any other is taken to be in it.
fn has(class: &Class, byte: u8) -> bool {
    let within = |start: u32, end: u32| (start..=end).contains(&u32::from(byte));
    byte >= 0x80
        || match class {
            Class::Unicode(class) => class
                .iter()
                .any(|range| within(range.start().into(), range.end().into())),
            Class::Bytes(class) => class
                .iter()
                .any(|range| within(range.start().into(), range.end().into())),
        }
}

fn least(hir: &Hir) -> usize {
    hir.properties().minimum_len().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_end_that_is_looked_for_without_bound_is_far() {
        let far = |pattern: &str| is_far(&regex_syntax::parse(pattern).unwrap());
        for pattern in [
            "key=(?:.*;end)?",
            "(?P<a>key(?:[a-z ]+=x)?)",
            "key(?:.*?(?:end)+)*",
            "key(?:.*end|[a-z]*)",
            "key(?:(?:a|[^\n]*)z|)",
            "[a-z]{4}(?:[a-z]*[0-9])?x?",
        ] {
            assert!(far(pattern), "{pattern}");
        }
        for pattern in [
            "key=.*",
            "key=.*end",
            "key=(?:.*end|.*)",
            "key(?:.{0,200}end)?",
            "key=(?:[a-z]*;)?",
            "(?:.*key=)?end",
            "key(?:, *[a-z]+=[0-9]+)*",
            "key(?:,x=\"[^\"]*\")*",
        ] {
            assert!(!far(pattern), "{pattern}");
        }
    }
}
