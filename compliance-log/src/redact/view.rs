//! A text as whatever decodes it next would see it.
//!
//! One step takes off one layer of percent-encoding, of escapes as JSON, Rust and JavaScript write
//! them, and of HTML entities, leaves out what cannot be seen, and puts ASCII in the place of what looks
//! like it. A text that was wrapped several times takes several steps.

use std::ops::Range;

use super::fold::fold;

/// So many layers are taken off: JSON in JSON in JSON, encoded for a URL.
pub(super) const STEPS_MAX: usize = 5;

/// `\u000a`: a record writes line breaks so, and what it holds was given without that layer.
const RECORD_BREAK_BYTES: usize = 6;

/// A longer entity is none.
const ENTITY_BYTES_MAX: usize = 10;

/// What some bytes stand for.
struct Unit {
    bytes: usize,
    stands_for: Stands,
}

#[derive(Clone, Copy)]
enum Stands {
    /// One byte, perhaps of several that make a character.
    Byte(u8),
    Char(char),
}

/// A text with one or more layers taken off, and where each of its bytes came from.
pub(super) struct View {
    pub(super) text: String,
    /// For each byte, and for the end, where in the original its unit begins.
    from: Vec<usize>,
}

impl View {
    /// Takes one layer off; nothing if there is none.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut from = Vec::new();
        let mut out = Vec::new();
        is_wrapped(text.as_bytes()).then(|| {
            unwrap(text.as_bytes(), &mut out, |at| from.push(at));
            from.push(text.len());
            Self {
                text: String::from_utf8(out).unwrap_or_default(),
                from,
            }
        })
    }

    /// Takes one more layer off.
    pub(super) fn next(&self) -> Option<Self> {
        let mut next = Self::of(&self.text)?;
        for at in &mut next.from {
            *at = self.from[*at];
        }
        Some(next)
    }

    /// Where in the original a part of the text stands.
    pub(super) fn origin(&self, part: Range<usize>) -> Range<usize> {
        self.from[part.start]..self.from[part.end]
    }

    /// The same for the value of a name. One that begins behind a sign that is not wrapped ends where
    /// it would end there: `password=a%20b` is one value. `walked` is what was last found to go on, which
    /// is not walked again.
    pub(super) fn origin_of_value(
        &self,
        original: &str,
        value: Range<usize>,
        walked: &mut Range<usize>,
    ) -> Range<usize> {
        let Range { start, mut end } = self.origin(value);
        let bytes = original.as_bytes();
        let signed = start > 0 && matches!(bytes[start - 1], b'=' | b':');
        if signed && bytes.get(end) == Some(&b'%') {
            let goes_on = |byte: &&u8| {
                !byte.is_ascii_whitespace() && !matches!(byte, b'&' | b'"' | b'\'' | b'<' | b'>')
            };
            if !walked.contains(&end) {
                *walked = end..end + bytes[end..].iter().take_while(goes_on).count();
            }
            end = walked.end;
        }
        start..end
    }
}

/// Whether there is a layer to take off: anything but quotes that a backslash stands before, and line
/// breaks as a record writes them.
pub(super) fn is_wrapped(text: &[u8]) -> bool {
    if !text.chunks(128).any(may_be_wrapped) {
        return false;
    }
    let units = text.iter().enumerate().any(|(at, &byte)| match byte {
        b'%' | b'&' => unit(text, at).is_some(),
        b'\\' => unit(text, at).is_some_and(|unit| match unit.stands_for {
            Stands::Byte(_) => true,
            Stands::Char(c) => match c {
                '"' => false,
                '\n' | '\r' => unit.bytes != RECORD_BREAK_BYTES,
                _ => true,
            },
        }),
        b'\t' | b'\n' | b'\r' => false,
        byte => byte < b' ' || byte == 0x7f,
    });
    units || (!text.is_ascii() && folds(text))
}

