//! The verbs that read stores, on a sealed one: the catalog is not a record of the service, and what lies
//! beside a store is none.

use std::fs;

use compliance_log::{ComplianceLog, Seal, audit_event, test_util::within_sync};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::{
    command::{Said, run},
    store::rewrite,
};

#[audit_event(name = "seat.booked", target = "seat/{seat}")]
struct Booked {
    seat: u64,
}

/// A store as a service with `Seal::default()` leaves it, with receipts beside it.
struct World(TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempdir().unwrap());
        let log = ComplianceLog::builder("booking-api")
            .env("prod")
            .instance("i1")
            .dir(world.0.path().join("logs"))
            .stdout(false)
            .seal(Seal::default())
            .open()
            .unwrap();
        for seat in 0..4 {
            within_sync(&log, || Booked { seat }.commit().wait()).unwrap();
        }
        let store = log.store().unwrap().to_path_buf();
        log.shutdown().unwrap();
        let name = store.file_name().unwrap().to_str().unwrap();
        let receipts = store.with_file_name(format!("{name}.receipts"));
        fs::create_dir(&receipts).unwrap();
        rewrite(&receipts.join("w-00000000000000000009.receipt"), b"x\n");
        assert!(store.with_file_name(format!("{name}.keys")).is_dir());
        world
    }

    fn say(&self, verb: &[&str], more: &[&str]) -> Said {
        let logs = self.0.path().join("logs");
        let arguments = verb.iter().copied().chain([logs.to_str().unwrap()]);
        run(self.0.path(), arguments.chain(more.iter().copied()))
    }

    fn channels(&self, verb: &[&str], more: &[&str]) -> Vec<String> {
        let said = self.say(verb, more);
        assert_eq!((said.code, &*said.err), (0, ""), "{verb:?}");
        let channel = |line: &str| {
            let record: Value = serde_json::from_str(line).unwrap();
            let stream = record["stream"].as_str().unwrap().to_owned();
            stream.rsplit_once('/').unwrap().1.to_owned()
        };
        let mut channels: Vec<String> = said.out.lines().map(channel).collect();
        channels.sort();
        channels.dedup();
        channels
    }
}

#[test]
fn show_and_tail_pass_over_the_catalog_unless_it_is_asked_for() {
    let world = World::new();
    for verb in [&["show", "--json"][..], &["tail", "-n", "1000", "--json"]] {
        assert_eq!(world.channels(verb, &[]), ["app", "audit"]);
        assert_eq!(world.channels(verb, &["--stream", "catalog"]), ["catalog"]);
    }
    let booked = world.say(&["show", "--event", "seat.booked"], &[]);
    assert_eq!(booked.out.lines().count(), 4, "{}", booked.err);
    let sealed = world.say(&["show", "--event", "seal.head"], &[]);
    assert_eq!((sealed.code, &*sealed.out), (0, ""));
    let sealed = world.say(
        &["show", "--event", "seal.head", "--channel", "catalog"],
        &[],
    );
    assert!(sealed.out.lines().count() > 0);
}

#[test]
fn what_searches_records_searches_those_of_the_service() {
    let world = World::new();
    let shown = world.say(&["show"], &[]).out.lines().count();
    let said = world.say(&["redact", "--find"], &[]);
    assert_eq!((said.code, &*said.out), (0, ""));
    let summary = format!("note: 0 records of {shown} records would be redacted\n");
    assert_eq!(said.err, summary);

    let said = world.say(&["observe-report"], &["--json"]);
    assert!(matches!(said.code, 0 | 2), "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert!(!report.to_string().contains("catalog"), "{report}");
}

#[test]
fn a_pseudonym_is_looked_for_in_records_of_the_service() {
    let world = World::new();
    let keys = world.0.path().join("keys.toml");
    let keys = keys.to_str().unwrap();
    let about = ["--keys", keys, "--tenant", "acme", "--field", "data.name"];
    let made = ["pseudonym", "new-key"];
    let said = run(world.0.path(), made.iter().chain(&about));
    assert_eq!(said.code, 0, "{}", said.err);
    let logs = world.0.path().join("logs");
    let find = [
        "pseudonym",
        "find",
        "--value",
        "ada",
        "--in",
        logs.to_str().unwrap(),
    ];
    let said = run(world.0.path(), find.iter().chain(&about));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.err.contains("cannot be read"), "{}", said.err);
}

#[test]
fn what_lies_beside_a_store_is_none() {
    let world = World::new();
    let said = world.say(&["verify", "--json"], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["stores"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["stores"][0]["notes"], Value::Null, "{report}");
    // The root's key may lie in the folder of stores as well.
    let logs = world.0.path().join("logs");
    fs::copy(logs.with_extension("root.vkey"), logs.join("x.root.vkey")).unwrap();
    for verb in ["verify", "show", "tail"] {
        assert_eq!(world.say(&[verb], &[]).code, 0, "{verb}");
    }
}
