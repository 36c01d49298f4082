use http::StatusCode;

use crate::{
    encode::shown,
    event::{Failure, OutcomeDetail},
};

/// How an action ended that did not succeed.
#[derive(Clone, Debug)]
pub(super) struct Why {
    pub(super) code: String,
    pub(super) message: Option<String>,
    pub(super) detail: Option<OutcomeDetail>,
}

impl Why {
    pub(super) fn of(failure: &impl Failure) -> Self {
        Self {
            code: failure.error_code().to_owned(),
            message: Some(shown(failure)),
            detail: failure.is_denied().then_some(OutcomeDetail::Denied),
        }
    }

    /// Nobody said how it ended.
    pub(super) fn abandoned(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: None,
            detail: Some(OutcomeDetail::Abandoned),
        }
    }

    /// As its response says, and the error that the response was made of.
    pub(super) fn answered(status: StatusCode, error: Option<Self>) -> Self {
        let failed = status.as_u16() >= 400;
        let mut why = match error {
            Some(why) => why,
            None if failed => Self {
                code: format!("HTTP_{}", status.as_u16()),
                message: None,
                detail: None,
            },
            // The handler answered as if all were well and said nothing.
            None => return Self::abandoned("ABANDONED"),
        };
        if is_denied(status) {
            why.detail = Some(OutcomeDetail::Denied);
        }
        why
    }
}

/// Whether a status means that somebody lacks identity or rights.
pub(super) fn is_denied(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403 | 407 | 451)
}
