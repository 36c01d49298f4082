use std::fmt;

use super::{only, trim};
use crate::context::{SpanId, TraceFlags, TraceId};

/// `00-<32 hex>-<16 hex>-<2 hex>`.
const LEN: usize = 55;

/// Where a trace comes from: the `traceparent` header.
///
/// Displays as the value of an outgoing header, always version `00` and 55 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the version that is written has these fields and no others"
)]
pub struct TraceParent {
    /// The trace.
    pub trace_id: TraceId,
    /// The span that the sender was in.
    pub parent_id: SpanId,
    /// The flags that level 2 defines; other bits are cleared.
    pub flags: TraceFlags,
}

impl TraceParent {
    /// Reads the header's lines: exactly one, and valid.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        Self::parse(trim(only(lines)?))
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (fields, rest) = value.split_at_checked(LEN)?;
        let version = hex::<1>(&fields[..2])?;
        // A later version may append fields, each after a dash; 255 is forbidden.
        match (version, rest) {
            ([0], [_, ..]) | ([0xff], _) => return None,
            (_, [] | [b'-', ..]) => {}
            _ => return None,
        }
        if [fields[2], fields[35], fields[52]] != [b'-'; 3] {
            return None;
        }
        let [flags] = hex(&fields[53..])?;
        Some(Self {
            trace_id: TraceId::from_bytes(hex(&fields[3..35])?)?,
            parent_id: SpanId::from_bytes(hex(&fields[36..52])?)?,
            flags: TraceFlags::from_byte(flags),
        })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace_id,
            parent_id,
            flags,
        } = self;
        write!(f, "00-{trace_id}-{parent_id}-{:02x}", flags.as_byte())
    }
}

/// `N` bytes from exactly `2 * N` lower-case digits.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "12345678901234567890123456789012";
    const SPAN: &str = "1234567890123456";

    fn read(value: impl AsRef<[u8]>) -> Option<String> {
        TraceParent::from_lines([value.as_ref()]).map(|parent| parent.to_string())
    }

    #[test]
    fn valid_values_are_sent_on_as_version_00() {
        for (version, tail, flags) in [
            ("00", "00", "00"),
            ("00", "01", "01"),
            ("00", "02", "02"),
            ("00", "03", "03"),
            ("00", "ff", "03"),
            ("00", "fc", "00"),
            ("01", "01", "01"),
            ("cc", "01", "01"),
            ("cc", "01-", "01"),
            ("cc", "01-what-the-future-will-be-like", "01"),
            ("fe", "09-\u{2028}", "01"),
        ] {
            let value = format!("{version}-{TRACE}-{SPAN}-{tail}");
            assert_eq!(
                read(&value),
                Some(format!("00-{TRACE}-{SPAN}-{flags}")),
                "{value}"
            );
            let spaced = format!(" \t{value}\t ");
            assert_eq!(read(&spaced), read(&value), "{spaced:?}");
        }
    }

    #[test]
    fn anything_else_begins_a_new_trace() {
        let upper = "1234567890123456789012345678901A";
        let zero = "0".repeat(32);
        for value in [
            String::new(),
            "-".to_owned(),
            TRACE.to_owned(),
            // Version.
            format!("ff-{TRACE}-{SPAN}-01"),
            format!(".0-{TRACE}-{SPAN}-01"),
            format!("0.-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("000-{TRACE}-{SPAN}-01"),
            format!("0A-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like"),
            format!("cc-{TRACE}-{SPAN}-0"),
            // Trace id.
            format!("00-{zero}-{SPAN}-01"),
            format!("00-{upper}-{SPAN}-01"),
            format!("00-.{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}0-{SPAN}-01"),
            // Parent id.
            format!("00-{TRACE}-{}-01", &zero[16..]),
            format!("00-{TRACE}-123456789012345A-01"),
            format!("00-{TRACE}-.234567890123456-01"),
            format!("00-{TRACE}-{}-01", &SPAN[1..]),
            format!("00-{TRACE}-{SPAN}0-01"),
            // Flags.
            format!("00-{TRACE}-{SPAN}-.0"),
            format!("00-{TRACE}-{SPAN}-0."),
            format!("00-{TRACE}-{SPAN}-+1"),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-001"),
            // Version 00 has exactly 55 characters, separated by dashes.
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-x"),
            format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}_{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}_01"),
            format!("00-{TRACE}-{SPAN}-01\u{a0}"),
            format!("\u{b}00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01\r\n"),
            format!("00-{TRACE}-{SPAN}-01\0"),
            "0".repeat(8 * 1024),
        ] {
            assert_eq!(read(&value), None, "{value:?}");
        }
    }

    #[test]
    fn more_or_fewer_than_one_line_begin_a_new_trace() {
        let value = format!("00-{TRACE}-{SPAN}-01");
        let value = value.as_bytes();
        assert_eq!(TraceParent::from_lines([]), None);
        assert_eq!(TraceParent::from_lines([value, value]), None);
        assert_eq!(TraceParent::from_lines([value, b""]), None);
        assert!(TraceParent::from_lines([value]).is_some());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(trace: [u8; 16], span: [u8; 8], flags in 0..4_u8) {
            let (Some(trace_id), Some(parent_id)) =
                (TraceId::from_bytes(trace), SpanId::from_bytes(span))
            else {
                return Ok(());
            };
            let parent = TraceParent { trace_id, parent_id, flags: TraceFlags::from_byte(flags) };
            let text = parent.to_string();
            prop_assert_eq!(text.len(), LEN);
            prop_assert_eq!(TraceParent::from_lines([text.as_bytes()]), Some(parent));
        }

        #[test]
        fn any_bytes_can_be_read(lines: Vec<Vec<u8>>) {
            TraceParent::from_lines(lines.iter().map(Vec::as_slice));
        }

        /// Most random changes to a valid value make it invalid; none makes it something longer.
        #[test]
        fn nearly_valid_values_can_be_read(at in 0..LEN, byte: u8, cut in 0..=LEN) {
            let mut value = format!("00-{TRACE}-{SPAN}-01").into_bytes();
            value[at] = byte;
            value.truncate(cut);
            if let Some(text) = read(&value) {
                prop_assert_eq!(text.len(), LEN);
            }
        }
    }
}
