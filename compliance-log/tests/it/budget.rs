//! A store has a budget of its own: it warns, keeps the last tenth, refuses, and heals.

use std::{fs, path::Path};

use compliance_log::{
    CommitErrorKind, ComplianceLog, Health, audit_event,
    test_util::within_sync,
    verify::{Options, Verdict, verify},
};
use serde_json::Value;

use crate::support::{only_store, records, records_so_far, segments, wait_until};

const MIB: u64 = 1024 * 1024;

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
    #[audit(internal)]
    padding: String,
}

#[audit_event(name = "cache.hit", category = "app")]
struct Note {
    number: u64,
    #[audit(internal)]
    padding: String,
}

fn open(dir: &Path) -> ComplianceLog {
    ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir)
        .segment_bytes_max(128 * 1024)
        .max_bytes(MIB)
        .open()
        .unwrap()
}

fn step(log: &ComplianceLog, number: u64) -> Result<(), CommitErrorKind> {
    let padding = "x".repeat(2000);
    within_sync(log, || Step { number, padding }.commit().wait())
        .map(drop)
        .map_err(|error| error.kind())
}

fn note(log: &ComplianceLog, number: u64) {
    let padding = "x".repeat(2000);
    within_sync(log, || Note { number, padding }.emit()).unwrap();
}

/// What the store takes, the policy's document included.
fn bytes(dir: &Path) -> u64 {
    let store = only_store(dir);
    let policies = fs::read_dir(store.join("policies")).unwrap();
    let policies = policies.map(|entry| entry.unwrap().path());
    ["audit", "app"]
        .iter()
        .flat_map(|channel| segments(&store, channel))
        .chain(policies)
        .map(|path| fs::metadata(path).unwrap().len())
        .sum()
}

fn states(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .filter(|record| record["event"] == "log.budget")
        .map(|record| record["data"]["state"].as_str().unwrap())
        .collect()
}

fn lost(records: &[Value], reason: &str) -> u64 {
    records
        .iter()
        .filter(|record| record["event"] == "log.gap")
        .flat_map(|record| record["data"]["lost"].as_array().unwrap())
        .filter(|row| row["reason"] == reason)
        .map(|row| row["count"].as_u64().unwrap())
        .sum()
}

fn count(records: &[Value], event: &str) -> u64 {
    records
        .iter()
        .filter(|record| record["event"] == event)
        .count() as u64
}

#[test]
fn app_records_end_at_nine_tenths_and_all_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for number in 0..600 {
        note(&log, number);
        log.flush().unwrap();
    }
    assert_eq!(log.health(), Health::Ready, "the last tenth is left");
    let used = bytes(dir.path());
    assert!((MIB * 85 / 100..MIB * 91 / 100).contains(&used), "{used}");
    step(&log, 1).unwrap();
    log.shutdown().unwrap();
    let app = records(dir.path(), "app");
    assert_eq!(count(&app, "cache.hit") + lost(&app, "budget"), 600);
    assert!(lost(&app, "budget") > 100);
    assert_eq!(states(&records(dir.path(), "audit")), ["low", "reserved"]);
    let report = verify(dir.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
}

#[test]
fn at_the_end_audited_operations_are_refused_until_space_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let mut stored = 0;
    let refused = loop {
        match step(&log, stored) {
            Ok(()) => stored += 1,
            Err(kind) => break kind,
        }
    };
    assert_eq!(refused, CommitErrorKind::Unavailable);
    assert_eq!(log.health(), Health::Degraded);
    let why = log.failure().unwrap();
    assert!(why.contains("budget of 1048576 bytes"), "{why}");
    let used = bytes(dir.path());
    assert!((MIB * 98 / 100..MIB + 4096).contains(&used), "{used}");
    let store = only_store(dir.path());
    let before = segments(&store, "audit");
    assert_eq!(
        count(&records(dir.path(), "audit"), "step.done"),
        stored,
        "nothing old went"
    );
    (0..3).for_each(|number| note(&log, number));

    // Somebody moves what is complete to an archive.
    let archive = tempfile::tempdir().unwrap();
    for sealed in &before[..before.len() / 2] {
        let name = sealed.file_name().unwrap();
        fs::copy(sealed, archive.path().join(name)).unwrap();
        fs::remove_file(sealed).unwrap();
    }
    wait_until("there is room again", || step(&log, stored).is_ok());
    wait_until("it is told", || {
        states(&records_so_far(dir.path(), "audit")).contains(&"ample")
    });
    assert_eq!(log.health(), Health::Ready);
    log.shutdown().unwrap();
    for archived in fs::read_dir(archive.path()).unwrap() {
        let archived = archived.unwrap();
        let back = before[0].with_file_name(archived.file_name());
        fs::copy(archived.path(), back).unwrap();
    }
    let audit = records(dir.path(), "audit");
    assert_eq!(count(&audit, "step.done"), stored + 1);
    assert_eq!(
        states(&audit)[..3],
        ["low", "reserved", "used_up"],
        "each once"
    );
    // It may be looked at while segments are being moved.
    let after: Vec<&str> = states(&audit).split_off(3);
    assert!(after.contains(&"ample"), "{after:?}");
    assert_eq!(lost(&records(dir.path(), "app"), "budget"), 3);
    let report = verify(dir.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
}

#[test]
fn the_budget_can_be_set_in_a_file_and_older_stores_count() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for number in 0..300 {
        step(&log, number).unwrap();
    }
    // Held by the log before: this one begins a store of its own, in the same budget.
    let file = dir.path().join("log.toml");
    let text = format!(
        "service = \"svc\"\nenv = \"test\"\ninstance = \"one\"\nmax_bytes = {MIB}\ndir = {:?}\n",
        dir.path()
    );
    fs::write(&file, text).unwrap();
    let second = ComplianceLog::from_file(&file).open().unwrap();
    assert_eq!(second.warnings(), [] as [String; 0]);
    let mut stored = 0;
    while step(&second, stored).is_ok() {
        stored += 1;
    }
    assert!((50..200).contains(&stored), "{stored} fitted beside 300");
    second.shutdown().unwrap();
    log.shutdown().unwrap();
}
