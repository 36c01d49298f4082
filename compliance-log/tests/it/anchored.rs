//! Stores whose checkpoints are kept elsewhere too.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use compliance_log::{
    CommitErrorKind, ComplianceLog, DirAnchor, Health, Seal, StartFailure, audit_event,
    clock::Timestamp,
    seal::{
        Anchor, Origin,
        merkle::TreeHash,
        note::{Algorithm, SigningKey},
        statement::{Checkpoint, Signed},
    },
    test_util::{Fault, Faults, ManualClock, within_sync},
    verify::{Verdict, verify},
};
use serde_json::Value;

use crate::{
    seal_check::{check, check_store, root_keys},
    support::{
        events, lines, only_store, records, records_of, records_so_far, segments, stores,
        wait_until,
    },
};

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
struct BookingCreated {
    booking_id: u64,
}

/// As often as it may be.
fn seal() -> Seal {
    let often = Duration::from_millis(100);
    Seal::default()
        .domain("log.example")
        .every(often)
        .anchor_every(often)
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
    records
        .iter()
        .filter(|record| record["event"] == event)
        .collect()
}

/// Copies folders as they are, as a snapshot of a machine does.
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status()
        .unwrap();
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
    // Receipts do not anchor themselves, nor does anything else that the seal has to say.
    let (kept, since) = (notes(&anchor).len(), Instant::now());
    wait_until("many seals", || {
        log.checkpoint().unwrap();
        since.elapsed() > Duration::from_secs(1)
    });
    assert_eq!(notes(&anchor).len(), kept);
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
    assert_eq!(
        verify(&dir, &root_keys(&dir)).unwrap().verdict,
        Verdict::Ok,
        "by itself it is whole"
    );
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
    let (anchor, mount) = (folder(&dirs, "anchor"), dirs.path().join("mount"));
    let open = |machine: &Path, anchor: &Path| {
        let dir = machine.join("audit");
        open(&dir, seal().anchor(DirAnchor::new(anchor)))
    };
    let log = open(&one, &anchor);
    book(&log, 0..5);
    log.shutdown().unwrap();
    copy(&one, &two);
    let old = only_store(&one.join("audit"));
    let old = old.file_name().unwrap();

    // The second one does not reach the anchor at its start, and goes on from the same checkpoint.
    let (first, second) = (open(&one, &anchor), open(&two, &mount));
    book(&first, 5..10);
    book(&second, 5..10);
    std::os::unix::fs::symlink(&anchor, &mount).unwrap();
    wait_until("both leave", || {
        book(&first, 10..11);
        book(&second, 10..11);
        [&one, &two]
            .iter()
            .all(|machine| stores(&machine.join("audit")).len() == 2)
    });
    first.shutdown().unwrap();
    second.shutdown().unwrap();
    for machine in [&one, &two] {
        let dir = machine.join("audit");
        let new = other_store(&dir, &dir.join(old));
        assert!(["fork", "rollback"].contains(&&*why(&new)), "{}", why(&new));
        let facts = records_of(&dir.join(old), "catalog");
        let failed = *said(&facts, "anchor.failed").last().unwrap();
        let reason = failed["data"]["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("fork: ") || reason.starts_with("rollback: "),
            "{reason}"
        );
        check_store(&dir, &dir.join(old));
    }
    // With what the anchor keeps, each of the two old stores is found to be one of two.
    for machine in [&one, &two] {
        let dir = machine.join("audit");
        let notes = notes(&anchor);
        let options = notes.iter().fold(root_keys(&dir), |options, note| {
            options.anchored_checkpoint("anchor", &fs::read(note).unwrap())
        });
        let report = verify(&dir.join(old), &options).unwrap();
        assert!(
            [Verdict::Fork, Verdict::Rollback].contains(&report.verdict),
            "{:?}",
            report.verdict
        );
    }

    // Neither is gone on with later, were it the only one, and the anchor out of reach.
    fs::remove_file(&mount).unwrap();
    let dir = two.join("audit");
    fs::remove_dir_all(other_store(&dir, &dir.join(old))).unwrap();
    open(&two, &mount).shutdown().unwrap();
    let new = other_store(&dir, &dir.join(old));
    assert!(["fork", "rollback"].contains(&&*why(&new)), "{}", why(&new));
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
    started[0]["data"]["why"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
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
    let seals = || facts("seal.head");
    let before = seals();
    wait_until("some more seals", || {
        book(&log, 1..2);
        seals() > before + 5
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
    let log = open(
        &dir,
        seal().anchor_every(deadline).anchor(faults.anchor(&anchor)),
    );
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
    let log = open(
        &dir,
        seal().anchor_every(deadline).anchor(faults.anchor(&anchor)),
    );
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
        seal()
            .anchor(DirAnchor::new(&anchor))
            .exposure_max(Duration::from_secs(1)),
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
    assert!(
        error.to_string().contains("no quorum of anchors"),
        "{error}"
    );
    // Nobody waits for it, so it is stored.
    within_sync(&log, || BookingCreated { booking_id: 7 }.emit()).unwrap();
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

#[test]
fn what_cannot_be_sealed_is_exposed_too() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    for (folder, number) in [("catalog", 0), ("seal", 1)] {
        let dir = dir.join(number.to_string());
        fs::create_dir_all(&dir).unwrap();
        let faults = Faults::new();
        let seal = seal()
            .anchor(DirAnchor::new(&anchor))
            .epoch(Duration::from_secs(60))
            .exposure_max(Duration::from_secs(1));
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(
            1_790_000_000_000_000,
        )));
        let builder = ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(&dir)
            .clock(Arc::<ManualClock>::clone(&clock))
            .seal(seal);
        let log = faults.under(builder).open().unwrap();
        book(&log, 0..5);
        let note = log.checkpoint().unwrap();
        let sealed = Signed::<Checkpoint>::parse(note.as_bytes()).unwrap();
        let pass = || clock.advance(Duration::from_millis(1));
        wait_until("all is covered", || {
            pass();
            log.flush().unwrap();
            let facts = records_so_far(&dir, "catalog");
            let sizes = said(&facts, "anchor.receipt");
            let mut sizes = sizes.iter().map(|fact| fact["data"]["size"].as_u64());
            sizes.any(|size| size >= Some(sealed.statement().size))
                && log.handle().vitals().exposure == Some(Duration::ZERO)
        });
        faults.set(Fault::In { folder });
        // The next seal ends an epoch, where notes of them are to fail.
        clock.advance(Duration::from_secs(60 * number));
        let refused = |booking_id| {
            let booking = BookingCreated { booking_id };
            within_sync(&log, || booking.commit().wait()).is_err()
        };
        wait_until("commits are refused", || {
            pass();
            refused(5)
        });
        assert_eq!(log.handle().health(), Health::Degraded, "{folder}");
        assert_eq!(log.handle().vitals().refusal, Some("exposed"), "{folder}");
        // What nobody waits for is stored all the same.
        within_sync(&log, || BookingCreated { booking_id: 7 }.emit()).unwrap();
        faults.clear();
        wait_until("it mends itself", || log.handle().health() == Health::Ready);
        book(&log, 8..9);
        log.shutdown().unwrap();
        assert!(!events(&records(&dir, "audit")).contains(&"log.gap"));
        check(&dir);
    }
}

