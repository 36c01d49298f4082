use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use compliance_log::{CommitError, context::Mismatch, event::Failure, http::AuditResult};
use serde_json::json;

use crate::BookingId;

/// What the handlers of this service return.
pub(crate) type ApiResult<T> = AuditResult<T, ApiError>;

/// Why a request failed.
///
/// The log learns which case it was, with the numbers; the client gets no more than it should know.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// No tenant has such a booking.
    NoSuchBooking(BookingId),
    /// Another tenant has it. The client must not learn that it exists.
    OtherTenant(BookingId),
    /// It was cancelled, or it expired.
    NotActive(BookingId),
    /// More seats than one booking may have, or none.
    BadSeats {
        /// What was asked for.
        seats: u8,
        /// The most that the tenant may book at once.
        limit: u8,
    },
    /// The text is no card number.
    BadCard,
    /// No valid token came with the request.
    NoToken,
    /// For administrators alone.
    Forbidden,
    /// Unknown user or wrong password: the client is not told which.
    BadCredentials,
    /// The request carries the claims of one user and the password of another.
    OtherIdentity(Mismatch),
    /// The record could not be stored, so the action did not happen.
    Unrecorded(CommitError),
}

impl fmt::Display for ApiError {
    /// For the log: becomes `error_message`, through redaction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBooking(id) => write!(f, "there is no booking {id}"),
            Self::OtherTenant(id) => write!(f, "booking {id} belongs to another tenant"),
            Self::NotActive(id) => write!(f, "booking {id} is not active"),
            Self::BadSeats { seats, limit } => write!(f, "{seats} seats, the limit is {limit}"),
            Self::BadCard => f.write_str("the text is no card number"),
            Self::NoToken => f.write_str("no valid token"),
            Self::Forbidden => f.write_str("the role does not allow it"),
            Self::BadCredentials => f.write_str("unknown user or wrong password"),
            Self::OtherIdentity(mismatch) => mismatch.fmt(f),
            Self::Unrecorded(error) => error.fmt(f),
        }
    }
}

impl Failure for ApiError {
    fn error_code(&self) -> &'static str {
        match self {
            Self::NoSuchBooking(_) => "NO_SUCH_BOOKING",
            Self::OtherTenant(_) => "OTHER_TENANT",
            Self::NotActive(_) => "NOT_ACTIVE",
            Self::BadSeats { .. } => "BAD_SEATS",
            Self::BadCard => "BAD_CARD",
            Self::NoToken => "NO_TOKEN",
            Self::Forbidden => "FORBIDDEN",
            Self::BadCredentials => "BAD_CREDENTIALS",
            Self::OtherIdentity(_) => "OTHER_IDENTITY",
            Self::Unrecorded(error) => error.error_code(),
        }
    }

    /// What happened, as a status: 401 and 403 are recorded as `denied`.
    fn status(&self) -> u16 {
        match self {
            Self::NoSuchBooking(_) => 404,
            Self::OtherTenant(_) | Self::Forbidden | Self::OtherIdentity(_) => 403,
            Self::NotActive(_) => 409,
            Self::BadSeats { .. } | Self::BadCard => 422,
            Self::NoToken | Self::BadCredentials => 401,
            Self::Unrecorded(error) => error.status(),
        }
    }
}

impl ApiError {
    /// What the client is told, which for the booking of another tenant is what it is told of none.
    fn public(&self) -> (u16, &'static str) {
        match self {
            Self::OtherTenant(id) => Self::NoSuchBooking(*id).public(),
            other => (other.status(), other.error_code()),
        }
    }
}

impl IntoResponse for ApiError {
    /// A problem document (RFC 9457), as those that compliance-log answers with itself.
    fn into_response(self) -> Response {
        let (status, code) = self.public();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let title = status.canonical_reason();
        let problem =
            json!({"type": "about:blank", "title": title, "status": status.as_u16(), "code": code});
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(CONTENT_TYPE, kind)], Json(problem)).into_response()
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        Self::Unrecorded(error)
    }
}
