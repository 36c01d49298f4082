//! Somebody removes or replaces what the log has open: it is found within a second, told of, and
//! nothing that is acknowledged afterwards is lost.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use compliance_log::{
    Builder, ComplianceLog, Health, audit_event,
    test_util::{Fault, Faults, within_sync},
    verify::{Options, StoreReport, Verdict, verify},
};
use serde_json::Value;

use crate::support::{only_store, records_of, segments, stores, wait_until};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
}

#[audit_event(name = "cache.hit", category = "app")]
struct Note {
    number: u64,
}

fn builder(dir: &Path) -> Builder {
    ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir)
        .sync_after(Duration::from_secs(3600))
}

fn open(dir: &Path) -> ComplianceLog {
    builder(dir).open().unwrap()
}

fn commit(log: &ComplianceLog, number: u64) {
    within_sync(log, || Step { number }.commit().wait()).unwrap();
}

fn steps(records: &[Value]) -> Vec<u64> {
    let steps = records
        .iter()
        .filter(|record| record["event"] == "step.done");
    steps
        .map(|record| record["data"]["number"].as_u64().unwrap())
        .collect()
}

fn told(records: &[Value]) -> Vec<Value> {
    let told = records
        .iter()
        .filter(|record| record["event"] == "security.file_replaced");
    told.map(|record| {
        assert_eq!(record["level"], "ERROR");
        record["data"].clone()
    })
    .collect()
}

/// Whether a store under `dir` tells of something; its folders may come and go meanwhile.
fn is_told(dir: &Path) -> bool {
    let stores = fs::read_dir(dir).unwrap().flatten();
    stores
        .filter_map(|store| fs::read_dir(store.path().join("streams/audit")).ok())
        .flat_map(Iterator::flatten)
        .filter_map(|file| fs::read_to_string(file.path()).ok())
        .any(|text| text.contains("security.file_replaced"))
}

fn judged(dir: &Path) -> StoreReport {
    let report = verify(dir, &Options::default()).unwrap();
    assert_eq!(report.stores.len(), 1);
    report.stores.into_iter().next().unwrap()
}

fn verdicts(store: &StoreReport) -> Vec<Verdict> {
    store.findings.iter().map(|found| found.verdict).collect()
}

fn active(dir: &Path, channel: &str) -> PathBuf {
    segments(&only_store(dir), channel).pop().unwrap()
}

#[test]
fn an_idle_log_finds_within_a_second_that_its_file_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    let removed = active(dir.path(), "audit");
    let copy = fs::read(&removed).unwrap();
    fs::remove_file(&removed).unwrap();
    let since = Instant::now();
    wait_until("it is found", || is_told(dir.path()));
    assert!(since.elapsed() < Duration::from_secs(1), "{since:?}");
    commit(&log, 1);
    log.shutdown().unwrap();

    let store = only_store(dir.path());
    let records = records_of(&store, "audit");
    let [told] = &told(&records)[..] else {
        panic!("told once: {records:?}")
    };
    let file = removed.strip_prefix(dir.path()).unwrap().to_str().unwrap();
    assert_eq!(told["file"], file);
    assert_eq!(told["how"], "removed");
    // What is there goes on exactly where what is named ended, and offered is stored and named.
    let last = told["last_seq"].as_u64().unwrap();
    assert_eq!(told["first_seq"], 0);
    assert_eq!(records[0]["seq"], last + 1);
    assert_eq!(steps(&records), [1]);

    let store = judged(dir.path());
    assert_eq!(verdicts(&store), [Verdict::MissingSegment], "{store:#?}");

    // A copy of what was removed makes it whole again.
    fs::write(&removed, copy).unwrap();
    let store = judged(dir.path());
    assert_eq!(store.verdict, Verdict::Ok, "{store:#?}");
}