#[test]
fn one_dead_anchor_of_three_is_made_up_for_by_the_others() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let anchors = ["a", "b", "c"].map(|name| folder(&dirs, name));
    let limit = Duration::from_secs(1);
    let seal = seal().quorum(2).exposure_max(limit);
    let seal = anchors
        .iter()
        .fold(seal, |seal, anchor| seal.anchor(DirAnchor::new(anchor)));
    let log = open(&dir, seal);
    book(&log, 0..5);
    let exposure = || log.handle().vitals().exposure.unwrap();
    wait_until("all is covered", || exposure() == Duration::ZERO);
    fs::rename(&anchors[0], dirs.path().join("away")).unwrap();
    let since = Instant::now();
    while since.elapsed() < limit * 2 {
        book(&log, 5..6);
    }
    wait_until("all is covered again", || exposure() == Duration::ZERO);
    // Two dead ones are too many.
    fs::rename(&anchors[1], dirs.path().join("away, too")).unwrap();
    wait_until("commits are refused", || {
        let booking = BookingCreated { booking_id: 6 };
        within_sync(&log, || booking.commit().wait()).is_err()
    });
    assert_eq!(log.handle().health(), Health::Degraded);
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let failed: Vec<&str> = said(&facts, "anchor.failed")
        .iter()
        .map(|fact| fact["data"]["anchor"].as_str().unwrap())
        .collect();
    let names = [&anchors[0], &anchors[1]].map(|anchor| anchor.display().to_string());
    assert_eq!(failed, names);
    check(&dir);
}

