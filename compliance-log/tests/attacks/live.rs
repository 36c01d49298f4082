//! A store is checked while its writer is at work, without a lock.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use compliance_log::verify::{Options, Verdict, verify};

use super::{
    keys::key,
    world::honest,
    writer::{Clock, Writer},
};

/// Writes on a thread of its own, with all that a writer does, until it has sealed often enough.
fn write(store: &Path, born: &AtomicBool) {
    let root = key("acme.example/root", "root");
    let clock = Clock::default();
    let birth = honest(&root);
    let mut writer = Writer::create(store, &clock, "honest", &birth);
    born.store(true, Ordering::Release);
    for round in 0..400 {
        for _ in 0..3 {
            writer.emit("audit", "thing.happened", r#"{"text":"some text"}"#);
        }
        clock.tick(20);
        writer.seal();
        match round % 40 {
            7 => writer.rotate("audit"),
            17 => writer.ratchet("time"),
            27 => writer.rotate_catalog(),
            // A stop, and the next start.
            3 | 23 => writer = Writer::open(store, &clock, "honest", writer.close()),
            _ => (),
        }
    }
}

#[test]
fn a_store_that_is_written_meanwhile_is_never_accused() {
    let base = tempfile::TempDir::new().unwrap();
    let store = base.path().join("store");
    let born = AtomicBool::new(false);
    let root = key("acme.example/root", "root");
    let options = Options::default().root_key(root.verifier().clone());
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(&store, &born));
        let mut checked = 0;
        while !writer.is_finished() {
            if !born.load(Ordering::Acquire) {
                thread::yield_now();
                continue;
            }
            let report = verify(&store, &options).unwrap();
            // What is being written right now is torn.
            let fine = [Verdict::Ok, Verdict::Torn].contains(&report.verdict);
            assert!(fine, "check {checked}: {:#?}", report.stores[0].findings);
            checked += 1;
        }
        assert!(checked > 3, "{checked}");
    });
    assert_eq!(verify(&store, &options).unwrap().verdict, Verdict::Ok);
}
