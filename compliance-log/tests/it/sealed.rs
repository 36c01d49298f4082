//! A sealed store as its writer leaves it.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use compliance_log::{
    ComplianceLog, DirAnchor, Health, Seal, StartFailure, audit_event,
    clock::{Clock, SystemClock, Timestamp},
    seal::note::{Algorithm, NoteFile, SigningKey, VerifierKey},
    test_util::{Effect, Fault, Faults, ManualClock, within_sync},
    verify::{Options, Verdict, verify},
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

fn open(dir: &Path) -> ComplianceLog {
    ComplianceLog::builder("booking-api")
        .env("test")
        .instance("i1")
        .dir(dir)
        .segment_bytes_max(64 * 1024)
        .seal(
            Seal::default()
                .domain("log.example")
                .every(Duration::from_millis(100)),
        )
        .open()
        .unwrap()
}

fn book(log: &ComplianceLog, bookings: std::ops::Range<u64>) {
    for booking_id in bookings {
        within_sync(log, || BookingCreated { booking_id }.commit().wait()).unwrap();
    }
}

#[test]
fn a_store_says_by_what_it_is_sealed_and_every_root_is_that_of_its_records() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = open(&dir);
    book(&log, 0..300);
    let checkpoint = log.checkpoint().unwrap();
    assert!(checkpoint.starts_with("log.example/booking-api/i1/"));
    log.shutdown().unwrap();
    assert!(check(&dir) >= 3);
    let log = open(&dir);
    book(&log, 300..310);
    log.shutdown().unwrap();
    check(&dir);

    let facts = records(&dir, "catalog");
    assert_eq!(
        events(&facts)[..6],
        [
            "chain.genesis",
            "stream.open",
            "stream.open",
            "seal.head",
            "seal.head",
            "log.started"
        ]
    );
    assert_eq!(facts[0]["data"]["sealed"], true);
    assert_eq!(facts[0]["data"]["alg"], "ed25519");
    let ended: Vec<&Value> = facts
        .iter()
        .filter(|fact| fact["event"] == "segment.sealed")
        .collect();
    assert!(!ended.is_empty(), "a segment ended");
    for ended in ended {
        let data = &ended["data"];
        let path = only_store(&dir)
            .join("streams/audit")
            .join(data["file"].as_str().unwrap());
        let bytes = fs::metadata(path).unwrap().len();
        assert_eq!(data["bytes"], bytes);
    }
    let last_two = &facts[facts.len() - 2..];
    assert_eq!(last_two[1]["event"], "seal.epoch");
    assert_eq!(last_two[1]["data"]["reason"], "close");
    assert!(events(&facts).contains(&"log.stopped"));
}

#[test]
fn what_was_sealed_is_found_changed_and_another_incarnation_begins() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = open(&dir);
    book(&log, 0..20);
    log.shutdown().unwrap();
    let store = only_store(&dir);
    let keys = format!("{}.keys", store.display());

    // The catalog and its checkpoints taken back to before the last ones.
    let ckpt = store.join("streams/catalog/00000000000000000000.ckpt");
    let before = fs::read(&ckpt).unwrap();
    let notes = NoteFile::split(&before).notes;
    let cut = notes[notes.len() - 2].0;
    fs::write(&ckpt, &before[..usize::try_from(cut).unwrap()]).unwrap();
    let log = open(&dir);
    log.shutdown().unwrap();
    let why = |store: &Path| {
        let started = records_of(store, "audit")
            .into_iter()
            .find(|record| record["event"] == "log.started")
            .unwrap();
        started["data"]["why"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let newest = |dir: &Path| {
        let mut stores = stores(dir);
        stores.sort_by_key(|store| records_of(store, "audit")[0]["timestamp"].to_string());
        stores.pop().unwrap()
    };
    assert_eq!(stores(&dir).len(), 2);
    assert_eq!(why(&newest(&dir)), "rollback");
    let genesis = &records_of(&newest(&dir), "catalog")[0];
    assert!(
        genesis["data"]["continues"]["origin"]
            .as_str()
            .unwrap()
            .starts_with("log.example/booking-api/i1/")
    );
    fs::remove_dir_all(newest(&dir)).unwrap();
    fs::write(&ckpt, &before).unwrap();

    // Its keys are gone.
    let kept = dirs.path().join("kept");
    fs::rename(&keys, &kept).unwrap();
    open(&dir).shutdown().unwrap();
    assert_eq!(why(&newest(&dir)), "keys_lost");
    fs::remove_dir_all(newest(&dir)).unwrap();
    fs::rename(&kept, &keys).unwrap();

    // A record is changed, and all after it computed anew.
    let segment = store.join("streams/audit/00000000000000000000.jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    let rewritten = rehash(&text.replace("booking/7\"", "booking/8\""));
    assert_ne!(text, rewritten);
    fs::write(&segment, rewritten).unwrap();
    fs::remove_file(store.join("streams/audit/head")).unwrap();
    open(&dir).shutdown().unwrap();
    assert_eq!(why(&newest(&dir)), "tampered");
    fs::remove_dir_all(newest(&dir)).unwrap();
    fs::write(&segment, text).unwrap();

    open(&dir).shutdown().unwrap();
    assert_eq!(stores(&dir).len(), 1, "as it was, it is gone on with");
    check(&dir);
}

