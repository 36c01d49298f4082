use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use compliance_log::{
    context::{Identity, TenantId},
    http::{AuditError, RequestAudit},
};

use crate::error::ApiError;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Works with bookings.
    Clerk,
    /// Changes limits as well.
    Admin,
}

/// Who acts, as a verified token says.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    tenant: TenantId,
    user: &'static str,
    client: &'static str,
    roles: &'static [Role],
}

impl Claims {
    /// On whose data the user works.
    pub(crate) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Whether the user has a role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The part that every record of the request carries.
    pub(crate) fn identity(&self) -> Identity {
        Identity::new()
            .tenant(self.tenant.clone())
            .user(self.user)
            .client(self.client)
    }
}

/// As an argument of a handler: only with a valid token does it run. Access is decided here and never by
/// the log, which lets everybody in while it observes.
impl<S: Sync> FromRequestParts<S> for Claims {
    // Of a rejected extractor, the log learns the code only from an `AuditError`.
    type Rejection = AuditError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuditError> {
        let claims = parts.extensions.get::<Self>().cloned();
        claims.ok_or_else(|| ApiError::NoToken.into())
    }
}

/// Every user with password and token.
///
/// **A stub.** It knows tokens and passwords by heart. A real one verifies the signature, issuer,
/// audience and expiry of a token with its issuer's keys, as `examples/jwt_auth` does, and keeps no
/// password but a slow hash.
#[derive(Clone, Debug)]
pub(crate) struct Directory(Arc<BTreeMap<&'static str, User>>);

struct User {
    password: &'static str,
    token: &'static str,
    claims: Claims,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({:?})", self.claims)
    }
}

impl Directory {
    /// Two tenants: `acme` with a clerk and an administrator, `globex` with a clerk.
    pub(crate) fn demo() -> Self {
        let user = |name, tenant: &str, roles, password, token| {
            let claims = Claims {
                tenant: tenant.into(),
                user: name,
                client: "web",
                roles,
            };
            (
                name,
                User {
                    password,
                    token,
                    claims,
                },
            )
        };
        let (clerk, admin) = (&[Role::Clerk][..], &[Role::Clerk, Role::Admin][..]);
        Self(Arc::new(BTreeMap::from([
            user("u-anna", "acme", clerk, "demo-pass-anna", "demo-token-anna"),
            user("u-amir", "acme", admin, "demo-pass-amir", "demo-token-amir"),
            user(
                "u-gwen",
                "globex",
                clerk,
                "demo-pass-gwen",
                "demo-token-gwen",
            ),
        ])))
    }

    /// The claims of a token that is valid.
    fn verify(&self, token: &str) -> Option<&Claims> {
        let user = self.0.values().find(|user| user.token == token)?;
        Some(&user.claims)
    }

    /// Claims and token of a user who knows the password.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Option<(&Claims, &'static str)> {
        let user = self.0.get(name)?;
        (user.password == password).then_some((&user.claims, user.token))
    }
}

/// Says who acts: from what was verified, and never from a header that anybody can write.
///
/// Without a valid token the request goes on as nobody's, so that the route's own event tells who was
/// turned away: by the route's `AuditCtx`, and by its [`Claims`] whatever the log's mode.
pub(crate) async fn authenticate(
    State(directory): State<Directory>,
    audit: RequestAudit,
    mut request: Request,
    next: Next,
) -> Response {
    let header = request.headers().get(AUTHORIZATION);
    let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if let Some(claims) = token.and_then(|token| directory.verify(token)) {
        if audit.verified(claims.identity()).is_err() {
            return StatusCode::FORBIDDEN.into_response();
        }
        let claims = claims.clone();
        request.extensions_mut().insert(claims);
    }
    next.run(request).await
}
