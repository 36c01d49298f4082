//! Another redaction policy, while the log is open and at its start.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use compliance_log::{
    CommitErrorKind, ComplianceLog, Health, Policy, audit_event,
    clock::Timestamp,
    test_util::{Fault, Faults, ManualClock, within_sync},
    verify::{Options, Verdict, verify},
};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{events, only_store, records, records_so_far, segments, wait_until};

#[audit_event(name = "plan.kept", target = "plan")]
struct Kept {
    #[audit(internal)]
    text: String,
}

fn builder(dir: &Path) -> compliance_log::Builder {
    ComplianceLog::builder("svc").env("test").dir(dir)
}

/// The built-in policy, and `tiger`, whatever it is, under this id.
pub(crate) fn with_rule(id: &str) -> String {
    format!(
        "{}\n[[value]]\nid = \"{id}\"\ndescription = \"\"\naction = \"drop\"\nliterals = [\"tiger\"]\n\
         pattern = \"tiger-[0-9]+\"\nmatch = [\"tiger-1\"]\npass = [\"lion\"]\n",
        Policy::builtin().document()
    )
}

fn keep(log: &ComplianceLog, text: &str) {
    let text = text.to_owned();
    within_sync(log, || Kept { text }.commit().wait()).unwrap();
}

fn texts(records: &[Value]) -> Vec<&str> {
    let texts = records.iter().map(|record| &record["data"]["text"]);
    texts.filter_map(Value::as_str).collect()
}

/// Every record names a policy whose document is kept, and none comes before the record that tells of
/// its policy.
pub(crate) fn assert_told(dir: &Path) {
    let store = only_store(dir);
    let mut told = String::new();
    for record in records(dir, "audit").iter().skip(1) {
        if record["event"] == "policy.changed" {
            record["data"]["sha256"].as_str().unwrap()[..8].clone_into(&mut told);
            let name = format!("{}.toml", record["data"]["sha256"].as_str().unwrap());
            let document = fs::read_to_string(store.join("policies").join(name)).unwrap();
            assert_eq!(Policy::parse(&document).unwrap().short(), told);
        }
        assert_eq!(record["policy"], told.as_str(), "{record}");
    }
    let report = verify(dir, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
}

#[test]
fn a_policy_counts_from_the_record_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = builder(dir.path()).open().unwrap();
    keep(&log, "tiger-1");
    let policy = Policy::parse(&with_rule("tiger")).unwrap();
    let receipt = log.set_policy(policy.clone()).wait().unwrap();
    keep(&log, "tiger-2");
    // The same once more changes nothing.
    log.set_policy(policy).wait().unwrap();
    log.set_policy(Policy::builtin()).wait().unwrap();
    keep(&log, "tiger-3");
    log.shutdown().unwrap();

    let audit = records(dir.path(), "audit");
    assert_eq!(texts(&audit), ["tiger-1", "[redacted:tiger]", "tiger-3"]);
    let changes: Vec<&Value> = audit
        .iter()
        .filter(|record| record["event"] == "policy.changed")
        .collect();
    assert_eq!(changes.len(), 3, "{changes:#?}");
    assert_eq!(changes[1]["seq"], receipt.seq());
    assert_eq!(changes[1]["data"]["added"], serde_json::json!(["tiger"]));
    assert_eq!(changes[2]["data"]["removed"], serde_json::json!(["tiger"]));
    assert_told(dir.path());
}

#[test]
fn no_record_of_a_busy_log_comes_before_its_policy_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let log = builder(dir.path()).open().unwrap();
    let policies = ["one", "two"].map(|id| Policy::parse(&with_rule(id)).unwrap());
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    keep(&log, "a tiger-7 in the night");
                }
            });
        }
        for turn in 0..40 {
            log.set_policy(policies[turn % 2].clone()).wait().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    log.shutdown().unwrap();
    assert_told(dir.path());
    let audit = records(dir.path(), "audit");
    let texts = texts(&audit);
    for id in ["one", "two"] {
        let clean = format!("a [redacted:{id}] in the night");
        assert!(
            texts.contains(&clean.as_str()),
            "{id}: {} records",
            texts.len()
        );
    }
}