#[test]
fn nothing_is_acknowledged_from_a_file_that_nobody_can_find() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    within_sync(&log, || Step { number: 1 }.emit()).unwrap();
    fs::remove_file(active(dir.path(), "audit")).unwrap();
    // The very next one is in another file, and with it what no sync had covered.
    commit(&log, 2);
    let stored = steps(&records_of(&only_store(dir.path()), "audit"));
    assert_eq!(stored, [1, 2]);
    log.shutdown().unwrap();
    let store = judged(dir.path());
    assert_eq!(verdicts(&store), [Verdict::MissingSegment], "{store:#?}");
}

#[test]
fn a_later_segment_that_is_removed_is_named_and_what_remains_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir.path())
        .segment_bytes_max(64 * 1024)
        .open()
        .unwrap();
    for number in 0..150 {
        commit(&log, number);
    }
    let before = segments(&only_store(dir.path()), "audit");
    assert!(before.len() > 1);
    fs::remove_file(before.last().unwrap()).unwrap();
    for number in 150..300 {
        commit(&log, number);
    }
    log.shutdown().unwrap();
    let records = records_of(&only_store(dir.path()), "audit");
    assert_eq!(steps(&records).last(), Some(&299));
    assert_eq!(told(&records).len(), 1);
    let store = judged(dir.path());
    assert_eq!(verdicts(&store), [Verdict::MissingSegment], "{store:#?}");
}

#[test]
fn a_copy_in_the_place_of_the_file_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    let path = active(dir.path(), "audit");
    let copy = path.with_file_name("copy");
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    commit(&log, 1);
    log.shutdown().unwrap();
    let records = records_of(&only_store(dir.path()), "audit");
    assert_eq!(told(&records)[0]["how"], "replaced");
    assert_eq!(steps(&records), [0, 1]);
    let store = judged(dir.path());
    assert_eq!(store.verdict, Verdict::Ok, "{store:#?}");
}

#[test]
fn a_file_that_is_emptied_in_place_is_named_by_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    let path = active(dir.path(), "audit");
    fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    wait_until("it is found", || is_told(dir.path()));
    commit(&log, 1);
    log.shutdown().unwrap();
    let records = records_of(&only_store(dir.path()), "audit");
    assert_eq!(told(&records)[0]["how"], "cut");
    let store = judged(dir.path());
    let verdicts = verdicts(&store);
    assert!(
        matches!(
            verdicts[..],
            [Verdict::MissingSegment | Verdict::Truncated | Verdict::Delete]
        ),
        "{store:#?}"
    );
}

#[test]
fn a_file_of_the_app_stream_is_told_of_in_the_audit_stream() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    within_sync(&log, || Note { number: 1 }.commit().wait()).unwrap();
    fs::remove_file(active(dir.path(), "app")).unwrap();
    within_sync(&log, || Note { number: 2 }.commit().wait()).unwrap();
    log.shutdown().unwrap();
    let store = only_store(dir.path());
    let told = told(&records_of(&store, "audit"));
    assert!(told[0]["file"].as_str().unwrap().contains("/streams/app/"));
    let app = records_of(&store, "app");
    let kept = app.iter().filter(|record| record["event"] == "cache.hit");
    let kept: Vec<&Value> = kept.map(|record| &record["data"]["number"]).collect();
    assert_eq!(kept, [2]);
}

#[test]
fn the_folders_of_the_streams_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    let store = only_store(dir.path());
    fs::remove_dir_all(store.join("streams")).unwrap();
    commit(&log, 1);
    wait_until("the head file is back", || {
        store.join("streams/audit/head").exists() && store.join("streams/app/head").exists()
    });
    log.shutdown().unwrap();
    assert_eq!(steps(&records_of(&store, "audit")), [1]);
    let store = judged(dir.path());
    let missing = verdicts(&store);
    assert!(
        missing
            .iter()
            .all(|found| *found == Verdict::MissingSegment)
            && missing.len() == 2,
        "{store:#?}"
    );
}

