use crate::context::{Identity, TenantId};

/// Whether an event can happen before anybody is known: [`Tenanted`], or [`PreAuth`].
pub trait Scope: sealed::Sealed + 'static {
    /// What a handler knows of the tenant.
    type Tenant: Clone + Send + Sync + 'static;

    #[doc(hidden)]
    fn tenant(identity: Option<&Identity>) -> Option<Self::Tenant>;
}

/// Happens on some tenant's data; without a verified tenant it is refused.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tenanted;

/// May happen before anybody is known, such as a login: `#[audit_event(.., pre_auth)]`.
#[derive(Debug)]
#[non_exhaustive]
pub struct PreAuth;

impl Scope for Tenanted {
    type Tenant = TenantId;

    fn tenant(identity: Option<&Identity>) -> Option<TenantId> {
        PreAuth::tenant(identity)?
    }
}

impl Scope for PreAuth {
    type Tenant = Option<TenantId>;

    fn tenant(identity: Option<&Identity>) -> Option<Option<TenantId>> {
        let tenant = identity.and_then(|identity| identity.tenant.clone());
        Some(tenant.filter(|tenant| !tenant.as_str().is_empty()))
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "that is what seals it")]
    pub trait Sealed {}
    impl Sealed for super::Tenanted {}
    impl Sealed for super::PreAuth {}
}
