//! Where to look closer: one pass over a whole record, and a cheap look at each value.

use aho_corasick::{AhoCorasick, packed};
use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::{
    assignment,
    base64::{JSON, RUN_BYTES_MIN, any_run, any_text},
    buffer::Buffer,
    check::IBAN_BYTES_MIN,
    element, kind,
    number::{self, CARD_DIGITS_MIN},
    option,
    token::{self, Affixes},
    view::{STEPS_MAX, is_wrapped, unwrap},
};

/// No literal is shorter.
pub(crate) const LITERAL_BYTES_MIN: usize = 2;

/// No shorter value holds anything that a trigger would see: `a@b.io`.
const VALUE_BYTES_MIN: usize = 6;

/// Base64 in Base64 is looked into, and no deeper.
pub(super) const BASE64_DEPTH_MAX: usize = 2;

/// Fewer digits make no IBAN.
const IBAN_DIGITS_MIN: usize = 8;

/// Fewer digits make no number of a person: `AB 12 34 56 C`.
const PERSONAL_DIGITS_MIN: usize = 6;

/// Something cheap to see that is not a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Trigger {
    /// An `@`.
    At,
    /// 13 digits with single spaces or dashes.
    CardNumber,
    /// A country code and as many letters and digits as its IBAN has.
    Iban,
    /// `=` or `:`, or a comma in brackets, behind a name that ends as a prohibited one does.
    Assignment,
    /// Six digits.
    Digits,
    /// The end of an element whose name ends as a prohibited one does.
    Element,
    /// Two dashes before a name that ends as a prohibited one does.
    Option,
    /// The mark that a hash of a password begins with: `$2b$`, `$argon2id$`.
    Crypt,
}

impl Trigger {
    const ALL: [Self; 8] = [
        Self::At,
        Self::CardNumber,
        Self::Iban,
        Self::Assignment,
        Self::Digits,
        Self::Element,
        Self::Option,
        Self::Crypt,
    ];
}

/// A set of rules, by number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RuleSet([u64; Self::CAPACITY / 64]);

impl RuleSet {
    pub(super) const CAPACITY: usize = 256;

    pub(super) fn insert(&mut self, rule: usize) {
        self.0[rule / 64] |= 1 << (rule % 64);
    }

    fn extend(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn contains(&self, rule: usize) -> bool {
        self.0[rule / 64] >> (rule % 64) & 1 == 1
    }
}

/// The literals and triggers of all rules.
#[derive(Debug)]
pub(super) struct Prefilter {
    /// Tries up to 64 literals at once, on processors that can.
    packed: Option<Box<[Packed]>>,
    /// Tells which literals occur, one letter at a time.
    literals: AhoCorasick,
    /// The rules of each literal.
    owners: Vec<RuleSet>,
    /// The rules of each trigger.
    triggers: [RuleSet; Trigger::ALL.len()],
    /// Finds the dashes before an option's name, if any rule looks for options.
    dashes: Option<memmem::Finder<'static>>,
    endings: Endings,
    affixes: Affixes,
    /// What any rule looks for in a value.
    watched: u8,
    /// Shorter values hold no number that any rule looks for.
    number_bytes_min: usize,
}

impl Prefilter {
    /// Rules in order, each with its literals and triggers; and the names that assignments watch for.
    pub(super) fn new<'r>(
        rules: impl Iterator<Item = (&'r [String], &'r [Trigger])>,
        names: impl Iterator<Item = &'r str>,
        affixes: Affixes,
    ) -> Result<Self, aho_corasick::BuildError> {
        let mut texts: Vec<&str> = Vec::new();
        let mut owners: Vec<RuleSet> = Vec::new();
        let mut triggers = [RuleSet::default(); Trigger::ALL.len()];
        for (rule, (literals, wanted)) in rules.enumerate() {
            for literal in literals {
                let at = texts.iter().position(|text| text == literal);
                let at = at.unwrap_or_else(|| {
                    texts.push(literal);
                    owners.push(RuleSet::default());
                    texts.len() - 1
                });
                owners[at].insert(rule);
            }
            for (set, trigger) in triggers.iter_mut().zip(Trigger::ALL) {
                if wanted.contains(&trigger) {
                    set.insert(rule);
                }
            }
        }
        let any = |trigger: Trigger| !triggers[trigger as usize].is_empty();
        // JSON in Base64 that is too short to be told from a word by anything else.
        if any(Trigger::Assignment) && !texts.contains(&JSON) {
            texts.push(JSON);
            owners.push(RuleSet::default());
        }
        let dashes = any(Trigger::Option).then(|| memmem::Finder::new(option::DASHES));
        let when = |watched: bool, kinds: u8| if watched { kinds } else { 0 };
        let watched = when(
            [Trigger::At, Trigger::Element, Trigger::Crypt]
                .into_iter()
                .any(any),
            kind::RARE,
        ) | when(
            any(Trigger::Assignment),
            kind::SIGN | kind::COMMA | kind::OPENING,
        ) | when(
            any(Trigger::CardNumber) || any(Trigger::Iban) || any(Trigger::Digits),
            kind::DIGIT,
        );
        // Whatever there is to find may be wrapped.
        let finds = watched != 0 || !texts.is_empty() || !affixes.is_empty() || dashes.is_some();
        let watched = watched | when(finds, kind::WRAPPING);
        let number_bytes_min = if any(Trigger::Digits) {
            PERSONAL_DIGITS_MIN
        } else {
            CARD_DIGITS_MIN.min(IBAN_BYTES_MIN)
        };
        Ok(Self {
            watched,
            number_bytes_min,
            packed: packed(&texts),
            literals: AhoCorasick::new(&texts)?,
            owners,
            triggers,
            dashes,
            endings: Endings::of(names),
            affixes,
        })
    }

