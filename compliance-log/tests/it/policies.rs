//! What becomes of records that find no room or no store, by the policy of their category.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use compliance_log::{
    Builder, Commit, CommitErrorKind, ComplianceLog, Health, OnFailure, audit_event,
    event::Category,
    test_util::{Fault, Faults, within_sync},
};
use serde_json::Value;

use crate::support::{records, wait_until};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
    #[audit(internal)]
    padding: String,
}

#[audit_event(name = "batch.served", category = "access", target = "batch/{number}")]
struct Served {
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

fn step(number: u64) -> Step {
    let padding = "x".repeat(1000);
    Step { number, padding }
}

fn served(number: u64) -> Served {
    let padding = "x".repeat(1000);
    Served { number, padding }
}

fn note(number: u64) -> Note {
    let padding = "x".repeat(1000);
    Note { number, padding }
}

const LONG: OnFailure = OnFailure::Block {
    deadline: Duration::from_secs(30),
};
const SHORT: OnFailure = OnFailure::Block {
    deadline: Duration::from_millis(20),
};

fn builder(dir: &Path, faults: &Faults) -> Builder {
    let builder = ComplianceLog::builder("svc")
        .env("test")
        .dir(dir)
        .queue_bytes_max(64 * 1024);
    faults.under(builder)
}

#[audit_event(name = "test.filler", category = "admin", target = "queue")]
struct Filler {
    #[audit(internal)]
    padding: String,
}

/// Stalls the disk, and fills the queue up once the writer waits for it.
fn fill(log: &ComplianceLog, faults: &Faults) {
    faults.set(Fault::Stall);
    let padding = "x".repeat(500);
    let filler = Filler { padding };
    within_sync(log, || filler.emit()).unwrap();
    wait_until("the writer waits for the disk", || faults.stalled() > 0);
    wait_until("the queue is full", || {
        within_sync(log, || filler.emit()).is_err_and(|error| error.kind() == CommitErrorKind::Full)
    });
}

/// What a commit says without being waited for.
trait Now {
    fn now(self) -> Option<CommitErrorKind>;
}

impl Now for Commit {
    fn now(self) -> Option<CommitErrorKind> {
        match futures_util::FutureExt::now_or_never(self) {
            Some(Err(error)) => Some(error.kind()),
            Some(Ok(_)) | None => None,
        }
    }
}

/// How many records of an event are stored, and how many a gap counts.
fn stored_and_lost(dir: &Path, channel: &str, event: &str) -> (usize, u64) {
    let records = records(dir, channel);
    let named = |name: &str| {
        let records = records.iter();
        records.filter(|record| record["event"] == name).collect()
    };
    let stored: Vec<&Value> = named(event);
    let gaps: Vec<&Value> = named("log.gap");
    let lost = gaps
        .iter()
        .flat_map(|gap| gap["data"]["lost"].as_array().unwrap())
        .filter(|lost| lost["event"] == event)
        .map(|lost| lost["count"].as_u64().unwrap());
    (stored.len(), lost.sum())
}

#[test]
fn a_commit_waits_for_room_and_is_stored() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults)
        .on_failure(Category::Audit, LONG)
        .open()
        .unwrap();
    fill(&log, &faults);
    let commits: Vec<Commit> = (0..20)
        .map(|number| within_sync(&log, || step(number).commit()))
        .collect();
    faults.clear();
    let receipts: Vec<u64> = commits
        .into_iter()
        .map(|commit| commit.wait().unwrap().seq())
        .collect();
    assert!(receipts.is_sorted(), "nobody overtakes: {receipts:?}");
    log.shutdown().unwrap();
    assert_eq!(stored_and_lost(dir.path(), "audit", "step.done"), (20, 0));
}

#[test]
fn a_commit_that_waits_in_vain_is_told_at_its_deadline_although_the_disk_does_not_return() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults)
        .on_failure(Category::Audit, SHORT)
        .open()
        .unwrap();
    fill(&log, &faults);
    let begun = Instant::now();
    let commit = within_sync(&log, || step(1).commit());
    assert_eq!(format!("{commit:?}"), "Commit(on its way)");
    let error = commit.wait().unwrap_err();
    assert_eq!(error.kind(), CommitErrorKind::Full);
    assert!(error.to_string().contains("20 ms"), "{error}");
    assert!(begun.elapsed() >= Duration::from_millis(20));
    let emitted = within_sync(&log, || step(2).emit()).unwrap_err();
    assert_eq!(emitted.kind(), CommitErrorKind::Full, "it never waits");
    faults.clear();
    log.shutdown().unwrap();
    assert_eq!(stored_and_lost(dir.path(), "audit", "step.done"), (0, 0));
}

#[tokio::test]
async fn a_commit_that_waits_resolves_in_a_runtime_too() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults)
        .on_failure(Category::Audit, SHORT)
        .open()
        .unwrap();
    fill(&log, &faults);
    let refused = within_sync(&log, || step(1).commit()).await.unwrap_err();
    assert_eq!(refused.kind(), CommitErrorKind::Full);
    faults.clear();
    log.shutdown().unwrap();
}

