//! The texts in which secrets stand: one table per kind of format, each row a name and how it is
//! written.

mod disguise;
mod header;
mod keyed;
mod plain;
mod text;

use crate::{formats::Kind, secret::Secret};

/// What is wrapped: the name under which it stands, and the secret.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) secret: &'a Secret,
}

/// Name of the wrap, and how it writes its text. There is none where it does not apply, as a disguise
/// of the prefix does not to a secret without one.
pub(crate) type Wrap = (&'static str, fn(&Named<'_>) -> Option<String>);

/// Name of the wrap, and how it writes a text under a name.
type Written = (&'static str, fn(&str, &str) -> String);

/// The wraps of a kind, as a name and a way to write.
pub(crate) fn wraps(kind: Kind) -> Vec<(&'static str, Write)> {
    let written = |rows: &[Written]| -> Vec<(&'static str, Write)> {
        rows.iter()
            .map(|(name, write)| (*name, Write::Always(*write)))
            .collect()
    };
    let disguised = |rows: &[Wrap]| -> Vec<(&'static str, Write)> {
        rows.iter()
            .map(|(name, write)| (*name, Write::Perhaps(*write)))
            .collect()
    };
    match kind {
        Kind::Token => [
            written(plain::PLAIN),
            written(plain::IN_URL),
            written(keyed::KEYED),
            disguised(disguise::PREFIX),
        ]
        .concat(),
        Kind::Number => [written(plain::PLAIN), written(keyed::KEYED)].concat(),
        Kind::Text => [written(text::TEXT), disguised(text::CUT)].concat(),
        Kind::Header(_) => [written(header::HEADER), disguised(disguise::NAME)].concat(),
        Kind::Named(_) => [written(keyed::KEYED), disguised(disguise::NAME)].concat(),
    }
}

/// A wrap that applies to each secret of its kind, or only to some.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Write {
    Always(fn(&str, &str) -> String),
    Perhaps(fn(&Named<'_>) -> Option<String>),
}

impl Write {
    pub(crate) fn write(self, named: &Named<'_>) -> Option<String> {
        match self {
            Self::Always(write) => Some(write(named.name, &named.secret.text)),
            Self::Perhaps(write) => write(named),
        }
    }
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A string of JSON, with its quotes.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