/// Computes the hashes of a whole file anew, as whoever can write it could.
fn rehash(text: &str) -> String {
    let script = r#"
import hashlib, sys
prev = None
for line in sys.stdin.read().splitlines():
    body, rest = line[:-154], line[-154:]
    prev = prev or rest[14:78]
    h = hashlib.sha256(b"compliance-log/v1/record\0" + bytes.fromhex(prev) + body.encode()).hexdigest()
    print(f'{body},"prev_hash":"{prev}","hash":"{h}"}}')
    prev = h
"#;
    let mut child = Command::new("python3")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writes = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()));
    let out = child.wait_with_output().unwrap();
    writes.join().unwrap().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

/// Verifies by the root keys that were kept beside the stores.
fn verdict(dir: &Path) -> Verdict {
    verify(dir, &root_keys(dir)).unwrap().verdict
}

#[test]
fn the_catalog_ends_its_segments_and_what_comes_next_is_enough_to_start_from() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let mut booked = 0;
    for _ in 0..2 {
        let log = open(&dir);
        for _ in 0..70 {
            book(&log, booked..booked + 1);
            booked += 1;
            log.checkpoint().unwrap();
        }
        log.shutdown().unwrap();
        assert_eq!(verdict(&dir), Verdict::Ok);
    }
    check(&dir);
    let store = only_store(&dir);
    let catalog = segments(&store, "catalog");
    assert!(catalog.len() > 1, "{catalog:?}");
    for segment in &catalog[1..] {
        assert!(segment.with_extension("ckpt").exists());
        let facts = lines(segment);
        assert_eq!(
            events(&facts)[..6],
            [
                "segment.header",
                "stream.open",
                "stream.open",
                "seal.epoch",
                "seal.head",
                "seal.head"
            ]
        );
        assert!(facts[0]["data"]["ckpt_sha256"].is_string());
        assert_eq!(facts[3]["data"]["reason"], "rotate");
    }
}

/// Rotation of the catalog by age alone, so that a test need not write much.
#[test]
fn a_segment_of_the_catalog_that_is_old_ends_and_says_why() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let clock = clock();
    let seal = Seal::default().every(Duration::from_millis(100));
    let log = open_at(&dir, &clock, seal);
    log.checkpoint().unwrap();
    clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
    wait_for(&dir, "segment.footer", 1);
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let footer = facts.iter().find(|fact| fact["event"] == "segment.footer");
    assert_eq!(footer.unwrap()["data"]["reason"], "time");
    assert_eq!(verdict(&dir), Verdict::Ok);
}

