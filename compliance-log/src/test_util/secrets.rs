//! Finding a text in any spelling that a log could give it.

use std::fmt;

use memchr::memmem;
use serde_json::Value;

/// A shorter text could stand in a log by chance, in a hash or a number.
pub(super) const SECRET_BYTES_MIN: usize = 5;

/// How a text was spelled where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Plain,
    Hex,
    Base64,
    Percent,
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "as it is",
            Self::Hex => "in hex",
            Self::Base64 => "in base64",
            Self::Percent => "percent-encoded",
        })
    }
}

/// One text to look for.
pub(super) struct Secret {
    plain: Vec<u8>,
    hex: String,
    /// In both alphabets, at each alignment, without the digits that depend on what stands beside it.
    base64: Vec<Vec<u8>>,
}

impl Secret {
    /// Nothing for a text that is too short to be told from chance.
    pub(super) fn new(text: &str) -> Option<Self> {
        let plain = text.as_bytes().to_vec();
        (plain.len() >= SECRET_BYTES_MIN).then(|| Self {
            hex: faster_hex::hex_string(&plain),
            base64: [STANDARD, URL]
                .into_iter()
                .flat_map(|alphabet| (0..3).map(move |before| (alphabet, before)))
                .map(|(alphabet, before)| base64_core(&plain, alphabet, before))
                .collect(),
            plain,
        })
    }

    /// How it is spelled in a line, if it is: in its bytes, and in each text of it once unescaped.
    pub(super) fn spelling_in(&self, line: &str, record: &Value) -> Option<Spelling> {
        self.spelling_in_text(line)
            .or_else(|| self.spelling_in_value(record))
    }

    fn spelling_in_value(&self, value: &Value) -> Option<Spelling> {
        match value {
            Value::String(text) => self.spelling_in_text(text),
            Value::Array(items) => items.iter().find_map(|item| self.spelling_in_value(item)),
            Value::Object(rows) => rows.iter().find_map(|(key, value)| {
                self.spelling_in_text(key)
                    .or_else(|| self.spelling_in_value(value))
            }),
            _ => None,
        }
    }

    fn spelling_in_text(&self, text: &str) -> Option<Spelling> {
        let bytes = text.as_bytes();
        let holds = |needle: &[u8]| memmem::find(bytes, needle).is_some();
        if holds(&self.plain) {
            return Some(Spelling::Plain);
        }
        let lower = text.to_ascii_lowercase();
        if memmem::find(lower.as_bytes(), self.hex.as_bytes()).is_some() {
            return Some(Spelling::Hex);
        }
        if self.base64.iter().any(|core| holds(core)) {
            return Some(Spelling::Base64);
        }
        // Encoded once, or once more on its way through a proxy; a form writes a space as a plus.
        let once = percent_decoded(bytes);
        let decoded = [percent_decoded(&once), once];
        let percent = decoded.iter().any(|bytes| {
            let spaced: Vec<u8> = bytes
                .iter()
                .map(|byte| if *byte == b'+' { b' ' } else { *byte })
                .collect();
            memmem::find(bytes, &self.plain).is_some()
                || memmem::find(&spaced, &self.plain).is_some()
        });
        percent.then_some(Spelling::Percent)
    }
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The base64 digits that depend on `plain` alone where `before` bytes, modulo three, stand before it.
fn base64_core(plain: &[u8], alphabet: &[u8; 64], before: usize) -> Vec<u8> {
    let bits = |digit: usize| {
        (0..6).fold(0, |bits, place| {
            let at = digit * 6 + place;
            let byte = plain[at / 8 - before];
            (bits << 1) | usize::from((byte >> (7 - at % 8)) & 1)
        })
    };
    let first = (before * 8).div_ceil(6);
    let end = (before + plain.len()) * 8 / 6;
    (first..end).map(|digit| alphabet[bits(digit)]).collect()
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        let mut byte = *first;
        if byte == b'%'
            && let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            byte = u8::try_from(high * 16 + low).unwrap_or(byte);
            rest = after;
        }
        decoded.push(byte);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(secret: &str, text: &str) -> Option<Spelling> {
        let line = serde_json::json!({ "note": text });
        Secret::new(secret)
            .unwrap()
            .spelling_in(&line.to_string(), &line)
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secret = "hunter2?>~";
        for (text, spelling) in [
            ("my hunter2?>~!", Spelling::Plain),
            ("x68756e746572323f3e7e00", Spelling::Hex),
            ("68756E746572323F3E7E", Spelling::Hex),
            // `printf '<before>hunter2?>~<after>' | base64`, nothing, one and two bytes before.
            ("aHVudGVyMj8+fg==", Spelling::Base64),
            ("Omh1bnRlcjI/Pn46", Spelling::Base64),
            ("dTpodW50ZXIyPz5+Og==", Spelling::Base64),
            ("aHVudGVyMj8-fg", Spelling::Base64),
            ("q=hunter2%3F%3e~&x", Spelling::Percent),
            ("q=%68unter2%253F%253E%7E", Spelling::Percent),
        ] {
            assert_eq!(found(secret, text), Some(spelling), "{text}");
        }
        assert_eq!(found("two words", "q=two+words"), Some(Spelling::Percent));
        assert_eq!(
            found("quo\"te\\d", "the quo\"te\\d one"),
            Some(Spelling::Plain)
        );
        assert_eq!(found(secret, "hunter3 aHVudGVyMw== %68unter3"), None);
    }

    #[test]
    fn base64_is_found_at_every_place_in_a_longer_text() {
        let secret = Secret::new("s3cr3t").unwrap();
        for before in 0..7 {
            let text = format!("{}s3cr3t tail", "é".repeat(before));
            let all = base64_core(text.as_bytes(), STANDARD, 0);
            let line = String::from_utf8(all).unwrap();
            let spelling = secret.spelling_in(&line, &Value::Null);
            assert_eq!(spelling, Some(Spelling::Base64), "{line}");
        }
    }

    #[test]
    fn what_could_be_chance_is_no_secret() {
        assert!(Secret::new("1234").is_none());
        assert!(Secret::new("12345").is_some());
    }
}
