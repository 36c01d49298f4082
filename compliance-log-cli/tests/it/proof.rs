use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    command::{Said, run},
    sealed::Sealed,
    store::{rename, rewrite},
    witness::Witness,
};

struct World {
    base: TempDir,
    store: Sealed,
    witness: Witness,
}

impl World {
    /// A store of several segments, all of which is sealed and cosigned.
    fn new() -> Self {
        let base = tempdir().unwrap();
        let mut store = Sealed::new(&base.path().join("logs"));
        store.certify();
        let witness = Witness::start(&base.path().join("witness"), &store.root);
        for round in 0..4 {
            store.book(5);
            store.seal();
            if round == 1 {
                store.rotate_audit();
            } else {
                store.rotate_catalog();
            }
        }
        store.book(3);
        store.seal();
        let world = Self {
            base,
            store,
            witness,
        };
        world.submit();
        world
    }

    fn submit(&self) {
        let store = self.store.path.to_str().unwrap();
        let said = run(
            self.base.path(),
            ["witness", "submit", store, "--to", &self.witness.url],
        );
        assert_eq!(said.code, 0, "{}", said.err);
    }

    fn receipts(&self) -> PathBuf {
        let name = self.store.path.file_name().unwrap().to_str().unwrap();
        self.store.path.with_file_name(format!("{name}.receipts"))
    }

    fn prove(&self, arguments: &[&str]) -> Said {
        let store = self.store.path.to_str().unwrap();
        run(self.base.path(), ["prove", store].iter().chain(arguments))
    }

    /// Keeps a proof of a record of the audit stream.
    fn proof(&self, seq: u64) -> PathBuf {
        let said = self.prove(&["audit", &seq.to_string()]);
        assert_eq!((said.code, &*said.err), (0, ""), "{seq}");
        let path = self.base.path().join(format!("{seq}.tlog-proof"));
        rewrite(&path, said.out.as_bytes());
        path
    }

    fn policy(&self) -> String {
        let path = self.base.path().join("policy");
        rewrite(
            &path,
            format!("witness w {}\nquorum w\n", self.witness.key).as_bytes(),
        );
        path.to_str().unwrap().to_owned()
    }

    fn check(&self, proof: &Path, more: &[&str]) -> Said {
        let log = self.store.keys.log.verifier().to_string();
        let arguments = ["check-proof", proof.to_str().unwrap(), "--log-key", &log];
        run(self.base.path(), arguments.iter().chain(more))
    }
}

#[test]
fn every_record_is_proved_and_shown_to_whoever_has_the_log_key() {
    let world = World::new();
    let policy = world.policy();
    let lines = &world.store.audit.lines;
    for (line, seq) in lines.iter().zip(0..) {
        let said = world.check(&world.proof(seq), &["--policy", &policy]);
        assert_eq!((said.code, &*said.err), (0, ""), "{seq}: {}", said.out);
        let line = std::str::from_utf8(line).unwrap();
        assert!(
            said.out
                .contains(&format!("seq {seq} of {}\n", world.store.audit.id)),
            "{}",
            said.out
        );
        assert!(said.out.contains(line), "{}", said.out);
        assert!(
            said.out.contains("  cosigned  by witness.example/w1 at 20"),
            "{}",
            said.out
        );
        assert!(!said.out.contains("log key only"), "{}", said.out);
    }
}

#[test]
fn a_proof_shows_one_record_and_no_other() {
    let world = World::new();
    let proof = world.proof(7);
    let said = world.check(&proof, &["--json"]);
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    let line = std::str::from_utf8(&world.store.audit.lines[7])
        .unwrap()
        .trim_end();
    assert_eq!(
        (&shown["shown"], &shown["record"]),
        (&json!(true), &json!(line))
    );
    assert_eq!(
        (&shown["event"], &shown["seq"]),
        (&json!("booking.created"), &json!(7))
    );
    assert_eq!(shown["origin"], world.store.keys.origin.as_str());
    assert_eq!(shown["stream"], world.store.audit.id);
    assert_eq!(
        (&shown["cosigned"], &shown["log_key_only"]),
        (&json!([]), &json!(true))
    );

    let text = fs::read_to_string(&proof).unwrap();
    let extra = text.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
    let extra = Base64::decode_vec(extra).unwrap();
    let extra: Value = serde_json::from_slice(&extra).unwrap();
    let bookings = extra.to_string().matches("booking.created").count();
    assert_eq!(bookings, 1, "{extra}");
}

