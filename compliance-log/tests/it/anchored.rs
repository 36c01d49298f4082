//! Stores whose checkpoints are kept elsewhere too.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use compliance_log::{
    CommitErrorKind, ComplianceLog, DirAnchor, Health, Seal, StartFailure, audit_event,
    seal::statement::{Checkpoint, Signed},
    test_util::{Fault, Faults, within_sync},
    verify::{Verdict, verify},
};
use serde_json::Value;

use crate::{
    seal_check::{check, check_store, root_keys},
    support::{events, only_store, records, records_of, records_so_far, stores, wait_until},
};

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
struct BookingCreated {
    booking_id: u64,
}

/// As often as it may be.
fn seal() -> Seal {
    let often = Duration::from_millis(100);
    Seal::default().domain("log.example").every(often).anchor_every(often)
}

fn open(dir: &Path, seal: Seal) -> ComplianceLog {
    ComplianceLog::builder("booking-api")
        .env("test")
        .instance("i1")
        .dir(dir)
        .seal(seal)
        .on_start_failure(StartFailure::Refuse)
        .open()
        .unwrap()
}

fn book(log: &ComplianceLog, bookings: std::ops::Range<u64>) {
    for booking_id in bookings {
        within_sync(log, || BookingCreated { booking_id }.commit().wait()).unwrap();
    }
}

fn folder(dirs: &tempfile::TempDir, name: &str) -> PathBuf {
    let path = dirs.path().join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The notes that a folder keeps, by origin and size.
fn notes(anchor: &Path) -> Vec<PathBuf> {
    let mut notes = Vec::new();
    for origin in fs::read_dir(anchor).unwrap() {
        let files = fs::read_dir(origin.unwrap().path()).unwrap();
        notes.extend(files.map(|file| file.unwrap().path()));
    }
    notes.sort();
    notes
}

fn said<'r>(records: &'r [Value], event: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["event"] == event).collect()
}

/// Copies folders as they are, as a snapshot of a machine does.
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

#[test]
fn checkpoints_are_kept_elsewhere_and_the_catalog_tells_of_it() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let log = open(&dir, seal().anchor(DirAnchor::new(&anchor)));
    book(&log, 0..5);
    wait_until("a receipt", || {
        let facts = records_so_far(&dir, "catalog");
        !said(&facts, "anchor.receipt").is_empty()
    });
    wait_until("all is covered", || {
        log.handle().vitals().exposure == Some(Duration::ZERO)
    });
    let before = notes(&anchor).len();
    assert!(before < 20, "receipts do not anchor themselves: {before}");
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let receipt = &said(&facts, "anchor.receipt")[0]["data"];
    assert_eq!(receipt["anchor"], anchor.display().to_string());
    assert_eq!(receipt["kind"], "dir");
    let kept = anchor.join(receipt["receipt"].as_str().unwrap());
    let note = Signed::<Checkpoint>::parse(&fs::read(&kept).unwrap()).unwrap();
    assert_eq!(note.statement().size, receipt["size"].as_u64().unwrap());
    assert!(said(&facts, "anchor.failed").is_empty());

    // The last one is there before the log ends, and covers its last word.
    let last = notes(&anchor).pop().unwrap();
    let last = fs::read(last).unwrap();
    let size = Signed::<Checkpoint>::parse(&last).unwrap().statement().size;
    assert_eq!(size, facts.len() as u64);
    check(&dir);
    let options = root_keys(&dir).anchored_checkpoint("anchor", &last);
    assert_eq!(verify(&dir, &options).unwrap().verdict, Verdict::Ok);
}

#[test]
fn a_machine_that_is_rolled_back_with_its_keys_is_found_at_the_next_start() {
    let dirs = tempfile::tempdir().unwrap();
    let (machine, anchor) = (folder(&dirs, "machine"), folder(&dirs, "anchor"));
    let dir = machine.join("audit");
    let open = || open(&dir, seal().anchor(DirAnchor::new(&anchor)));
    let log = open();
    book(&log, 0..5);
    log.shutdown().unwrap();
    let snapshot = dirs.path().join("snapshot");
    copy(&machine, &snapshot);
    let log = open();
    book(&log, 5..10);
    log.shutdown().unwrap();
    let old = only_store(&dir);
    let last = fs::read(notes(&anchor).pop().unwrap()).unwrap();

    fs::remove_dir_all(&machine).unwrap();
    copy(&snapshot, &machine);
    assert_eq!(verify(&dir, &root_keys(&dir)).unwrap().verdict, Verdict::Ok, "by itself it is whole");
    let options = root_keys(&dir).anchored_checkpoint("anchor", &last);
    assert_eq!(verify(&dir, &options).unwrap().verdict, Verdict::Rollback);

    let log = open();
    book(&log, 10..11);
    log.shutdown().unwrap();
    let new = other_store(&dir, &old);
    assert_eq!(why(&new), "rollback");
    let continues = &records_of(&new, "catalog")[0]["data"]["continues"];
    let origin = records_of(&old, "catalog")[0]["data"]["origin"].clone();
    assert_eq!(continues["origin"], origin);
    check_store(&dir, &new);
    // The new one has a history of its own, with which the anchor is content.
    let log = open();
    book(&log, 11..12);
    log.shutdown().unwrap();
    assert_eq!(stores(&dir).len(), 2);
}

