use std::path::{Path, PathBuf};

use compliance_log::{json_schema, schema_lock::SchemaLock};
use tempfile::tempdir;

use crate::{command::run, store::rewrite};

const LOCK: &str = "\
compliance-log schema lock 1

event booking.created version=1 category=audit outcome=success
  field booking_id kind=integer presence=always class=internal action=keep
  field data.card kind=text presence=always class=cardholder action=mask
";

/// Two locks, of which the second has these replacements.
fn locks(dir: &Path, changes: &[(&str, &str)]) -> [PathBuf; 2] {
    let changed = changes.iter().fold(LOCK.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let paths = [dir.join("old.lock"), dir.join("new.lock")];
    rewrite(&paths[0], LOCK.as_bytes());
    rewrite(&paths[1], changed.as_bytes());
    paths
}

fn diff(changes: &[(&str, &str)], more: &[&str]) -> crate::command::Said {
    let dir = tempdir().unwrap();
    let [old, new] = locks(dir.path(), changes);
    let arguments = [
        "schema",
        "diff",
        old.to_str().unwrap(),
        new.to_str().unwrap(),
    ];
    run(dir.path(), arguments.iter().chain(more))
}

#[test]
fn breaking_changes_are_listed_and_exit_1() {
    let changes = [
        ("class=cardholder", "class=public"),
        ("booking_id kind", "data.booking_id kind"),
        ("presence=always", "presence=optional"),
        (
            "outcome=success\n",
            "outcome=success\n  field data.note kind=text presence=optional class=personal action=keep\n",
        ),
    ];
    let said = diff(&changes, &[]);
    assert_eq!(said.code, 1);
    assert_eq!(
        said.out,
        "\
breaking    booking.created version 1, field booking_id: place was root, is data
breaking    booking.created version 1, field booking_id: presence was always, is optional
breaking    booking.created version 1, field data.card: class was cardholder, is public
compatible  booking.created version 1, field data.note: added, presence is optional
breaking: 3 of 4 changes
"
    );
    assert_eq!(
        said.err,
        "hint: raise the `version` of the event, so that readers can tell its records apart\n"
    );
}

#[test]
fn compatible_changes_and_none_exit_0() {
    let said = diff(
        &[("version=1", "version=2"), ("kind=text", "kind=any")],
        &[],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        said.out,
        "compatible  booking.created version 1: version was raised to 2\ncompatible: 1 change\n"
    );
    let said = diff(&[], &[]);
    assert_eq!((said.code, said.out.as_str()), (0, "the same\n"));
}

#[test]
fn json_holds_what_the_text_says() {
    let said = diff(&[("kind=text", "kind=any")], &["--json"]);
    assert_eq!(said.code, 1);
    assert_eq!(
        said.out,
        r#"{"exit":1,"findings":[{"impact":"breaking","event":"booking.created","version":1,"field":"data.card","change":"kind","from":"text","to":"any"}]}
"#
    );
    assert_eq!(said.err, "");
    let same = diff(&[], &["--json"]);
    assert_eq!(same.out, "{\"exit\":0,\"findings\":[]}\n");
}

#[test]
fn what_is_no_lock_exits_3_and_is_named() {
    let dir = tempdir().unwrap();
    let [old, new] = locks(dir.path(), &[("kind=text", "kind=txt")]);
    for (first, second, named) in [
        (
            &old,
            &new,
            "[DIR]/new.lock: line 5: `kind=txt` means nothing; it is one of text, ",
        ),
        (
            &old,
            &dir.path().join("none"),
            "cannot read [DIR]/none: No such file",
        ),
        (
            &dir.path().to_owned(),
            &old,
            "cannot read [DIR]: it is no file",
        ),
    ] {
        let arguments = [Path::new("schema"), Path::new("diff"), first, second];
        let said = run(dir.path(), arguments);
        assert_eq!(said.code, 3);
        assert!(
            said.err.starts_with("error: ") && said.err.contains(named),
            "{}",
            said.err
        );
        assert!(said.err.contains("assert_schema_lock"), "{}", said.err);
        assert_eq!(said.out, "");
    }
}

#[test]
fn a_lock_cannot_steer_the_terminal() {
    let said = diff(
        &[(
            "booking.created version",
            "booking.\u{1b}[2Jcreated version",
        )],
        &[],
    );
    assert!(
        !said.out.contains('\u{1b}') && said.out.contains("\\u001b[2J"),
        "{}",
        said.out
    );
}

#[test]
fn export_prints_the_schema_of_a_record_with_the_events_of_a_lock() {
    let dir = tempdir().unwrap();
    let [lock, broken] = locks(dir.path(), &[("kind=text", "kind=txt")]);
    let export = |lock: Option<&Path>| {
        let arguments = [Path::new("schema"), Path::new("export")];
        run(dir.path(), arguments.into_iter().chain(lock))
    };
    let bare = export(None);
    assert_eq!((bare.code, bare.err.as_str()), (0, ""));
    let bare: serde_json::Value = serde_json::from_str(&bare.out).unwrap();
    assert_eq!(bare, json_schema::record(&SchemaLock::default()));

    let with_events: serde_json::Value = serde_json::from_str(&export(Some(&lock)).out).unwrap();
    let event = &with_events["$defs"]["booking.created version 1"];
    let data = &event["then"]["properties"]["data"]["properties"];
    assert!(data["card"].is_object(), "{event}");
    assert_eq!(export(Some(&broken)).code, 3);
}
