//! One file per verb.

pub(crate) mod schema_diff;
pub(crate) mod show;
pub(crate) mod tail;
pub(crate) mod verify;
