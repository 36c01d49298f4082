//! Forms in several parts (RFC 7578), as a dump of a request's body shows them.

use std::ops::Range;

use super::assignment::count;

const NAME: &[u8] = b"; name=";
const NAME_BYTES_MAX: usize = 64;
/// Further fields of a part's head.
const HEAD_BYTES_MAX: usize = 256;

/// How lines end: what ends a head, what begins a boundary, and what may stand before that.
type Ends = (&'static [u8], &'static [u8], &'static [u8]);

/// As it is and as a text in quotes has it.
const ENDS: [Ends; 4] = [
    (b"\r\n\r\n", b"\n--", b"\r"),
    (b"\n\n", b"\n--", b""),
    (b"\\r\\n\\r\\n", b"\\n--", b"\\r"),
    (b"\\n\\n", b"\\n--", b""),
];

/// Calls `visit` with the name of each part and its body: up to the next boundary, or to the end.
pub(super) fn each<'t>(text: &'t str, mut visit: impl FnMut(&'t str, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(next) = memchr::memmem::find(&bytes[at..], NAME) {
        at += next + NAME.len();
        let quoted = |byte| matches!(byte, b'"' | b'\\');
        let start = at + count(bytes, at, NAME_BYTES_MAX, quoted);
        let end = start + count(bytes, start, NAME_BYTES_MAX, |byte| !quoted(byte));
        let Some((body, (_, boundary, before))) = body(bytes, end) else {
            continue;
        };
        let rest = &bytes[body..];
        let length = memchr::memmem::find(rest, boundary).unwrap_or(rest.len());
        at = body + length;
        let value = rest[..length]
            .strip_suffix(before)
            .unwrap_or(&rest[..length]);
        if let Some(name) = text.get(start..end) {
            visit(name, body..body + value.len());
        }
    }
}

/// Where the empty line behind a head ends, and how lines do.
fn body(bytes: &[u8], at: usize) -> Option<(usize, Ends)> {
    let head = &bytes[at..bytes.len().min(at + HEAD_BYTES_MAX)];
    let found = ENDS.into_iter().filter_map(|ends| {
        let found = memchr::memmem::find(head, ends.0)?;
        Some((at + found + ends.0.len(), ends))
    });
    found.min_by_key(|(body, _)| *body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_up_to_their_boundary() {
        let mut all = Vec::new();
        let text = "--x\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nbob\r\n--x\r\n\
                    Content-Disposition: form-data; name=\"pin\"\r\nContent-Type: text/plain\r\n\r\n12\r\n34\r\n--x--\r\n\
                    Content-Disposition: form-data; name=\"last\"\n\nopen";
        each(text, |name, value| all.push((name, &text[value])));
        assert_eq!(
            all,
            [("user", "bob"), ("pin", "12\r\n34"), ("last", "open")]
        );
        each(r#"; name=\"pin\"\r\n\r\n12\r\n--x"#, |name, value| {
            assert_eq!((name, value), ("pin", 22..24));
        });
        each("form-data; name=\"pin\"", |_, _| unreachable!());
    }
}
