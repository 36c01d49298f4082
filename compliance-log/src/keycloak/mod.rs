//! Who acts, as a token of [Keycloak](https://www.keycloak.org) says.
//!
//! [`VerifiedClaims`] reads the claims of a token whose signature, issuer, audience and expiry *have been
//! verified*; nothing here verifies any of it. It is [`Deserialize`](serde::Deserialize), so that the
//! crate that verifies gives it at once, and it is what `RequestAudit::verified` and
//! [`AuditContext::verified`](crate::context::AuditContext::verified) take:
//!
//! ```
//! use compliance_log::{context::Identity, keycloak::VerifiedClaims};
//! use serde_json::json;
//!
//! // let claims = jsonwebtoken::decode::<VerifiedClaims>(token, key, &validation)?.claims;
//! let claims = VerifiedClaims::from_json(&json!({
//!     "sub": "7b1c3f8e-4d2a-4c0e-9f51-0a6d2f9e8c47",
//!     "azp": "booking-web",
//!     "organization": ["acme"],
//!     "realm_access": { "roles": ["clerk"] },
//! }))?;
//!
//! // audit.verified(&claims)?;
//! let identity = Identity::from(&claims);
//! assert_eq!(identity.tenant.unwrap().as_str(), "acme");
//! assert!(claims.realm_roles().iter().any(|role| role == "clerk"));
//! # Ok::<(), compliance_log::keycloak::ClaimsError>(())
//! ```
//!
//! | claim | shape | what it is |
//! |---|---|---|
//! | `sub` | text, required | `user_id`: the person |
//! | `azp`, else `client_id`, else `clientId` | text | `client_id`: the program through which the person acts |
//! | `preferred_username` | text | with `client_id`, tells [service accounts](VerifiedClaims::is_service_account); never recorded, since people can change it |
//! | `organization` | `["acme"]`, `{"acme": {"id": …}}` or `"acme"` | `tenant_id`, if it is exactly one: see [`Tenancy`] |
//! | `act` | `{"sub": …}`, RFC 8693 | who acts in the place of `sub`: see [`actor`](VerifiedClaims::actor) |
//! | `realm_access`, `resource_access` | `{"roles": […]}` | roles, for the service's own decisions |
//!
//! A claim that is `null` is absent. Other claims are not looked at.
//!
//! # What it does not do
//!
//! Roles are not recorded: what somebody did is, and whether it was allowed. Claims of another shape than
//! these are an error, never a guess. Tokens without `sub`, which Keycloak calls lightweight, name
//! nobody: give the client its scope `basic`.

mod claims_error;
mod organization;
mod read;
mod verified_claims;

pub use claims_error::{ClaimsError, ClaimsErrorKind};
pub use organization::{Organization, Tenancy};
pub use verified_claims::VerifiedClaims;