/// Whether any byte is one that wrapping begins with; without branches, so that it becomes vector
/// instructions.
fn may_be_wrapped(chunk: &[u8]) -> bool {
    let begins = |byte: u8| {
        u8::from(!(b' '..0x7f).contains(&byte))
            | u8::from(byte == b'%')
            | u8::from(byte == b'&')
            | u8::from(byte == b'\\')
    };
    chunk.iter().fold(0, |any, byte| any | begins(*byte)) != 0
}

fn folds(text: &[u8]) -> bool {
    text.utf8_chunks().any(|chunk| {
        let mut chars = chunk.valid().chars();
        chars.any(|c| !c.is_ascii() && fold(c) != Some(c))
    })
}

/// Writes `text` to `out` without one layer, always as UTF-8; gives `from` the place of each byte's unit.
pub(super) fn unwrap(text: &[u8], out: &mut Vec<u8>, mut from: impl FnMut(usize)) {
    out.clear();
    let mut at = 0;
    while at < text.len() {
        let (bytes, stands_for) = match unit(text, at) {
            Some(unit) => (unit.bytes, unit.stands_for),
            None => plain(&text[at..]),
        };
        match stands_for {
            Stands::Byte(byte) => {
                out.push(byte);
                from(at);
            }
            Stands::Char(c) => {
                if let Some(c) = fold(c) {
                    let mut buffer = [0; 4];
                    for byte in c.encode_utf8(&mut buffer).bytes() {
                        out.push(byte);
                        from(at);
                    }
                }
            }
        }
        at += bytes;
    }
    // Percent-encoded bytes may make no character.
    let mut done = 0;
    while let Err(error) = std::str::from_utf8(&out[done..]) {
        let start = done + error.valid_up_to();
        let bytes = error.error_len().unwrap_or(out.len() - start);
        out[start..start + bytes].fill(b'?');
        done = start + bytes;
    }
}

/// The character that `text` begins with.
fn plain(text: &[u8]) -> (usize, Stands) {
    if text[0].is_ascii() {
        return (1, Stands::Char(text[0].into()));
    }
    let head = &text[..text.len().min(4)];
    let valid = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    match valid.chars().next() {
        Some(c) => (c.len_utf8(), Stands::Char(c)),
        None => (1, Stands::Byte(b'?')),
    }
}

/// What stands for something else at `at`.
fn unit(text: &[u8], at: usize) -> Option<Unit> {
    let rest = &text[at..];
    match rest {
        [b'%', b'u' | b'U', ..] => {
            let code = hex(rest.get(2..6)?)?;
            Some(Unit::char(6, code))
        }
        [b'%', high, low, ..] => {
            let code = hex(&[*high, *low])?;
            u8::try_from(code).ok().map(|byte| Unit {
                bytes: 3,
                stands_for: Stands::Byte(byte),
            })
        }
        [b'\\', letter, rest @ ..] => escape(*letter, rest),
        [b'&', rest @ ..] => entity(rest),
        _ => None,
    }
}

impl Unit {
    /// A character by its number; a lone surrogate is none.
    fn char(bytes: usize, code: u32) -> Self {
        Self {
            bytes,
            stands_for: Stands::Char(char::from_u32(code).unwrap_or('?')),
        }
    }
}

