//! One file per verb.

pub(crate) mod observe_report;
pub(crate) mod pseudonym_find;
pub(crate) mod pseudonym_forget;
pub(crate) mod pseudonym_list;
pub(crate) mod pseudonym_new_key;
pub(crate) mod schema_diff;
pub(crate) mod schema_export;
pub(crate) mod show;
pub(crate) mod tail;
pub(crate) mod verify;
