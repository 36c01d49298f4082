use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, LazyLock},
};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{
    name::Names,
    prefilter::{Prefilter, RuleSet},
    rule::{Detector, Effect, Hit, NameRule, ValueRule},
    value::Net,
};
use crate::{
    chain::Digest,
    error::{Error, ErrorKind},
    pseudonym::Pseudonyms,
};

const BUILTIN: &str = include_str!("builtin.toml");
const DOCUMENT_BYTES_MAX: usize = 1 << 20;
const ID_BYTES_MAX: usize = 32;

/// The rules by which values are dropped or masked before anything is written.
///
/// Read from a TOML document and never changed after; a clone shares it.
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
/// - `[[value]]` finds secrets in text: by `pattern`, a regular expression of which the first group
///   that takes part is the secret (or all of it, if it has no groups), with an optional `check` (`jwt`, `user-password`, `opaque`); or by
///   `find` (`card-number`, `iban`, `key-value`, `query`). A pattern needs `literals`, of which one
///   occurs in whatever it matches, or `triggers` (`at`, `card-number`, `iban`, `assignment`). Up to
///   64 literals in the document are tried at once; more work, but slower.
///
/// The document says everything: nothing of [`Policy::builtin`] applies beside it.
///
/// # What it does not do
///
/// Secrets in Base64, percent-encoding or compressed form are not decoded, and text without a known
/// shape or name, a bare password in a sentence, looks like any other word.
#[derive(Clone)]
pub struct Policy(Arc<Inner>);

struct Inner {
    document: Box<str>,
    digest: Digest,
    short: String,
    name_rules: Vec<NameRule>,
    /// Field names.
    fields: Names,
    /// Names in text: only those whose value is dropped.
    words: Names,
    net: Net,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: Spanned<u32>,
    #[serde(default)]
    name: Vec<NameRule>,
    #[serde(default)]
    value: Vec<ValueRule>,
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

    /// The TOML text it was read from.
    pub fn document(&self) -> &str {
        &self.0.document
    }

    /// SHA-256 of the document's bytes.
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

    /// Whether any rule's literal occurs in an encoded record body.
    pub(crate) fn suspicious(&self, encoded: &[u8]) -> bool {
        self.0.net.prefilter.literal(encoded)
    }

    /// Whether one encoded string value has anything else that leads to a rule. Shorter values than
    /// [`VALUE_BYTES_MIN`](super::VALUE_BYTES_MIN) have not.
    pub(crate) fn suspicious_value(&self, value: &[u8]) -> bool {
        self.0.net.prefilter.trigger(value)
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
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(format!(
                "the document is longer than {DOCUMENT_BYTES_MAX} bytes"
            ));
        }
        let document: Document = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line(text, span.start));
            format!("line {line}: {}", error.message())
        })?;
        if *document.version.get_ref() != 1 {
            let line = line(text, document.version.span().start);
            return Err(format!("line {line}: version 1 is the only one known"));
        }
        let at = |id: &Spanned<String>, reason: String| {
            let line = line(text, id.span().start);
            format!("line {line}: rule {:?}: {reason}", id.get_ref())
        };
        let name_ids = document.name.iter().map(|rule| &rule.id);
        let value_ids = document.value.iter().map(|rule| &rule.id);
        let mut known = BTreeSet::new();
        for id in name_ids.chain(value_ids) {
            check_id(id.get_ref()).map_err(|reason| at(id, reason))?;
            if !known.insert(id.get_ref()) {
                return Err(at(id, "the id is taken by an earlier rule".to_owned()));
            }
        }
        if document.value.len() > RuleSet::CAPACITY {
            return Err(format!("more than {} value rules", RuleSet::CAPACITY));
        }

        let (mut fields, mut words) = (Names::default(), Names::default());
        for (number, rule) in document.name.iter().enumerate() {
            check_names(&rule.names).map_err(|reason| at(&rule.id, reason))?;
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

        let mut detectors = Vec::with_capacity(document.value.len());
        for rule in document.value {
            let id = rule.id.clone();
            detectors.push(Detector::new(rule).map_err(|reason| at(&id, reason))?);
        }
        let prefilter = Prefilter::new(
            detectors
                .iter()
                .map(|d| (d.rule.literals.as_slice(), d.rule.triggers.as_slice())),
            document
                .name
                .iter()
                .flat_map(|rule| &rule.names)
                .chain(detectors.iter().flat_map(|detector| &detector.rule.names))
                .map(String::as_str),
        )
        .map_err(|error| format!("literals: {error}"))?;

        let digest = Digest::of(text.as_bytes());
        let inner = Self {
            document: text.into(),
            digest,
            short: digest.to_string().chars().take(8).collect(),
            name_rules: document.name,
            fields,
            words,
            net: Net {
                detectors,
                prefilter,
            },
        };
        for (number, rule) in inner.name_rules.iter().enumerate() {
            inner
                .try_name_rule(number, rule)
                .map_err(|reason| at(&rule.id, reason))?;
        }
        for (number, detector) in inner.net.detectors.iter().enumerate() {
            inner
                .try_detector(number, detector)
                .map_err(|reason| at(&detector.rule.id, reason))?;
        }
        Ok(inner)
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
        let finds = |text: &str| {
            let mut finds = false;
            detector.each(text, &self.words, |_| finds = true);
            finds
        };
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

fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// The digest of a rule as JSON: the same for the same content however it was laid out.
fn content(rule: &impl Serialize) -> Digest {
    Digest::of(&serde_json::to_vec(rule).unwrap_or_default())
}