/// What the operator's command leaves, line for line.
fn receipt(anchor: &str, size: u64, receipt: &str) -> (String, String) {
    let name = format!("{anchor}-{size:020}.receipt");
    let text = format!("compliance-log/v1/receipt\n{anchor}\nwitness\n{size}\n{receipt}\n");
    (name, text)
}

#[test]
fn receipts_that_others_leave_become_records_and_what_is_none_stays() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = open(&dir, seal());
    book(&log, 0..5);
    let note = log.checkpoint().unwrap();
    let checkpoint = Signed::<Checkpoint>::parse(note.as_bytes()).unwrap();
    let size = checkpoint.statement().size;
    let line = checkpoint.signatures()[0].to_string();
    let dropped = PathBuf::from(format!("{}.receipts", only_store(&dir).display()));
    fs::create_dir(&dropped).unwrap();
    let leave = |(name, text): (String, String)| fs::write(dropped.join(name), text).unwrap();
    assert_eq!(log.handle().vitals().exposure, None);
    leave(receipt("ahead", size + 1_000_000, &line));
    leave(receipt("unsigned", size, "no signature"));
    let (name, text) = receipt("renamed", size, &line);
    leave((name.replace("renamed", "other"), text));
    leave(receipt("west", size, &line));
    wait_until("it is taken", || {
        !dropped.join(receipt("west", size, &line).0).exists()
    });
    wait_until("it counts", || log.handle().vitals().exposure.is_some());
    // Once more, as after a crash that came before it was removed.
    leave(receipt("west", size, &line));
    wait_until("it is taken", || {
        !dropped.join(receipt("west", size, &line).0).exists()
    });
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let told = said(&facts, "anchor.receipt");
    assert_eq!(told.len(), 1);
    let data = &told[0]["data"];
    assert_eq!([&data["anchor"], &data["kind"]], ["west", "witness"]);
    assert_eq!(data["size"], size);
    assert_eq!(data["receipt"], line);
    assert_eq!(fs::read_dir(&dropped).unwrap().count(), 3);
    check(&dir);
    assert_eq!(verify(&dir, &root_keys(&dir)).unwrap().verdict, Verdict::Ok);
}

#[test]
fn receipts_for_more_than_was_signed_are_in_nobodys_way() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = open(&dir, seal());
    let note = log.checkpoint().unwrap();
    let checkpoint = Signed::<Checkpoint>::parse(note.as_bytes()).unwrap();
    let size = checkpoint.statement().size;
    let line = checkpoint.signatures()[0].to_string();
    let dropped = PathBuf::from(format!("{}.receipts", only_store(&dir).display()));
    fs::create_dir(&dropped).unwrap();
    let leave = |(name, text): (String, String)| fs::write(dropped.join(name), text).unwrap();
    for ahead in 0..100 {
        leave(receipt("ahead", size + 1_000_000 + ahead, &line));
    }
    for anchor in 0..100 {
        leave(receipt(&format!("north{anchor}"), size, &line));
    }
    leave(receipt("west", size, &line));
    let left = || fs::read_dir(&dropped).unwrap().count();
    wait_until("the others are taken", || left() == 100);
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    assert_eq!(said(&facts, "anchor.receipt").len(), 101);
    check(&dir);
}