#[test]
fn a_machine_that_runs_twice_is_found_on_both_sides() {
    let dirs = tempfile::tempdir().unwrap();
    let (one, two) = (folder(&dirs, "one"), dirs.path().join("two"));
    let anchor = folder(&dirs, "anchor");
    let open = |machine: &Path| open(&machine.join("audit"), seal().anchor(DirAnchor::new(&anchor)));
    let log = open(&one);
    book(&log, 0..5);
    log.shutdown().unwrap();
    copy(&one, &two);
    let old = only_store(&one.join("audit")).file_name().unwrap().to_owned();

    // Both start from the same checkpoint, and neither knows of the other.
    let (first, second) = (open(&one), open(&two));
    book(&first, 5..10);
    book(&second, 5..10);
    wait_until("both leave", || {
        book(&first, 10..11);
        book(&second, 10..11);
        [&one, &two].iter().any(|machine| stores(&machine.join("audit")).len() == 2)
    });
    book(&first, 11..12);
    book(&second, 11..12);
    wait_until("the other one too", || {
        book(&first, 12..13);
        book(&second, 12..13);
        [&one, &two].iter().all(|machine| stores(&machine.join("audit")).len() == 2)
    });
    first.shutdown().unwrap();
    second.shutdown().unwrap();
    for machine in [&one, &two] {
        let dir = machine.join("audit");
        let new = other_store(&dir, &dir.join(&old));
        assert!(["fork", "rollback"].contains(&&*why(&new)), "{}", why(&new));
        let facts = records_of(&dir.join(&old), "catalog");
        let failed = said(&facts, "anchor.failed");
        assert_eq!(failed.len(), 1);
        check_store(&dir, &dir.join(&old));
    }
    // With what the anchor keeps, each of the two old stores is found to be one of two.
    for machine in [&one, &two] {
        let dir = machine.join("audit");
        let options = notes(&anchor).iter().fold(root_keys(&dir), |options, note| {
            options.anchored_checkpoint("anchor", &fs::read(note).unwrap())
        });
        let report = verify(&dir.join(&old), &options).unwrap();
        assert!(
            [Verdict::Fork, Verdict::Rollback].contains(&report.verdict),
            "{:?}",
            report.verdict
        );
    }
}

/// The store beside another one.
fn other_store(dir: &Path, old: &Path) -> PathBuf {
    let mut stores = stores(dir);
    stores.retain(|store| store != old);
    assert_eq!(stores.len(), 1, "{stores:?}");
    stores.remove(0)
}