/// A log that seals when it is asked to.
fn open_under(dir: &Path, faults: &Faults) -> ComplianceLog {
    let builder = ComplianceLog::builder("booking-api")
        .env("test")
        .instance("i1")
        .dir(dir)
        .seal(Seal::default().every(Duration::from_secs(60)));
    faults.under(builder).open().unwrap()
}

#[test]
fn a_segment_that_takes_the_place_of_one_that_failed_is_enough_to_start_from_too() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let faults = Faults::new();
    let log = open_under(&dir, &faults);
    let before = segments(&only_store(&dir), "catalog").len();
    // However often in a row.
    for fails in 1..4 {
        book(&log, 0..1);
        faults.set(Fault::Sync { count: fails });
        // It goes on in another segment, or says that it could not.
        drop(log.checkpoint());
        faults.clear();
        log.checkpoint().unwrap();
    }
    let catalog = segments(&only_store(&dir), "catalog");
    assert!(catalog.len() > before, "{catalog:?}");
    let facts = lines(catalog.last().unwrap());
    let events = events(&facts);
    for (event, times) in [("stream.open", 2), ("seal.head", 2)] {
        let told = events.iter().filter(|told| **told == event).count();
        assert!(told >= times, "{event}: {events:?}");
    }
    // The writer ends without a word, and what it sealed of the audit stream is changed.
    faults.set(Fault::Off);
    drop(log.shutdown());
    let segment = segments(&only_store(&dir), "audit").pop().unwrap();
    let text = fs::read_to_string(&segment).unwrap();
    let changed = rehash(&text.replace("booking/0\"", "booking/1\""));
    assert_ne!(text, changed);
    fs::write(&segment, changed).unwrap();
    fs::remove_file(segment.with_file_name("head")).unwrap();
    open_under(&dir, &Faults::new()).shutdown().unwrap();
    let whys: Vec<Value> = stores(&dir)
        .iter()
        .map(|store| records_of(store, "catalog")[0]["data"]["why"].clone())
        .collect();
    assert!(whys.contains(&"tampered".into()), "{whys:?}");
}

#[test]
fn a_checkpoint_of_which_nobody_knows_whether_it_is_there_is_gone_before_its_file_is_left() {
    for number in 0..12 {
        let dirs = tempfile::tempdir().unwrap();
        let dir = dirs.path().join("audit");
        let faults = Faults::new();
        let log = open_under(&dir, &faults);
        book(&log, 0..1);
        faults.set(Fault::Call {
            number,
            effect: Effect::Whole,
        });
        drop(log.checkpoint());
        faults.clear();
        book(&log, 1..2);
        faults.set(Fault::Sync { count: 1 });
        drop(log.checkpoint());
        faults.clear();
        log.checkpoint().unwrap();
        log.shutdown().unwrap();
        assert_eq!(verdict(&dir), Verdict::Ok, "call {number}");
        check(&dir);
    }
}

#[test]
fn silence_is_told_by_a_heartbeat_and_a_sleep_by_its_length() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let clock = clock();
    let seal = Seal::default()
        .every(Duration::from_millis(100))
        .heartbeat(Duration::from_secs(60))
        .epoch(Duration::from_secs(600));
    let log = open_at(&dir, &clock, seal);
    log.checkpoint().unwrap();
    clock.advance(Duration::from_secs(61));
    wait_for(&dir, "seal.heartbeat", 1);
    log.checkpoint().unwrap();
    clock.advance(Duration::from_secs(600));
    wait_for(&dir, "seal.late", 1);
    wait_for(&dir, "seal.epoch", 2);
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let late = facts.iter().find(|fact| fact["event"] == "seal.late");
    assert!(late.unwrap()["data"]["late_ms"].as_u64() >= Some(540_000));
    assert_eq!(verdict(&dir), Verdict::Ok);
}

/// A log whose time is the test's.
fn open_at(dir: &Path, clock: &Arc<ManualClock>, seal: Seal) -> ComplianceLog {
    ComplianceLog::builder("booking-api")
        .env("test")
        .instance("i1")
        .dir(dir)
        .clock(Arc::<ManualClock>::clone(clock))
        .seal(seal)
        .open()
        .unwrap()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_micros(
        1_790_000_000_000_000,
    )))
}

