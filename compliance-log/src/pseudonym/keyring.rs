use std::{collections::BTreeMap, fmt, io, num::NonZeroU32};

use zeroize::Zeroizing;

use super::{
    key::{Pseudonym, PseudonymKey},
    keys::PseudonymKeys,
};
use crate::error::{Error, ErrorKind};

/// A longer tenant or field has no key.
const NAME_BYTES_MAX: usize = 256;

/// The keys of all tenants and fields, of all epochs. [`Debug`](fmt::Debug) shows how many, and none of
/// them; their memory is wiped when it is dropped.
#[derive(Clone, Default)]
pub struct Keyring {
    tenants: BTreeMap<Box<str>, Fields>,
}

/// By field, each with its keys in the order of their epochs.
type Fields = BTreeMap<Box<str>, BTreeMap<NonZeroU32, Kept>>;

#[derive(Clone)]
pub(super) struct Kept {
    key: PseudonymKey,
    secret: Zeroizing<[u8; 32]>,
}

/// A key, without what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyName<'k> {
    /// Whose values it is for.
    pub tenant: &'k str,
    /// The field, as in `redactions`, or the id of a value rule.
    pub field: &'k str,
    /// Which of the keys of its tenant and field it is; the highest is in use.
    pub epoch: NonZeroU32,
}

impl Keyring {
    /// Adds a random key for `field` of `tenant`: its first, or one with the next epoch, which is in use
    /// from then on. Gives its epoch.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a tenant or field that is empty, longer than 256 bytes or has control
    /// characters; [`ErrorKind::Io`] where the system has no random bytes.
    pub fn add_key(&mut self, tenant: &str, field: &str) -> Result<NonZeroU32, Error> {
        let last = self
            .keys_of(tenant, field)
            .map(|(epoch, _)| epoch)
            .next_back();
        let epoch = match last {
            None => NonZeroU32::MIN,
            Some(last) => last.checked_add(1).ok_or_else(|| {
                Error::new(ErrorKind::Config, format!("there is no epoch after {last}"))
            })?,
        };
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret)
            .map_err(|error| Error::io("no random bytes", io::Error::other(error.to_string())))?;
        self.insert(tenant, field, epoch, secret)
            .map_err(|reason| Error::new(ErrorKind::Config, reason))?;
        Ok(epoch)
    }

    /// Removes all keys of a tenant, or those of one of its fields, and says how many they were. What
    /// they stand for in stored records cannot be told from then on.
    pub fn forget(&mut self, tenant: &str, field: Option<&str>) -> usize {
        let Some(fields) = self.tenants.get_mut(tenant) else {
            return 0;
        };
        let before: usize = fields.values().map(BTreeMap::len).sum();
        match field {
            Some(field) => drop(fields.remove(field)),
            None => fields.clear(),
        }
        let after: usize = fields.values().map(BTreeMap::len).sum();
        if fields.is_empty() {
            self.tenants.remove(tenant);
        }
        before - after
    }

    /// What stands for `value` under each key of its tenant and field, oldest epoch first.
    pub fn pseudonyms(&self, tenant: &str, field: &str, value: &str) -> Vec<Pseudonym> {
        self.keys_of(tenant, field)
            .map(|(_, kept)| kept.key.pseudonym(tenant, field, value))
            .collect()
    }

    /// The keys by name, in the order of tenant, field and epoch.
    pub fn names(&self) -> impl Iterator<Item = KeyName<'_>> {
        self.kept().map(|(name, _)| name)
    }

    /// Adds a key; an error says what is wrong with it.
    pub(super) fn insert(
        &mut self,
        tenant: &str,
        field: &str,
        epoch: NonZeroU32,
        secret: Zeroizing<[u8; 32]>,
    ) -> Result<(), String> {
        for (what, name) in [("tenant", tenant), ("field", field)] {
            if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
                return Err(format!(
                    "a {what} has 1 to {NAME_BYTES_MAX} bytes and no control characters"
                ));
            }
        }
        let fields = self.tenants.entry(tenant.into()).or_default();
        let keys = fields.entry(field.into()).or_default();
        if keys.contains_key(&epoch) {
            return Err(format!("epoch {epoch} is there twice"));
        }
        let key = PseudonymKey::new(epoch, &secret);
        keys.insert(epoch, Kept { key, secret });
        Ok(())
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = (KeyName<'_>, &[u8; 32])> {
        self.tenants.iter().flat_map(|(tenant, fields)| {
            fields.iter().flat_map(move |(field, keys)| {
                keys.iter().map(move |(epoch, kept)| {
                    let name = KeyName {
                        tenant,
                        field,
                        epoch: *epoch,
                    };
                    (name, &*kept.secret)
                })
            })
        })
    }

    fn keys_of(
        &self,
        tenant: &str,
        field: &str,
    ) -> impl DoubleEndedIterator<Item = (NonZeroU32, &Kept)> {
        let keys = self
            .tenants
            .get(tenant)
            .and_then(|fields| fields.get(field));
        keys.into_iter()
            .flatten()
            .map(|(epoch, kept)| (*epoch, kept))
    }
}

impl PseudonymKeys for Keyring {
    fn key(&self, tenant: &str, field: &str) -> Option<PseudonymKey> {
        let (_, kept) = self.keys_of(tenant, field).next_back()?;
        Some(kept.key.clone())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.names().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_in_use_and_the_old_ones_are_still_found() {
        let mut ring = Keyring::default();
        assert!(ring.key("acme", "user_id").is_none());
        for epoch in 1..=3 {
            assert_eq!(ring.add_key("acme", "user_id").unwrap().get(), epoch);
            assert_eq!(ring.key("acme", "user_id").unwrap().epoch().get(), epoch);
        }
        let found = ring.pseudonyms("acme", "user_id", "ada@example.org");
        let epochs: Vec<u32> = found.iter().map(|found| found.epoch().get()).collect();
        assert_eq!(epochs, [1, 2, 3]);
        let newest = ring.key("acme", "user_id").unwrap();
        assert_eq!(
            newest.pseudonym("acme", "user_id", "ada@example.org"),
            found[2]
        );
        assert_ne!(found[1].to_string()[5..], found[2].to_string()[5..]);
    }

    #[test]
    fn what_is_forgotten_is_gone_and_nothing_else() {
        let mut ring = Keyring::default();
        for (tenant, field) in [("a", "x"), ("a", "x"), ("a", "y"), ("b", "x")] {
            ring.add_key(tenant, field).unwrap();
        }
        assert_eq!(ring.forget("a", Some("z")), 0);
        assert_eq!(ring.forget("a", Some("x")), 2);
        assert!(ring.key("a", "x").is_none() && ring.key("a", "y").is_some());
        assert_eq!(ring.forget("a", None), 1);
        let names: Vec<_> = ring.names().map(|name| (name.tenant, name.field)).collect();
        assert_eq!(names, [("b", "x")]);
    }

    #[test]
    fn a_name_that_cannot_stand_in_a_line_has_no_key() {
        let mut ring = Keyring::default();
        for (tenant, field) in [("", "x"), ("a", ""), ("a\n", "x"), ("a", &*"x".repeat(257))] {
            assert!(ring.add_key(tenant, field).is_err(), "{tenant:?} {field:?}");
        }
        assert_eq!(format!("{ring:?}"), "Keyring(0 keys)");
    }
}
