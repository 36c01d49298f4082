use std::{fmt, str::FromStr};

use super::note::KeyName;
use crate::{
    chain::{StreamId, check_name},
    error::{Error, ErrorKind},
};

/// The domain of a store for which none was configured.
pub const NO_DOMAIN: &str = "log.invalid";
/// The channel of the stream whose tree is signed.
const CATALOG: &str = "catalog";

/// Names what is sealed, one incarnation of a store: `<domain>/<service>/<instance>/<incarnation>`.
///
/// It is the first line of each checkpoint, and the name of the store's log key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Box<str>);

impl Origin {
    /// Puts the four names together.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] for a domain that is no lower-case host name of at most 253 letters, digits,
    /// hyphens and dots, a service or instance outside `[A-Za-z0-9._-]{1,64}`, or an incarnation that is
    /// not 16 lower hex digits.
    pub fn new(
        domain: &str,
        service: &str,
        instance: &str,
        incarnation: &str,
    ) -> Result<Self, Error> {
        check_domain(domain)?;
        StreamId::new(service, instance, incarnation, CATALOG)?;
        Ok(Self(
            format!("{domain}/{service}/{instance}/{incarnation}").into(),
        ))
    }

    /// The whole origin.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Domain, service, instance, incarnation.
    pub fn parts(&self) -> [&str; 4] {
        let mut parts = self.0.split('/');
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    /// The name of the log key, the origin itself.
    pub fn log_key(&self) -> KeyName {
        KeyName::of_origin(self.0.clone())
    }

    /// The name of the key of an epoch, `<origin>/e<epoch>`, from epoch 0 on.
    pub fn epoch_key(&self, epoch: u64) -> KeyName {
        KeyName::of_origin(format!("{self}/e{epoch}").into())
    }

    /// Which epoch's key has this name.
    pub(super) fn epoch_of(&self, name: &KeyName) -> Option<u64> {
        let digits = name
            .as_str()
            .strip_prefix(self.as_str())?
            .strip_prefix("/e")?;
        let epoch = digits.parse().ok()?;
        // Neither a plus nor leading zeros.
        (self.epoch_key(epoch) == *name).then_some(epoch)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        let [domain, service, instance, incarnation] = parts[..] else {
            return Err(Error::new(
                ErrorKind::Name,
                "an origin has four names between slashes",
            ));
        };
        Self::new(domain, service, instance, incarnation)
    }
}

/// The beginning of origins, which ends with a slash: `<domain>/`, `<domain>/<service>/` or
/// `<domain>/<service>/<instance>/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginPrefix(Box<str>);

impl OriginPrefix {
    /// Whether the origin begins with it.
    pub fn covers(&self, origin: &Origin) -> bool {
        origin.as_str().starts_with(&*self.0)
    }

    /// The whole prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OriginPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OriginPrefix {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || {
            Error::new(
                ErrorKind::Name,
                "a prefix of origins has one to three names, each with a slash after it",
            )
        };
        let names = text.strip_suffix('/').ok_or_else(malformed)?;
        let mut names = names.split('/');
        check_domain(names.next().unwrap_or_default())?;
        let what = ["service", "instance"];
        for (what, name) in what.iter().zip(names.by_ref()) {
            check_name(what, name)?;
        }
        if names.next().is_some() {
            return Err(malformed());
        }
        Ok(Self(text.into()))
    }
}

pub(crate) fn check_domain(domain: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if domain.len() <= 253 && domain.split('.').all(is_label) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Name,
        format!("domain {domain:?} is not allowed: use a host name in lower case"),
    ))
}
