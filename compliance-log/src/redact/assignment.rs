//! `name=value`, `name: value` and `("name", "value")` in free text: log lines, forms, queries, headers,
//! JSON, `Debug` output.

use std::ops::Range;

use super::placeholder;

const NAME_BYTES_MAX: usize = 64;
/// Quotes, backslashes, brackets and spaces between a name and its sign.
const JOINT_BYTES_MAX: usize = 8;
/// What a pretty `Debug` indents by, between a bracket and what stands in it; what aligns signs and
/// values in columns.
const INDENT_BYTES_MAX: usize = 64;
/// How far behind its sign a value inside another one, or in square brackets, may end.
const NESTED_BYTES_MAX: usize = 512;
/// `Some(Secret(` is two.
const WRAPPERS_MAX: usize = 4;
/// What may stand between a header's name and its secret.
const SCHEMES: &[&str] = &["basic", "bearer", "digest", "negotiate", "token", "apikey"];

/// A name and where its value would begin.
pub(super) struct Assignment<'t> {
    pub(super) name: &'t str,
    /// The same with the word before it, as in `api key: ..`.
    pub(super) wide: Option<&'t str>,
    /// Stands behind `?`, `&`, `#` or `;` and before `=`.
    pub(super) query: bool,
    pub(super) name_at: usize,
    pub(super) sign: usize,
    value_from: usize,
    /// The value ends here at the latest.
    reach: usize,
}

impl Assignment<'_> {
    /// Where the value stands, without its quotes.
    pub(super) fn value(&self, text: &str) -> Range<usize> {
        let mut span = value(&text.as_bytes()[..self.reach], self.value_from);
        while !text.is_char_boundary(span.end) {
            span.end -= 1;
        }
        span
    }
}

/// Calls `visit` with each assignment; it returns where the value ends, if it is one to be taken.
///
/// Assignments inside a value that was taken are visited too, since quotes do not always pair and what
/// closes one value may open another. They reach only so far, to keep the work linear.
pub(super) fn each<'t>(text: &'t str, mut visit: impl FnMut(&Assignment<'t>) -> Option<usize>) {
    let bytes = text.as_bytes();
    let mut free = 0;
    for sign in memchr::memchr3_iter(b'=', b':', b',', bytes) {
        if !is_sign(bytes, sign) {
            continue;
        }
        let span = name_in(text, sign);
        if span.is_empty() || (bytes[sign] == b',' && !is_pair(bytes, &span, sign)) {
            continue;
        }
        let before = span.start.checked_sub(1).map(|at| bytes[at]);
        let arrow = bytes[sign] == b'=' && bytes.get(sign + 1) == Some(&b'>');
        let assignment = Assignment {
            name: &text[span.clone()],
            wide: word_before(bytes, span.start).map(|start| &text[start..span.end]),
            name_at: span.start,
            sign,
            query: bytes[sign] == b'=' && matches!(before, Some(b'?' | b'&' | b'#' | b';')),
            value_from: if bytes[sign] == b',' {
                let space = |byte: u8| byte.is_ascii_whitespace();
                sign + 1 + count(bytes, sign + 1, INDENT_BYTES_MAX, space)
            } else {
                sign + 1 + usize::from(arrow)
            },
            reach: if sign < free {
                bytes.len().min(sign + NESTED_BYTES_MAX)
            } else {
                bytes.len()
            },
        };
        free = free.max(visit(&assignment).unwrap_or(0));
    }
}

/// A path's `::` and a URL's `://` assign nothing; of `:=` and `==` the last sign does. A comma may
/// if it stands behind a quote, or behind the first of what stands in brackets.
pub(super) fn is_sign(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| bytes[at]);
    match (bytes[at], bytes.get(at + 1)) {
        (b',', _) => {
            let name = |byte: &&u8| name_byte(**byte);
            before.is_some_and(is_quote) || {
                let head = &bytes[..at];
                let length = head
                    .iter()
                    .rev()
                    .take(NAME_BYTES_MAX)
                    .take_while(name)
                    .count();
                length > 0 && head[..at - length].last() == Some(&b'(')
            }
        }
        (b':', next) => before != Some(b':') && !matches!(next, Some(b':' | b'/' | b'=')),
        (_, next) => next != Some(&b'='),
    }
}