/// Waits until the catalog told of something so often.
fn wait_for(dir: &Path, event: &str, times: usize) {
    wait_until(event, || {
        let facts = records_so_far(dir, "catalog");
        facts.iter().filter(|fact| fact["event"] == event).count() >= times
    });
}

#[test]
fn a_longer_heartbeat_of_a_store_that_is_there_is_no_silence_and_a_shorter_one_counts() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let clock = clock();
    for (beats, heartbeat_s) in [(1, 10), (2, 600), (3, 10)] {
        let every = Duration::from_millis(100);
        let heartbeat = Duration::from_secs(heartbeat_s);
        let seal = Seal::default()
            .every(every)
            .heartbeat(heartbeat)
            .epoch(Duration::from_secs(900));
        let log = open_at(&dir, &clock, seal);
        log.checkpoint().unwrap();
        clock.advance(heartbeat);
        wait_for(&dir, "seal.heartbeat", beats);
        log.shutdown().unwrap();
        let report = verify(&dir, &root_keys(&dir)).unwrap();
        assert_eq!(report.verdict, Verdict::Ok, "{:?}", report.stores);
        let facts = records(&dir, "catalog");
        let started = facts.iter().rfind(|fact| fact["event"] == "log.started");
        assert_eq!(started.unwrap()["data"]["heartbeat_s"], heartbeat_s);
    }
    // In the last run a silence of a minute was one.
    let live = |now_s: i64| {
        let micros = Clock::now(&*clock).as_micros() + now_s * 1_000_000;
        let now = UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs());
        let options = root_keys(&dir).live(now);
        verify(&dir, &options).unwrap().verdict
    };
    assert_eq!([live(20), live(60)], [Verdict::Ok, Verdict::Stale]);
}

#[test]
fn seals_are_never_rarer_than_heartbeats() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let seal = Seal::default()
        .every(Duration::from_secs(60))
        .heartbeat(Duration::from_secs(10));
    open_at(&dir, &clock(), seal).shutdown().unwrap();
    let facts = records(&dir, "catalog");
    for fact in [&facts[0], &facts[5]] {
        assert_eq!(fact["data"]["seal_ms"], 10_000, "{fact}");
        assert_eq!(fact["data"]["heartbeat_s"], 10, "{fact}");
    }
}

#[test]
fn keys_in_memory_end_with_the_process() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    for _ in 0..2 {
        let log = ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(&dir)
            .seal(Seal::default().keys_in_memory())
            .open()
            .unwrap();
        book(&log, 0..3);
        log.shutdown().unwrap();
    }
    let stores = stores(&dir);
    assert_eq!(stores.len(), 2);
    let whys: Vec<_> = stores
        .iter()
        .map(|store| records_of(store, "catalog")[0]["data"]["why"].clone())
        .collect();
    assert!(whys.contains(&"first".into()) && whys.contains(&"keys_in_memory".into()));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "no folder of keys");
    assert_eq!(verdict(&dir), Verdict::Ok);
}

#[test]
fn a_store_that_was_not_sealed_is_continued_by_one_that_is() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .instance("i1")
        .dir(&dir)
        .open()
        .unwrap();
    book(&log, 0..3);
    log.shutdown().unwrap();
    let plain = only_store(&dir);
    let last = records_of(&plain, "audit").pop().unwrap();
    open(&dir).shutdown().unwrap();
    let sealed = stores(&dir).into_iter().find(|store| *store != plain);
    let genesis = &records_of(&sealed.unwrap(), "audit")[0];
    assert_eq!(genesis["data"]["why"], "sealed");
    assert_eq!(genesis["data"]["continues"]["hash"], last["hash"]);
}

