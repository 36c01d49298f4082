//! Long runs of letters and digits, and what stands beside them: how most tokens look.

use std::collections::BTreeMap;

/// Shorter runs are words.
pub(super) const RUN_BYTES_MIN: usize = 16;

/// Which rules want to see a run, by the text beside it or at its beginning.
///
/// Runs are rare in harmless text and cheap to skip, so any number of these cost next to nothing,
/// where literals are few.
#[derive(Debug, Default)]
pub(super) struct Affixes {
    /// Texts that end right before a run, or before a short part that is joined to it, by their last two bytes.
    before: BTreeMap<[u8; 2], Vec<Affix>>,
    /// Texts with which a run begins, by their first two bytes.
    within: BTreeMap<[u8; 2], Vec<Affix>>,
    /// Texts that begin right behind a run.
    behind: Vec<Affix>,
}

#[derive(Debug)]
struct Affix {
    text: Box<[u8]>,
    rule: usize,
}

impl Affixes {
    /// Wants `prefix`, of two bytes or more, for rule number `rule`.
    pub(super) fn prefix(&mut self, prefix: &str, rule: usize) {
        let (bytes, text) = (prefix.as_bytes(), prefix.as_bytes().into());
        let ends_in_run = bytes.last().is_some_and(u8::is_ascii_alphanumeric);
        let (table, key) = if ends_in_run {
            (&mut self.within, bytes.first_chunk())
        } else {
            (&mut self.before, bytes.last_chunk())
        };
        if let Some(key) = key {
            table.entry(*key).or_default().push(Affix { text, rule });
        }
    }

    /// Wants `suffix` for rule number `rule`.
    pub(super) fn suffix(&mut self, suffix: &str, rule: usize) {
        let text = suffix.as_bytes().into();
        self.behind.push(Affix { text, rule });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.within.is_empty() && self.behind.is_empty()
    }

    /// Whether any rule wants a run in `text`.
    pub(super) fn any(&self, text: &[u8]) -> bool {
        Runs { text, at: 0 }.next().is_some() && self.find(text).next().is_some()
    }

    /// The rules that want a run in `text`, some more than once.
    pub(super) fn find(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        Runs { text, at: 0 }.flat_map(|run| {
            let (head, tail) = text.split_at(run.start);
            let before = [Some(head), behind_joint(head)];
            let before = before.into_iter().flatten().flat_map(|head| {
                list(&self.before, head.last_chunk())
                    .iter()
                    .filter(move |affix| head.ends_with(&affix.text))
            });
            let within = beginnings(head, tail).into_iter().flat_map(|start| {
                list(&self.within, start.first_chunk())
                    .iter()
                    .filter(move |affix| start.starts_with(&affix.text))
            });
            let rest = &text[run.end..];
            let behind = self.behind.iter();
            let behind = behind.filter(|affix| rest.starts_with(&affix.text));
            before.chain(within).chain(behind).map(|affix| affix.rule)
        })
    }
}

fn list<'a>(table: &'a BTreeMap<[u8; 2], Vec<Affix>>, key: Option<&[u8; 2]>) -> &'a [Affix] {
    key.and_then(|key| table.get(key))
        .map_or(&[], Vec::as_slice)
}

/// What stands before the part of a token that is joined to its long run: `re_` of `re_0fa4_<run>`.
fn behind_joint(head: &[u8]) -> Option<&[u8]> {
    let (b'_' | b'-', head) = head.split_last()? else {
        return None;
    };
    let part = head.iter().rev().take(RUN_BYTES_MIN);
    let part = part.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (part > 0).then(|| &head[..head.len() - part])
}

/// Where the run may begin: in encoded text `\n` and `\u0085` look like its first letters.
fn beginnings<'t>(head: &[u8], tail: &'t [u8]) -> [&'t [u8]; 2] {
    let escape = match (head.last(), tail) {
        (Some(b'\\'), [b'u', ..]) => 5,
        (Some(b'\\'), _) => 1,
        _ => return [tail, &[]],
    };
    [tail, tail.get(escape..).unwrap_or_default()]
}

/// Runs of [`RUN_BYTES_MIN`] letters and digits or more.
struct Runs<'t> {
    text: &'t [u8],
    at: usize,
}

impl Iterator for Runs<'_> {
    type Item = std::ops::Range<usize>;

    /// A run covers one of any [`RUN_BYTES_MIN`] bytes that follow each other, so most are skipped.
    fn next(&mut self) -> Option<Self::Item> {
        let part = |byte: &&u8| byte.is_ascii_alphanumeric();
        loop {
            let probe = self.at + RUN_BYTES_MIN - 1;
            let forward = self.text.get(probe..)?.iter().take_while(part).count();
            if forward == 0 {
                self.at = probe + 1;
                continue;
            }
            let back = self.text[self.at..probe].iter().rev();
            let start = probe - back.take_while(part).count();
            self.at = probe + forward;
            if self.at - start >= RUN_BYTES_MIN {
                return Some(start..self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Vec<&str> {
        let runs = Runs {
            text: text.as_bytes(),
            at: 0,
        };
        runs.map(|run| &text[run]).collect()
    }

    #[test]
    fn a_run_is_seen_wherever_it_stands() {
        let run = "0123456789abcdefXY";
        for before in 0..40 {
            let text = format!("{}-{run} ä{run}é short", "-".repeat(before));
            assert_eq!(runs(&text), [run, run], "{text}");
        }
        assert_eq!(runs("0123456789abcde 0123456789abcde"), Vec::<&str>::new());
        assert_eq!(runs("0123456789abcdef"), ["0123456789abcdef"]);
        assert_eq!(runs(""), Vec::<&str>::new());
    }

    #[test]
    fn a_prefix_stands_before_a_run_or_begins_it() {
        let mut affixes = Affixes::default();
        affixes.prefix("ab_", 1);
        affixes.prefix("cio", 2);
        affixes.suffix("-us", 3);
        let found = |text: &str| affixes.find(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found("xab_0123456789abcdef"), [1]);
        assert_eq!(found("xab_0aB-0123456789abcdef"), [1]);
        assert_eq!(found("cio0123456789abcdef-us1"), [2, 3]);
        assert_eq!(found(r"\ncio0123456789abcdef"), [2]);
        assert_eq!(found(r"\u0085cio0123456789abcdef"), [2]);
        for text in [
            "ab_ 0123456789abcdef",
            "ab_0-0-0123456789abcdef",
            "ab__0123456789abcdef",
            "xcio0123456789abcdef",
            "ab_0123456789abcde",
        ] {
            assert_eq!(found(text), Vec::<usize>::new(), "{text}");
        }
    }
}
