use std::{
    fs,
    path::{Path, PathBuf},
};

use compliance_log::seal::{note::Note, statement::Checkpoint};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    command::{Said, run},
    sealed::Sealed,
    store::{Stream, rewrite},
    tls::Proxy,
    witness::Witness,
};

struct World {
    base: TempDir,
    store: Sealed,
    witness: Witness,
}

impl World {
    /// A certified store, and a witness that does not know it yet.
    fn new() -> Self {
        let base = tempdir().unwrap();
        let store = Sealed::new(&base.path().join("logs"));
        store.certify();
        let witness = Witness::start(&base.path().join("witness"), &store.root);
        Self {
            base,
            store,
            witness,
        }
    }

    fn submit(&self, store: &Path, more: &[&str]) -> Said {
        let store = store.to_str().unwrap();
        let arguments = ["witness", "submit", store, "--to", &self.witness.url];
        run(self.base.path(), arguments.iter().chain(more))
    }

    /// With the witness' key.
    fn submitted(&self) -> Said {
        let key = self.witness.key.to_string();
        let said = self.submit(&self.store.path, &["--key", &key]);
        assert_eq!((said.code, &*said.err), (0, ""), "{}", said.out);
        said
    }

    fn receipts(&self) -> Vec<(String, String)> {
        files(&receipts_of(&self.store.path))
    }

    fn size(&self) -> u64 {
        self.store.catalog.next_seq()
    }
}

fn receipts_of(store: &Path) -> PathBuf {
    let name = store.file_name().unwrap().to_str().unwrap();
    store.with_file_name(format!("{name}.receipts"))
}

/// Names and contents below a folder.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_receipt_is_left_for_each_checkpoint_and_nothing_else_is_written() {
    let mut world = World::new();
    for round in 0..5 {
        world.store.book(3);
        if round == 2 {
            world.store.rotate_catalog();
        } else {
            world.store.seal();
        }
        let before = files(&world.store.path);
        let said = world.submitted();
        let size = world.size();
        let name = format!("witness-{size:020}.receipt");
        let origin = &world.store.keys.origin;
        assert_eq!(
            said.out,
            format!(
                "{origin}  size {size} is cosigned by witness.example/w1, receipt [DIR]/logs/host-1-00112233445566ff.receipts/{name}\n"
            )
        );
        assert_eq!(files(&world.store.path), before, "the store is only read");

        let receipts = world.receipts();
        assert_eq!(receipts.len(), round + 1);
        let (_, text) = receipts.iter().find(|(found, _)| *found == name).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        let [
            "compliance-log/v1/receipt",
            "witness",
            "witness",
            found,
            cosignature,
            "",
        ] = lines[..]
        else {
            panic!("{text}");
        };
        assert_eq!(found, size.to_string());
        let leaves = crate::sealed::leaves(&world.store.catalog);
        let note = world.store.keys.note(&leaves);
        world
            .witness
            .key
            .check(note.text(), &cosignature.parse().unwrap())
            .unwrap();
        assert_eq!(
            world.witness.get("origins").text,
            format!("{origin} {size}\n")
        );
    }
}

#[test]
fn what_the_witness_has_is_asked_where_no_receipt_tells() {
    let mut world = World::new();
    world.submitted();
    world.store.book(40);
    world.store.rotate_catalog();
    world.store.seal();
    // The service took the receipts in.
    fs::remove_dir_all(receipts_of(&world.store.path)).unwrap();
    world.submitted();
    assert_eq!(world.receipts().len(), 1);
    // Nothing is new: the same checkpoint is cosigned once more.
    world.submitted();
    assert_eq!(world.receipts().len(), 1);
}