#[test]
fn the_root_key_is_beside_the_stores_and_the_signing_keys_are_for_nobody_else() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    open(&dir).shutdown().unwrap();
    let store = only_store(&dir);
    let keys = format!("{}.keys", store.display());
    let mode = |path: &str| {
        let mode = fs::metadata(path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777
    };
    assert_eq!(mode(&keys), 0o700);
    assert_eq!(mode(&format!("{keys}/signer.json")), 0o600);
    let root = fs::read_to_string(format!("{}.root.vkey", dir.display())).unwrap();
    let signer = fs::read_to_string(format!("{keys}/signer.json")).unwrap();
    assert_eq!(root.lines().count(), 1);
    assert!(
        !signer.contains("/root+"),
        "the root's private half is gone"
    );
    assert_eq!(verdict(&dir), Verdict::Ok);
    let other: VerifierKey =
        SigningKey::generate("other/root".parse().unwrap(), Algorithm::Ed25519)
            .unwrap()
            .verifier()
            .clone();
    let report = verify(&dir, &Options::default().root_key(other)).unwrap();
    assert_eq!(report.verdict, Verdict::BadSignature);
}

#[test]
fn a_file_that_is_removed_while_it_is_open_ends_the_incarnation() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = open(&dir);
    book(&log, 0..20);
    log.checkpoint().unwrap();
    let old = only_store(&dir);
    fs::remove_file(&segments(&old, "audit")[0]).unwrap();
    wait_until("another incarnation", || {
        book(&log, 20..21);
        stores(&dir).len() == 2
    });
    book(&log, 21..25);
    log.shutdown().unwrap();
    let new = stores(&dir)
        .into_iter()
        .find(|store| *store != old)
        .unwrap();
    let records = records_of(&new, "audit");
    assert_eq!(records[0]["data"]["why"], "tampered");
    let said = records_of(&old, "audit");
    assert!(events(&said).contains(&"security.file_replaced"));
    let report = verify(&dir, &root_keys(&dir)).unwrap();
    let verdict = |path: &Path| {
        let store = report.stores.iter().find(|store| store.path == *path);
        store.unwrap().verdict
    };
    assert_eq!(verdict(&old), Verdict::MissingSegment);
    assert_eq!(verdict(&new), Verdict::Ok);
}

/// How the writer of a store said that it began.
fn why(store: &Path) -> String {
    records_of(store, "catalog")[0]["data"]["why"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_file_of_the_seal_that_is_altered_while_it_is_open_ends_the_incarnation() {
    type Alter = fn(&Path);
    let remove: Alter = |path| fs::remove_file(path).unwrap();
    let cut: Alter = |path| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    };
    let exchange: Alter = |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path.with_extension("other"), [&bytes[..], b"x"].concat()).unwrap();
        fs::rename(path.with_extension("other"), path).unwrap();
    };
    let files = [
        "streams/catalog/00000000000000000000.jsonl",
        "streams/catalog/00000000000000000000.ckpt",
        "seal/epochs",
    ];
    for file in files {
        for (how, alter) in [("removed", remove), ("cut", cut), ("replaced", exchange)] {
            let dirs = tempfile::tempdir().unwrap();
            let dir = dirs.path().join("audit");
            let log = open(&dir);
            book(&log, 0..5);
            log.checkpoint().unwrap();
            let old = only_store(&dir);
            alter(&old.join(file));
            let is_told = || {
                let text = fs::read_to_string(&segments(&old, "audit")[0]).unwrap();
                text.contains(&format!("/{file}\",\"how\":\"{how}\""))
            };
            wait_until("it is told", is_told);
            // What has only another inode is gone on with.
            let is_whole = how == "replaced";
            wait_until("it goes on", || {
                book(&log, 5..6);
                stores(&dir).len() == 2 || (is_whole && log.checkpoint().is_ok())
            });
            book(&log, 6..7);
            log.shutdown().unwrap();
            let new = stores(&dir).into_iter().find(|store| *store != old);
            match new {
                Some(new) => {
                    let why = why(&new);
                    assert!(
                        ["tampered", "rollback"].contains(&&*why),
                        "{file} {how}: {why}"
                    );
                    check_store(&dir, &new);
                }
                None => assert!(is_whole, "{file} {how}"),
            }
        }
    }
}

