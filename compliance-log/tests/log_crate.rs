//! Records of the `log` crate in a log that `init` made; alone in its process, whose globals it sets.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use compliance_log::{ComplianceLog, context::AuditContext};

#[path = "it/support.rs"]
#[expect(dead_code, reason = "shared with others")]
mod support;

const AWS: &str = "AKIAIOSFODNN7EXAMPLE";

#[test]
fn records_of_the_log_crate_reach_the_log_that_init_made() {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("old-service")
        .env("test")
        .dir(dir.path())
        .init()
        .unwrap();
    let context = AuditContext::request().request_id("r-9").build();
    context.scope_sync(|| {
        let _span = tracing::info_span!("span", a = 1).entered();
        log::warn!(target: "old::module", "key {AWS} for {}", "somebody");
        log::debug!("below the level");
    });
    log.shutdown().unwrap();
    let records = support::records(dir.path(), "app");
    let record = records.last().unwrap();
    assert_eq!(record["event"], "log");
    assert_eq!(record["level"], "WARN");
    assert_eq!(
        record["message"],
        "key [redacted:aws-access-key] for somebody"
    );
    assert_eq!(record["request_id"], "r-9");
    let data = record["data"].as_object().unwrap();
    assert_eq!(data["target"], "old::module");
    assert!(data["line"].is_u64());
    assert_eq!(data.len(), 3, "nothing is stored twice: {data:?}");
}
