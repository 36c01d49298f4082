//! Rules as they are written in a policy, and as they are applied.

use std::ops::Range;

use regex_automata::{Input, meta, util::syntax};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{
    assignment,
    check::Check,
    element,
    name::Names,
    number, option, part, placeholder,
    prefilter::{LITERAL_BYTES_MIN, Trigger},
    prose, tail,
};

/// Shorter values are no secrets: `pin: no`.
const SECRET_BYTES_MIN: usize = 3;
/// What begins inside a match is looked for in so many of its last bytes.
const INNER_BYTES_MAX: usize = 256;
/// A compiled pattern takes no more memory.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What is done with what a rule finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    /// A field is left out; in text `[redacted:<rule>]` takes its place.
    Drop,
    /// Only the last four digits of a card number stay.
    Mask,
    /// A keyed pseudonym takes its place, or nothing where there is no key.
    Pseudonym,
}

impl Effect {
    /// As it stands in a record's `redactions`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask => "mask",
            Self::Pseudonym => "pseudonym",
        }
    }
}

/// A rule that found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit<'p> {
    /// The rule's id.
    pub(crate) rule: &'p str,
    /// What it does.
    pub(crate) action: Effect,
}

/// `[[name]]`: field names whose value is not written.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameRule {
    pub(super) id: Spanned<String>,
    pub(super) description: String,
    pub(super) action: Effect,
    /// Names in any spelling: `api key`, `api_key` and `apiKey` are one.
    pub(super) names: Vec<String>,
    /// Names that contain one of these but are harmless.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) allowed: Vec<String>,
    #[serde(rename = "match")]
    pub(super) matches: Vec<String>,
    pub(super) pass: Vec<String>,
}

/// `[[value]]`: secrets that are found in text.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueRule {
    pub(super) id: Spanned<String>,
    pub(super) description: String,
    pub(super) action: Effect,
    /// Case-exact texts, one of which occurs in whatever the rule finds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) literals: Vec<String>,
    /// Texts, one of which stands right before a long run of letters and digits, or begins it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) prefixes: Vec<String>,
    /// Texts, one of which stands right behind such a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) suffixes: Vec<String>,
    /// What else can lead to the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) triggers: Vec<Trigger>,
    /// A regular expression. Its first group that takes part is the secret, or all of it if it has no
    /// groups; a match in which no group takes part is passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) check: Option<Check>,
    /// A finder in code, in place of a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) find: Option<Finder>,
    /// Further names for `find = "query"`, harmless elsewhere; for `find = "key-value"` names of what
    /// holds the value of a name beside it: `"name":"password","value":..`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    /// Values that `find = "element"`, `"key-value"`, `"option"`, `"part"` and `"query"` leave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) harmless: Vec<String>,
    #[serde(rename = "match")]
    pub(super) matches: Vec<String>,
    pub(super) pass: Vec<String>,
}

/// What a pattern cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Finder {
    /// Payment card numbers.
    CardNumber,
    /// The text of an XML element that has a prohibited name.
    Element,
    /// International bank account numbers.
    Iban,
    /// The value of a prohibited name.
    KeyValue,
    /// The part of a form in several parts that has a prohibited name.
    Part,
    /// The value of a prohibited name that is an option of a command.
    Option,
    /// The value of a prohibited name, or of one of the rule's own, in a URL's query.
    Query,
}

impl Finder {
    const fn trigger(self) -> Option<Trigger> {
        match self {
            Self::CardNumber => Some(Trigger::CardNumber),
            Self::Element => Some(Trigger::Element),
            Self::Iban => Some(Trigger::Iban),
            Self::KeyValue | Self::Query => Some(Trigger::Assignment),
            Self::Option => Some(Trigger::Option),
            Self::Part => None,
        }
    }
}

/// How a rule searches.
#[derive(Debug)]
enum Search {
    Pattern(Box<meta::Regex>, Option<Check>),
    Finder(Finder),
}

/// A value rule ready to be applied.
#[derive(Debug)]
pub(super) struct Detector {
    pub(super) rule: ValueRule,
    /// The rule's own and that of its finder.
    pub(super) triggers: Vec<Trigger>,
    search: Search,
}

