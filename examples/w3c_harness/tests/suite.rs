//! The test suite of W3C Trace Context, run against the service.
//!
//! It is no part of this repository. `W3C_TRACE_CONTEXT_DIR` names the folder `test` of a checkout of
//! `w3c/trace-context`, and `PYTHON` a Python that has `aiohttp`; its default is `python3`. The rules
//! of the suite are tested in our own words by `tests/it/http/rules.rs` of `compliance-log`.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use std::{
    env,
    ffi::OsString,
    net::{Ipv4Addr, TcpListener},
    process::Command,
};

use compliance_log::ComplianceLog;

/// What the suite has at its second level.
const TESTS: &str = "Ran 41 tests in ";

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_of_trace_context_finds_nothing() {
    let Some(suite) = env::var_os("W3C_TRACE_CONTEXT_DIR") else {
        eprintln!("\n*** NOT RUN: the suite of W3C Trace Context ***");
        eprintln!(
            "Set W3C_TRACE_CONTEXT_DIR to the folder `test` of a checkout of w3c/trace-context.\n"
        );
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("w3c-harness")
        .env("test")
        .dir(dir.path())
        .open()
        .unwrap();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let service = listener.local_addr().unwrap();
    let app = w3c_harness::service(&log);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let python = env::var_os("PYTHON").unwrap_or_else(|| OsString::from("python3"));
    let output = Command::new(&python)
        .arg("test.py")
        .arg(format!("http://{service}/test"))
        .current_dir(&suite)
        .env("STRICT_LEVEL", "2")
        .env("SPEC_LEVEL", "2")
        .env("HARNESS_HOST", "127.0.0.1")
        .env("HARNESS_PORT", free_port().to_string())
        // Nothing is written into somebody's checkout.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    server.abort();
    log.shutdown().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(TESTS), "not all of it was run:\n{said}");
    // Also says how many tests were skipped, where any were.
    assert_eq!(said.lines().last(), Some("OK"), "{said}");
    assert!(output.status.success(), "{}\n{said}", output.status);
}

/// A port for the suite's own server, which takes no socket that is bound already.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