/// What stands behind a backslash.
fn escape(letter: u8, rest: &[u8]) -> Option<Unit> {
    let c = match letter {
        b'"' | b'\'' | b'\\' | b'/' => letter,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' | b'b' | b'f' => 0,
        b'x' => return Some(Unit::char(4, hex(rest.get(..2)?)?)),
        b'u' if rest.first() == Some(&b'{') => {
            let digits = rest[1..].iter().take(7).position(|byte| *byte == b'}')?;
            return Some(Unit::char(digits + 4, hex(&rest[1..=digits])?));
        }
        b'u' => {
            let first = hex(rest.get(..4)?)?;
            let pair = || match (first, rest.get(4..6)?) {
                (0xd800..=0xdbff, b"\\u") => match hex(rest.get(6..10)?)? {
                    second @ 0xdc00..=0xdfff => {
                        Some(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                    }
                    _ => None,
                },
                _ => None,
            };
            return Some(pair().map_or_else(|| Unit::char(6, first), |code| Unit::char(12, code)));
        }
        _ => return None,
    };
    Some(Unit {
        bytes: 2,
        stands_for: Stands::Char(c.into()),
    })
}

/// What stands between an ampersand and a semicolon.
fn entity(rest: &[u8]) -> Option<Unit> {
    let end = rest
        .iter()
        .take(ENTITY_BYTES_MAX)
        .position(|byte| *byte == b';')?;
    let name = &rest[..end];
    let code = match name {
        [b'#', b'x' | b'X', digits @ ..] => hex(digits)?,
        [b'#', digits @ ..] => {
            let digits = std::str::from_utf8(digits).ok()?;
            digits.parse().ok()?
        }
        b"amp" => b'&'.into(),
        b"lt" => b'<'.into(),
        b"gt" => b'>'.into(),
        b"quot" => b'"'.into(),
        b"apos" => b'\''.into(),
        b"equals" => b'='.into(),
        b"colon" => b':'.into(),
        b"commat" => b'@'.into(),
        b"lowbar" => b'_'.into(),
        b"period" => b'.'.into(),
        b"nbsp" => b' '.into(),
        b"shy" => 0xad,
        _ => return None,
    };
    Some(Unit::char(end + 2, code))
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |code, &byte| {
        Some(code << 4 | char::from(byte).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(text: &str) -> String {
        let mut last = View::of(text);
        let mut steps = 1;
        while let Some(next) = last.as_ref().and_then(View::next) {
            assert!(steps < STEPS_MAX, "{text}");
            steps += 1;
            last = Some(next);
        }
        last.map_or_else(|| text.to_owned(), |view| view.text)
    }

    #[test]
    fn each_layer_comes_off() {
        for (text, plain) in [
            ("%41KIA %70ass%3D1", "AKIA pass=1"),
            ("%2570ass%253d", "pass="),
            ("%u0041%C3%BC%ff%", "Aü?%"),
            (r"\u0041\x4b\u{49}\u{000041}", "AKIA"),
            (r"\ud835\udc00 \ud835", "A ?"),
            (r#"{\"a\":\"\\u0041\"}"#, r#"{"a":"A"}"#),
            (r"a\\\\u0041", "aA"),
            ("&#65;&#x4b;I&amp;quot;&shy;A", "AKI\"A"),
            ("A\u{200b}K\u{ad}I\0A", "AKIA"),
            ("%5Cu0070ass", "pass"),
            (r"Some(\n    a\r\n", "Some(\n    a\r\n"),
        ] {
            assert_eq!(unwrapped(text), plain, "{text}");
        }
    }

    #[test]
    fn a_text_without_layers_is_left_alone() {
        for text in [
            "100 % of it, 5% or R&D; a&b=c",
            r#"{\"a\":\"b\"} \u000a"#,
            "Grüße… – 日本",
            "a\r\n\tb",
            "",
        ] {
            let wrapped = is_wrapped(text.as_bytes());
            // A dash is folded.
            assert_eq!(wrapped, text.contains('–'), "{text}");
        }
    }

    #[test]
    fn parts_are_found_in_the_original() {
        let text = "x%2570%3d\u{200b}1";
        let view = View::of(text).unwrap().next().unwrap();
        assert_eq!(view.text, "xp=1");
        assert_eq!(&text[view.origin(1..2)], "%2570");
        assert_eq!(&text[view.origin(2..3)], "%3d\u{200b}");
        let text = "%70ass=a%20b%22c&d";
        let view = View::of(text).unwrap();
        assert_eq!(
            &text[view.origin_of_value(text, 5..6, &mut (0..0))],
            "a%20b%22c"
        );
    }
}
