//! Counting what was redacted, away from the caller's thread.

use memchr::memmem;

use crate::metric;

const RULE: &[u8] = b"\"rule\":\"";

/// Reports each rule that `redactions` of a record's body names.
pub(super) fn report(body: &[u8]) {
    let Some(list) = memmem::rfind(body, b"\"redactions\":[") else {
        return;
    };
    for at in memmem::find_iter(&body[list..], RULE) {
        let rule = &body[list + at + RULE.len()..];
        let end = memchr::memchr(b'"', rule).unwrap_or(0);
        let rule = String::from_utf8_lossy(&rule[..end]).into_owned();
        metric::report(|| {
            metrics::counter!("compliance_log_redactions", "rule" => rule).increment(1);
        });
    }
}