#[test]
fn a_stream_that_could_not_be_closed_has_no_sealed_end() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("stores");
    let faults = Faults::new();
    let builder = ComplianceLog::builder("booking-api")
        .env("test")
        .instance("i1")
        .dir(&dir)
        .sync_after(Duration::from_secs(3600))
        .seal(Seal::default().every(Duration::from_secs(60)));
    let log = faults.under(builder).open().unwrap();
    book(&log, 0..1);
    log.checkpoint().unwrap();
    let written = || fs::metadata(&segments(&only_store(&dir), "audit")[0]).unwrap();
    let before = written().len();
    within_sync(&log, || BookingCreated { booking_id: 1 }.emit()).unwrap();
    wait_until("it is written", || written().len() > before);
    faults.set(Fault::In { folder: "audit" });
    log.shutdown().unwrap_err();
    let facts = records(&dir, "catalog");
    assert!(!events(&facts).contains(&"log.stopped"));
    assert_eq!(facts.last().unwrap()["data"]["reason"], "close");
    assert!([Verdict::Ok, Verdict::Torn].contains(&verdict(&dir)));
    // The next writer adopts what is there.
    open(&dir).shutdown().unwrap();
    let records = records(&dir, "audit");
    assert!(events(&records).contains(&"chain.recovery"));
    assert_eq!(verdict(&dir), Verdict::Ok);
}

#[test]
fn a_store_that_could_not_be_begun_leaves_no_root_key() {
    let root_keys = |dir: &Path| {
        let keys = fs::read_to_string(format!("{}.root.vkey", dir.display()));
        keys.unwrap_or_default().lines().count()
    };
    let begun = |dir: &Path, faults: &Faults| {
        let builder = ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(dir)
            .on_start_failure(StartFailure::Refuse)
            .seal(Seal::default().every(Duration::from_secs(60)));
        let log = faults.under(builder).open();
        let calls = faults.calls();
        faults.clear();
        log.map(|log| log.shutdown().unwrap()).map(|_closed| calls)
    };
    for effect in [Effect::None, Effect::Half, Effect::Whole] {
        let mut refused = 0;
        for number in 0.. {
            let dirs = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
            let dir = dirs.as_ref().unwrap().path().join("stores");
            let faults = Faults::new();
            faults.set(Fault::Call { number, effect });
            match begun(&dir, &faults) {
                Ok(calls) if calls <= number => break,
                Ok(_) => {}
                Err(_) => refused += 1,
            }
            let stores = fs::read_dir(&dir).map_or(0, |_| stores(&dir).len());
            assert_eq!(root_keys(&dir), stores, "{effect:?} of call {number}");
        }
        assert!(refused > 20, "{refused}");
    }
}

#[test]
fn keys_are_rotated_when_somebody_asks_for_it() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = open(&dir);
    book(&log, 0..5);
    let signer = |note: &str| {
        let line = note.lines().last().unwrap().to_owned();
        line.split(' ').nth(1).unwrap().to_owned()
    };
    let before = signer(&log.checkpoint().unwrap());
    let after = signer(&log.rotate_keys().unwrap());
    assert!(before.ends_with("/e1"), "{before}");
    assert!(after.ends_with("/e2"), "{after}");
    log.shutdown().unwrap();
    let facts = records(&dir, "catalog");
    let asked = |fact: &&Value| fact["data"]["reason"] == "request";
    assert_eq!(facts.iter().filter(asked).count(), 1);
    check(&dir);
    assert_eq!(verdict(&dir), Verdict::Ok);
}