/// Whether the name before a comma is the first of two in brackets, and no argument of a call. In
/// square ones there may be no third, since a list of names holds no values.
fn is_pair(bytes: &[u8], name: &Range<usize>, comma: usize) -> bool {
    let quoted = |byte: &u8| is_quote(*byte) || *byte == b'\\';
    let space = |byte: &u8| byte.is_ascii_whitespace();
    if !bytes[name.end..comma].iter().all(quoted) {
        return false;
    }
    let back = |end: usize, max: usize, wanted: &dyn Fn(&u8) -> bool| {
        let head = bytes[..end].iter().rev().take(max);
        end - head.take_while(|byte| wanted(byte)).count()
    };
    let quote = back(name.start, JOINT_BYTES_MAX, &quoted);
    let open = back(quote, INDENT_BYTES_MAX, &space);
    match bytes[..open].last() {
        Some(b'(') => {
            quote < name.start || !open.checked_sub(2).is_some_and(|at| name_byte(bytes[at]))
        }
        Some(b'[') => quote < name.start && closes(bytes, comma + 1),
        _ => false,
    }
}

/// Whether one quoted value stands between `at` and a square bracket.
fn closes(bytes: &[u8], at: usize) -> bool {
    let bytes = &bytes[..bytes.len().min(at + NESTED_BYTES_MAX)];
    let space = |byte: u8| byte.is_ascii_whitespace();
    let value = value(bytes, at + count(bytes, at, INDENT_BYTES_MAX, space));
    let rest =
        |byte: u8| byte.is_ascii_whitespace() || is_quote(byte) || matches!(byte, b'\\' | b',');
    let rest = value.end + count(bytes, value.end, INDENT_BYTES_MAX, rest);
    bytes.get(rest) == Some(&b']')
}

