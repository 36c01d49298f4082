use std::{
    collections::BTreeSet,
    fmt,
    ops::Range,
    sync::{Arc, LazyLock},
};

use serde::Serialize;

use super::{
    base64::JSON_BYTES_MIN,
    document::{self, BUILTIN, Document, Place, Placed},
    kind,
    name::Names,
    prefilter::{Prefilter, RuleSet, Trigger},
    rule::{Detector, Effect, Finder, Hit, NameRule},
    token::Affixes,
    value::Net,
};
use crate::{
    chain::Digest,
    error::{Error, ErrorKind},
    pseudonym::Pseudonyms,
};

const ID_BYTES_MAX: usize = 32;

/// The rules by which values are dropped or masked before anything is written.
///
/// Read from a TOML document of at most 1 MiB and never changed after; a clone shares it.
///
/// # Document
///
/// `version = 1`, then rules, each with an `id` (`[a-z0-9-]`, at most 32), a `description`, an
/// `action`, and examples: `match` lists what it must find, `pass` what it must leave. A document with
/// an example that does not hold is refused.
///
/// - `[[name]]` lists `names` whose value is not written, in any spelling (`api key` is `apiKey` and
///   `API_KEY`), and `allowed` ones that contain them but are harmless. `action` is `drop`, `mask`
///   for names of card numbers, or `pseudonym`.
/// - `[[value]]` finds secrets in text; its `action` may be `mask` only with `find = "card-number"`. It
///   finds by `pattern`, a regular expression of which the first group
///   that takes part is the secret (or all of it, if it has no groups), with an optional `check`
///   (`jwt`, `user-password`, `userinfo`, `opaque`, `mixed`, `github`, `discord`, `track`, `phone`, `ssn`, `nino`,
///   `steuer-id`, `nir`, `dni`, `codice-fiscale`, `bsn`, `aadhaar`, `mrz`); or by `find`
///   (`card-number`, `element`, `iban`, `key-value`, `option`, `part`, `query`). A pattern that may end in
///   something optional at any distance, as in `key(?:.*end)?`, is refused: it would read a long text again and again.
///   A pattern needs something that leads to it:
///   - `literals`, of which one occurs in whatever it matches. Up to 64 in the document are tried at
///     once; more work, but slower.
///   - `prefixes` and `suffixes`, any number, of which one stands right before, at the beginning of, or
///     right behind a run of 16 or more letters and digits: how most tokens look. A prefix may have a
///     shorter part between it and the run, which `_` or `-` joins: `re_0fa4e_...`.
///   - `triggers`: `at`, `card-number`, `iban`, `assignment`, `digits` (six of them), `element`, `option`,
///     `crypt` (as in `$2b$`).
///
/// By itself the document says everything: nothing of [`Policy::builtin`] applies beside it. To begin
/// with the rules of embedded documents, it names them before its own:
///
/// ```toml
/// version = 1
/// include = ["builtin", "phone"]
/// without = ["email"]
/// ```
///
/// - `include`: `builtin`; `phone`, `national-id` and `passport`, which find numbers of persons and are
///   not part of `builtin`.
/// - `without`: ids of included rules that are left out.
///
/// The document's own rules come first. The included ones are written out into [`Policy::document`], so
/// that what is stored is complete and stays true when a later release brings another `builtin`.
///
/// # What it does not do
///
/// Text without a known shape or name, a bare password in a sentence, looks like any other word.
/// Placeholders (`${NAME}`, `$(command)`, `{{ name }}`, `****`) and what only reads like the value of a name
/// (`TokenError: expired`, `token = body["token"]`) are left.
///
/// What is wrapped is unwrapped to be searched, and goes with its wrapping: percent-encoding, escapes
/// of JSON, Rust and JavaScript, HTML entities (up to five layers, in any order), Base64 of text (in
/// Base64 at most), and characters that cannot be seen or look like others. Of a run of Base64 whose
/// first 4 KiB are no text the rest is not decoded. Nothing that is compressed, encrypted, or in hex is.
///
/// A redacted text has at most 12 times the bytes of what was given, and 64 more; where that would not
/// do, one mark stands in its place.
#[derive(Clone)]
pub struct Policy(pub(super) Arc<Inner>);

pub(super) struct Inner {
    document: Box<str>,
    digest: Digest,
    short: String,
    pub(super) name_rules: Vec<NameRule>,
    /// Field names.
    pub(super) fields: Names,
    /// Names in text: only those whose value is dropped.
    pub(super) words: Names,
    pub(super) net: Net,
}

