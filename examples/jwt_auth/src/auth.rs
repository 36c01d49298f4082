use axum::{
    extract::{FromRequestParts, RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use compliance_log::{
    context::Identity,
    http::{AuditError, RequestAudit},
    keycloak::VerifiedClaims,
};

use crate::{
    event::TokenRefused,
    verifier::{Refused, Verifier},
};

/// Says who acts: from a token that was verified, and never from a header that anybody can write.
///
/// Without a valid token the request goes on as nobody's, so that the route's own event tells that it
/// was turned away; `token.refused` tells what was wrong with a token.
///
/// A tenant in the path must be one for which the token speaks. Where the token speaks for several, it
/// is the path that chooses.
pub async fn authenticate(
    State(verifier): State<Verifier>,
    audit: RequestAudit,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = match path {
        Ok(path) => Some(path),
        // No route matched.
        Err(RawPathParamsRejection::MissingPathParams(_)) => None,
        // Its tenant could not be compared with the token's.
        Err(unreadable) => return unreadable.into_response(),
    };
    match bearer(request.headers()).map(|token| verifier.verify(token?)) {
        None => (),
        Some(Err(refused)) => {
            let refused = TokenRefused {
                error_code: refused.code(),
            };
            if let Err(error) = refused.emit() {
                return AuditError::from(error).into_response();
            }
        }
        Some(Ok(claims)) => {
            let tenant = path.as_ref().and_then(tenant);
            let identity = match tenant {
                Some(tenant) => claims.as_member_of(tenant),
                None => Identity::from(&claims),
            };
            let known = audit.verified(identity);
            let known = known.and_then(|()| tenant.map_or(Ok(()), |it| audit.check_tenant(it)));
            if let Err(mismatch) = known {
                return AuditError::from(mismatch).into_response();
            }
            request.extensions_mut().insert(Caller(claims));
        }
    }
    next.run(request).await
}

/// The token, if one came. Two of them contradict each other, even if they are the same.
fn bearer(headers: &HeaderMap) -> Option<Result<&str, Refused>> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = lines.next()?;
    let text = line.to_str().ok().filter(|_| lines.next().is_none());
    let token = text.and_then(|text| text.strip_prefix("Bearer "));
    Some(token.ok_or(Refused::Malformed))
}

fn tenant(path: &RawPathParams) -> Option<&str> {
    let mut params = path.iter();
    params.find_map(|(name, value)| (name == "tenant").then_some(value))
}

/// Who called, for the decisions of handlers.
#[derive(Clone, Debug)]
pub(crate) struct Caller(VerifiedClaims);

impl Caller {
    /// Lets only those pass whose token names the role in this client.
    pub(crate) fn must_have(&self, client: &str, role: &str) -> Result<(), AuditError> {
        if self.0.client_roles(client).iter().any(|has| has == role) {
            return Ok(());
        }
        let why = "the token does not name the role";
        Err(AuditError::new("NO_ROLE", why).with_status(StatusCode::FORBIDDEN))
    }
}

/// As an argument of a handler: only with a valid token does it run, whatever the log's mode.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = AuditError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuditError> {
        let caller = parts.extensions.get::<Self>().cloned();
        let error = || AuditError::new("NO_TOKEN", "no valid token");
        caller.ok_or_else(|| error().with_status(StatusCode::UNAUTHORIZED))
    }
}
