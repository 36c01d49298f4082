//! One file per verb.

pub(crate) mod check_proof;
pub(crate) mod evidence_show;
pub(crate) mod expunge_apply;
pub(crate) mod expunge_approve;
pub(crate) mod expunge_request;
pub(crate) mod keys_certify;
pub(crate) mod keys_init;
pub(crate) mod keys_request;
pub(crate) mod keys_revoke;
pub(crate) mod keys_rotate;
pub(crate) mod keys_show;
pub(crate) mod ledger_init;
pub(crate) mod observe_report;
pub(crate) mod policy_test;
pub(crate) mod prove;
pub(crate) mod pseudonym_find;
pub(crate) mod pseudonym_forget;
pub(crate) mod pseudonym_list;
pub(crate) mod pseudonym_new_key;
pub(crate) mod redact;
pub(crate) mod schema_diff;
pub(crate) mod schema_export;
pub(crate) mod show;
pub(crate) mod tail;
pub(crate) mod verify;
pub(crate) mod witness_origins;
pub(crate) mod witness_serve;
pub(crate) mod witness_submit;

use std::path::Path;

use compliance_log::Policy;

use crate::failure::Failure;

/// The policy in a file, or the built-in one.
fn read_policy(path: Option<&Path>) -> Result<Policy, Failure> {
    let Some(path) = path else {
        return Ok(Policy::builtin());
    };
    Policy::from_file(path).map_err(|error| {
        let hint = "nothing of a refused policy counts; mend the line, and try again";
        Failure::new(error.to_string(), hint)
    })
}