impl Policy {
    /// The policy that is active where no other is configured.
    pub fn builtin() -> Self {
        #[expect(clippy::expect_used, reason = "a test parses the same bytes")]
        static POLICY: LazyLock<Policy> =
            LazyLock::new(|| Policy::parse(BUILTIN).expect("the built-in policy is valid"));
        POLICY.clone()
    }

    /// Reads a policy document; the shape is described above.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with the line and the reason. Nothing of a refused document applies.
    pub fn parse(document: &str) -> Result<Self, Error> {
        Inner::parse(document)
            .map(|inner| Self(Arc::new(inner)))
            .map_err(|reason| Error::new(ErrorKind::Config, format!("redaction policy: {reason}")))
    }

    /// The TOML text it was read from, or, if that includes others, all rules written out: read again, it
    /// is the same policy.
    pub fn document(&self) -> &str {
        &self.0.document
    }

    /// SHA-256 of the bytes of [`Policy::document`].
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The first 8 hex digits of [`Policy::digest`], as in a record's `policy`.
    pub fn short(&self) -> &str {
        &self.0.short
    }

    /// Each rule's id and a digest of its content, so that two policies can be compared by rule.
    /// Comments and layout are not content; examples are.
    pub fn rules(&self) -> impl Iterator<Item = (&str, Digest)> {
        let names = self.0.name_rules.iter();
        let names = names.map(|rule| (rule.id.get_ref().as_str(), content(rule)));
        let values = self.0.net.detectors.iter();
        names.chain(values.map(|detector| (detector.id(), content(&detector.rule))))
    }

    /// The rule that prohibits a field of this name. `encode` leaves the field out, or, for
    /// [`Effect::Mask`], writes what [`mask_card`](super::mask_card) makes of its value, if anything.
    pub(crate) fn name(&self, name: &str) -> Option<Hit<'_>> {
        let rule = &self.0.name_rules[self.0.fields.find(name)?];
        Some(Hit {
            rule: rule.id.get_ref(),
            action: rule.action,
        })
    }

    /// Whether a field of this name is allowed, and the name may be written as it is.
    pub(crate) fn passes(&self, name: &str) -> bool {
        self.name(name).is_none() && self.clean(name).is_none()
    }

    /// Fewer bytes of an encoded value hold nothing that [`Policy::suspicious`] would see.
    pub(crate) fn literal_value_bytes_min(&self) -> usize {
        self.0.net.literal_value_bytes_min
    }

    /// Whether any rule's literal, or an option, occurs in encoded string values, of which only the first
    /// `marked` bytes have any of the kind [`MARKED`](kind::MARKED).
    pub(crate) fn suspicious(&self, encoded: &[u8], marked: usize) -> bool {
        self.0.net.prefilter.literal(encoded, marked)
    }

    /// Whether one encoded string value, of bytes of these kinds, has anything else that leads to a rule.
    #[inline]
    pub(crate) fn suspicious_value(&self, value: &[u8], kinds: u8) -> bool {
        self.0.net.prefilter.trigger(value, kinds)
    }

    /// Whether anything leads from a text to a rule.
    pub(crate) fn suspicious_text(&self, text: &[u8]) -> bool {
        let kinds = kind::of(text);
        self.0
            .net
            .prefilter
            .literal(text, kind::marked(text, kinds))
            || self.suspicious_value(text, kinds)
    }

    /// What is left of a short text, such as a name, if it holds a secret.
    pub(crate) fn clean(&self, text: &str) -> Option<String> {
        let mut clean = String::new();
        (self.suspicious_text(text.as_bytes()) && self.redact(text, &mut clean, &mut |_| {}))
            .then_some(clean)
    }

    /// Whether the rule finds card numbers.
    pub(crate) fn is_of_cards(&self, rule: &str) -> bool {
        let mut rules = self.0.net.detectors.iter();
        rules
            .any(|detector| detector.id() == rule && detector.rule.find == Some(Finder::CardNumber))
    }

    /// Where what [`Policy::redact`] finds first stands, in its order.
    pub(super) fn spans(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.0.net.spans(&self.0.words, text)
    }

    /// Writes a decoded string to `out` without its secrets and reports each; returns false, and
    /// leaves `out` alone, if there are none. What has no pseudonym is dropped.
    ///
    /// Redacting the result again finds nothing. A secret that comes to light only when another is
    /// gone is reported too.
    pub(crate) fn redact(
        &self,
        text: &str,
        out: &mut String,
        found: &mut dyn FnMut(Hit<'_>),
    ) -> bool {
        self.redact_for(Pseudonyms::NONE, text, out, found)
    }

    /// The same with the pseudonyms of a record's tenant.
    pub(crate) fn redact_for(
        &self,
        pseudonyms: Pseudonyms<'_>,
        text: &str,
        out: &mut String,
        found: &mut dyn FnMut(Hit<'_>),
    ) -> bool {
        self.0
            .net
            .redact(&self.0.words, pseudonyms, text, out, found)
    }
}

#[cfg(test)]
impl Policy {
    pub(super) fn literals(&self) -> usize {
        self.0.net.prefilter.literals()
    }

    pub(super) fn is_packed(&self) -> bool {
        self.0.net.prefilter.is_packed()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.0.short).finish()
    }
}

