//! `<name>value</name>`: elements of XML.

use std::ops::Range;

use super::assignment::count;

const NAME_BYTES_MAX: usize = 64;
const SECTION: &[u8] = b"<![CDATA[";

/// Calls `visit` with the name of each element that ends, and the text before its end.
///
/// That text reaches back to the last tag, so no byte is looked at twice.
pub(super) fn each<'t>(text: &'t str, mut visit: impl FnMut(&'t str, Range<usize>)) {
    let bytes = text.as_bytes();
    for open in memchr::memmem::find_iter(bytes, "</") {
        let name = open + 2..open + 2 + count(bytes, open + 2, NAME_BYTES_MAX, is_name);
        if bytes.get(name.end) != Some(&b'>') {
            continue;
        }
        if let Some(value) = before(&bytes[..open]) {
            visit(&text[local(bytes, name)], value);
        }
    }
}

/// The text that `head` ends with, without the marks of a `CDATA` section.
fn before(head: &[u8]) -> Option<Range<usize>> {
    if let Some(head) = head.strip_suffix(b"]]>") {
        let mark = memchr::memrchr(b'<', head)?;
        let section = head[mark..].starts_with(SECTION);
        return section.then(|| mark + SECTION.len()..head.len());
    }
    let tag = memchr::memrchr2(b'>', b'<', head)?;
    (head[tag] == b'>').then(|| tag + 1..head.len())
}

/// The name of each tag that may end an element, as far as it is read before its end.
pub(super) fn any(bytes: &[u8], mut wanted: impl FnMut(&[u8]) -> bool) -> bool {
    memchr::memmem::find_iter(bytes, "</").any(|open| {
        wanted(&bytes[open + 2..open + 2 + count(bytes, open + 2, NAME_BYTES_MAX, is_name)])
    })
}

/// The name without its namespace.
fn local(bytes: &[u8], name: Range<usize>) -> Range<usize> {
    let colon = memchr::memrchr(b':', &bytes[name.clone()]);
    name.start + colon.map_or(0, |at| at + 1)..name.end
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(&str, &str)> {
        let mut all = Vec::new();
        each(text, |name, value| all.push((name, &text[value])));
        all
    }

    #[test]
    fn the_text_of_an_element_is_read_with_its_name() {
        for (text, found) in [
            ("<a><pin>12 34</pin></a>", vec![("pin", "12 34"), ("a", "")]),
            (
                "<w:Password Type=\"t\">x</w:Password>",
                vec![("Password", "x")],
            ),
            ("<pin><![CDATA[1 > 2]]></pin>", vec![("pin", "1 > 2")]),
            ("<pin>\n  1\n</pin>", vec![("pin", "\n  1\n")]),
        ] {
            assert_eq!(all(text), found, "{text}");
        }
    }

    #[test]
    fn what_is_no_end_of_an_element_is_none() {
        for text in [
            "a </b",
            "</pin>",
            "x </ pin>",
            "1 < 2 </pin>",
            "</ü>",
            "<]]></pin>",
        ] {
            assert_eq!(all(text), [], "{text}");
        }
    }
}
