//! What secrets look like: one table per family, each row a name and the patterns of its texts.
//!
//! The patterns are those of [`Secret::draw`](crate::secret::Secret::draw), so no secret stands here.

mod cloud;
mod code;
mod database;
mod http;
mod key;
mod named;
mod person;
mod service;

/// How a secret stands in a text, which decides how it is wrapped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// One word that is known by its prefix or its shape.
    Token,
    /// A number or an address of a person.
    Number,
    /// A text of one line or more that is known by itself: a URL, a key file, a JSON document.
    Text,
    /// The value of the HTTP header of this name.
    Header(&'static str),
    /// A value that only its name tells of, in each spelling.
    Named(&'static [&'static str]),
}

#[derive(Debug)]
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) patterns: &'static [&'static str],
}

/// Rows of a table whose formats are all of one kind.
type Rows = &'static [(&'static str, &'static [&'static str])];

fn of_kind(kind: Kind, rows: Rows) -> impl Iterator<Item = Format> {
    rows.iter().map(move |(name, patterns)| Format {
        name,
        kind,
        patterns,
    })
}

/// All formats.
pub(crate) fn formats() -> Vec<Format> {
    let headers = http::HEADERS.iter().map(|(name, header, patterns)| Format {
        name,
        kind: Kind::Header(header),
        patterns,
    });
    let named = named::NAMED.iter().map(|(name, names, patterns)| Format {
        name,
        kind: Kind::Named(names),
        patterns,
    });
    of_kind(Kind::Token, cloud::TOKENS)
        .chain(of_kind(Kind::Token, code::TOKENS))
        .chain(of_kind(Kind::Token, service::TOKENS))
        .chain(of_kind(Kind::Token, http::TOKENS))
        .chain(of_kind(Kind::Token, key::TOKENS))
        .chain(of_kind(Kind::Number, person::NUMBERS))
        .chain(of_kind(Kind::Text, cloud::TEXTS))
        .chain(of_kind(Kind::Text, database::TEXTS))
        .chain(of_kind(Kind::Text, http::TEXTS))
        .chain(of_kind(Kind::Text, key::TEXTS))
        .chain(of_kind(Kind::Text, person::TEXTS))
        .chain(headers)
        .chain(named)
        .collect()
}