#[test]
fn without_a_policy_the_proof_is_as_good_as_the_log_key() {
    let world = World::new();
    let proof = world.proof(3);
    let said = world.check(&proof, &[]);
    assert_eq!(said.code, 0);
    assert!(
        said.out
            .contains("log key only: as good as that key's secrecy ever since"),
        "{}",
        said.out
    );

    let log = world.base.path().join("log.vkey");
    rewrite(
        &log,
        format!("{}\n", world.store.keys.log.verifier()).as_bytes(),
    );
    let arguments = [
        "check-proof",
        proof.to_str().unwrap(),
        "--log-key",
        log.to_str().unwrap(),
    ];
    assert_eq!(
        run(world.base.path(), arguments).code,
        0,
        "the key may stand in a file"
    );
}

#[test]
fn what_is_not_shown_ends_with_1_and_the_reason() {
    let world = World::new();
    let proof = world.proof(3);
    let text = fs::read_to_string(&proof).unwrap();
    let policy = world.policy();
    let refused = |proof: &Path, more: &[&str], reason: &str| {
        let said = world.check(proof, more);
        assert_eq!((said.code, &*said.err), (1, ""), "{}", said.out);
        assert!(said.out.starts_with("NOT SHOWN  "), "{}", said.out);
        assert!(said.out.contains(reason), "{}", said.out);
    };
    let other = World::new();
    refused(&other.proof(3), &[], "did not sign it");
    let strangers = other.policy();
    refused(
        &proof,
        &["--policy", &strangers],
        "nobody cosigned the checkpoint",
    );
    let changed = world.base.path().join("changed");
    for (from, to, reason) in [
        ("tlog-proof@v1", "tlog-proof@v2", "first line"),
        ("index ", "index 1", "the head in the catalog"),
        ("\nextra ", "\nextra A", "base64"),
    ] {
        rewrite(&changed, text.replacen(from, to, 1).as_bytes());
        refused(&changed, &["--policy", &policy], reason);
    }
    rewrite(&changed, &[0xff; 70]);
    refused(&changed, &[], "not UTF-8");

    let said = world.check(&changed, &["--json"]);
    let said: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(said["shown"], false);
    assert!(
        said["reason"].as_str().unwrap().contains("not UTF-8"),
        "{said}"
    );

    let failed = |proof: &Path, more: &[&str], reason: &str| {
        let said = world.check(proof, more);
        assert_eq!((said.code, &*said.out), (3, ""), "{}", said.err);
        assert!(said.err.contains(reason), "{}", said.err);
    };
    failed(Path::new("/nowhere"), &[], "cannot read /nowhere");
    rewrite(&changed, b"quorum w\n");
    failed(
        &proof,
        &["--policy", changed.to_str().unwrap()],
        "line 1: w is not defined",
    );
}

