//! A policy document as it is written, and what it comes to with the documents that it includes.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::rule::{NameRule, ValueRule};

pub(super) const BYTES_MAX: usize = 1 << 20;

pub(super) const BUILTIN: &str = include_str!("builtin.toml");

/// What can be included, by name.
const EMBEDDED: [(&str, &str); 4] = [
    ("builtin", BUILTIN),
    ("phone", include_str!("phone.toml")),
    ("national-id", include_str!("national-id.toml")),
    ("passport", include_str!("passport.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: Spanned<u32>,
    /// Names of embedded documents.
    #[serde(default)]
    include: Vec<Spanned<String>>,
    /// Ids of their rules that are left out.
    #[serde(default)]
    without: Vec<Spanned<String>>,
    #[serde(default)]
    name: Vec<NameRule>,
    #[serde(default)]
    value: Vec<ValueRule>,
}

/// All rules of a document, its own first.
pub(super) struct Document {
    pub(super) name: Vec<Placed<NameRule>>,
    pub(super) value: Vec<Placed<ValueRule>>,
    /// Whether the text says everything by itself.
    pub(super) complete: bool,
}

/// A rule and where it comes from.
pub(super) struct Placed<R> {
    pub(super) rule: R,
    pub(super) place: Place,
}

/// A line of the document that was read, and the embedded document that it includes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    line: usize,
    pub(super) included: Option<&'static str>,
}

impl Place {
    /// An error in the rule `id` there.
    pub(super) fn error(self, id: &str, reason: &str) -> String {
        let line = self.line;
        match self.included {
            None => format!("line {line}: rule {id:?}: {reason}"),
            Some(document) => {
                format!("line {line}: included document {document:?}: rule {id:?}: {reason}")
            }
        }
    }
}

impl Document {
    /// Reads a document and those that it includes; an error names a line of the first.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let Written {
            version: _,
            include,
            without,
            name,
            value,
        } = written(text)?;
        let own = |id: &Spanned<String>| Place {
            line: line(text, id.span().start),
            included: None,
        };
        let mut whole = Self {
            complete: include.is_empty() && without.is_empty(),
            name: placed(name, |rule| own(&rule.id)),
            value: placed(value, |rule| own(&rule.id)),
        };
        let mut left_out = vec![false; without.len()];
        for (index, wanted) in include.iter().enumerate() {
            let place = line(text, wanted.span().start);
            let wanted = wanted.get_ref();
            if include[..index]
                .iter()
                .any(|before| before.get_ref() == wanted)
            {
                return Err(format!("line {place}: {wanted:?} is included twice"));
            }
            let Some((embedded, document)) = EMBEDDED.iter().find(|(name, _)| name == wanted)
            else {
                let known = EMBEDDED.map(|(name, _)| name).join(", ");
                return Err(format!(
                    "line {place}: no document is called {wanted:?}: there are {known}"
                ));
            };
            let place = Place {
                line: place,
                included: Some(embedded),
            };
            let Written { name, value, .. } = written(document)?;
            let mut kept = |id: &Spanned<String>| {
                let at = without.iter().position(|out| out.get_ref() == id.get_ref());
                at.inspect(|&at| left_out[at] = true).is_none()
            };
            let (mut name, mut value) = (name, value);
            name.retain(|rule| kept(&rule.id));
            value.retain(|rule| kept(&rule.id));
            whole.name.extend(placed(name, |_| place));
            whole.value.extend(placed(value, |_| place));
        }
        match left_out.iter().position(|used| !used) {
            Some(at) => Err(format!(
                "line {}: no included document has a rule {:?}",
                line(text, without[at].span().start),
                without[at].get_ref()
            )),
            None => Ok(whole),
        }
    }
}

/// Writes rules as a document that says everything.
pub(super) fn write<'r>(
    name: &[NameRule],
    value: impl Iterator<Item = &'r ValueRule>,
) -> Result<String, String> {
    #[derive(Serialize)]
    struct Whole<'r> {
        version: u32,
        name: &'r [NameRule],
        value: Vec<&'r ValueRule>,
    }
    let whole = Whole {
        version: 1,
        name,
        value: value.collect(),
    };
    toml::to_string_pretty(&whole).map_err(|error| error.to_string())
}

fn written(text: &str) -> Result<Written, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("the document is longer than {BYTES_MAX} bytes"));
    }
    let written: Written = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line(text, span.start));
        format!("line {line}: {}", error.message())
    })?;
    if *written.version.get_ref() != 1 {
        let line = line(text, written.version.span().start);
        return Err(format!("line {line}: version 1 is the only one known"));
    }
    Ok(written)
}

fn placed<R>(rules: Vec<R>, place: impl Fn(&R) -> Place) -> Vec<Placed<R>> {
    let rules = rules.into_iter();
    rules
        .map(|rule| Placed {
            place: place(&rule),
            rule,
        })
        .collect()
}

fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    memchr::memchr_iter(b'\n', before).count() + 1
}
