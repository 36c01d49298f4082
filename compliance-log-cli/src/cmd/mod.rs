//! One file per verb.

pub(crate) mod observe_report;
pub(crate) mod redact;
pub(crate) mod schema_diff;
pub(crate) mod schema_export;
pub(crate) mod show;
pub(crate) mod tail;
pub(crate) mod verify;