#[test]
fn cosignatures_that_the_store_took_in_count_too() {
    let mut world = World::new();
    let size = world.store.catalog.next_seq();
    let receipt = world.receipts().join(format!("witness-{size:020}.receipt"));
    let text = fs::read_to_string(&receipt).unwrap();
    let line = text.lines().nth(4).unwrap();
    fs::remove_dir_all(world.receipts()).unwrap();
    let data = format!(
        r#"{{"up":9,"anchor":"witness","kind":"witness","size":{size},"receipt":"{line}"}}"#
    );
    world.store.fact("anchor.receipt", &data);
    world.store.seal();
    let policy = world.policy();
    let said = world.check(&world.proof(20), &["--policy", &policy]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(
        said.out.contains(&format!("{size} records of the catalog")),
        "{}",
        said.out
    );
}

#[test]
fn cosignatures_may_lie_in_another_folder() {
    let world = World::new();
    let elsewhere = world.base.path().join("kept");
    rename(&world.receipts(), &elsewhere);
    let said = world.prove(&["audit", "3"]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("no witness cosigned it"), "{}", said.err);
    let said = world.prove(&["audit", "3", "--cosignatures", elsewhere.to_str().unwrap()]);
    assert_eq!((said.code, &*said.err), (0, ""));
    assert!(
        said.out.contains("\u{2014} witness.example/w1 "),
        "{}",
        said.out
    );
    rewrite(
        &elsewhere.join("a-00000000000000000001.receipt"),
        b"hello\n",
    );
    let said = world.prove(&["audit", "3", "--cosignatures", elsewhere.to_str().unwrap()]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("is no receipt"), "{}", said.err);
}

#[test]
fn a_proof_is_written_for_its_owner_and_over_nothing() {
    let world = World::new();
    let out = world.base.path().join("out.tlog-proof");
    let to = out.to_str().unwrap();
    let said = world.prove(&["audit", "3", "--out", to, "--json"]);
    let said: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&said["seq"], &said["witnesses"]),
        (&json!(3), &json!(["witness.example/w1"]))
    );
    assert_eq!(
        fs::metadata(&out).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(world.check(&out, &[]).code, 0);
    let said = world.prove(&["audit", "4", "--out", to]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(said.err.contains("nothing is overwritten"), "{}", said.err);
}

#[test]
fn only_what_was_sealed_can_be_proved() {
    let mut world = World::new();
    let sealed = world.store.audit.next_seq();
    world.store.book(1);
    let seq = sealed.to_string();
    let said = world.prove(&["audit", &seq]);
    assert_eq!((said.code, &*said.out), (2, ""));
    assert!(
        said.err.contains("it is not there, or not sealed yet"),
        "{}",
        said.err
    );
    world.store.seal();
    let said = world.prove(&["audit", &seq]);
    assert_eq!(said.code, 0);
    assert!(
        said.err.contains("no witness cosigned it"),
        "older cosignatures do not hold it: {}",
        said.err
    );

    assert_eq!(world.prove(&["app", "0"]).code, 2);
    for (stream, reason) in [
        (
            "other/host-1/00112233445566ff/audit",
            "is no stream of booking-api/host-1",
        ),
        ("au dit", "names no stream"),
    ] {
        let said = world.prove(&[stream, "0"]);
        assert_eq!(said.code, 3);
        assert!(said.err.contains(reason), "{}", said.err);
    }
    let id = world.store.audit.id.clone();
    assert_eq!(world.prove(&[&id, "0"]).code, 0, "a whole id is as good");
}

/// Only the segments with the record and after it are needed.
#[test]
fn records_of_a_store_whose_old_segments_were_archived_are_proved() {
    let world = World::new();
    let all = [world.proof(20), world.proof(3)].map(|path| fs::read_to_string(path).unwrap());
    for stream in ["audit", "catalog"] {
        let folder = world.store.path.join("streams").join(stream);
        let mut segments: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|suffix| suffix == "jsonl"))
            .collect();
        segments.sort();
        segments.pop();
        assert!(!segments.is_empty());
        for segment in segments {
            fs::remove_file(segment).unwrap();
        }
    }
    assert_eq!(fs::read_to_string(world.proof(20)).unwrap(), all[0]);
    let said = world.prove(&["audit", "3"]);
    assert_eq!(said.code, 3);
    assert!(
        said.err.contains("no longer holds sequence 3"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("older segments were archived"),
        "{}",
        said.err
    );
}

#[test]
fn records_that_were_changed_are_not_proved() {
    let world = World::new();
    let sound = fs::read(&world.store.audit.file).unwrap();
    world.store.audit.tamper(|lines| lines.swap(1, 2));
    let said = world.prove(&["audit", "20"]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(said.err.contains("is not that record"), "{}", said.err);

    // Whoever can hash can make a chain that fits, but not what was sealed.
    rewrite(&world.store.audit.file, &sound);
    let fields = r#""event":"booking.created","data":{"n":99}"#;
    let seq = world.store.audit.next_seq() - 1;
    world.store.audit.tamper(|lines| {
        let last = lines.pop().unwrap();
        let prev = std::str::from_utf8(&last[last.len() - 141..last.len() - 77]).unwrap();
        let prev: compliance_log::chain::Digest = prev.parse().unwrap();
        lines.push(world.store.audit.line(seq, *prev.as_bytes(), fields).0);
    });
    let said = world.prove(&["audit", &seq.to_string()]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(
        said.err.contains("are not those that were sealed"),
        "{}",
        said.err
    );
}
