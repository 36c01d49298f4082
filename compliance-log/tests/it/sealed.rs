//! A sealed store as its writer leaves it.

use std::{fs, path::Path, process::Command, time::Duration};

use compliance_log::{
    ComplianceLog, Seal, audit_event, seal::note::NoteFile, test_util::within_sync,
};
use serde_json::Value;

use crate::{
    seal_check::check,
    support::{events, only_store, records, records_of, stores},
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

/// Where a reference implementation of the seal lies beside: it says the same of our stores.
#[test]
fn another_implementation_verifies_it() {
    let Some(reference) = std::env::var_os("SEALREF") else {
        println!("not run: SEALREF names no reference implementation");
        return;
    };
    let dirs = tempfile::tempdir().unwrap();
    let dir = dirs.path().join("audit");
    for run in 0..3 {
        let log = open(&dir);
        book(&log, run * 200..(run + 1) * 200);
        log.shutdown().unwrap();
    }
    let store = only_store(&dir);
    let root_keys = fs::read_to_string(format!("{}.root.vkey", dir.display())).unwrap();
    let said = |store: &Path| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sealref.py");
        let out = Command::new("python3")
            .arg(script)
            .arg(&reference)
            .arg(store)
            .arg(root_keys.trim_end())
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap()
    };
    let verdict = said(&store);
    println!("{verdict}");
    assert!(verdict.starts_with("OK "), "{verdict}");
    let segment = store.join("streams/audit/00000000000000000000.jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    fs::set_permissions(
        &segment,
        std::os::unix::fs::PermissionsExt::from_mode(0o640),
    )
    .unwrap();
    fs::write(
        &segment,
        rehash(&text.replace("booking/7\"", "booking/8\"")),
    )
    .unwrap();
    let verdict = said(&store);
    assert!(verdict.starts_with("EDIT "), "{verdict}");
}
