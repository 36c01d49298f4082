//! The id by which people ask about a request.

use super::random::random;
use crate::clock::Timestamp;

/// One that came with the request, or one of its own.
#[derive(Clone, Debug)]
pub(crate) enum RequestId {
    Given(Box<str>),
    /// The text of a UUID.
    Made([u8; 36]),
}

impl RequestId {
    /// A UUID version 7 (RFC 9562): the time in milliseconds, then 74 random bits.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn new(now: Timestamp) -> Self {
        let mut bytes = [0; 16];
        let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        random(&mut bytes[6..]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let mut hex = [b'0'; 32];
        // The output is long enough, so this cannot fail.
        if faster_hex::hex_encode(&bytes, &mut hex).is_err() {
            hex.fill(b'0');
        }
        let mut text = [b'-'; 36];
        text[..8].copy_from_slice(&hex[..8]);
        text[9..13].copy_from_slice(&hex[8..12]);
        text[14..18].copy_from_slice(&hex[12..16]);
        text[19..23].copy_from_slice(&hex[16..20]);
        text[24..].copy_from_slice(&hex[20..]);
        Self::Made(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Given(text) => text,
            Self::Made(text) => std::str::from_utf8(text).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_uuids_of_version_7_in_the_order_of_time() {
        let at = |micros| {
            RequestId::new(Timestamp::from_micros(micros))
                .as_str()
                .to_owned()
        };
        let id = at(0x0192_f0c1_7c3e * 1000);
        assert!(id.starts_with("0192f0c1-7c3e-7"), "{id}");
        assert_eq!(id.len(), 36);
        assert!(
            matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'),
            "{id}"
        );
        let groups = id.split('-').map(str::len);
        assert_eq!(groups.collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert!(id < at(0x0192_f0c1_7c3f * 1000));
        assert!(at(-1).starts_with("00000000-0000-7"));
    }
}
