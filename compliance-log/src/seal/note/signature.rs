use std::{fmt, str::FromStr};

use super::{KeyId, KeyName, base64};
use crate::error::{Error, ErrorKind};

const DASH: &str = "\u{2014} ";

/// A line of a note: who signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: KeyName,
    id: KeyId,
    bytes: Box<[u8]>,
}

impl Signature {
    pub(super) fn new(name: KeyName, id: KeyId, bytes: &[u8]) -> Self {
        Self {
            name,
            id,
            bytes: bytes.into(),
        }
    }

    /// The name of the key.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The signature itself, without the id.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for Signature {
    /// The line, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_bytes(), &*self.bytes].concat();
        write!(f, "{DASH}{} {}", self.name, base64::encode(&bytes))
    }
}

impl FromStr for Signature {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let malformed = || {
            Error::new(
                ErrorKind::Seal,
                "a signature line is <em dash> <key name> <base64 of key id and signature>",
            )
        };
        let rest = line.strip_prefix(DASH).ok_or_else(malformed)?;
        let (name, bytes) = rest.split_once(' ').ok_or_else(malformed)?;
        let bytes = base64::decode(bytes)?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or_else(malformed)?;
        if bytes.is_empty() {
            return Err(malformed());
        }
        Ok(Self::new(name.parse()?, KeyId::new(*id), bytes))
    }
}