pub(super) const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// The name that ends before `sign`; empty if there is none. It may begin inside a character.
pub(super) fn name_before(bytes: &[u8], sign: usize) -> Range<usize> {
    let joint = |byte: &&u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`' | b']' | b':' | b'=' | b'*'
        )
    };
    let head = &bytes[..sign];
    let skipped = head
        .iter()
        .rev()
        .take(INDENT_BYTES_MAX)
        .take_while(joint)
        .count();
    let mut end = sign - skipped;
    if matches!(bytes[..end].last_chunk(), Some(b"%5D" | b"%5d")) {
        end -= 3;
    }
    // Of `passwords[0]` and `user[password][]` the index is no name.
    let digit = |byte: &&u8| byte.is_ascii_digit();
    let digits = bytes[..end]
        .iter()
        .rev()
        .take(JOINT_BYTES_MAX)
        .take_while(digit)
        .count();
    if bytes[end] == b']' && bytes[..end - digits].last() == Some(&b'[') {
        end -= digits + 1;
        end -= usize::from(bytes[..end].last() == Some(&b']'));
    }
    let head = &bytes[..end];
    // Before a colon it would be the name of a file: `token.rs:12`.
    let dotted = matches!(bytes[sign], b'=' | b',');
    let name = |byte: &&u8| name_byte(**byte) || (dotted && **byte == b'.');
    let mut start = end
        - head
            .iter()
            .rev()
            .take(NAME_BYTES_MAX)
            .take_while(name)
            .count();
    // `%5Bpassword`: the digits belong to the percent sign.
    let hex = |at: usize| bytes[at].is_ascii_hexdigit();
    if start > 0 && bytes[start - 1] == b'%' && end - start > 2 && hex(start) && hex(start + 1) {
        start += 2;
    }
    start..end
}

/// The name that ends before `sign`, in whole characters.
fn name_in(text: &str, sign: usize) -> Range<usize> {
    let mut span = name_before(text.as_bytes(), sign);
    while !text.is_char_boundary(span.start) {
        span.start += 1;
    }
    span
}

/// What the `name`, `key` or `type` right before the word at `start` says: of `"name":"x","value"` and
/// `name="x" value` it is `x`.
pub(super) fn named_before(text: &str, start: usize) -> Option<&str> {
    const LABELS: [&[u8]; 4] = [b"name", b"key", b"type", b"id"];
    let bytes = text.as_bytes();
    let back = |end: usize, max: usize, wanted: &dyn Fn(u8) -> bool| {
        let head = bytes[..end].iter().rev().take(max);
        end - head.take_while(|byte| wanted(**byte)).count()
    };
    let quoted = |byte: u8| is_quote(byte) || byte == b'\\';
    let apart = |byte: u8| quoted(byte) || byte.is_ascii_whitespace() || byte == b',';
    let end = back(start, INDENT_BYTES_MAX, &apart);
    let name = back(end, NAME_BYTES_MAX, &|byte| name_byte(byte) || byte == b'.');
    let sign = back(name, JOINT_BYTES_MAX, &|byte| quoted(byte) || byte == b' ');
    let signed = matches!(bytes[..sign].last(), Some(b'=' | b':'));
    let label = sign.checked_sub(1).filter(|_| signed && name < end)?;
    let label = back(label, JOINT_BYTES_MAX, &quoted);
    let word = back(label, NAME_BYTES_MAX, &|byte| byte.is_ascii_alphanumeric());
    let label = &bytes[word..label];
    let known = LABELS.iter().any(|known| label.eq_ignore_ascii_case(known));
    if known { text.get(name..end) } else { None }
}

/// Where the word before the one at `start` begins, if one space lies between.
fn word_before(bytes: &[u8], start: usize) -> Option<usize> {
    let end = start.checked_sub(1).filter(|&at| bytes[at] == b' ')?;
    let word = |byte: &&u8| byte.is_ascii_alphanumeric();
    let length = bytes[..end]
        .iter()
        .rev()
        .take(NAME_BYTES_MAX)
        .take_while(word)
        .count();
    (length > 0).then_some(end - length)
}

fn name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'-')
}

fn value(bytes: &[u8], mut at: usize) -> Range<usize> {
    at += count(bytes, at, INDENT_BYTES_MAX, is_space);
    // `**Password:** x`, in bold.
    if matches!(bytes.get(at..), Some([b'*', b'*', b' ', ..])) {
        at += 2 + count(bytes, at + 2, INDENT_BYTES_MAX, is_space);
    }
    if let Some(block) = block(bytes, at) {
        return block;
    }
    at += line_break(bytes, at);
    for _ in 0..WRAPPERS_MAX {
        let ident = identifier(bytes, at);
        if ident == 0 || bytes.get(at + ident) != Some(&b'(') {
            break;
        }
        at += ident + 1;
        // A pretty `Debug` breaks the line here.
        at += count(bytes, at, INDENT_BYTES_MAX, |byte| {
            byte.is_ascii_whitespace()
        });
    }
    at += before_quote(bytes, at);
    let ident = identifier(bytes, at);
    let space = usize::from(bytes.get(at + ident) == Some(&b' '));
    let typed = ident > 0 && bytes[at].is_ascii_uppercase();
    if typed && bytes.get(at + ident + space) == Some(&b'{') {
        return at..bracketed(bytes, at + ident + space);
    }
    let slashes = count(bytes, at, JOINT_BYTES_MAX, |byte| byte == b'\\');
    match bytes.get(at + slashes) {
        Some(quote @ (b'"' | b'\'' | b'`')) => {
            let mut start = at + slashes + 1;
            if slashes == 0 {
                start += doubled(bytes, start, *quote);
            }
            start..quoted(bytes, start, *quote, slashes)
        }
        Some(b'[') if slashes == 0 => at..bare(bytes, bracketed(bytes, at)),
        Some(b'{' | b'(') if slashes == 0 => at..bracketed(bytes, at),
        _ => {
            let start = at + scheme(&bytes[at..]);
            let template = placeholder::begins(&bytes[start..]).unwrap_or(0);
            at..bare(bytes, start + template)
        }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The lines of a YAML block, `password: |`, as far as they are indented.
