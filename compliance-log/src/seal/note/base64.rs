//! Base64 of RFC 4648 section 4, in its one canonical spelling. It takes the same time whatever the
//! bytes are, as private keys need it.

use base64ct::{Base64, Encoding as _};

use crate::error::{Error, ErrorKind};

pub(in crate::seal) fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Reads Base64 with its padding. A second spelling of the same bytes would hide a changed bit.
pub(in crate::seal) fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let canonical = Base64::decode_vec(text)
        .ok()
        .filter(|bytes| encode(bytes) == text);
    canonical.ok_or_else(|| Error::new(ErrorKind::Seal, "it is not canonical base64"))
}