/// As retention leaves it: of the catalog's beginning the operators' ledger alone tells.
#[test]
fn an_anchor_that_knows_only_what_is_not_here_any_more_is_of_no_use_and_no_fork() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(
        1_790_000_000_000_000,
    )));
    let open = |seal: Seal| {
        ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(&dir)
            .clock(Arc::<ManualClock>::clone(&clock))
            .seal(seal)
            .open()
            .unwrap()
    };
    let with_anchor = || open(seal().anchor(DirAnchor::new(&anchor)));
    with_anchor().shutdown().unwrap();
    let log = open(seal());
    for ended in 1..4 {
        book(&log, 0..1);
        clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
        wait_until("another segment", || {
            segments(&only_store(&dir), "catalog").len() > ended
        });
        log.checkpoint().unwrap();
    }
    log.shutdown().unwrap();
    let oldest = &segments(&only_store(&dir), "catalog")[0];
    fs::remove_file(oldest).unwrap();
    fs::remove_file(oldest.with_extension("ckpt")).unwrap();
    let newest = segments(&only_store(&dir), "catalog").pop().unwrap();

    let log = with_anchor();
    book(&log, 1..2);
    wait_until("it has a newer one", || {
        clock.advance(Duration::from_millis(100));
        said(&lines_so_far(&newest), "anchor.recovered").len() == 1
    });
    log.shutdown().unwrap();
    let facts = lines(&newest);
    let failed = said(&facts, "anchor.failed");
    let reason = failed[0]["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("not here any more"), "{reason}");
    only_store(&dir);
}

/// The whole records of a file that is written.
fn lines_so_far(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_anchors_gave_receipts_of_is_known_to_who_reads_the_newest_segment_alone() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(
        1_790_000_000_000_000,
    )));
    let open = || {
        let seal = seal().anchor(DirAnchor::new(&anchor));
        ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(&dir)
            .clock(Arc::<ManualClock>::clone(&clock))
            .seal(seal)
            .open()
            .unwrap()
    };
    let log = open();
    book(&log, 0..5);
    let note = log.checkpoint().unwrap();
    let checkpoint = Signed::<Checkpoint>::parse(note.as_bytes()).unwrap();
    let size = checkpoint.statement().size;
    let line = checkpoint.signatures()[0].to_string();
    let dropped = PathBuf::from(format!("{}.receipts", only_store(&dir).display()));
    fs::create_dir(&dropped).unwrap();
    let (name, text) = receipt("west", size, &line);
    fs::write(dropped.join(name), text).unwrap();
    let told = |event: &str| said(&records_so_far(&dir, "catalog"), event).len();
    wait_until("both have it", || told("anchor.receipt") >= 2);
    clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
    wait_until("another segment", || told("segment.footer") == 1);
    log.shutdown().unwrap();
    let newest = segments(&only_store(&dir), "catalog").pop().unwrap();
    let facts = lines(&newest);
    let again = said(&facts, "anchor.receipt");
    let names: Vec<&str> = again
        .iter()
        .map(|fact| fact["data"]["anchor"].as_str().unwrap())
        .collect();
    for name in [&*anchor.display().to_string(), "west"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let west = again.iter().find(|fact| fact["data"]["anchor"] == "west");
    let west = &west.unwrap()["data"];
    assert_eq!(
        [&west["size"], &west["kind"]],
        [&Value::from(size), &"witness".into()]
    );
    open().shutdown().unwrap();
    check(&dir);
    assert_eq!(verify(&dir, &root_keys(&dir)).unwrap().verdict, Verdict::Ok);
}

#[test]
fn anchors_are_configured_and_what_makes_no_sense_is_warned_of() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let config = dirs.path().join("log.toml");
    let text = format!(
        "service = \"booking-api\"\nenv = \"test\"\ndir = {dir:?}\n[seal]\nanchors = [{{ dir = {anchor:?} }}, {{ url = \"x\" }}]\nquorum = 0\nanchor_s = 1\nexposure_max_s = \"long\"\n",
    );
    fs::write(&config, text).unwrap();
    let log = ComplianceLog::from_file(&config).open().unwrap();
    book(&log, 0..3);
    log.shutdown().unwrap();
    assert!(!notes(&anchor).is_empty());
    let records = records(&dir, "audit");
    let warnings = said(&records, "log.started")[0]["data"]["warnings"].to_string();
    for part in [
        "one of `anchors`",
        "`quorum`",
        "`exposure_max_s`",
        "on the volume of the stores",
    ] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
}