fn block(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let (b'|' | b'>') = bytes.get(at)? else {
        return None;
    };
    let mark = |byte| matches!(byte, b'-' | b'+') || byte.is_ascii_digit();
    let mut start = at + 1 + count(bytes, at + 1, 2, mark);
    start += usize::from(bytes.get(start) == Some(&b'\r'));
    if bytes.get(start) != Some(&b'\n') {
        return None;
    }
    start += 1;
    let indent = count(bytes, start, INDENT_BYTES_MAX, is_space);
    if indent == 0 {
        return None;
    }
    let mut end = start + indent;
    loop {
        end += line(bytes, end);
        if count(bytes, end + 1, indent, is_space) < indent {
            return Some(start + indent..end);
        }
        end += 1 + indent;
    }
}

fn line(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    memchr::memchr(b'\n', rest).unwrap_or(rest.len())
}

/// A line break before a value in quotes, as in JSON that is printed for people.
fn line_break(bytes: &[u8], at: usize) -> usize {
    let space = |byte: u8| byte.is_ascii_whitespace();
    let length = count(bytes, at, INDENT_BYTES_MAX, space);
    if bytes.get(at + length).copied().is_some_and(is_quote) {
        length
    } else {
        0
    }
}

/// What some languages write before a quote: `b"x"`, `u'x'`, `E'x'`, `$'x'`, `&"x"`, `string(7) "x"`.
fn before_quote(bytes: &[u8], at: usize) -> usize {
    const LETTERS_MAX: usize = 2;
    let counted = count(bytes, at, JOINT_BYTES_MAX, |byte| byte.is_ascii_digit());
    let length = match &bytes[at..] {
        // Behind this one an apostrophe would begin a lifetime.
        [b'&', b'"' | b'\\', ..] | [b'$' | b'@', ..] => 1,
        rest if counted > 0 && rest[counted..].starts_with(b") ") => counted + 2,
        _ => count(bytes, at, LETTERS_MAX, |byte| byte.is_ascii_alphabetic()),
    };
    let quote = at + length + count(bytes, at + length, JOINT_BYTES_MAX, |byte| byte == b'\\');
    if bytes.get(quote).copied().is_some_and(is_quote) {
        length
    } else {
        0
    }
}

/// Further quotes of an opening one: `""x""` in a cell of a table, `''x''` in a statement, `"""x"""`.
fn doubled(bytes: &[u8], start: usize, quote: u8) -> usize {
    const QUOTES_MAX: usize = 8;
    let more = count(bytes, start, QUOTES_MAX, |byte| byte == quote);
    let goes_on = bytes.get(start + more).is_some_and(|next| {
        next.is_ascii_graphic()
            && !is_quote(*next)
            && !matches!(
                next,
                b',' | b';' | b'&' | b'}' | b']' | b')' | b'>' | b'<' | b':' | b'=' | b'\\' | b'|'
            )
    });
    if goes_on || more == 2 { more } else { 0 }
}

/// Whether the quotes at `at` stand inside a word, and close nothing: `'it''s'`, `'hun'ter'`.
fn is_within(bytes: &[u8], at: usize, quote: u8) -> bool {
    let quotes = count(bytes, at, JOINT_BYTES_MAX, |byte| byte == quote);
    let next = bytes.get(at + quotes);
    next.is_some_and(u8::is_ascii_alphanumeric)
}

