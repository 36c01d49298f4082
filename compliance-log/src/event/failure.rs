use std::fmt::Display;

use crate::context::Mismatch;

/// Why an audited action failed: an error that says under which code it is recorded.
///
/// Its [`Display`] becomes the record's `error_message`, through redaction.
///
/// ```
/// use std::fmt;
/// use compliance_log::event::Failure;
///
/// #[derive(Debug)]
/// struct SoldOut {
///     offer: u32,
/// }
///
/// impl fmt::Display for SoldOut {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "offer {} has no seats left", self.offer)
///     }
/// }
///
/// impl Failure for SoldOut {
///     fn error_code(&self) -> &'static str {
///         "SOLD_OUT"
///     }
///
///     fn status(&self) -> u16 {
///         409
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say under which code it is audited",
    label = "has no error code; name one: `.or_fail(\"BAD_RATE\")?`",
    note = "for an error of your own, implement `Failure`; for a foreign one, name a code: `.or_fail(\"BAD_RATE\")?`"
)]
pub trait Failure: Display {
    /// The record's `error_code`: a constant that people count by, such as `SOLD_OUT`.
    fn error_code(&self) -> &'static str;

    /// The HTTP status of an answer that is made of it.
    fn status(&self) -> u16 {
        500
    }

    /// Whether somebody lacked identity or rights, which makes the record's `outcome_detail`
    /// `denied`. By the status, unless the answer hides it: a 404 for what belongs to somebody else.
    fn is_denied(&self) -> bool {
        matches!(self.status(), 401 | 403 | 407 | 451)
    }
}

impl Failure for Mismatch {
    fn error_code(&self) -> &'static str {
        "CONTEXT_MISMATCH"
    }

    fn status(&self) -> u16 {
        403
    }
}
