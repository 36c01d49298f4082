//! The net by size: what is left of a value that is too long.

use std::fmt;

use super::json;
use crate::chain::Digest;

/// `…[<20 digits> bytes, sha256:<64 hex>]` takes at most this much.
pub(super) const MARKER_BYTES_MAX: usize = 3 + 1 + 20 + " bytes, sha256:".len() + 64 + 1;

/// Appends the inside of a JSON string of at most `bytes_max` bytes: all of `text`, or its
/// beginning and a marker with the length and SHA-256 of the whole. Says whether it was cut.
///
/// A bound smaller than the marker is raised to it.
pub(super) fn write(out: &mut Vec<u8>, text: &str, bytes_max: usize) -> bool {
    let bytes_max = bytes_max.max(MARKER_BYTES_MAX);
    let start = out.len();
    if json::escape(out, text, bytes_max) == text.len() {
        return false;
    }
    out.truncate(start);
    json::escape(out, text, bytes_max - MARKER_BYTES_MAX);
    json::display(out, Marker(text));
    true
}

/// The beginning of `text` and the marker, together at most `bytes_max` bytes; `None` where all of it fits.
#[cfg(feature = "tracing")]
pub(crate) fn shorten(text: &str, bytes_max: usize) -> Option<String> {
    (text.len() > bytes_max).then(|| {
        let mut end = bytes_max.saturating_sub(MARKER_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{}", &text[..end], Marker(text))
    })
}

/// What stands in place of the rest: the length and SHA-256 of the whole.
struct Marker<'t>(&'t str);

impl fmt::Display for Marker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Digest::of(self.0.as_bytes());
        write!(f, "…[{} bytes, sha256:{digest}]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_ends_in_its_length_and_digest() {
        let long = "x".repeat(5000);
        let mut out = Vec::new();
        assert!(write(&mut out, &long, 200));
        let text = String::from_utf8(out).unwrap();
        assert!(text.len() <= 200);
        assert!(
            text.ends_with(&format!(
                "…[5000 bytes, sha256:{}]",
                Digest::of(long.as_bytes())
            )),
            "{text}"
        );
        let mut whole = Vec::new();
        assert!(!write(&mut whole, "short", 200));
        assert_eq!(whole, b"short");
    }
}