impl Detector {
    /// Checks a rule on its own; an error says what is wrong with it.
    pub(super) fn new(rule: ValueRule) -> Result<Self, String> {
        let search = match (&rule.pattern, rule.find) {
            (Some(pattern), None) => Search::Pattern(Box::new(compile(pattern)?), rule.check),
            (None, Some(finder)) => Search::Finder(finder),
            _ => return Err("a value rule has either `pattern` or `find`".to_owned()),
        };
        let mut triggers = rule.triggers.clone();
        if let Some(finder) = rule.find {
            if rule.check.is_some() {
                return Err("`check` goes with `pattern`".to_owned());
            }
            triggers.extend(finder.trigger());
        }
        if rule.action == Effect::Mask && rule.find != Some(Finder::CardNumber) {
            return Err(
                "only `find = \"card-number\"` can mask: anything else is dropped".to_owned(),
            );
        }
        if rule.action == Effect::Pseudonym && rule.find == Some(Finder::CardNumber) {
            return Err("a card number is never pseudonymised: mask or drop it".to_owned());
        }
        let exact = |literal: &str| literal.len() >= LITERAL_BYTES_MIN && plain(literal);
        if let Some(literal) = rule.literals.iter().find(|literal| !exact(literal)) {
            return Err(format!("literal {literal:?} is not two or more {PLAIN}"));
        }
        if let Some(prefix) = rule.prefixes.iter().find(|prefix| !exact(prefix)) {
            return Err(format!("prefix {prefix:?} is not two or more {PLAIN}"));
        }
        if let Some(suffix) = rule
            .suffixes
            .iter()
            .find(|suffix| !plain(suffix) || suffix.is_empty())
        {
            return Err(format!("suffix {suffix:?} is not one or more {PLAIN}"));
        }
        let leads = [&rule.literals, &rule.prefixes, &rule.suffixes];
        if leads.iter().all(|leads| leads.is_empty()) && triggers.is_empty() {
            return Err(
                "nothing leads to this rule: it has no `literals`, `prefixes`, `suffixes` or `triggers`"
                    .to_owned(),
            );
        }
        Ok(Self {
            rule,
            triggers,
            search,
        })
    }

    /// The fewest bytes that it finds anything in.
    pub(super) fn bytes_min(&self) -> usize {
        let hir = |pattern: &str| syntax::parse_with(pattern, &syntax()).ok();
        let hir = self.rule.pattern.as_deref().and_then(hir);
        let least = hir.and_then(|hir| hir.properties().minimum_len());
        let literals = self.rule.literals.iter().map(String::len);
        let literal = literals.min().unwrap_or(0);
        match self.search {
            Search::Pattern(..) => least.unwrap_or(0).max(literal),
            Search::Finder(Finder::Option) => option::BYTES_MIN,
            // What leads to a secret, one byte between, and the secret.
            Search::Finder(_) => literal + 1 + SECRET_BYTES_MIN,
        }
    }

    pub(super) fn id(&self) -> &str {
        self.rule.id.get_ref()
    }

    /// Whether there is a secret in `text`.
    pub(super) fn finds(&self, text: &str, names: &Names) -> bool {
        let mut finds = false;
        self.each(text, names, |_| finds = true);
        finds
    }

    /// Calls `visit` with each secret in `text`.
    pub(super) fn each(&self, text: &str, names: &Names, mut visit: impl FnMut(Range<usize>)) {
        match &self.search {
            Search::Pattern(regex, check) => each_match(regex, *check, text, visit),
            Search::Finder(Finder::CardNumber) => number::cards(text.as_bytes(), visit),
            Search::Finder(Finder::Element) => element::each(text, |name, value| {
                if names.find(name).is_some() {
                    self.take(text, value, &mut visit);
                }
            }),
            Search::Finder(Finder::Iban) => number::ibans(text.as_bytes(), visit),
            Search::Finder(Finder::KeyValue) => assignment::each(text, |found| {
                let spanning = |wide| names.find(wide).is_some() && !self.parted(wide, names);
                let own = |name: &String| name.eq_ignore_ascii_case(found.name);
                let beside = self.rule.names.iter().any(own);
                let beside = beside.then(|| assignment::named_before(text, found.name_at));
                let named = beside.flatten().filter(|name| names.find(name).is_some());
                let wanted = named.is_some()
                    || names.find(found.name).is_some()
                    || found.wide.is_some_and(spanning);
                let wanted = wanted && !prose::announces(text, found);
                let value = wanted.then(|| found.value(text))?;
                if is_count(named.unwrap_or(found.name), &text[value.clone()])
                    || prose::reads(text, found, &value, names)
                {
                    return None;
                }
                self.take(text, value, &mut visit)
            }),
            Search::Finder(Finder::Option) => option::each(text, |name, value| {
                let wanted = names.find(name).is_some();
                wanted && self.take(text, value, &mut visit).is_some()
            }),
            Search::Finder(Finder::Part) => part::each(text, |name, value| {
                if names.find(name).is_some() {
                    self.take(text, value, &mut visit);
                }
            }),
            Search::Finder(Finder::Query) => assignment::each(text, |found| {
                let own = |name: &String| name.eq_ignore_ascii_case(found.name);
                let wanted = found.query
                    && (self.rule.names.iter().any(own) || names.find(found.name).is_some());
                self.take(text, wanted.then(|| found.value(text))?, &mut visit)
            }),
        }
    }