#[test]
fn checkpoints_and_records_that_a_crash_cut_short_do_not_matter() {
    let mut world = World::new();
    world.submitted();
    world.store.book(2);
    world.store.seal();
    let size = world.size();
    world.store.fact("seal.heartbeat", r#"{"up":9}"#);
    let checkpoints = world.store.catalog.file.with_extension("ckpt");
    let mut bytes = fs::read(&checkpoints).unwrap();
    bytes.extend_from_slice(&fs::read(&checkpoints).unwrap()[..150]);
    rewrite(&checkpoints, &bytes);
    world.submitted();
    assert_eq!(world.receipts()[1].0, format!("witness-{size:020}.receipt"));
}

#[test]
fn json_says_what_was_cosigned() {
    let world = World::new();
    let said = world.submit(&world.store.path, &["--json", "--anchor", "w1"]);
    assert_eq!(said.code, 0);
    assert!(
        said.err.contains("the cosignature was not checked"),
        "{}",
        said.err
    );
    let value: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(value["origin"], world.store.keys.origin.as_str());
    assert_eq!(
        (&value["size"], &value["witness"]),
        (&3.into(), &"witness.example/w1".into())
    );
    let receipt = value["receipt"].as_str().unwrap();
    assert!(
        receipt.ends_with("/w1-00000000000000000003.receipt"),
        "{receipt}"
    );
}

/// The witness has seen more than is there: the store was put back.
#[test]
fn a_store_that_was_put_back_is_another_history() {
    let mut world = World::new();
    let old = files(&world.store.path.join("streams/catalog"));
    world.store.book(3);
    world.store.seal();
    world.submitted();
    for (name, text) in old {
        rewrite(
            &world.store.path.join("streams/catalog").join(name),
            text.as_bytes(),
        );
    }
    for keep_receipts in [true, false] {
        if !keep_receipts {
            fs::remove_dir_all(receipts_of(&world.store.path)).unwrap();
        }
        let said = world.submit(&world.store.path, &[]);
        assert_eq!((said.code, &*said.out), (1, ""), "{}", said.err);
        let text = format!("ANOTHER HISTORY of {} exists", world.store.keys.origin);
        assert!(said.err.contains(&text), "{}", said.err);
        assert!(
            said.err
                .contains("has cosigned 4 records, more than the 3 here"),
            "{}",
            said.err
        );
        assert!(
            said.err.contains("hint: this store was put back"),
            "{}",
            said.err
        );
    }
}

/// Two machines with the same keys: whoever comes second is told.
#[test]
fn a_clone_is_another_history() {
    let mut world = World::new();
    let mut clone = world.store.cloned(&world.base.path().join("clone"));
    world.store.fact("seal.heartbeat", r#"{"up":1}"#);
    world.store.sign();
    clone.fact("seal.heartbeat", r#"{"up":2}"#);
    clone.sign();
    world.submitted();
    for more in 0..2 {
        if more == 1 {
            clone.seal();
        }
        let said = world.submit(&clone.path, &[]);
        assert_eq!((said.code, &*said.out), (1, ""), "{}", said.err);
        let size = clone.catalog.next_seq();
        let text = format!("has cosigned other records than the {size} here");
        assert!(said.err.contains(&text), "{}", said.err);
        assert!(files(&receipts_of(&clone.path)).is_empty());
    }
    world.store.seal();
    world.submitted();
}

#[test]
fn a_witness_of_another_key_leaves_no_receipt() {
    let world = World::new();
    let other = World::new();
    let said = world.submit(
        &world.store.path,
        &["--key", &other.witness.key.to_string()],
    );
    assert_eq!(said.code, 3);
    assert!(
        said.err.contains("no cosignature of witness.example/w1"),
        "{}",
        said.err
    );
    assert!(world.receipts().is_empty());
}

#[test]
fn what_cannot_be_submitted_is_named_with_what_to_do() {
    let mut world = World::new();
    let refused = |said: Said, text: &str| {
        assert_eq!((said.code, &*said.out), (3, ""), "{}", said.err);
        assert!(said.err.contains(text), "{}", said.err);
        assert!(said.err.contains("hint: "), "{}", said.err);
    };
    refused(world.submit(world.base.path(), &[]), "is no store");
    let plain = Stream::of_instance(world.base.path(), "host-9", "audit");
    let plain = plain.folder.ancestors().nth(2).unwrap().to_owned();
    refused(world.submit(&plain, &[]), "is a store, but not sealed");
    refused(
        world.submit(&world.store.path, &["--key", "x"]),
        "a witness' vkey is",
    );
    let said = world.submit(&world.store.path, &["--anchor", "a/b"]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("letters, digits"), "{}", said.err);

    // Nobody certified it, or somebody whom the witness does not trust.
    let certificate = world.store.path.join("seal/cert");
    fs::remove_file(&certificate).unwrap();
    refused(
        world.submit(&world.store.path, &[]),
        "which nobody certified yet",
    );
    let stranger = crate::sealed::key("log.example/root");
    let theirs = world.store.keys.certified_by(&stranger);
    rewrite(&certificate, theirs.as_bytes());
    refused(world.submit(&world.store.path, &[]), "add-log answered 403");
    world.store.certify();
    world.submitted();

    // Records that were changed do not lead to the checkpoint.
    world.store.book(1);
    world.store.seal();
    let sound = fs::read(&world.store.catalog.file).unwrap();
    world.store.catalog.tamper(|lines| lines.swap(2, 3));
    refused(
        world.submit(&world.store.path, &[]),
        "what stands for sequence 2",
    );
    rewrite(&world.store.catalog.file, &sound);
    world.store.catalog.tamper(|lines| drop(lines.pop()));
    refused(
        world.submit(&world.store.path, &[]),
        "ends before sequence 3, which was sealed",
    );
    rewrite(&world.store.catalog.file, &sound);
    world.submitted();

    let witness = world.witness.url.clone();
    world.witness.kill();
    refused(
        world.submit(&world.store.path, &[]),
        &format!("{witness}/add-checkpoint: "),
    );
    world.witness.url = "witness.example".to_owned();
    refused(
        world.submit(&world.store.path, &[]),
        "is no URL of a witness",
    );
}

#[test]
fn a_store_without_a_checkpoint_is_not_submitted() {
    let world = World::new();
    rewrite(&world.store.catalog.file.with_extension("ckpt"), b"");
    let said = world.submit(&world.store.path, &[]);
    assert_eq!((said.code, &*said.out), (2, ""));
    assert!(said.err.contains("has no checkpoint yet"), "{}", said.err);
}

/// What the witness gives to a verifier is the checkpoint of the store.
#[test]
fn the_newest_cosigned_checkpoint_can_be_read_back() {
    let world = World::new();
    world.submitted();
    let origin = &world.store.keys.origin;
    let hash = compliance_log::chain::Digest::of(origin.as_str().as_bytes());
    let kept = world.witness.get(&format!("{hash}/checkpoint")).text;
    let kept = Note::parse(kept.as_bytes()).unwrap();
    assert_eq!(
        Checkpoint::from_text(kept.text()).unwrap().size,
        world.size()
    );
    kept.check(world.store.keys.log.verifier()).unwrap();
}

#[test]
fn a_witness_behind_tls_is_asked_if_its_certificate_leads_to_a_root() {
    let mut world = World::new();
    let proxy = Proxy::of(&world.witness.url);
    let ca = world.base.path().join("ca.pem");
    rewrite(&ca, proxy.certificate.as_bytes());
    let plain = std::mem::replace(&mut world.witness.url, proxy.url);
    let said = world.submit(&world.store.path, &["--ca", ca.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);

    let stranger = Proxy::of(&plain).certificate;
    rewrite(&ca, stranger.as_bytes());
    let said = world.submit(&world.store.path, &["--ca", ca.to_str().unwrap()]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(
        said.err.contains("invalid peer certificate"),
        "{}",
        said.err
    );
    let said = world.submit(&world.store.path, &[]);
    assert_eq!(
        said.code, 3,
        "the system's roots know neither: {}",
        said.err
    );

    rewrite(&ca, b"nothing\n");
    let said = world.submit(&world.store.path, &["--ca", ca.to_str().unwrap()]);
    assert!(
        said.err.contains("there is no certificate in"),
        "{}",
        said.err
    );
}

#[test]
fn the_witness_says_which_stores_there_must_be() {
    let mut world = World::new();
    let origins = |url: &str, more: &[&str]| {
        run(
            world.base.path(),
            ["witness", "origins", "--of", url].iter().chain(more),
        )
    };
    let said = origins(&world.witness.url, &[]);
    assert_eq!((said.code, &*said.out), (0, ""), "{}", said.err);
    world.submitted();
    let said = origins(&world.witness.url, &[]);
    let origin = &world.store.keys.origin;
    assert_eq!((said.code, said.out), (0, format!("{origin} 3\n")));
    let said = origins(&world.witness.url, &["--json"]);
    let value: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        value,
        json!({ "origins": [{ "origin": origin.as_str(), "size": 3 }] })
    );

    let elsewhere = origins(&format!("{}/elsewhere", world.witness.url), &[]);
    assert_eq!((elsewhere.code, &*elsewhere.out), (3, ""));
    assert!(
        elsewhere.err.contains("origins answered 404"),
        "{}",
        elsewhere.err
    );
    let url = world.witness.url.clone();
    world.witness.kill();
    let said = run(world.base.path(), ["witness", "origins", "--of", &url]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(
        said.err.contains(&format!("{url}/origins: ")),
        "{}",
        said.err
    );
}
