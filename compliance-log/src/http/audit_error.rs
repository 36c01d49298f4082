use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use super::why::Why;
use crate::{
    encode::{Object, shown},
    event::{Failure, OutcomeDetail},
};

/// Why an audited handler failed: the code under which it is recorded, and the answer to the client.
///
/// Made by `?` of everything that implements [`Failure`], by [`OrFail::or_fail`] and
/// [`OrFail::or_refuse`] of everything else.
///
/// As a response it is a problem document (RFC 9457) with `type`, `title`, `status` and `code`. The
/// error's text is for the log alone: it may say more than a client should know. For a body of your
/// own return your own error type, which implements [`Failure`] and [`IntoResponse`].
#[derive(Clone)]
pub struct AuditError {
    code: &'static str,
    status: StatusCode,
    message: String,
    detail: Option<OutcomeDetail>,
}

impl AuditError {
    /// A failure under `code`; `why` becomes the record's `error_message`, through redaction.
    pub fn new(code: &'static str, why: impl fmt::Display) -> Self {
        Self {
            code,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: shown(&why),
            detail: None,
        }
    }

    /// The same with another status of the answer. Default: 500, or what [`Failure::status`] says.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The code under which it is recorded.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn unavailable(why: impl fmt::Display) -> Self {
        Self::new("AUDIT_UNAVAILABLE", why).with_status(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl<F: Failure> From<F> for AuditError {
    fn from(failure: F) -> Self {
        let status = StatusCode::from_u16(failure.status());
        Self {
            code: failure.error_code(),
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: shown(&failure),
            detail: failure.is_denied().then_some(OutcomeDetail::Denied),
        }
    }
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditError({} {}: {self})", self.code, self.status)
    }
}

impl std::error::Error for AuditError {}

impl IntoResponse for AuditError {
    fn into_response(self) -> Response {
        let body = Object::new()
            .text("type", "about:blank")
            .text("title", self.status.canonical_reason().unwrap_or("Error"))
            .number("status", u64::from(self.status.as_u16()))
            .text("code", self.code)
            .into_json();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(CONTENT_TYPE, json)], body).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(Why {
            code: self.code.to_owned(),
            message: Some(self.message),
            detail: self.detail,
        });
        response
    }
}

/// Names the code of an error that has none.
pub trait OrFail<T> {
    /// The value, or an [`AuditError`] under `code` with the error's text, which is answered 500: the
    /// failure is ours.
    ///
    /// # Errors
    ///
    /// Where `self` is one.
    fn or_fail(self, code: &'static str) -> Result<T, AuditError>;

    /// The value, or an [`AuditError`] under `code` with the error's text, which is answered with
    /// `status`: the failure is the client's.
    ///
    /// ```
    /// use axum::http::StatusCode;
    /// use compliance_log::http::{AuditError, OrFail as _};
    ///
    /// fn rate(text: &str) -> Result<u32, AuditError> {
    ///     text.parse().or_refuse("BAD_RATE", StatusCode::BAD_REQUEST)
    /// }
    ///
    /// let refused = rate("many").unwrap_err();
    /// assert_eq!((refused.code(), refused.status().as_u16()), ("BAD_RATE", 400));
    /// ```
    ///
    /// # Errors
    ///
    /// Where `self` is one.
    fn or_refuse(self, code: &'static str, status: StatusCode) -> Result<T, AuditError>;
}

impl<T, E: fmt::Display> OrFail<T> for Result<T, E> {
    fn or_fail(self, code: &'static str) -> Result<T, AuditError> {
        self.map_err(|error| AuditError::new(code, error))
    }

    fn or_refuse(self, code: &'static str, status: StatusCode) -> Result<T, AuditError> {
        self.or_fail(code)
            .map_err(|error| error.with_status(status))
    }
}

impl<T> OrFail<T> for Option<T> {
    fn or_fail(self, code: &'static str) -> Result<T, AuditError> {
        self.ok_or_else(|| AuditError::new(code, "nothing there"))
    }

    fn or_refuse(self, code: &'static str, status: StatusCode) -> Result<T, AuditError> {
        self.or_fail(code)
            .map_err(|error| error.with_status(status))
    }
}