/// The bytes of a scheme and its space, if something stands behind it.
fn scheme(value: &[u8]) -> usize {
    let ident = identifier(value, 0);
    let known = SCHEMES
        .iter()
        .any(|known| value[..ident].eq_ignore_ascii_case(known.as_bytes()));
    let second =
        value.get(ident) == Some(&b' ') && value.get(ident + 1).is_some_and(u8::is_ascii_graphic);
    if known && second { ident + 1 } else { 0 }
}

/// What a scheme is followed by, or all of it.
pub(super) fn without_scheme(value: &str) -> &str {
    let secret = &value[scheme(value.as_bytes())..];
    let alone = |known: &&str| secret.trim_end().eq_ignore_ascii_case(known);
    if secret.ends_with(' ') && SCHEMES.iter().any(alone) {
        ""
    } else {
        secret
    }
}

/// The end of what stands in quotes that have `slashes` backslashes before them.
fn quoted(bytes: &[u8], start: usize, quote: u8, slashes: usize) -> usize {
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate().skip(start) {
        if byte == b'\\' {
            run += 1;
        } else if byte == quote
            && (run <= slashes || (slashes == 0 && run % 2 == 0))
            && !(slashes == 0 && is_within(bytes, at, quote))
        {
            return at - run.min(slashes);
        } else {
            run = 0;
        }
    }
    bytes.len()
}

/// The end of the brackets that open at `start`.
fn bracketed(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = quoted(bytes, at + 1, b'"', 0),
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            _ => (),
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at.min(bytes.len())
}

/// The end of a value without quotes. Punctuation belongs to it unless something ends there.
fn bare(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let ends = match byte {
            b'"' | b'\'' | b'`' => {
                let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
                at == start || !word(bytes.get(at - 1)) || !word(bytes.get(at + 1))
            }
            b'<' => at == start || is_tag(bytes, at + 1),
            b'\\' => matches!(next, Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'u')),
            b',' | b';' | b'&' => {
                next.is_none_or(|next| !next.is_ascii_graphic() && next < 0x80)
                    || matches!(next, Some(b'"' | b'\'' | b'{'))
                    || assigns(bytes, at + 1)
            }
            b')' | b']' | b'}' | b'>' => next.is_none_or(|next| !next.is_ascii_alphanumeric()),
            byte => byte.is_ascii_whitespace() || byte.is_ascii_control(),
        };
        if ends {
            break;
        }
        at += 1;
    }
    at
}

/// Whether what stands behind a `<` makes it a tag.
fn is_tag(bytes: &[u8], at: usize) -> bool {
    let ident = identifier(bytes, at);
    match bytes.get(at + ident) {
        Some(b'/' | b'>') => true,
        Some(next) if ident > 0 => next.is_ascii_whitespace(),
        next => ident == 0 && next.is_none_or(|next| !next.is_ascii_alphanumeric()),
    }
}

/// Whether a name and a sign stand at `at`.
fn assigns(bytes: &[u8], at: usize) -> bool {
    let length = count(bytes, at, NAME_BYTES_MAX, name_byte);
    length > 0 && matches!(bytes.get(at + length), Some(b'=' | b':'))
}

fn identifier(bytes: &[u8], at: usize) -> usize {
    if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    count(bytes, at, NAME_BYTES_MAX, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'_'
    })
}

