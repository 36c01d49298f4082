//! JSON as it is written: keys in their order, numbers digit by digit.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deeper values are not read: the reader calls itself.
const DEPTH_MAX: usize = 100;

#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    Text(String),
    Number(String),
    /// `true`, `false` or `null`.
    Word(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Why a text is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    Invalid,
    TooDeep,
    /// It has a text that none of ours can hold: half a pair of surrogates.
    Unholdable,
}

impl Json {
    pub(crate) fn parse(text: &str) -> Result<Self, Unread> {
        let raw = serde_json::from_str(text).or(Err(Unread::Invalid))?;
        Self::read(raw, DEPTH_MAX)
    }

    fn read(raw: &RawValue, depth: usize) -> Result<Self, Unread> {
        let depth = depth.checked_sub(1).ok_or(Unread::TooDeep)?;
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'"') => Self::Text(of(text)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = of(text)?;
                let items = items.into_iter().map(|item| Self::read(item, depth));
                Self::List(items.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let Rows(rows) = of(text)?;
                let rows = rows
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::read(value, depth)?)));
                Self::Object(rows.collect::<Result<_, _>>()?)
            }
            Some(b't' | b'f' | b'n') => Self::Word(text.to_owned()),
            // Of any size: its grammar was checked with the whole.
            _ => Self::Number(text.to_owned()),
        })
    }

    /// Whether a key stands twice in an object.
    pub(crate) fn has_duplicates(&self) -> bool {
        match self {
            Self::Object(rows) => {
                let twice = |at: usize| rows[..at].iter().any(|(key, _)| *key == rows[at].0);
                (0..rows.len()).any(twice) || rows.iter().any(|(_, value)| value.has_duplicates())
            }
            Self::List(items) => items.iter().any(Self::has_duplicates),
            Self::Text(_) | Self::Number(_) | Self::Word(_) => false,
        }
    }
}

fn of<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Unread> {
    serde_json::from_str(text).or(Err(Unread::Unholdable))
}

/// An object's rows, also those of the same key.
struct Rows<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Rows<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Rows<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows<'de>, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = map.next_entry()? {
                    rows.push(row);
                }
                Ok(Rows(rows))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
