//! A sealed store as its writer leaves it.

use std::{fs, path::Path, process::Command, time::Duration};

use compliance_log::{
    ComplianceLog, Seal, audit_event,
    seal::{
        merkle::{Frontier, TreeHash},
        note::{NoteFile, VerifierKey},
        statement::{Certificates, Checkpoint, EpochNote, Signed},
    },
    test_util::within_sync,
};
use serde_json::Value;

use crate::support::{events, only_store, records, records_of, stores};

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

/// What a sealed store states of itself, checked from the root key down; the roots by the tree over
/// the hashes that stand in its lines.
fn check(dir: &Path) -> usize {
    let store = only_store(dir);
    let root_keys = fs::read_to_string(format!("{}.root.vkey", dir.display())).unwrap();
    let root: VerifierKey = root_keys.lines().next().unwrap().parse().unwrap();
    let certificates = Certificates::parse(&fs::read(store.join("seal/cert")).unwrap()).unwrap();
    let certificate = certificates.check(&[root]).unwrap();
    let mut keys = vec![(0, certificate.epoch0.clone())];
    let epochs = fs::read(store.join("seal/epochs")).unwrap();
    for (_, note) in NoteFile::split(&epochs).notes {
        let note = Signed::<EpochNote>::parse(note).unwrap();
        note.check(&keys.last().unwrap().1).unwrap();
        let note = note.statement();
        keys.push((note.size, note.key.clone()));
    }
    let roots = |channel: &str| -> Vec<TreeHash> {
        let mut frontier = Frontier::new();
        let mut roots = vec![frontier.root()];
        for record in records_of(&store, channel) {
            let hash = record["hash"].as_str().unwrap().parse().unwrap();
            frontier.append(TreeHash::leaf(&hash));
            roots.push(frontier.root());
        }
        roots
    };
    let catalog = roots("catalog");
    let mut checkpoints = 0;
    let mut names: Vec<_> = fs::read_dir(store.join("streams/catalog"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "ckpt"))
        .collect();
    names.sort();
    for name in names {
        let bytes = fs::read(name).unwrap();
        let notes = NoteFile::split(&bytes);
        assert_eq!(notes.torn, None);
        for (_, note) in notes.notes {
            let checkpoint = Signed::<Checkpoint>::parse(note).unwrap();
            checkpoint.check(&certificate.log).unwrap();
            let epoch = usize::try_from(checkpoint.epoch()).unwrap();
            checkpoint.check(&keys[epoch].1).unwrap();
            let Checkpoint { size, root, .. } = checkpoint.statement();
            assert!(keys[epoch].0 <= *size);
            assert!(keys.get(epoch + 1).is_none_or(|(end, _)| size <= end));
            assert_eq!(catalog[usize::try_from(*size).unwrap()], *root);
            checkpoints += 1;
        }
    }
    let facts = records_of(&store, "catalog");
    for channel in ["audit", "app"] {
        let roots = roots(channel);
        for fact in &facts {
            let data = &fact["data"];
            if data["of"].as_str().is_some_and(|of| of.ends_with(channel))
                && let (Some(size), Some(root)) = (data["size"].as_u64(), data["root"].as_str())
            {
                let known = &roots[usize::try_from(size).unwrap()];
                assert_eq!(known.to_string(), root, "{fact}");
            }
        }
    }
    checkpoints
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
        started["data"]["why"].as_str().unwrap_or_default().to_owned()
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
