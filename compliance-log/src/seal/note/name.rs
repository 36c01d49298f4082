use std::{fmt, str::FromStr};

use crate::error::{Error, ErrorKind};

/// The name of a key: not empty, without spaces, control characters and `+`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(Box<str>);

impl KeyName {
    /// A name made of an origin, which has nothing that a name must not have.
    pub(in crate::seal) fn of_origin(name: Box<str>) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.contains(refused) {
            return Err(Error::new(
                ErrorKind::Seal,
                format!("{name:?} names no key: it is empty, or has a space or plus"),
            ));
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
