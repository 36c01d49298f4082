//! A service that locks the schema of its events. A binary of its own, because every event type that is
//! linked into one is part of its schema.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests make and alter files of their own"
)]

use std::{fs, path::Path, process::Command};

use compliance_log::{
    audit_event,
    event::{AuditEvent as _, registered},
    schema_lock::SchemaLock,
    test_util::assert_schema_lock,
};

#[audit_event(name = "order.placed", version = 2, target = "order/{order}")]
struct OrderPlaced {
    order: u64,
    booking_id: u64,
    #[audit(mask = "pan")]
    card: String,
    #[audit(pseudonym)]
    buyer: Option<String>,
}

#[audit_event(
    name = "order.refused",
    category = "security",
    outcome = "fail",
    pre_auth
)]
struct OrderRefused {
    #[audit(public, max_len = 64)]
    error_code: &'static str,
    #[audit(drop)]
    answer: String,
    weight: f64,
}

const LOCK: &str = "tests/audit-schema.lock";

#[test]
fn the_schema_of_this_service_is_locked() {
    assert_schema_lock(LOCK);
}

/// Runs the test above as a service whose sources are in `dir`, and gives what it says, if it fails.
fn locked(dir: &Path, audit_schema: Option<&str>) -> Result<(), String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "the_schema_of_this_service_is_locked"])
        .env("CARGO_MANIFEST_DIR", dir)
        .env_remove("AUDIT_SCHEMA");
    if let Some(value) = audit_schema {
        command.env("AUDIT_SCHEMA", value);
    }
    let output = command.output().unwrap();
    let said =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("running 1 test"), "{said}");
    if output.status.success() {
        Ok(())
    } else {
        Err(said)
    }
}

#[test]
fn a_lock_is_written_when_told_and_only_then() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(LOCK);
    fs::create_dir(path.parent().unwrap()).unwrap();
    let missing = locked(dir.path(), None).unwrap_err();
    assert!(
        missing.contains("is not there; write it with AUDIT_SCHEMA=accept cargo test"),
        "{missing}"
    );
    assert!(
        missing.contains("tests/schema_lock.rs:"),
        "the line of the test: {missing}"
    );
    let wrong = locked(dir.path(), Some("acept")).unwrap_err();
    assert!(
        wrong.contains("AUDIT_SCHEMA=acept means nothing"),
        "{wrong}"
    );
    assert!(!path.exists());

    assert_eq!(locked(dir.path(), Some("accept")), Ok(()));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(LOCK);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, fs::read_to_string(committed).unwrap());
    assert_eq!(locked(dir.path(), None), Ok(()));

    fs::write(&path, "no lock").unwrap();
    let no_lock = locked(dir.path(), None).unwrap_err();
    assert!(
        no_lock.contains("line 1 is not `compliance-log schema lock 1`"),
        "{no_lock}"
    );
    assert_eq!(locked(dir.path(), Some("accept")), Ok(()));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let files = fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "nothing is left beside it");
}

#[test]
fn what_no_longer_holds_fails_and_what_was_added_passes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(LOCK);
    fs::create_dir(path.parent().unwrap()).unwrap();
    let now = SchemaLock::of_registered().unwrap().to_string();
    let was = |from: &str, to: &str| {
        let text = now.replacen(from, to, 1);
        assert_ne!(text, now, "{from}");
        fs::write(&path, text).unwrap();
        locked(dir.path(), None)
    };
    let buyer = "  field data.buyer kind=text presence=optional class=personal action=pseudonym\n";
    assert_eq!(was(buyer, ""), Ok(()), "an optional field was added");
    assert_eq!(
        was("class=cardholder", "class=internal"),
        Ok(()),
        "its class was raised"
    );
    let refused = now.split("\n\n").nth(2).unwrap();
    assert_eq!(was(refused, ""), Ok(()), "an event was added");

    let before = "event order.placed version=2";
    for (from, to, said) in [
        (
            "data.buyer kind=text",
            "data.buyer kind=integer",
            "order.placed version 2, field data.buyer: kind was integer, is text",
        ),
        (
            "class=personal",
            "class=secret",
            "order.placed version 2, field data.buyer: class was secret, is personal",
        ),
        (
            "  field data.buyer",
            "  field data.seller kind=text presence=optional class=public action=keep\n  field data.buyer",
            "order.placed version 2, field data.seller: removed",
        ),
        (
            before,
            "event order.lost version=1 category=audit outcome=fail\n\nevent order.placed version=2",
            "order.lost version 1: removed",
        ),
        (
            before,
            "event order.placed version=1",
            "order.placed version 1: version was raised to 2",
        ),
    ] {
        let failed = was(from, to).unwrap_err();
        assert!(failed.contains(&format!("  {said}\n")), "{failed}");
        assert!(
            failed.contains("accept its schema with AUDIT_SCHEMA=accept cargo test"),
            "{failed}"
        );
    }
}

#[test]
fn two_types_of_one_name_and_version_are_refused() {
    let both = [OrderPlaced::META, OrderRefused::META, OrderPlaced::META];
    let error = SchemaLock::of(&both).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("two event types are order.placed version 2"),
        "{error}"
    );
    assert_eq!(registered().len(), 2);
}

#[cfg(unix)]
#[test]
fn a_lock_behind_a_link_is_written_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(LOCK);
    fs::create_dir(path.parent().unwrap()).unwrap();
    let real = dir.path().join("shared.lock");
    fs::write(&real, "of before").unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    locked(dir.path(), Some("accept")).unwrap();
    assert!(path.is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("order.placed"));
}