    /// How many different literals there are.
    #[cfg(test)]
    pub(super) fn literals(&self) -> usize {
        self.owners.len()
    }

    #[cfg(test)]
    pub(super) fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Whether any literal occurs in a text, or an option that any rule looks for. Only its first `marked`
    /// bytes have any of the kind [`MARKED`](kind::MARKED).
    pub(super) fn literal(&self, encoded: &[u8], marked: usize) -> bool {
        let literal = match &self.packed {
            Some(packed) => packed.iter().any(|some| some.is_in(encoded, marked)),
            None => !self.owners.is_empty() && self.literals.is_match(encoded),
        };
        literal || self.option(encoded)
    }

    fn option(&self, text: &[u8]) -> bool {
        self.dashes.as_ref().is_some_and(|finder| {
            let mut dashes = finder.find_iter(text);
            dashes.any(|at| self.endings.name(&text[option::name(text, at)]))
        })
    }

    /// Whether any trigger fires, or anything would if what is wrapped were not.
    #[inline]
    pub(super) fn trigger(&self, value: &[u8], kinds: u8) -> bool {
        let seen = kinds & self.watched;
        // Most values are a word or a number.
        let least = if seen & kind::DIGIT == 0 {
            token::RUN_BYTES_MIN
        } else {
            token::RUN_BYTES_MIN.min(self.number_bytes_min)
        };
        let plain = seen & !(kind::DIGIT | kind::COMMA) == 0;
        !(value.len() < least && plain) && self.trigger_of(value, seen)
    }

    fn trigger_of(&self, value: &[u8], seen: u8) -> bool {
        if value.len() < VALUE_BYTES_MIN || self.watched == 0 {
            return false;
        }
        self.plain_of(value, seen)
            || (value.len() >= RUN_BYTES_MIN && self.in_base64(value, BASE64_DEPTH_MAX))
            || (seen & kind::WRAPPING != 0 && self.in_views(value, BASE64_DEPTH_MAX))
    }

    /// Whether a text that was unwrapped holds anything plain.
    fn plain(&self, text: &[u8]) -> bool {
        let kinds = kind::of(text);
        self.literal(text, kind::marked(text, kinds)) || self.plain_of(text, kinds & self.watched)
    }

    fn plain_of(&self, value: &[u8], seen: u8) -> bool {
        (seen & kind::RARE != 0
            && [Trigger::At, Trigger::Element, Trigger::Crypt]
                .into_iter()
                .any(|trigger| self.fires(trigger, value)))
            || (may_assign(seen) && self.endings.any(value))
            || (value.len() >= token::RUN_BYTES_MIN && self.affixes.any(value))
            || (seen & kind::DIGIT != 0
                && value.len() >= self.number_bytes_min
                && self.number(value))
    }

    fn number(&self, value: &[u8]) -> bool {
        let digits = kind::digits(value);
        (digits >= PERSONAL_DIGITS_MIN && self.wants(Trigger::Digits))
            || (digits >= IBAN_DIGITS_MIN && self.fires(Trigger::Iban, value))
            || (digits >= CARD_DIGITS_MIN && self.fires(Trigger::CardNumber, value))
    }

