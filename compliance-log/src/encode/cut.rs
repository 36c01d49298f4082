//! The net by size: what is left of a value that is too long.

use std::fmt;

use super::json;
use crate::chain::Digest;
#[cfg(feature = "tracing")]
use crate::text::beginning;

/// `…[<20 digits> bytes, sha256:<64 hex>]` takes at most this much.
pub(super) const MARKER_BYTES_MAX: usize = 3 + 1 + 20 + " bytes, sha256:".len() + 64 + 1;

/// How much of a text is written.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    /// The most bytes of the text itself.
    text: usize,
    /// The most bytes with the marker; raised to the marker where it is smaller.
    whole: usize,
}

impl Bound {
    /// Of the text and the marker together.
    pub(super) fn whole(bytes_max: usize) -> Self {
        Self {
            text: usize::MAX,
            whole: bytes_max.max(MARKER_BYTES_MAX),
        }
    }

    /// The same, and at most `bytes_max` of the text itself, if that is given.
    pub(super) fn and_text(self, bytes_max: Option<u32>) -> Self {
        let text = bytes_max.map_or(usize::MAX, |bytes| bytes as usize);
        Self { text, ..self }
    }

    /// The most bytes that a text may have and be whole.
    pub(super) fn uncut(self) -> usize {
        self.text.min(self.whole)
    }

    /// What is left of the whole once so many bytes are used.
    pub(super) fn left_after(self, used: usize) -> usize {
        self.whole.saturating_sub(used)
    }

    /// The same for one of several texts, which has less room.
    pub(super) fn within(self, bytes_max: usize) -> Self {
        Self {
            whole: self.whole.min(bytes_max.max(MARKER_BYTES_MAX)),
            ..self
        }
    }
}

/// What was written of a text.
pub(super) enum Written {
    /// All of it, of these kinds of bytes.
    Whole(u8),
    Cut,
}

/// Appends the inside of a JSON string: all of `text`, or its beginning and a marker with the length
/// and SHA-256 of the whole.
pub(super) fn write(out: &mut Vec<u8>, text: &str, bound: Bound) -> Written {
    let start = out.len();
    let escaped = json::escape(out, text, bound.uncut());
    if escaped.bytes == text.len() {
        return Written::Whole(escaped.kinds);
    }
    out.truncate(start);
    let beginning = bound.text.min(bound.whole - MARKER_BYTES_MAX);
    json::escape(out, text, beginning);
    json::display(out, Marker(text));
    Written::Cut
}

/// The beginning of `text` and the marker, together at most `bytes_max` bytes; `None` where all of it fits.
#[cfg(feature = "tracing")]
pub(crate) fn shorten(text: &str, bytes_max: usize) -> Option<String> {
    (text.len() > bytes_max).then(|| {
        let beginning = beginning(text, bytes_max.saturating_sub(MARKER_BYTES_MAX));
        format!("{beginning}{}", Marker(text))
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
        assert!(matches!(
            write(&mut out, &long, Bound::whole(200)),
            Written::Cut
        ));
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
        assert!(matches!(
            write(&mut whole, "short", Bound::whole(200)),
            Written::Whole(_)
        ));
        assert_eq!(whole, b"short");
    }

    #[test]
    fn a_bound_of_the_text_leaves_room_for_the_marker() {
        let bound = Bound::whole(4096).and_text(Some(6));
        let mut out = Vec::new();
        assert!(matches!(write(&mut out, "aisle seat", bound), Written::Cut));
        let marker = format!("…[10 bytes, sha256:{}]", Digest::of(b"aisle seat"));
        assert_eq!(String::from_utf8(out).unwrap(), format!("aisle {marker}"));
        let mut whole = Vec::new();
        assert!(matches!(
            write(&mut whole, "aisle!", bound),
            Written::Whole(_)
        ));
        assert_eq!(whole, b"aisle!");
    }
}