#[test]
fn head_and_lock_files_are_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    let store = only_store(dir.path());
    let (head, lock) = (store.join("streams/audit/head"), store.join("lock"));
    fs::remove_file(&head).unwrap();
    fs::remove_file(&lock).unwrap();
    wait_until("they are back", || head.exists() && lock.exists());
    commit(&log, 1);
    // The store is still this log's: a second one begins another.
    let second = open(dir.path());
    assert_eq!(stores(dir.path()).len(), 2);
    second.shutdown().unwrap();
    log.shutdown().unwrap();
    let told = told(&records_of(&store, "audit"));
    let mut files: Vec<&str> = told
        .iter()
        .map(|told| told["file"].as_str().unwrap())
        .map(|file| file.rsplit('/').next().unwrap())
        .collect();
    files.sort_unstable();
    assert_eq!(files, ["head", "lock"]);
    let report = verify(&store, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
}

#[test]
fn a_store_that_is_removed_is_followed_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    within_sync(&log, || Step { number: 1 }.emit()).unwrap();
    within_sync(&log, || Step { number: 2 }.emit()).unwrap();
    let first = only_store(dir.path());
    // They are written, and nothing has synced them.
    wait_until("they are written", || {
        steps(&records_of(&first, "audit")) == [0, 1, 2]
    });
    fs::remove_dir_all(&first).unwrap();
    wait_until("there is another store", || is_told(dir.path()));
    wait_until("it takes records", || {
        within_sync(&log, || Step { number: 3 }.commit().wait()).is_ok()
    });
    log.shutdown().unwrap();
    let second = only_store(dir.path());
    assert_ne!(first, second);
    let records = records_of(&second, "audit");
    assert_eq!(steps(&records), [3]);
    let told = told(&records);
    assert_eq!(
        told[0]["file"],
        first.file_name().unwrap().to_str().unwrap()
    );
    let gap = records
        .iter()
        .find(|record| record["event"] == "log.gap")
        .unwrap();
    assert_eq!(
        gap["data"]["lost"],
        serde_json::json!([{"event": "*", "reason": "store_removed", "count": 2}])
    );
    assert_eq!(judged(dir.path()).verdict, Verdict::Ok);
}

#[test]
fn a_store_that_is_moved_away_is_left_whole() {
    let dir = tempfile::tempdir().unwrap();
    let away = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    commit(&log, 0);
    within_sync(&log, || Step { number: 1 }.emit()).unwrap();
    let first = only_store(dir.path());
    let moved = away.path().join("moved");
    wait_until("it is written", || {
        steps(&records_of(&first, "audit")) == [0, 1]
    });
    fs::rename(&first, &moved).unwrap();
    wait_until("there is another store", || is_told(dir.path()));
    log.shutdown().unwrap();
    assert_eq!(steps(&records_of(&moved, "audit")), [0, 1]);
    for dir in [dir.path(), away.path()] {
        let report = verify(dir, &Options::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
    }
    let records = records_of(&only_store(dir.path()), "audit");
    assert!(records.iter().all(|record| record["event"] != "log.gap"));
}

#[test]
fn what_a_failed_sync_left_in_a_store_that_is_moved_away_is_counted() {
    let (dir, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let faults = Faults::new();
    let log = faults.under(builder(dir.path())).open().unwrap();
    commit(&log, 0);
    faults.set(Fault::Sync { count: u64::MAX });
    for number in 1..4 {
        within_sync(&log, || Step { number }.emit()).unwrap();
    }
    log.flush().unwrap_err();
    fs::rename(only_store(dir.path()), away.path().join("store")).unwrap();
    faults.clear();
    wait_until("another store is there", || log.health() == Health::Ready);
    log.shutdown().unwrap();
    let audit = records_of(&only_store(dir.path()), "audit");
    let gap = audit.iter().find(|record| record["event"] == "log.gap");
    let lost = &gap.unwrap()["data"]["lost"][0];
    assert_eq!(
        (&lost["reason"], &lost["count"]),
        (&"store_removed".into(), &3.into())
    );
}
