//! Why a line is no record, in words for a person. Only ever called for lines that are none.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use super::window::{RawLine, Zeros};
use crate::chain::{LINE_BYTES_MAX, LineFault, SUFFIX_BYTES};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One sentence: the most telling thing that is wrong with `line`.
pub(super) fn describe(line: &RawLine<'_>, fault: LineFault, zeros: &Zeros) -> String {
    let bytes = line.bytes;
    if zeros.are_all() {
        return format!("{} zero bytes", zeros.count);
    }
    if zeros.count > 0 {
        return format!("{} zero bytes stand in the line", zeros.count);
    }
    if fault == LineFault::TooLong {
        return format!(
            "the line has {} bytes; no record has more than {LINE_BYTES_MAX}",
            line.length
        );
    }
    if bytes.is_empty() {
        return "a blank line".into();
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return "a byte order mark stands before the record".into();
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return format!("byte {} of the line is not UTF-8", error.valid_up_to());
    }
    if bytes.first().is_some_and(u8::is_ascii_whitespace) {
        return "white space stands before the record".into();
    }
    if bytes.last().is_some_and(u8::is_ascii_whitespace) {
        return "white space stands behind the record".into();
    }
    if let Err(error) = serde_json::from_slice::<UniqueKeys>(bytes) {
        let text = error.to_string();
        return match text.strip_prefix(TWICE) {
            Some(key) => format!("a key stands twice: {}", without_place(key)),
            None => format!("not JSON: {text}"),
        };
    }
    match fault {
        LineFault::Control(at) => format!("a control character is byte {at} of the line"),
        LineFault::Version(version) => {
            format!("a record of format version {version} in a stream of version 1")
        }
        LineFault::Opening => "it does not start as a record does".into(),
        LineFault::Links => format!("its last {SUFFIX_BYTES} bytes are not the two links"),
        LineFault::SecondLinks => "the links stand in it twice".into(),
        LineFault::Hash => "its hash is that of other bytes".into(),
        LineFault::Empty | LineFault::TooLong => "no record".into(),
    }
}

const TWICE: &str = "a key stands twice: ";

/// Cuts ` at line 1 column 7`, which means the column in this line only.
fn without_place(text: &str) -> &str {
    text.rsplit_once(" at line ").map_or(text, |(key, _)| key)
}

/// JSON in which no object has a key twice. `serde_json` itself lets the last one win, which would
/// hide what an earlier one says.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueKeys, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<UniqueKeys>()?;
            if let Some(key) = keys.replace(key) {
                return Err(A::Error::custom(format_args!("{TWICE}{key:?}")));
            }
        }
        Ok(UniqueKeys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<UniqueKeys, A::Error> {
        while seq.next_element::<UniqueKeys>()?.is_some() {}
        Ok(UniqueKeys)
    }

    fn visit_bool<E>(self, _: bool) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_i64<E>(self, _: i64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_u64<E>(self, _: u64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_f64<E>(self, _: f64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_str<E>(self, _: &str) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_unit<E>(self) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }
}
