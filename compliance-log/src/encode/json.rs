//! JSON, written by hand so that the format's escapes and numbers are exact.

use std::fmt;

use crate::{chain::push_decimal, redact::kind, text::beginning};

/// Integers beyond this lose digits in readers that use doubles, so they are written as strings.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Bytes that may have to be escaped: control characters, quotes, and the first bytes of the
/// characters that reorder, hide or break lines.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[0x7f] = true;
    table[0xc2] = true; // 80-9F
    table[0xd8] = true; // 061C
    table[0xe2] = true; // 200B-200F, 2028-202E, 2060-2069
    table[0xef] = true; // FEFF
    table
};

/// Marks, among the kinds that the policy tells apart, what may have to be escaped.
const SUSPECT_KIND: u8 = 0x80;

/// The kind of each byte.
const KINDS: [u8; 256] = {
    let mut kinds = kind::KINDS;
    let mut byte = 0;
    while byte < 256 {
        if SUSPECT[byte] {
            kinds[byte] |= SUSPECT_KIND | kind::ESCAPED;
        }
        byte += 1;
    }
    kinds
};

/// What became of a text.
pub(crate) struct Escaped {
    /// How much of it was written.
    pub(crate) bytes: usize,
    /// The kinds of bytes that were written.
    pub(crate) kinds: u8,
}

/// Whether a character is written as `\uxxxx`.
pub(crate) const fn is_escaped(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Appends the inside of a JSON string, at most `bytes_max` bytes of it. Stops between characters.
pub(crate) fn escape(out: &mut Vec<u8>, text: &str, bytes_max: usize) -> Escaped {
    let mut kinds = 0;
    let bytes = escape_to(out, text, bytes_max, &mut kinds);
    Escaped {
        bytes,
        kinds: kinds & !SUSPECT_KIND,
    }
}

fn escape_to(out: &mut Vec<u8>, text: &str, bytes_max: usize, kinds: &mut u8) -> usize {
    let limit = out.len().saturating_add(bytes_max);
    let bytes = text.as_bytes();
    let mut done = 0;
    while done < bytes.len() {
        let plain = bytes[done..]
            .iter()
            .position(|byte| {
                let kind = KINDS[usize::from(*byte)];
                *kinds |= kind;
                kind & SUSPECT_KIND != 0
            })
            .unwrap_or(bytes.len() - done);
        let room = limit - out.len();
        if plain > room {
            let beginning = beginning(&text[done..], room);
            out.extend_from_slice(beginning.as_bytes());
            return done + beginning.len();
        }
        out.extend_from_slice(&bytes[done..done + plain]);
        done += plain;
        let Some(c) = text[done..].chars().next() else {
            break;
        };
        let start = out.len();
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            c if is_escaped(c) => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let code = u32::from(c);
                out.extend_from_slice(b"\\u");
                for shift in [12, 8, 4, 0] {
                    out.push(HEX[(code >> shift & 0xf) as usize]);
                }
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        if out.len() > limit {
            out.truncate(start);
            return done;
        }
        done += c.len_utf8();
    }
    done
}

/// Appends a whole JSON string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text, usize::MAX - out.len());
    out.push(b'"');
}

/// Appends a number, or a string where a number would lose digits.
pub(crate) fn u64(out: &mut Vec<u8>, value: u64) {
    integer(out, false, value);
}

/// Appends a number, or a string where a number would lose digits.
pub(crate) fn i64(out: &mut Vec<u8>, value: i64) {
    integer(out, value < 0, value.unsigned_abs());
}

fn integer(out: &mut Vec<u8>, negative: bool, magnitude: u64) {
    let quote = if magnitude > INTEGER_MAX {
        &b"\""[..]
    } else {
        b""
    };
    out.extend_from_slice(quote);
    if negative {
        out.push(b'-');
    }
    push_decimal(out, magnitude);
    out.extend_from_slice(quote);
}

/// Appends the shortest text that reads back as the same number; `NaN`, `inf` and `-inf` as strings.
pub(crate) fn f64(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        display(out, format_args!("{value:?}"));
    } else {
        display(out, format_args!("\"{value}\""));
    }
}

/// Appends text that needs no escapes.
pub(crate) fn display(out: &mut Vec<u8>, value: impl fmt::Display) {
    use std::io::Write;
    // A vector takes whatever it is given.
    write!(out, "{value}").unwrap_or(());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_breaks_or_reorders_lines_is_escaped() {
        assert_eq!(escaped("a\"b\\c"), r#""a\"b\\c""#);
        assert_eq!(
            escaped("\n\u{7f}\u{85}\u{61c}\u{200b}\u{2028}\u{202e}\u{2066}\u{feff}"),
            r#""\u000a\u007f\u0085\u061c\u200b\u2028\u202e\u2066\ufeff""#
        );
        assert_eq!(escaped("Grüße, 日本 é…"), "\"Grüße, 日本 é…\"");
    }

    #[test]
    fn numbers_keep_their_digits() {
        let write = |f: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            f(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(write(&|out| u64(out, INTEGER_MAX)), "9007199254740991");
        assert_eq!(write(&|out| u64(out, u64::MAX)), "\"18446744073709551615\"");
        assert_eq!(write(&|out| i64(out, i64::MIN)), "\"-9223372036854775808\"");
        assert_eq!(write(&|out| f64(out, f64::NAN)), "\"NaN\"");
        assert_eq!(write(&|out| f64(out, 1e300)), "1e300");
        assert_eq!(write(&|out| f64(out, 0.1)), "0.1");
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let json = escaped(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            prop_assert!(!json.chars().any(is_escaped));
        }

        #[test]
        fn a_bound_is_kept_and_cuts_between_characters(text in any::<String>(), bound in 0_usize..64) {
            let mut out = vec![b'x'; 3];
            let done = escape(&mut out, &text, bound).bytes;
            prop_assert!(out.len() - 3 <= bound);
            let json = format!("\"{}\"", std::str::from_utf8(&out[3..]).unwrap());
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), &text[..done]);
        }
    }
}