#[test]
fn waiting_commits_hold_a_bounded_number_of_bytes() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults)
        .on_failure(Category::Audit, LONG)
        .open()
        .unwrap();
    fill(&log, &faults);
    let mut commits = Vec::new();
    let mut refused = 0;
    for number in 0..200 {
        let commit = within_sync(&log, || step(number).commit());
        if format!("{commit:?}") == "Commit(refused)" {
            assert_eq!(commit.now(), Some(CommitErrorKind::Full));
            refused += 1;
        } else {
            commits.push(commit);
        }
    }
    // Each takes more than 1000 of 65,536 bytes.
    assert!((10..65).contains(&commits.len()), "{}", commits.len());
    faults.clear();
    let stored = commits.len();
    for commit in commits {
        commit.wait().unwrap();
    }
    log.shutdown().unwrap();
    assert_eq!(stored + refused, 200);
    assert_eq!(
        stored_and_lost(dir.path(), "audit", "step.done"),
        (stored, 0)
    );
}

#[test]
fn a_degraded_log_is_waited_for() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults)
        .on_failure(Category::Audit, LONG)
        .open()
        .unwrap();
    faults.set(Fault::NoSpace);
    within_sync(&log, || step(0).commit().wait()).unwrap_err();
    assert_eq!(log.health(), Health::Degraded);
    let patient = within_sync(&log, || step(1).commit());
    let hasty = within_sync(&log, || served(1).commit().wait()).unwrap_err();
    assert_eq!(hasty.kind(), CommitErrorKind::Unavailable);
    assert!(hasty.to_string().contains("cannot write"), "{hasty}");
    let emitted = within_sync(&log, || step(2).emit()).unwrap_err();
    assert_eq!(emitted.kind(), CommitErrorKind::Unavailable);
    faults.clear();
    patient.wait().unwrap();
    log.shutdown().unwrap();
    assert_eq!(stored_and_lost(dir.path(), "audit", "step.done"), (1, 0));
    assert_eq!(stored_and_lost(dir.path(), "audit", "batch.served"), (0, 1));
}

#[test]
fn a_log_that_ends_stores_what_waits() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults)
        .on_failure(Category::Audit, LONG)
        .open()
        .unwrap();
    fill(&log, &faults);
    let commit = within_sync(&log, || step(1).commit());
    let ending = std::thread::spawn(move || log.shutdown());
    faults.clear();
    ending.join().unwrap().unwrap();
    commit.wait().unwrap();
}

#[test]
fn a_log_that_ends_without_its_store_answers_who_waits() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults)
        .on_failure(Category::Audit, LONG)
        .open()
        .unwrap();
    faults.set(Fault::NoSpace);
    within_sync(&log, || step(0).commit().wait()).unwrap_err();
    let commit = within_sync(&log, || step(1).commit());
    log.shutdown().unwrap_err();
    assert_eq!(
        commit.wait().unwrap_err().kind(),
        CommitErrorKind::Unavailable
    );
}

#[test]
fn an_access_record_without_room_is_counted_whoever_waits_for_it() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults).open().unwrap();
    fill(&log, &faults);
    within_sync(&log, || served(1).emit()).unwrap();
    let told = within_sync(&log, || served(2).commit().wait()).unwrap_err();
    assert_eq!(told.kind(), CommitErrorKind::Full);
    faults.clear();
    log.shutdown().unwrap();
    assert_eq!(stored_and_lost(dir.path(), "audit", "batch.served"), (0, 2));
}

#[test]
fn each_category_has_the_policy_that_was_chosen_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.toml");
    std::fs::write(
        &file,
        "service = \"svc\"\nenv = \"test\"\nqueue_bytes_max = 65536\n[on_failure]\naccess = \"fail_operation\"\napp = \"fail_operation\"\naudit = \"drop_and_count\"\nadmin = \"sometimes\"\nother = \"block 1ms\"\n",
    )
    .unwrap();
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = faults
        .under(ComplianceLog::from_file(&file).dir(dir.path()))
        .on_failure(Category::App, OnFailure::DropAndCount)
        .on_failure(Category::Security, OnFailure::DropAndCount)
        .open()
        .unwrap();
    let warned = |what: &str| {
        log.warnings()
            .iter()
            .filter(|text| text.contains(what))
            .count()
    };
    for ignored in ["`audit`", "`security`", "`admin`", "`other`"] {
        assert_eq!(warned(ignored), 1, "{:?}", log.warnings());
    }
    assert_eq!(log.warnings().len(), 4);
    fill(&log, &faults);
    within_sync(&log, || served(1).emit()).unwrap_err();
    within_sync(&log, || step(1).emit()).unwrap_err();
    within_sync(&log, || note(1).emit()).unwrap();
    faults.clear();
    log.shutdown().unwrap();
    assert_eq!(stored_and_lost(dir.path(), "audit", "batch.served"), (0, 0));
    assert_eq!(stored_and_lost(dir.path(), "app", "cache.hit"), (0, 1));
}

#[test]
fn app_records_leave_room_for_the_others() {
    let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let log = builder(dir.path(), &faults).open().unwrap();
    faults.set(Fault::Stall);
    within_sync(&log, || note(0).emit()).unwrap();
    wait_until("the writer waits for the disk", || faults.stalled() > 0);
    for number in 1..100 {
        within_sync(&log, || note(number).emit()).unwrap();
    }
    within_sync(&log, || note(0).commit().wait()).unwrap_err();
    within_sync(&log, || step(1).emit()).unwrap();
    faults.clear();
    log.shutdown().unwrap();
    let (stored, lost) = stored_and_lost(dir.path(), "app", "cache.hit");
    assert!(lost > 0);
    assert_eq!(stored as u64 + lost, 101);
    assert_eq!(stored_and_lost(dir.path(), "audit", "step.done"), (1, 0));
}