#[test]
fn keys_of_a_store_that_nobody_writes_are_rotated_too() {
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    let log = open(&dir);
    book(&log, 0..5);
    let store = only_store(&dir);
    let rotate = || Seal::default().rotate_keys(&store);
    let error = rotate().unwrap_err().to_string();
    assert!(error.contains("another process writes it"), "{error}");
    log.shutdown().unwrap();
    let audit = records(&dir, "audit");
    let checkpoint = rotate().unwrap();
    assert!(checkpoint.starts_with("log.example/booking-api/i1/"));
    assert_eq!(records(&dir, "audit"), audit);
    assert_eq!(verdict(&dir), Verdict::Ok);
    let facts = records(&dir, "catalog");
    let reasons: Vec<&Value> = facts
        .iter()
        .filter(|fact| fact["event"] == "seal.epoch")
        .map(|fact| &fact["data"]["reason"])
        .collect();
    assert_eq!(reasons, ["start", "close", "start", "request", "close"]);
    assert!(facts.iter().all(|fact| fact["env"] == "test"));
    let log = open(&dir);
    book(&log, 5..6);
    log.shutdown().unwrap();
    check(&dir);

    // One that was killed is for its service to tell of.
    let faults = Faults::new();
    let log = open_under(&dir, &faults);
    book(&log, 6..7);
    faults.set(Fault::Off);
    drop(log.shutdown());
    let error = rotate().unwrap_err().to_string();
    assert!(error.contains("was not shut down"), "{error}");
    open(&dir).shutdown().unwrap();
    let audit = records(&dir, "audit");
    assert!(events(&audit).contains(&"chain.recovery"), "{audit:?}");
    rotate().unwrap();
    assert_eq!(verdict(&dir), Verdict::Ok);
}

/// A clock by which the seal thread panics once it is told to.
#[derive(Debug, Default)]
struct Trap(AtomicBool, SystemClock);

impl Clock for Trap {
    fn now(&self) -> Timestamp {
        self.1.now()
    }

    fn monotonic(&self) -> Duration {
        let is_seal = std::thread::current().name() == Some("compliance-log-seal");
        let springs = is_seal && self.0.load(Ordering::Relaxed);
        assert!(!springs, "the seal thread reads this clock");
        self.1.monotonic()
    }
}

#[test]
fn a_seal_thread_that_panicked_is_told_of_and_records_are_stored_all_the_same() {
    for exposure_max in [None, Some(Duration::from_secs(1))] {
        let dirs = tempfile::tempdir().unwrap();
        let dir = dirs.path().join("audit");
        let anchor = dirs.path().join("anchor");
        fs::create_dir(&anchor).unwrap();
        let trap = Arc::new(Trap::default());
        let seal = Seal::default()
            .every(Duration::from_millis(100))
            .anchor_every(Duration::from_millis(100))
            .anchor(DirAnchor::new(&anchor));
        let seal = match exposure_max {
            Some(max) => seal.exposure_max(max),
            None => seal,
        };
        let log = ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(&dir)
            .clock(Arc::<Trap>::clone(&trap))
            .seal(seal)
            .open()
            .unwrap();
        book(&log, 0..5);
        let exposure = || log.handle().vitals().exposure.unwrap();
        wait_until("all is covered", || exposure() == Duration::ZERO);
        trap.0.store(true, Ordering::Relaxed);
        wait_until("it panics", || log.checkpoint().is_err());
        let error = log.checkpoint().unwrap_err().to_string();
        assert!(error.contains("the seal thread ended"), "{error}");
        within_sync(&log, || BookingCreated { booking_id: 5 }.emit()).unwrap();
        wait_until("it shows", || exposure() > Duration::from_secs(1));
        let health = || log.handle().health();
        if exposure_max.is_some() {
            wait_until("commits are refused", || health() == Health::Degraded);
        } else {
            assert_eq!(health(), Health::Ready);
            book(&log, 6..7);
        }
        let error = log.shutdown().unwrap_err().to_string();
        assert!(error.contains("not sealed"), "{error}");
        assert_eq!(verdict(&dir), Verdict::Ok);
        let booked = |records: &[Value]| events(records).contains(&"booking.created");
        assert!(booked(&records(&dir, "audit")[5..]));
        // Another writer seals it.
        open(&dir).shutdown().unwrap();
        assert_eq!(verdict(&dir), Verdict::Ok);
        check(&dir);
    }
}
