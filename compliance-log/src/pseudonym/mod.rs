//! Pseudonyms: what stands in a record in place of a value that names somebody, so that records can be
//! brought together without it.
//!
//! ```
//! use std::num::NonZeroU32;
//!
//! use compliance_log::pseudonym::PseudonymKey;
//!
//! let key = PseudonymKey::new(NonZeroU32::MIN, &[7; 32]); // A real key is random.
//! let name = key.pseudonym("acme", "data.passenger", "Ada Lovelace").to_string();
//! assert_eq!(name, "ps_1_3bcd010cb47a01d47020bfd3954e50cf");
//! ```
//!
//! A pseudonym is `ps_<epoch>_<32 hex>`: the first 128 bits of HMAC-SHA-256 over the value under a random
//! key of 32 bytes, of which each tenant and field has its own. Within them the same value gives the same
//! pseudonym; across them nothing can be compared. The *epoch* says which of the keys it was, from 1 on:
//! a new key has the next one, and the old ones are kept, so that old records can still be searched. Once a
//! key is destroyed, nobody can tell whose its pseudonyms are. Without the key, short values (a phone
//! number) could be found by trying all of them; with it they can, so who holds the keys matters.
//!
//! # How to compute it
//!
//! The message is `"compliance-log/v1/pseudonym\0"`, then tenant, field and value in UTF-8, each with
//! its length before it as a big-endian u32. In Python:
//!
//! ```python
//! import hashlib, hmac
//! def pseudonym(epoch, secret, tenant, field, value):
//!     message = b"compliance-log/v1/pseudonym\0"
//!     for part in (tenant, field, value):
//!         part = part.encode()
//!         message += len(part).to_bytes(4, "big") + part
//!     return f"ps_{epoch}_{hmac.new(secret, message, hashlib.sha256).hexdigest()[:32]}"
//! ```
//!
//! - *tenant* is the record's `tenant_id`, so [`NO_TENANT`] where it has none.
//! - *field* is the dotted path that the record's `redactions` names (`data.passenger`, `user_id`); for
//!   what a value rule of the policy found within a text, the id of that rule.
//! - *value* is the value as text, byte for byte: nothing is trimmed, and case counts. Each text of a list
//!   stands for itself.
//!
//! # Where the keys come from
//!
//! [`Builder::pseudonym_keys`] takes what implements [`PseudonymKeys`]: a [`KeyFile`], which is read again
//! when it changes; with the feature `vault` a `VaultKeys`; or your own. A field whose
//! tenant has no key is left out of the record, rule `no-key`. So is everything while no keys could be
//! read: a log never fails to start for that.
//!
//! # What it is not
//!
//! A value that holds a card number never becomes a pseudonym: it is left out, rule `pan`. A text of the
//! form `ps_1_…` proves nothing, since a caller may pass it in: one of ours stands in a field that the
//! record's `redactions` names, with the action `pseudonym`.
//!
//! [`Builder::pseudonym_keys`]: crate::Builder::pseudonym_keys

mod document;
mod edit;
mod file;
mod form;
mod mac;
mod key;
mod keyring;
mod keys;
mod of_record;
#[cfg(feature = "vault")]
mod vault;

pub use file::KeyFile;
pub(crate) use form::is_within_one;
pub use key::{Pseudonym, PseudonymKey};
pub use keyring::{KeyName, Keyring};
pub use keys::{NO_TENANT, PseudonymKeys};
pub(crate) use of_record::{FieldKey, NO_KEY, Pseudonyms};
#[cfg(feature = "vault")]
pub use vault::{VaultKeys, VaultOptions};