#[test]
fn without_a_store_a_policy_counts_all_the_same_and_is_told_later() {
    let dir = tempfile::tempdir().unwrap();
    let stores = dir.path().join("stores");
    fs::write(&stores, "in the way").unwrap();
    let log = builder(&stores).open().unwrap();
    let answer = log.set_policy(Policy::parse(&with_rule("tiger")).unwrap());
    let refused = answer.wait().unwrap_err();
    assert_eq!(refused.kind(), CommitErrorKind::Unavailable);
    assert!(refused.to_string().contains("is in force"), "{refused}");
    fs::remove_file(&stores).unwrap();
    wait_until("the store opens", || log.health() == Health::Ready);
    keep(&log, "tiger-1");
    log.shutdown().unwrap();
    assert_eq!(texts(&records(&stores, "audit")), ["[redacted:tiger]"]);
    assert_told(&stores);
}

#[test]
fn a_policy_is_not_acknowledged_before_its_record_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = faults.under(builder(dir.path())).open().unwrap();
    keep(&log, "tiger-1");
    faults.set(Fault::NoSpace);
    // The log learns of it by the record itself, and then knows before.
    for id in ["one", "two", "two"] {
        let answer = log.set_policy(Policy::parse(&with_rule(id)).unwrap());
        let refused = answer.wait().unwrap_err();
        assert_eq!(refused.kind(), CommitErrorKind::Unavailable);
    }
    faults.clear();
    wait_until("the disk takes records", || log.health() == Health::Ready);
    keep(&log, "tiger-2");
    log.shutdown().unwrap();
    let audit = records(dir.path(), "audit");
    assert_eq!(texts(&audit), ["tiger-1", "[redacted:two]"]);
    assert_told(dir.path());
}

#[test]
fn what_ends_a_segment_is_written_under_the_policy_that_was_told() {
    for fault in [None, Some(Fault::NoSpace)] {
        let dir = tempfile::tempdir().unwrap();
        let faults = Faults::new();
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
        let age = Duration::from_secs(60);
        let builder = builder(dir.path()).segment_age_max(age);
        let log = faults.under(builder.clock(Arc::clone(&clock) as _));
        let log = log.open().unwrap();
        keep(&log, "tiger-1");
        clock.advance(age);
        if let Some(fault) = fault {
            faults.set(fault);
        }
        let answer = log.set_policy(Policy::parse(&with_rule("tiger")).unwrap());
        assert_eq!(answer.wait().is_err(), fault.is_some());
        faults.clear();
        wait_until("the disk takes records", || log.health() == Health::Ready);
        keep(&log, "tiger-2");
        clock.advance(age);
        keep(&log, "tiger-3");
        log.shutdown().unwrap();
        let audit = records(dir.path(), "audit");
        let ends = events(&audit);
        let ends = ends.iter().filter(|event| **event == "segment.footer");
        assert_eq!(ends.count(), 2);
        assert_told(dir.path());
    }
}

#[test]
fn long_of_two_policies_in_one_batch_the_first_is_told_before_a_segment_ends() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let builder = builder(dir.path()).segment_bytes_max(64 * 1024);
    let log = faults.under(builder).open().unwrap();
    let policies = ["one", "two"].map(|id| Policy::parse(&with_rule(id)).unwrap());
    // While the writer waits for the disk, changes gather.
    let by = Duration::from_millis(1);
    faults.set(Fault::Slow { by });
    for _ in 0..100 {
        let changes: Vec<_> = policies.iter().cycle().take(8).collect();
        let answers: Vec<_> = changes
            .into_iter()
            .map(|policy| log.set_policy(policy.clone()))
            .collect();
        for answer in answers {
            answer.wait().unwrap();
        }
    }
    log.shutdown().unwrap();
    assert!(segments(&only_store(dir.path()), "audit").len() > 4);
    assert_told(dir.path());
}