impl Inner {
    fn parse(text: &str) -> Result<Self, String> {
        let Document {
            name,
            value,
            complete,
        } = Document::read(text)?;
        let (name_places, name_rules) = parts(name);
        let (value_places, value_rules) = parts(value);
        let ids = name_rules.iter().map(|rule| rule.id.get_ref());
        let ids = ids.chain(value_rules.iter().map(|rule| rule.id.get_ref()));
        let mut known = BTreeSet::new();
        for (id, place) in ids.zip(name_places.iter().chain(&value_places)) {
            check_id(id).map_err(|reason| place.error(id, &reason))?;
            if !known.insert(id) {
                let reason = match place.included {
                    None => "the id is taken by an earlier rule",
                    Some(_) => "the id is taken by an earlier rule; `without` leaves this one out",
                };
                return Err(place.error(id, reason));
            }
        }
        if value_rules.len() > RuleSet::CAPACITY {
            return Err(format!("more than {} value rules", RuleSet::CAPACITY));
        }

        let (mut fields, mut words) = (Names::default(), Names::default());
        for (number, rule) in name_rules.iter().enumerate() {
            check_names(&rule.names)
                .map_err(|reason| name_places[number].error(rule.id.get_ref(), &reason))?;
            for name in &rule.names {
                fields.prohibit(name, number);
                if rule.action == Effect::Drop {
                    words.prohibit(name, number);
                }
            }
            for name in &rule.allowed {
                fields.allow(name);
                words.allow(name);
            }
        }

        let mut detectors = Vec::with_capacity(value_rules.len());
        for (rule, place) in value_rules.into_iter().zip(&value_places) {
            let id = rule.id.clone();
            let detector = Detector::new(rule);
            detectors.push(detector.map_err(|reason| place.error(id.get_ref(), &reason))?);
        }
        let prefilter =
            prefilter(&name_rules, &detectors).map_err(|error| format!("literals: {error}"))?;

        let mut inner = Self {
            document: text.into(),
            digest: Digest::of(text.as_bytes()),
            short: String::new(),
            name_rules,
            fields,
            words,
            net: Net {
                literal_value_bytes_min: literal_value_bytes_min(&detectors),
                detectors,
                prefilter,
            },
        };
        inner.settle(&name_places, &value_places)?;
        if !complete {
            let values = inner.net.detectors.iter().map(|detector| &detector.rule);
            inner.document = document::write(&inner.name_rules, values)?.into();
            inner.digest = Digest::of(inner.document.as_bytes());
        }
        inner.short = inner.digest.to_string().chars().take(8).collect();
        Ok(inner)
    }