    /// One step more than it takes to read the value, which is encoded for the record.
    fn in_views(&self, value: &[u8], depth: usize) -> bool {
        if !is_wrapped(value) {
            return false;
        }
        let (mut now, mut next) = (Buffer::take(), Buffer::take());
        unwrap(value, &mut now, |_| ());
        for _ in 0..=STEPS_MAX {
            if self.plain(&now) || self.in_base64(&now, depth) {
                return true;
            }
            if !is_wrapped(&now) {
                return false;
            }
            unwrap(&now, &mut next, |_| ());
            std::mem::swap(&mut now, &mut next);
        }
        false
    }

    fn in_base64(&self, value: &[u8], depth: usize) -> bool {
        let look = |text: &str| {
            let text = text.as_bytes();
            self.plain(text) || self.in_base64(text, depth - 1) || self.in_views(text, depth - 1)
        };
        depth > 0 && any_run(value, |run| any_text(&value[run], look))
    }

    /// The rules that may find something in `text`.
    pub(super) fn rules(&self, text: &[u8]) -> RuleSet {
        let mut rules = RuleSet::default();
        for found in self.literals.find_overlapping_iter(text) {
            rules.extend(&self.owners[found.pattern().as_usize()]);
        }
        for rule in self.affixes.find(text) {
            rules.insert(rule);
        }
        for (trigger, set) in Trigger::ALL.into_iter().zip(&self.triggers) {
            if self.fires(trigger, text) {
                rules.extend(set);
            }
        }
        rules
    }

    fn wants(&self, trigger: Trigger) -> bool {
        !self.triggers[trigger as usize].is_empty()
    }

    fn fires(&self, trigger: Trigger, text: &[u8]) -> bool {
        self.wants(trigger)
            && match trigger {
                Trigger::At => memchr::memchr(b'@', text).is_some(),
                Trigger::CardNumber => number::may_have_card(text),
                Trigger::Iban => number::may_have_iban(text),
                Trigger::Assignment => self.endings.any(text),
                Trigger::Digits => kind::digits(text) >= PERSONAL_DIGITS_MIN,
                Trigger::Element => self.endings.any_element(text),
                Trigger::Option => self.option(text),
                Trigger::Crypt => any_crypt(text),
            }
    }
}

/// Whether small letters, digits and dashes stand between two `$` anywhere.
fn any_crypt(text: &[u8]) -> bool {
    const NAME_BYTES_MAX: usize = 16;
    memchr::memchr_iter(b'$', text).any(|mark| {
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let name = assignment::count(text, mark + 1, NAME_BYTES_MAX, is_name);
        name > 0 && text.get(mark + 1 + name) == Some(&b'$')
    })
}

/// Whether a value with these kinds of bytes may assign anything.
fn may_assign(seen: u8) -> bool {
    let pair = kind::COMMA | kind::OPENING;
    seen & kind::SIGN != 0 || seen & pair == pair
}

/// Literals that are tried together.
#[derive(Debug)]
struct Packed {
    searcher: packed::Searcher,
    /// Each has a byte of the kind [`MARKED`](kind::MARKED).
    are_marked: bool,
}

impl Packed {
    fn is_in(&self, text: &[u8], marked: usize) -> bool {
        if !self.are_marked {
            return self.searcher.find(text).is_some();
        }
        // A short text is searched one byte at a time; with more of it, many at once.
        let end = text.len().min(marked.max(SEARCH_BYTES_MIN));
        marked > 0 && self.searcher.find(&text[..end]).is_some()
    }
}

/// No search at once is of fewer bytes.
const SEARCH_BYTES_MIN: usize = 48;

/// Searchers for literals that any value may hold and for those that few can; of these for short and for
/// long ones, since a search compares no more bytes at a time than the shortest has, and stops at
/// places where no longer one stands.
fn packed(literals: &[&str]) -> Option<Box<[Packed]>> {
    const SHORT_BYTES_MAX: usize = 3;
    let is_marked = |text: &&str| kind::of(text.as_bytes()) & kind::MARKED != 0;
    let is_short = |text: &&str| text.len() <= SHORT_BYTES_MAX;
    // Texts of one length look for the same places, so they stand together.
    let mut literals = literals.to_vec();
    literals.sort_by_key(|text| text.len());
    let (marked, plain): (Vec<&str>, Vec<&str>) = literals.into_iter().partition(is_marked);
    let (short, long) = marked.into_iter().partition(is_short);
    let some = [(plain, false), (short, true), (long, true)];
    let some = some.into_iter().filter(|(texts, _)| !texts.is_empty());
    let packed = some.map(|(texts, are_marked)| {
        let searcher = packed::Searcher::new(texts)?;
        Some(Packed {
            searcher,
            are_marked,
        })
    });
    packed.collect()
}

