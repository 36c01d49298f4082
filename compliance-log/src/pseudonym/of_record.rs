//! What one record asks of the keys.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    key::{Pseudonym, PseudonymKey},
    keys::{NO_TENANT, PseudonymKeys},
};
use crate::context::{AuditContext, TenantId};

/// The rule by which a value goes that has no key.
pub(crate) const NO_KEY: &str = "no-key";

/// Keys, and the tenant of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pseudonyms<'a> {
    keys: Option<&'a dyn PseudonymKeys>,
    tenant: &'a str,
}

impl<'a> Pseudonyms<'a> {
    /// Where there are no keys, whoever asks.
    pub(crate) const NONE: Self = Self {
        keys: None,
        tenant: NO_TENANT,
    };

    pub(crate) fn new(
        keys: Option<&'a dyn PseudonymKeys>,
        context: Option<&'a AuditContext>,
    ) -> Self {
        let identity = context.and_then(AuditContext::identity);
        let tenant = identity
            .and_then(|identity| identity.tenant.as_ref())
            .map(TenantId::as_str)
            .filter(|tenant| !tenant.is_empty());
        Self {
            keys,
            tenant: tenant.unwrap_or(NO_TENANT),
        }
    }

    /// The key of a field, if there is one.
    pub(crate) fn key<'f>(&self, field: &'f str) -> Option<FieldKey<'f>>
    where
        'a: 'f,
    {
        let keys = self.keys?;
        // What the service brought along may panic.
        let key = catch_unwind(AssertUnwindSafe(|| keys.key(self.tenant, field))).ok()??;
        let tenant = self.tenant;
        Some(FieldKey { key, tenant, field })
    }
}

/// The key of one field of a record.
#[derive(Debug)]
pub(crate) struct FieldKey<'f> {
    key: PseudonymKey,
    tenant: &'f str,
    field: &'f str,
}

impl FieldKey<'_> {
    pub(crate) fn pseudonym(&self, value: &str) -> Pseudonym {
        self.key.pseudonym(self.tenant, self.field, value)
    }
}