pub(super) fn count(bytes: &[u8], at: usize, max: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter()
        .take(max)
        .take_while(|byte| wanted(**byte))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(&str, &str)> {
        let mut all = Vec::new();
        each(text, |found| {
            all.push((found.name, &text[found.value(text)]));
            None
        });
        all
    }

    #[test]
    fn names_and_values_are_read_as_people_write_them() {
        for (text, name, value) in [
            ("password=hunter2", "password", "hunter2"),
            ("password = hunter2, ok", "password", "hunter2"),
            ("password: \"hunter 2\" }", "password", "hunter 2"),
            (r#"{"password":"hun\"ter2"}"#, "password", r#"hun\"ter2"#),
            (r#""{\"password\": \"hunter2\"}""#, "password", "hunter2"),
            ("user[password]=hunter2&x=1", "password", "hunter2"),
            ("user%5Bpassword%5D=hunter2&x=1", "password", "hunter2"),
            ("password: Some(Secret(\"hunter2\"))", "password", "hunter2"),
            ("pin: Some(1234), x", "pin", "1234"),
            (
                "password: Some(\n    Secret(\n        \"hunter2\",\n    ),\n),",
                "password",
                "hunter2",
            ),
            ("password: [1, 2, 3], x", "password", "[1, 2, 3]"),
            (
                "secret: Key { a: \"}\", b: 1 } x",
                "secret",
                "Key { a: \"}\", b: 1 }",
            ),
            ("authorization: Token abc", "authorization", "Token abc"),
            ("password => 'x y'", "password", "x y"),
            ("password := xyz", "password", "xyz"),
            ("password=a,b&c;d e", "password", "a,b&c;d"),
            ("password=abc,user=bob", "password", "abc"),
            ("(password=abc)", "password", "abc"),
            ("password=\"never closed", "password", "never closed"),
            ("(\"password\", \"hunter2\")", "password", "hunter2"),
            ("[(\"password\", Some(\"x y\"))]", "password", "x y"),
            ("(password, hunter2)", "password", "hunter2"),
            (r#"[\"password\",\"hunter2\"]"#, "password", "hunter2"),
            (
                "(\n    \"password\",\n    \"hunter2\",\n)",
                "password",
                "hunter2",
            ),
            ("db.password.old=hunter2", "db.password.old", "hunter2"),
            ("passwords[0]=hunter2", "passwords", "hunter2"),
            ("user[password][]=hunter2", "password", "hunter2"),
            ("password\t= hunter2", "password", "hunter2"),
            (
                "password                 =                 \"hunter2\"",
                "password",
                "hunter2",
            ),
            ("**password**: hunter2", "password", "hunter2"),
            ("**Password:** hunter2", "Password", "hunter2"),
            ("password: b\"hunter2\"", "password", "hunter2"),
            ("password: Some(b\"hunter2\")", "password", "hunter2"),
            ("'password': u'hunter2'", "password", "hunter2"),
            ("password = E'hun''ter2'", "password", "hun''ter2"),
            ("password='hun'ter2', x", "password", "hun'ter2"),
            ("password=hun'ter2 x", "password", "hun'ter2"),
            ("password=hun<2ter x", "password", "hun<2ter"),
            ("<li>password=hunter2</li>", "password", "hunter2"),
            ("password=hunter2<br>x", "password", "hunter2"),
            ("password=''hunter2'', x", "password", "hunter2"),
            (
                "\"{\"\"password\"\":\"\"hunter2\"\"}\"",
                "password",
                "hunter2",
            ),
            ("password = \"\"\"hunter2\"\"\"", "password", "hunter2"),
            ("password=\"\", x=\"y\"", "password", ""),
            (
                "[\"password\"]=> string(7) \"hunter2\"",
                "password",
                "hunter2",
            ),
            ("\"password\":\n    \"hunter2\"\n", "password", "hunter2"),
            (
                "password: |\n  hun\n  ter2\nuser: x",
                "password",
                "hun\n  ter2",
            ),
            ("password: >-\r\n  hunter2", "password", "hunter2"),
            ("secret:\n  name: x", "secret", ""),
        ] {
            assert_eq!(all(text).first(), Some(&(name, value)), "{text}");
        }
    }

    #[test]
    fn paths_and_schemes_assign_nothing() {
        assert_eq!(all("token::parse at https://x"), []);
        assert_eq!(
            all("verify(token, now), a [\"password\", \"user\", \"age\"]"),
            []
        );
    }
}