#[test]
fn long_a_start_under_another_policy_tells_of_it_before_a_segment_ends() {
    let dir = tempfile::tempdir().unwrap();
    let policies = ["one", "two"].map(|id| Policy::parse(&with_rule(id)).unwrap());
    for policy in policies.iter().cycle().take(200) {
        let faults = Faults::new();
        let builder = builder(dir.path()).segment_bytes_max(64 * 1024);
        let builder = builder.policy(policy.clone());
        let log = faults.under(builder).open().unwrap();
        // Without a clean end the next start has the more to say.
        faults.set(Fault::Off);
        drop(log);
    }
    let log = builder(dir.path()).open().unwrap();
    log.shutdown().unwrap();
    assert!(segments(&only_store(dir.path()), "audit").len() > 4);
    assert_told(dir.path());
}

#[test]
fn what_the_file_says_is_taken_and_what_it_cannot_say_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (file, stores) = (dir.path().join("redaction.toml"), dir.path().join("stores"));
    let config = dir.path().join("log.toml");
    fs::write(&file, with_rule("first")).unwrap();
    let settings =
        format!("service = \"svc\"\nenv = \"test\"\ndir = {stores:?}\npolicy = {file:?}\n");
    fs::write(&config, settings).unwrap();
    let log = ComplianceLog::from_file(&config).open().unwrap();
    assert_eq!(log.warnings(), [""; 0]);
    keep(&log, "tiger-1");

    // As editors and ConfigMaps do it: another file takes the name.
    let next = dir.path().join("next");
    fs::write(&next, with_rule("second")).unwrap();
    fs::rename(&next, &file).unwrap();
    let count = |event: &str| {
        let records = records_so_far(&stores, "audit");
        events(&records).iter().filter(|e| **e == event).count()
    };
    wait_until("it is taken", || count("policy.changed") == 2);
    keep(&log, "tiger-2");

    let broken = with_rule("third").replace("tiger-[0-9]+", "tiger-[0-9");
    let line = 1 + broken
        .lines()
        .position(|line| line.contains("\"third\""))
        .unwrap();
    fs::write(&file, broken).unwrap();
    wait_until("it is refused", || count("policy.refused") == 1);
    keep(&log, "tiger-3");

    fs::remove_file(&file).unwrap();
    wait_until("its absence is told", || count("policy.refused") == 2);
    keep(&log, "tiger-4");
    fs::write(&file, with_rule("fourth")).unwrap();
    wait_until("it is taken", || count("policy.changed") == 3);
    keep(&log, "tiger-5");
    log.shutdown().unwrap();

    let audit = records(&stores, "audit");
    let redacted = ["first", "second", "second", "second", "fourth"];
    let redacted = redacted.map(|rule| format!("[redacted:{rule}]"));
    assert_eq!(texts(&audit), redacted);
    let refused: Vec<&Value> = audit
        .iter()
        .filter(|record| record["event"] == "policy.refused")
        .collect();
    assert_eq!(refused[0]["level"], "ERROR");
    let why = refused[0]["data"]["why"].as_str().unwrap();
    let place = format!("line {line}: rule \"third\"");
    assert!(
        why.contains("redaction.toml") && why.contains(&place),
        "{why}"
    );
    assert_told(&stores);
}

#[test]
fn a_file_that_cannot_be_used_at_start_leaves_the_built_in_policy_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let (file, stores) = (dir.path().join("redaction.toml"), dir.path().join("stores"));
    fs::write(&file, "version = 7").unwrap();
    let log = builder(&stores).policy_file(&file).open().unwrap();
    assert!(
        log.warnings()[0].contains("version 1 is the only one known"),
        "{:?}",
        log.warnings()
    );
    keep(&log, "tiger-1");
    fs::write(&file, with_rule("tiger")).unwrap();
    wait_until("it is taken", || {
        keep(&log, "tiger-2");
        texts(&records_so_far(&stores, "audit")).contains(&"[redacted:tiger]")
    });
    log.shutdown().unwrap();
    assert_eq!(texts(&records(&stores, "audit"))[0], "tiger-1");
    assert_told(&stores);
}

#[test]
fn ordinary_events_are_redacted_by_the_policy_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let log = builder(dir.path()).open().unwrap();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    log.set_policy(Policy::parse(&with_rule("tiger")).unwrap())
        .wait()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!("saw tiger-9"));
    log.shutdown().unwrap();
    let app = records(dir.path(), "app");
    let said = app.iter().find(|record| record["event"] == "log").unwrap();
    assert_eq!(said["message"], "saw [redacted:tiger]");
}
