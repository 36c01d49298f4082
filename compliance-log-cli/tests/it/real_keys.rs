//! Keys of a store that a service writes.

use std::{fs, path::Path};

use compliance_log::{ComplianceLog, Seal, audit_event, test_util::within_sync};
use serde_json::Value;
use tempfile::tempdir;

use crate::{
    command::{Said, run},
    store::rewrite,
};

#[audit_event(name = "seat.booked", target = "seat/{seat}")]
struct Booked {
    seat: u64,
}

/// A pod: its keys are in its memory, and somebody else certifies them.
fn pod(dir: &Path) -> ComplianceLog {
    let seal = Seal::default()
        .domain("log.example")
        .keys_in_memory()
        .certified_outside();
    ComplianceLog::builder("booking-api")
        .env("test")
        .instance("pod-1")
        .dir(dir)
        .seal(seal)
        .open()
        .unwrap()
}

fn book(log: &ComplianceLog, seats: std::ops::Range<u64>) {
    for seat in seats {
        within_sync(log, || Booked { seat }.commit().wait()).unwrap();
    }
    log.checkpoint().unwrap();
}

fn stores(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let stores = paths.filter(|path| path.join("streams").is_dir());
    let mut stores: Vec<String> = stores
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    stores.sort();
    stores
}

/// What the command says to those who must not fail.
fn say(base: &Path, arguments: &[&str]) -> Said {
    let said = run(base, arguments);
    assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
    said
}

#[test]
fn a_pod_is_uncertified_until_an_issuer_certifies_it() {
    let base = tempdir().unwrap();
    let base = base.path();
    let path = |name: &str| base.join(name).to_str().unwrap().to_owned();
    let keep = |name: &str, said: Said| rewrite(&base.join(name), said.out.as_bytes());
    for name in ["root", "issuer"] {
        let (key, out) = (format!("example.com/{name}"), path(&format!("{name}.key")));
        let said = say(base, &["keys", "init", "--name", &key, "--out", &out]);
        keep(&format!("{name}.vkey"), said);
    }
    let (root, issuer) = (path("root.key"), path("issuer.key"));
    let vkey = path("issuer.vkey");
    let prefix = "log.example/booking-api/";
    let certify = [
        "keys",
        "certify",
        "--issuer-prefix",
        prefix,
        "--vkey",
        &vkey,
        "--key",
        &root,
    ];
    keep("issuer.cert", say(base, &certify));

    let dir = base.join("logs");
    let log = pod(&dir);
    book(&log, 0..5);
    let store = stores(&dir).remove(0);
    let (root_vkey, issuer_cert) = (path("root.vkey"), path("issuer.cert"));
    let verify = ["verify", &store, "--root-key", &root_vkey];
    let said = run(base, verify);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.out.contains("UNCERTIFIED"), "{}", said.out);

    keep("request", say(base, &["keys", "request", &store]));
    let request = path("request");
    let certify = [
        "keys",
        "certify",
        &request,
        "--key",
        &issuer,
        "--issuer",
        &issuer_cert,
    ];
    keep(&format!("{store}/seal/cert"), say(base, &certify));
    let said = say(base, &verify);
    assert!(
        said.out.lines().last().unwrap().starts_with("OK"),
        "{}",
        said.out
    );
    // The pod goes on with the keys that were certified, and ends.
    book(&log, 5..10);
    log.shutdown().unwrap();
    say(base, &verify);

    // The next one has other keys, which nobody certified yet.
    pod(&dir).shutdown().unwrap();
    let both = stores(&dir);
    assert_eq!(both.len(), 2, "{both:?}");
    let codes = both.iter().map(|store| {
        let verify = ["verify", store, "--root-key", &root_vkey];
        run(base, verify).code
    });
    let mut codes: Vec<i32> = codes.collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 2]);
}

#[test]
fn keys_of_a_stopped_store_are_rotated_and_those_of_a_running_one_are_not() {
    let base = tempdir().unwrap();
    let base = base.path();
    let dir = base.join("logs");
    let open = || {
        ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i1")
            .dir(&dir)
            .seal(Seal::default().domain("log.example"))
            .open()
            .unwrap()
    };
    let log = open();
    book(&log, 0..5);
    let store = stores(&dir).remove(0);
    let said = run(base, ["keys", "rotate", &store]);
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(
        said.err.contains("another process writes it"),
        "{}",
        said.err
    );
    assert!(said.err.contains("rotate_keys"), "{}", said.err);
    log.shutdown().unwrap();

    let said = say(base, &["keys", "rotate", &store]).out;
    let signer = said.lines().last().unwrap();
    assert!(said.starts_with("log.example/booking-api/i1/"), "{said}");
    assert!(
        signer.contains("/e4 "),
        "two epochs before, a start, and what was asked for: {said}"
    );
    let said = say(base, &["keys", "rotate", &store, "--json"]).out;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["kind"], "checkpoint", "{said}");
    let root = base.join("logs.root.vkey").to_str().unwrap().to_owned();
    say(base, &["verify", &store, "--root-key", &root]);
    let log = open();
    book(&log, 5..6);
    log.shutdown().unwrap();
    assert_eq!(stores(&dir).len(), 1);
    say(base, &["verify", &store, "--root-key", &root]);
}