/// The last two letters of each name: 676 bits that rule out nearly every name in prose.
#[derive(Debug)]
struct Endings([u32; 26]);

impl Endings {
    fn of<'r>(names: impl Iterator<Item = &'r str>) -> Self {
        let mut endings = Self([0; 26]);
        for name in names {
            let mut letters = name.bytes().rev().filter_map(letter);
            if let (Some(last), Some(first)) = (letters.next(), letters.next()) {
                endings.0[first] |= 1 << last;
            }
        }
        endings
    }

    fn any(&self, text: &[u8]) -> bool {
        memchr::memchr3_iter(b'=', b':', b',', text)
            .filter(|&sign| assignment::is_sign(text, sign))
            .any(|sign| self.name(&text[assignment::name_before(text, sign)]))
    }

    fn any_element(&self, text: &[u8]) -> bool {
        element::any(text, |name| self.name(name))
    }

    /// Whether any word of `name` ends like a listed one. A word ends where no small letter follows;
    /// letters beyond ASCII may look like any.
    fn name(&self, name: &[u8]) -> bool {
        let mut next_small = false;
        let mut next: Option<usize> = None;
        for &byte in name.iter().rev() {
            if byte >= 0x80 {
                return true;
            }
            let this = letter(byte);
            let listed = |(first, last): (usize, usize)| self.0[first] >> last & 1 == 1;
            if this.zip(next).is_some_and(listed) {
                return true;
            }
            next = this.filter(|_| !next_small);
            next_small = byte.is_ascii_lowercase();
        }
        false
    }
}

fn letter(byte: u8) -> Option<usize> {
    let byte = byte.to_ascii_lowercase();
    byte.is_ascii_lowercase().then(|| usize::from(byte - b'a'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_seen_by_the_kinds_of_the_text_that_holds_it() {
        let literals =
            ["abc", "ab-cd", "a_b", "Abc", "x.y", ": q", "~~", "0815 "].map(str::to_owned);
        let rules = literals
            .iter()
            .map(|text| (std::slice::from_ref(text), &[][..]));
        let prefilter = Prefilter::new(rules, [].into_iter(), Affixes::default()).unwrap();
        for text in &literals {
            for text in [
                text.clone(),
                format!("a small {text} between"),
                format!("Big.{text}"),
            ] {
                let text = text.as_bytes();
                assert!(prefilter.literal(text, kind::marked(text, kind::of(text))));
            }
        }
        for text in ["ab c", "a b-c", "aBc ABC ~ ~", "--password x"] {
            assert!(!prefilter.literal(text.as_bytes(), text.len()));
        }
    }

    #[test]
    fn an_option_is_seen_only_with_a_name_that_ends_as_a_prohibited_one() {
        let rules = [(&[][..], &[Trigger::Option][..])].into_iter();
        let names = ["password", "cvv"].into_iter();
        let prefilter = Prefilter::new(rules, names, Affixes::default()).unwrap();
        let seen = |text: &str| prefilter.literal(text.as_bytes(), text.len());
        for text in [
            "--cvv 123",
            "a --db-password x",
            "[\"--old_password\", \"x\"]",
            "x----cvv --cvv 1",
        ] {
            assert!(seen(text), "{text}");
        }
        for text in [
            "--verbose",
            "a -- cvv",
            "--",
            "-cvv 123",
            "-----BEGIN X-----",
        ] {
            assert!(!seen(text), "{text}");
        }
    }

    #[test]
    fn a_name_is_watched_in_every_spelling() {
        let endings = Endings::of(["password", "api key", "cvv2"].into_iter());
        for text in [
            "password=x",
            "PASSWORD = x",
            "old_password_2: x",
            "passwordOld: x",
            "ApiKEY=x",
            "cvv=1",
            r#"{\"password\":\"x\"}"#,
            r"\npassword=x",
            "pаsswоrd=x",
        ] {
            assert!(endings.any(text.as_bytes()), "{text}");
        }
        for text in [
            "https://host/a",
            "at 12:30:01",
            "count=3",
            "password reset",
            "a::password::b",
        ] {
            assert!(!endings.any(text.as_bytes()), "{text}");
        }
    }
}
