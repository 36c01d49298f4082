//! `--name value` on a command line, and in the lists that such a line becomes: `["--name", "value"]`.

use std::ops::Range;

use super::{assignment::count, placeholder};

/// What an option begins with.
pub(super) const DASHES: &[u8] = b"--";
/// No option with its value is shorter: `--ab 123`.
pub(super) const BYTES_MIN: usize = 8;
const NAME_BYTES_MAX: usize = 64;
/// Quotes, backslashes, commas and spaces between a name and its value.
const JOINT_BYTES_MAX: usize = 8;

/// Calls `visit` with each long option's name and the value that follows it; it says whether the value
/// is one to be taken. `--name=value` is an assignment and left to that.
pub(super) fn each<'t>(text: &'t str, mut visit: impl FnMut(&'t str, Range<usize>) -> bool) {
    let bytes = text.as_bytes();
    let mut free = 0;
    for dashes in memchr::memmem::find_iter(bytes, DASHES) {
        if dashes < free || !apart(bytes, dashes) {
            continue;
        }
        let name = name(bytes, dashes);
        if let Some(value) = value(bytes, name.end).filter(|_| !name.is_empty()) {
            let end = value.end;
            if visit(&text[name], value) {
                free = end;
            }
        }
    }
}

/// The name behind the dashes; empty if there is none.
pub(super) fn name(bytes: &[u8], dashes: usize) -> Range<usize> {
    let start = dashes + DASHES.len();
    let begins = bytes.get(start).is_some_and(u8::is_ascii_alphabetic);
    let max = if begins { NAME_BYTES_MAX } else { 0 };
    start..start + count(bytes, start, max, is_name)
}

/// An option begins where a word does.
fn apart(bytes: &[u8], dashes: usize) -> bool {
    let before = dashes.checked_sub(1).map(|at| bytes[at]);
    before.is_none_or(|before| !before.is_ascii_alphanumeric() && before != b'-')
}

fn value(bytes: &[u8], name_end: usize) -> Option<Range<usize>> {
    let joint = count(bytes, name_end, JOINT_BYTES_MAX, |byte| {
        matches!(byte, b' ' | b'\t' | b',' | b'"' | b'\'' | b'\\')
    });
    let start = name_end + joint;
    let between = &bytes[name_end..start];
    if !between
        .iter()
        .any(|byte| matches!(byte, b' ' | b'\t' | b','))
    {
        return None;
    }
    let quote = between
        .last()
        .copied()
        .filter(|last| matches!(last, b'"' | b'\''));
    let length = bytes[start..].iter().take_while(|&&byte| match quote {
        Some(quote) => byte != quote,
        None => !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'`'),
    });
    let mut end = start + length.count();
    if quote.is_some() && end > start && bytes[end - 1] == b'\\' {
        end -= 1;
    }
    if quote.is_none() {
        end = trimmed(bytes, start, end);
    }
    let stands_for = matches!(bytes.get(start), Some(b'-' | b'<' | b'['))
        || placeholder::begins(&bytes[start..]).is_some()
        || placeholder::is_variable(&bytes[start..end]);
    (end > start && !stands_for).then_some(start..end)
}

/// Without the punctuation that ends a sentence or a list.
fn trimmed(bytes: &[u8], start: usize, mut end: usize) -> usize {
    while end > start
        && matches!(
            bytes[end - 1],
            b',' | b';' | b'.' | b')' | b']' | b'}' | b':'
        )
    {
        end -= 1;
    }
    end
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(&str, &str)> {
        let mut all = Vec::new();
        each(text, |name, value| {
            all.push((name, &text[value]));
            true
        });
        all
    }

    #[test]
    fn options_are_read_as_shells_and_lists_write_them() {
        for (text, name, value) in [
            ("run --password hunter2 --verbose", "password", "hunter2"),
            ("--token 'a b' x", "token", "a b"),
            ("--token \"a b\" x", "token", "a b"),
            (r#"["--api-key", "abc"]"#, "api-key", "abc"),
            (r#"[\"--api-key\", \"abc\"]"#, "api-key", "abc"),
            ("('--api-key','abc')", "api-key", "abc"),
            ("(--db-password  abc)", "db-password", "abc"),
            ("--password $ecret", "password", "$ecret"),
        ] {
            assert_eq!(all(text).first(), Some(&(name, value)), "{text}");
        }
    }

    #[test]
    fn what_stands_for_a_value_is_none() {
        for text in [
            "--password=x",
            "--password --verbose",
            "--password $DB_PASSWORD",
            "--password ${X} ",
            "--password <password>",
            "--password",
            "-----BEGIN x",
            "a--token b",
            "\"--password\"",
        ] {
            assert_eq!(all(text), [], "{text}");
        }
    }
}