fn why(store: &Path) -> String {
    let records = records_of(store, "audit");
    let started = said(&records, "log.started");
    started[0]["data"]["why"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_anchor_that_is_gone_delays_nothing_and_is_told_of_once() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let log = open(&dir, seal().anchor(DirAnchor::new(&anchor)));
    let facts = |event: &str| said(&records_so_far(&dir, "catalog"), event).len();
    wait_until("a receipt", || facts("anchor.receipt") > 0);
    let away = dirs.path().join("away");
    fs::rename(&anchor, &away).unwrap();
    wait_until("it is missed", || {
        book(&log, 0..1);
        facts("anchor.failed") == 1
    });
    let checkpoints = check(&dir);
    wait_until("some more seals", || {
        book(&log, 1..2);
        check(&dir) > checkpoints + 5
    });
    assert_eq!(facts("anchor.failed"), 1);
    assert!(log.handle().vitals().exposure.unwrap() > Duration::ZERO);
    fs::rename(&away, &anchor).unwrap();
    wait_until("it is back", || facts("anchor.recovered") == 1);
    wait_until("all is covered", || {
        log.handle().vitals().exposure == Some(Duration::ZERO)
    });

    // It is nothing that a start or an end would need either.
    fs::rename(&anchor, &away).unwrap();
    log.shutdown().unwrap();
    let log = open(&dir, seal().anchor(DirAnchor::new(&anchor)));
    book(&log, 2..3);
    log.shutdown().unwrap();
    only_store(&dir);
    let failed = said(&records(&dir, "catalog"), "anchor.failed").len();
    assert_eq!(failed, 2, "once by each writer that missed it");
}

#[test]
fn a_full_anchor_is_completed_once_there_is_room() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let faults = Faults::new();
    let log = open(&dir, seal().anchor(faults.anchor(&anchor)));
    let facts = |event: &str| said(&records_so_far(&dir, "catalog"), event).len();
    wait_until("a receipt", || facts("anchor.receipt") > 0);
    faults.set(Fault::NoSpace);
    wait_until("it is full", || {
        book(&log, 0..1);
        facts("anchor.failed") == 1
    });
    faults.clear();
    wait_until("there is room", || facts("anchor.recovered") == 1);
    log.shutdown().unwrap();
    check(&dir);
    let last = fs::read(notes(&anchor).pop().unwrap()).unwrap();
    Signed::<Checkpoint>::parse(&last).unwrap();
    let log = open(&dir, seal().anchor(faults.anchor(&anchor)));
    log.shutdown().unwrap();
    only_store(&dir);
}

#[test]
fn an_anchor_that_never_answers_delays_no_record_and_the_end_no_longer_than_its_deadline() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let faults = Faults::new();
    let deadline = Duration::from_secs(2);
    let log = open(&dir, seal().anchor_every(deadline).anchor(faults.anchor(&anchor)));
    faults.set(Fault::Stall);
    wait_until("it hangs", || {
        book(&log, 0..1);
        faults.stalled() == 1
    });
    let since = Instant::now();
    book(&log, 1..50);
    log.checkpoint().unwrap();
    assert!(since.elapsed() < deadline, "{:?}", since.elapsed());
    let since = Instant::now();
    log.shutdown().unwrap();
    assert!(since.elapsed() < deadline * 2, "{:?}", since.elapsed());

    // A start waits for it as long as that, and no longer.
    let since = Instant::now();
    let log = open(&dir, seal().anchor_every(deadline).anchor(faults.anchor(&anchor)));
    assert!(since.elapsed() < deadline * 2, "{:?}", since.elapsed());
    wait_until("it hangs again", || {
        book(&log, 50..51);
        faults.stalled() == 2
    });
    wait_until("it is late", || {
        let facts = records_so_far(&dir, "catalog");
        said(&facts, "anchor.failed").len() == 1
    });
    faults.clear();
    wait_until("it answers", || {
        let facts = records_so_far(&dir, "catalog");
        said(&facts, "anchor.recovered").len() == 1
    });
    log.shutdown().unwrap();
    only_store(&dir);
    check(&dir);
}

#[test]
fn what_no_anchor_covers_for_too_long_refuses_commits_until_one_does() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let log = open(
        &dir,
        seal().anchor(DirAnchor::new(&anchor)).exposure_max(Duration::from_secs(1)),
    );
    book(&log, 0..5);
    let away = dirs.path().join("away");
    fs::rename(&anchor, &away).unwrap();
    wait_until("commits are refused", || {
        let booking = BookingCreated { booking_id: 5 };
        within_sync(&log, || booking.commit().wait()).is_err()
    });
    assert_eq!(log.handle().health(), Health::Degraded);
    let vitals = log.handle().vitals();
    assert_eq!(vitals.refusal, Some("exposed"));
    assert!(vitals.exposure.unwrap() > Duration::from_secs(1));
    let error = within_sync(&log, || BookingCreated { booking_id: 6 }.commit().wait()).unwrap_err();
    assert_eq!(error.kind(), CommitErrorKind::Unavailable);
    assert!(error.to_string().contains("no quorum of anchors"), "{error}");
    // Nobody waits for it, so it is stored.
    within_sync(&log, || BookingCreated { booking_id: 7 }.emit());
    fs::rename(&away, &anchor).unwrap();
    wait_until("it mends itself", || log.handle().health() == Health::Ready);
    book(&log, 8..9);
    log.shutdown().unwrap();
    let records = records(&dir, "audit");
    let booked: Vec<&str> = said(&records, "booking.created")
        .iter()
        .map(|record| record["target_resource"].as_str().unwrap())
        .collect();
    assert!(booked.contains(&"booking/7"), "{booked:?}");
    assert!(!booked.contains(&"booking/6"), "{booked:?}");
    assert!(!events(&records).contains(&"log.gap"));
}
