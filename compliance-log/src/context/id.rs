//! The ids and flags of W3C Trace Context.

use std::fmt;

use super::random::random;

/// A W3C trace id, 32 lower hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// A W3C span or parent id, 16 lower hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

macro_rules! hex_id {
    ($name:ident, $bytes:literal) => {
        impl $name {
            /// An id from its bytes; `None` if they are all zero, which W3C forbids.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// The bytes, in the order in which they are written.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The lower hex digits.
            pub(crate) fn hex(&self) -> [u8; $bytes * 2] {
                let mut hex = [b'0'; $bytes * 2];
                // The output is long enough, so this cannot fail.
                if faster_hex::hex_encode(&self.0, &mut hex).is_err() {
                    hex.fill(b'0');
                }
                hex
            }

            /// A new id from the operating system's random source.
            pub fn random() -> Self {
                let mut bytes = [0; $bytes];
                random(&mut bytes);
                bytes[$bytes - 1] |= u8::from(bytes == [0; $bytes]);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_id!(TraceId, 16);
hex_id!(SpanId, 8);

/// The two trace flags that W3C level 2 defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// Set on ids that were drawn at random.
    pub const RANDOM: Self = Self(0x02);

    /// Keeps the known bits of a header's flags.
    pub const fn from_byte(flags: u8) -> Self {
        Self(flags & 0x03)
    }

    /// The byte to send on.
    pub const fn as_byte(self) -> u8 {
        self.0
    }

    /// The lower hex digits.
    pub(crate) const fn hex(self) -> [u8; 2] {
        [b'0', b'0' + self.0]
    }

    /// Whether a tracer records this trace. Records are written either way.
    pub const fn sampled(self) -> bool {
        self.0 & 0x01 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_never_zero_and_print_as_lower_hex() {
        assert_eq!(TraceId::from_bytes([0; 16]), None);
        let id = SpanId::from_bytes([0, 1, 2, 3, 4, 5, 0xab, 0xff]).unwrap();
        assert_eq!(id.to_string(), "000102030405abff");
        assert_ne!(TraceId::random(), TraceId::random());
    }
}
