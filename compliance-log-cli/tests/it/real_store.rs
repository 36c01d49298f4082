//! The verbs about the seal, on a store that a service writes.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use compliance_log::{ComplianceLog, Seal, audit_event, test_util::within_sync};
use tempfile::{TempDir, tempdir};

use crate::{
    command::{Said, run},
    store::rewrite,
    witness::Witness,
};

#[audit_event(name = "seat.booked", target = "seat/{seat}")]
struct Booked {
    seat: u64,
}

pub(crate) struct World {
    pub(crate) base: TempDir,
    pub(crate) log: Option<ComplianceLog>,
}

impl World {
    pub(crate) fn new() -> Self {
        let base = tempdir().unwrap();
        let mut world = Self { base, log: None };
        world.open();
        world
    }

    pub(crate) fn open(&mut self) {
        let seal = Seal::default()
            .domain("log.example")
            .every(Duration::from_millis(100));
        let log = ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(self.base.path().join("logs"))
            .segment_bytes_max(64 * 1024)
            .seal(seal)
            .open()
            .unwrap();
        self.log = Some(log);
    }

    pub(crate) fn close(&mut self) {
        self.log.take().unwrap().shutdown().unwrap();
    }

    pub(crate) fn book(&self, seats: std::ops::Range<u64>) {
        let log = self.log.as_ref().unwrap();
        for seat in seats {
            within_sync(log, || Booked { seat }.commit().wait()).unwrap();
        }
        log.checkpoint().unwrap();
    }

    pub(crate) fn store(&self) -> PathBuf {
        let entries = fs::read_dir(self.base.path().join("logs")).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        paths.find(|path| path.join("streams").is_dir()).unwrap()
    }

    /// One that knows the store by its root key.
    fn witness(&self) -> Witness {
        let root = fs::read_to_string(self.base.path().join("logs.root.vkey")).unwrap();
        Witness::with_root(&self.base.path().join("witness"), root.trim_end())
    }

    fn say(&self, arguments: &[&str]) -> Said {
        let said = run(self.base.path(), arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said
    }
}

fn submit<'w>(store: &'w str, witness: &'w str, key: &'w str) -> [&'w str; 7] {
    ["witness", "submit", store, "--to", witness, "--key", key]
}

#[test]
fn a_store_in_use_is_witnessed_and_its_records_are_proved() {
    let mut world = World::new();
    world.book(0..300);
    let store = world.store();
    let path = store.to_str().unwrap();
    let witness = world.witness();
    let key = witness.key.to_string();
    let submit = submit(path, &witness.url, &key);
    world.say(&submit);
    world.book(300..320);
    world.say(&submit);
    world.close();
    world.say(&submit);
    world.open();
    world.book(320..330);
    world.say(&submit);

    let shown = world.say(&["keys", "show", path]).out;
    let kinds: Vec<&str> = shown
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(kinds, ["certificate", "epoch", "checkpoint"]);
    let request = world.say(&["keys", "request", path]).out;
    let log_key = request.lines().nth(3).unwrap();

    let policy = world.base.path().join("policy");
    rewrite(&policy, format!("witness w {key}\nquorum w\n").as_bytes());
    for seq in [0, 1, 7, 250, 310] {
        let proof = world.base.path().join(format!("{seq}.tlog-proof"));
        let to = proof.to_str().unwrap();
        world.say(&["prove", path, "audit", &seq.to_string(), "--out", to]);
        let said = world.say(&[
            "check-proof",
            to,
            "--log-key",
            log_key,
            "--policy",
            policy.to_str().unwrap(),
        ]);
        assert!(
            said.out.contains("cosigned  by witness.example/w1"),
            "{}",
            said.out
        );
    }
    world.close();
    let logs = world.base.path().join("logs");
    for place in [logs.to_str().unwrap(), path] {
        let said = world.say(&["verify", place]);
        assert!(!said.out.contains("receipts"), "{}", said.out);
    }
}

/// Checkpoints, catalog and streams are read in the order that no writer can overtake.
#[test]
fn what_is_read_while_records_are_written_fits_together() {
    let mut world = World::new();
    world.book(0..10);
    let store = world.store();
    let path = store.to_str().unwrap();
    let witness = world.witness();
    let key = witness.key.to_string();
    let submit = submit(path, &witness.url, &key);
    let log = world.log.take().unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for seat in 10.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                within_sync(&log, || Booked { seat }.commit().wait()).unwrap();
            }
        });
        for _ in 0..40 {
            world.say(&submit);
            world.say(&["prove", path, "audit", "7"]);
        }
        done.store(true, Ordering::Relaxed);
    });
    world.log = Some(log);
    world.close();
    let segments = fs::read_dir(store.join("streams/audit")).unwrap().count();
    assert!(segments > 3, "files were added meanwhile: {segments}");
}
