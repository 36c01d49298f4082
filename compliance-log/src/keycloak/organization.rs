use crate::context::TenantId;

/// One organization in which a token says that its subject is a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub(super) alias: TenantId,
    pub(super) id: Option<Box<str>>,
}

impl Organization {
    /// Its alias, which is what becomes the tenant: it stands in every shape of the claim, and Keycloak
    /// does not let anybody change it.
    pub fn alias(&self) -> &TenantId {
        &self.alias
    }

    /// Its id, where the mapper adds it.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// How many tenants a token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tenancy<'c> {
    /// None; records say `none`.
    None,
    /// This one.
    One(&'c TenantId),
    /// More than one. Nobody guesses: records say `none` until the service chooses, see
    /// [`as_member_of`](super::VerifiedClaims::as_member_of).
    Several,
}
