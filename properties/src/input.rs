//! Inputs with a structure, out of bytes.

use arbitrary::{Result, Unstructured};

/// What is likely to break a line, a record or a bound.
const NASTY: [&str; 24] = [
    "\r\n",
    "\0\u{1b}[2J\u{7f}",
    "\u{85}\u{9b}31m",
    "\u{202e}\u{2066}\u{61c}",
    "\u{200b}\u{200f}\u{2060}\u{feff}",
    "\u{2028}\u{2029}",
    "\"}\n{\"v\":1,\"event\":\"forged\"}",
    "\\\",\"hash\":\"0\"}",
    ",\"prev_hash\":\"",
    "\\ud800 \\u202e \\n",
    "%0d%0a%00%1b",
    "&#10;&#x202e;",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "password=",
    "\"apiKey\": \"",
    "Bearer ",
    "[redacted:pan]",
    "****1111",
    "\u{2026}[7 bytes, sha256:",
    "https://u:p@host/?token=",
    "4111 1111 1111 1111",
    "QUtJQVFGQUtFRkFLRUZBS0VGQTc",
    "пароль: ",
    "a@example.com",
];

/// At most so many times is a piece of a text said again.
const TIMES_MAX: usize = 900;

/// A text of a few pieces, some of them nasty, some long.
pub(crate) fn text(bytes: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    loop {
        let piece = match bytes.int_in_range(0..=3)? {
            0 => return Ok(text),
            1 => *bytes.choose(&NASTY)?,
            _ => bytes.arbitrary()?,
        };
        let times = if bytes.ratio(1, 40)? {
            bytes.int_in_range(1..=TIMES_MAX)?
        } else {
            1
        };
        text.push_str(&piece.repeat(times));
        if bytes.is_empty() {
            return Ok(text);
        }
    }
}

/// Lines of a header as they arrived: one for each line of the input.
pub(crate) fn lines(input: &[u8]) -> Vec<&[u8]> {
    input.split(|byte| *byte == b'\n').collect()
}