#[test]
fn what_the_log_key_did_not_sign_is_no_history_but_a_bad_anchor() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let open = || open(&dir, seal().anchor(DirAnchor::new(&anchor)));
    let log = open();
    book(&log, 0..5);
    log.shutdown().unwrap();
    // Whoever can write there says that there is more.
    let last = notes(&anchor).pop().unwrap();
    let ours = Signed::<Checkpoint>::parse(&fs::read(&last).unwrap()).unwrap();
    let origin = &ours.statement().origin;
    let key = |name| SigningKey::generate(name, Algorithm::Ed25519).unwrap();
    let (log_key, epoch_key) = (key(origin.log_key()), key(origin.epoch_key(0)));
    let forged = Checkpoint::new(origin.clone(), 1_000_000, TreeHash::EMPTY);
    let forged = forged.sign(&log_key, &epoch_key).unwrap();
    let path = last.with_file_name(format!("{:020}.note", 1_000_000));
    fs::write(&path, forged.to_string()).unwrap();

    let log = open();
    book(&log, 5..6);
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let failed = said(&facts, "anchor.failed");
    assert_eq!(failed.len(), 1, "once");
    let reason = failed[0]["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("not of this log"), "{reason}");
    // What was ours is kept beside it.
    assert!(notes(&anchor).len() > 2);
    assert!(said(&facts, "anchor.recovered").is_empty());
}

#[test]
fn how_long_records_are_exposed_outlives_the_writer() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    let open = || open(&dir, seal().anchor(DirAnchor::new(&anchor)));
    let exposure = |log: &ComplianceLog| log.handle().vitals().exposure.unwrap();
    let log = open();
    book(&log, 0..5);
    wait_until("all is covered", || exposure(&log) == Duration::ZERO);
    let away = dirs.path().join("away");
    fs::rename(&anchor, &away).unwrap();
    let least = Duration::from_millis(500);
    wait_until("it is exposed", || {
        book(&log, 5..6);
        exposure(&log) > least
    });
    log.shutdown().unwrap();
    let log = open();
    assert!(exposure(&log) > least, "{:?}", exposure(&log));
    fs::rename(&away, &anchor).unwrap();
    wait_until("all is covered", || exposure(&log) == Duration::ZERO);
    log.shutdown().unwrap();
}

/// As code of a service may.
#[derive(Debug)]
struct Panics;

impl Anchor for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn kind(&self) -> &'static str {
        "object"
    }

    fn newest(&self, _: &Origin) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    #[expect(clippy::panic, reason = "that is what it does")]
    fn keep(&self, checkpoint: &Signed<Checkpoint>) -> io::Result<Option<String>> {
        panic!("cannot keep {}", checkpoint.statement().origin)
    }
}

#[test]
fn an_anchor_that_panics_has_failed_and_the_others_go_on() {
    let dirs = tempfile::tempdir().unwrap();
    let (dir, anchor) = (dirs.path().join("audit"), folder(&dirs, "anchor"));
    // What a panic prints takes its time.
    let seal = seal().anchor_every(Duration::from_secs(10));
    let log = open(&dir, seal.anchor(Panics).anchor(DirAnchor::new(&anchor)));
    book(&log, 0..5);
    wait_until("both were heard", || {
        let facts = records_so_far(&dir, "catalog");
        let events = events(&facts);
        ["anchor.failed", "anchor.receipt"]
            .iter()
            .all(|event| events.contains(event))
    });
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let failed = said(&facts, "anchor.failed");
    assert_eq!(failed.len(), 1);
    let data = &failed[0]["data"];
    assert_eq!(
        [&data["anchor"], &data["reason"]],
        ["panics", "it panicked"]
    );
}
