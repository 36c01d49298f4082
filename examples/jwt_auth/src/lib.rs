//! A service that verifies the tokens of Keycloak itself, and tells its audit log who acts.
//!
//! | file | what to look at |
//! |---|---|
//! | `verifier` | a token to claims: signature by the issuer's keys, one algorithm for each key, issuer, audience, expiry |
//! | `auth` | the layer: says who acts, chooses among several organizations, records tokens that are refused |
//! | `router`, `handlers` | routes with the tenant in their path; a role that one of them asks for |
//! | `tests/it` | forged and foreign tokens, and requests that claim to be somebody else: what was answered and recorded |

mod auth;
pub mod event;
mod handlers;
mod router;
mod verifier;

pub use auth::authenticate;
pub use router::router;
pub use verifier::{NoKey, Refused, Verifier};