    /// Holds each rule to its examples. An included rule keeps those that hold beside the document's own
    /// rules: a name that these allow, or that is left out, is no longer found.
    fn settle(&mut self, names: &[Place], values: &[Place]) -> Result<(), String> {
        for (number, place) in names.iter().enumerate() {
            let rule = &self.name_rules[number];
            if place.included.is_none() {
                self.try_name_rule(number, rule)
                    .map_err(|reason| place.error(rule.id.get_ref(), &reason))?;
                continue;
            }
            let hit = |name: &String| self.fields.find(name) == Some(number);
            let matches = rule
                .matches
                .iter()
                .filter(|name| hit(name))
                .cloned()
                .collect();
            let pass = rule
                .pass
                .iter()
                .filter(|name| !hit(name))
                .cloned()
                .collect();
            let rule = &mut self.name_rules[number];
            (rule.matches, rule.pass) = (matches, pass);
        }
        for (number, place) in values.iter().enumerate() {
            let detector = &self.net.detectors[number];
            if place.included.is_none() {
                self.try_detector(number, detector)
                    .map_err(|reason| place.error(detector.id(), &reason))?;
                continue;
            }
            let rule = &detector.rule;
            let hit = |text: &String| detector.finds(text, &self.words);
            let matches = rule
                .matches
                .iter()
                .filter(|text| hit(text))
                .cloned()
                .collect();
            let pass = rule
                .pass
                .iter()
                .filter(|text| !hit(text))
                .cloned()
                .collect();
            let rule = &mut self.net.detectors[number].rule;
            (rule.matches, rule.pass) = (matches, pass);
        }
        Ok(())
    }

    /// Holds a rule to its own examples.
    fn try_name_rule(&self, number: usize, rule: &NameRule) -> Result<(), String> {
        let hit = |name: &&String| self.fields.find(name) == Some(number);
        match (
            rule.matches.iter().find(|name| !hit(name)),
            rule.pass.iter().find(hit),
        ) {
            (Some(name), _) => Err(format!("it does not find its example {name:?}")),
            (_, Some(name)) => Err(format!("it finds {name:?}, which it should leave")),
            (None, None) => Ok(()),
        }
    }

    /// Holds a rule to its own examples, and them to the prefilter.
    fn try_detector(&self, number: usize, detector: &Detector) -> Result<(), String> {
        let finds = |text: &str| detector.finds(text, &self.words);
        for text in &detector.rule.matches {
            if !finds(text) {
                return Err(format!("it does not find its example {text:?}"));
            }
            if !self.net.prefilter.rules(text.as_bytes()).contains(number) {
                return Err(format!("no literal or trigger leads to it from {text:?}"));
            }
        }
        match detector.rule.pass.iter().find(|text| finds(text)) {
            Some(text) => Err(format!(
                "it finds something in {text:?}, which it should leave"
            )),
            None => Ok(()),
        }
    }
}

fn parts<R>(rules: Vec<Placed<R>>) -> (Vec<Place>, Vec<R>) {
    let rules = rules.into_iter();
    rules.map(|placed| (placed.place, placed.rule)).unzip()
}

fn literal_value_bytes_min(detectors: &[Detector]) -> usize {
    let wants = |d: &Detector, trigger| d.triggers.contains(&trigger);
    let led = detectors
        .iter()
        .filter(|d| !d.rule.literals.is_empty() || wants(d, Trigger::Option));
    let assigns = detectors.iter().any(|d| wants(d, Trigger::Assignment));
    let json = assigns.then_some(JSON_BYTES_MIN);
    let least = led.map(Detector::bytes_min).chain(json).min();
    least.unwrap_or(usize::MAX)
}

fn prefilter(
    names: &[NameRule],
    detectors: &[Detector],
) -> Result<Prefilter, aho_corasick::BuildError> {
    let mut affixes = Affixes::default();
    for (number, detector) in detectors.iter().enumerate() {
        let rule = &detector.rule;
        rule.prefixes
            .iter()
            .for_each(|prefix| affixes.prefix(prefix, number));
        rule.suffixes
            .iter()
            .for_each(|suffix| affixes.suffix(suffix, number));
    }
    let rules = detectors.iter();
    let rules = rules.map(|d| (d.rule.literals.as_slice(), d.triggers.as_slice()));
    let names = names.iter().flat_map(|rule| &rule.names);
    let names = names.chain(detectors.iter().flat_map(|detector| &detector.rule.names));
    Prefilter::new(rules, names.map(String::as_str), affixes)
}

fn check_id(id: &str) -> Result<(), String> {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "an id has 1 to {ID_BYTES_MAX} small letters, digits and dashes"
    ))
}

fn check_names(names: &[String]) -> Result<(), String> {
    let letters = |name: &str| name.bytes().filter(u8::is_ascii_alphabetic).count();
    match names.iter().find(|name| letters(name) < 2) {
        Some(name) => Err(format!(
            "the name {name:?} has fewer than two ASCII letters"
        )),
        None => Ok(()),
    }
}

/// The digest of a rule as JSON: the same for the same content however it was laid out.
fn content(rule: &impl Serialize) -> Digest {
    Digest::of(&serde_json::to_vec(rule).unwrap_or_default())
}