    /// Whether one of two words is prohibited by itself: `password reset: done` names no password.
    #[expect(clippy::unused_self, reason = "reads as a step of `each`")]
    fn parted(&self, wide: &str, names: &Names) -> bool {
        wide.split(' ').any(|word| names.find(word).is_some())
    }

    fn take(
        &self,
        text: &str,
        value: Range<usize>,
        visit: &mut impl FnMut(Range<usize>),
    ) -> Option<usize> {
        let secret = assignment::without_scheme(&text[value.clone()]);
        let harmless = secret.len() < SECRET_BYTES_MIN
            || placeholder::is_one(secret)
            || self
                .rule
                .harmless
                .iter()
                .any(|known| known.eq_ignore_ascii_case(secret));
        if harmless {
            return None;
        }
        let end = value.end;
        visit(value);
        Some(end)
    }
}

/// Calls `visit` with each secret that a pattern finds and its check does not refuse.
///
/// A match does not hide one that begins inside it, as in `Bearer BeBearer <token>`. Only the end of a
/// long one is looked at again, which keeps the work linear.
fn each_match(
    regex: &meta::Regex,
    check: Option<Check>,
    text: &str,
    mut visit: impl FnMut(Range<usize>),
) {
    let mut captures = regex.create_captures();
    let mut at = 0;
    while at <= text.len() {
        regex.search_captures(&Input::new(text).range(at..), &mut captures);
        let Some(whole) = captures.get_match() else {
            return;
        };
        let first = usize::from(captures.group_len() > 1);
        let secret = captures.iter().skip(first).flatten().next();
        at = whole.end().max(whole.start() + 1);
        if let Some(secret) = secret {
            let taken = check.is_none_or(|check| check.holds(&text[secret.range()]));
            if taken {
                visit(secret.range());
            }
            let inner = if taken {
                secret.start
            } else {
                whole.start() + 1
            };
            if inner > whole.start() {
                at = inner.max(whole.end().saturating_sub(INNER_BYTES_MAX));
            }
        }
        while at < text.len() && !text.is_char_boundary(at) {
            at += 1;
        }
    }
}

/// `tokens: 512` says how many there are.
fn is_count(name: &str, value: &str) -> bool {
    const MANY: &[u8] = b"tokens";
    let ending = name.len().checked_sub(MANY.len());
    let ending = ending.and_then(|at| name.as_bytes().get(at..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(MANY))
        && value.bytes().all(|byte| byte.is_ascii_digit())
}

const PLAIN: &str = "printable ASCII characters without quotes and backslashes";

fn plain(text: &str) -> bool {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    text.bytes().all(plain)
}

fn syntax() -> syntax::Config {
    syntax::Config::new().nest_limit(64)
}

fn compile(pattern: &str) -> Result<meta::Regex, String> {
    if syntax::parse_with(pattern, &syntax()).is_ok_and(|hir| tail::is_far(&hir)) {
        return Err(
            "pattern: it ends in something optional that may be any distance away; give the repetition before that \
             a bound, such as `{0,256}`"
                .to_owned(),
        );
    }
    meta::Builder::new()
        .configure(meta::Config::new().nfa_size_limit(Some(PATTERN_BYTES_MAX)))
        .syntax(syntax())
        .build(pattern)
        .map_err(|error| match error.syntax_error() {
            Some(syntax) => format!("pattern: {syntax}"),
            None => format!("pattern: {error}"),
        })
}
