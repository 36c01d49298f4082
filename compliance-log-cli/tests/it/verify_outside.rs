//! `verify` with what is known of a store elsewhere: kept checkpoints, anchors, a witness, lists.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use compliance_log::{
    chain::Digest,
    seal::{
        note::SigningKey,
        statement::{Certificate, Revocation, Revoked, Role, Signed},
    },
};

use crate::{
    command::run,
    real_store::World,
    sealed::{Sealed, key},
    store::rewrite,
    verify_sealed::{closed, copy, report, root_file, text_of, verify, verify_at},
    witness::Witness,
};

/// What is sealed now.
fn newest(world: &World) -> (String, String, u64) {
    let report = report(world, &[]);
    let store = &report["stores"][0];
    let text = |key: &str| store[key].as_str().unwrap().to_owned();
    (
        text("origin"),
        text("newest_checkpoint"),
        store["sealed_size"].as_u64().unwrap(),
    )
}

/// A store, put back to what it was before more was sealed.
fn put_back() -> (World, World, (String, String, u64)) {
    let mut world = closed();
    let old = World {
        base: tempfile::tempdir().unwrap(),
        log: None,
    };
    copy(
        &world.base.path().join("logs"),
        &old.base.path().join("logs"),
    );
    world.open();
    world.book(5..9);
    world.close();
    let newest = newest(&world);
    (world, old, newest)
}

#[test]
fn a_kept_checkpoint_finds_what_was_put_back() {
    let (world, old, (_, checkpoint, _)) = put_back();
    let file = world.base.path().join("kept");
    rewrite(&file, checkpoint.as_bytes());
    let kept = text_of(&file);
    assert_eq!(verify(&old, &[]).code, 0, "by itself it is whole");
    assert_eq!(verify(&world, &["--trusted-checkpoint", &kept]).code, 0);
    let said = verify(&old, &["--trusted-checkpoint", &kept]);
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("\nROLLBACK (authenticity NOT"),
        "{}",
        said.out
    );
    assert!(said.err.contains("restored backup"), "{}", said.err);

    // Of a store that is gone as a whole, too.
    let none = old.base.path().join("none");
    fs::create_dir(&none).unwrap();
    let said = verify_at(&old, &none, &["--trusted-checkpoint", &kept]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("  ROLLBACK\n"), "{}", said.out);
    assert!(
        said.out
            .ends_with("ROLLBACK  0 of 0 stores are as they were written\n"),
        "{}",
        said.out
    );

    // The file of all of its checkpoints is none of a note.
    rewrite(&file, &checkpoint.as_bytes()[..40]);
    assert_eq!(verify(&world, &["--trusted-checkpoint", &kept]).code, 3);
}

#[test]
fn expected_stores_must_be_here_and_as_large() {
    let (world, old, (origin, _, size)) = put_back();
    let file = world.base.path().join("expected");
    let list = text_of(&file);
    let told = |world: &World, line: &str| {
        rewrite(&file, format!("# of the witness\n{line}\n").as_bytes());
        verify(world, &["--expect-streams", &list]).code
    };
    assert_eq!(told(&world, &origin), 0);
    assert_eq!(told(&world, &format!("{origin} {size}")), 0);
    assert_eq!(told(&old, &origin), 0);
    assert_eq!(told(&old, &format!("{origin} {size}")), 1);
    let other = origin.replace("booking-api", "other-api");
    assert_eq!(told(&world, &other), 1, "a store that is not here");
    assert_eq!(told(&world, &format!("{origin} many")), 3);
    assert_eq!(told(&world, "booking-api"), 3);
}

#[test]
fn a_folder_of_checkpoints_is_an_anchor() {
    let (world, old, (origin, checkpoint, size)) = put_back();
    let anchor = world.base.path().join("anchor");
    fs::create_dir(&anchor).unwrap();
    let place = text_of(&anchor);
    let said = verify(&world, &["--anchor", &place]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.out.contains(&format!("it has nothing of {origin}")),
        "{}",
        said.out
    );

    let folder = anchor.join(Digest::of(origin.as_bytes()).to_string());
    fs::create_dir(&folder).unwrap();
    let note = folder.join(format!("{size:020}.note"));
    rewrite(&note, checkpoint.as_bytes());
    // Older ones, and others' files, do not count.
    rewrite(&folder.join(format!("{:020}.note", 1)), b"older");
    rewrite(&folder.join("zz.note"), b"something else");
    let said = verify(&world, &["--anchor", &place]);
    assert_eq!(said.code, 0, "{}", said.out);
    let said = verify(&old, &["--anchor", &place]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("ROLLBACK"), "{}", said.out);

    // What the store's keys did not sign is not used, and nothing is fine.
    let mut lines: Vec<&str> = checkpoint.lines().collect();
    let larger = (size + 7).to_string();
    lines[1] = &larger;
    rewrite(&note, format!("{}\n", lines.join("\n")).as_bytes());
    for bytes in [None, Some(&b"junk"[..])] {
        if let Some(bytes) = bytes {
            rewrite(&note, bytes);
        }
        let said = verify(&world, &["--anchor", &place]);
        assert_eq!(said.code, 2, "{}", said.out);
        assert!(
            said.out.contains("bad anchor the anchor [DIR]/anchor"),
            "{}",
            said.out
        );
    }
}

fn submit(world: &World, witness: &Witness) {
    let store = text_of(&world.store());
    let arguments = ["witness", "submit", &store, "--to", &witness.url];
    let said = run(world.base.path(), arguments);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_witness_is_asked_for_each_store() {
    let (world, old, (origin, ..)) = put_back();
    let root = fs::read_to_string(root_file(&world)).unwrap();
    let mut witness = Witness::with_root(&world.base.path().join("witness"), root.trim_end());
    let (url, key_line) = (witness.url.clone(), witness.key.to_string());
    let asked = ["--witness", &url, "--witness-key", &key_line];

    let said = verify(&world, &asked);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.out.contains(&format!("it does not know {origin}")),
        "{}",
        said.out
    );
    submit(&world, &witness);
    let said = verify(&world, &asked);
    assert_eq!(said.code, 0, "{}", said.out);
    let said = verify(&old, &asked);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("ROLLBACK"), "{}", said.out);

    // Whose key is another one's did not cosign it.
    let other = Witness::with_root(&world.base.path().join("other"), root.trim_end());
    let wrong = other.key.to_string();
    let said = verify(&world, &["--witness", &url, "--witness-key", &wrong]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.out.contains("did not cosign it"), "{}", said.out);

    // A store without a seal is not what a witness knows.
    let plain = world.base.path().join("plain");
    crate::store::Stream::create(&plain, "audit")
        .bookings(1)
        .sync();
    assert_eq!(verify_at(&world, &plain, &asked).code, 1);

    witness.kill();
    let said = verify(&world, &asked);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.out
            .contains(&format!("  the witness {url} was not asked: ").replace("  ", "    ")),
        "{}",
        said.out
    );
    assert!(
        said.out
            .lines()
            .last()
            .unwrap()
            .starts_with("NOTHING_CHECKED"),
        "{}",
        said.out
    );
    assert!(
        said.err.contains("mend that, and verify again"),
        "{}",
        said.err
    );
}

#[test]
fn of_two_histories_the_witness_saw_one() {
    let mut world = closed();
    let twin = copy(
        &world.base.path().join("logs"),
        &world.base.path().join("twin"),
    );
    world.open();
    world.book(5..9);
    world.close();
    let root = fs::read_to_string(root_file(&world)).unwrap();
    let witness = Witness::with_root(&world.base.path().join("witness"), root.trim_end());
    submit(&world, &witness);

    let mut clone = World {
        base: tempfile::tempdir().unwrap(),
        log: None,
    };
    copy(&twin, &clone.base.path().join("logs"));
    copy(
        &world.base.path().join("logs.root.vkey"),
        &clone.base.path().join("logs.root.vkey"),
    );
    clone.open();
    clone.book(100..130);
    clone.close();
    let key = witness.key.to_string();
    let asked = ["--witness", &witness.url, "--witness-key", &key];
    assert_eq!(verify(&clone, &[]).code, 0);
    let said = verify(&clone, &asked);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("\nFORK (authenticity NOT"),
        "{}",
        said.out
    );
}

/// Answers every request with these bytes.
fn liar(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = body.len();
            // Whoever hangs up has heard enough.
            let _heard = stream.read(&mut request).and_then(|_| {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                )
            });
        }
    });
    url
}

#[test]
fn a_witness_that_lies_is_never_fine() {
    let world = closed();
    let (origin, checkpoint, _) = newest(&world);
    let other = checkpoint.replace("booking-api", "other-api");
    assert_ne!(other, checkpoint);
    let vkey = key_of_witness();
    for (body, named) in [
        (checkpoint, "did not cosign it"),
        (other, "something else than a checkpoint"),
        ("hello".to_owned(), "something else than a checkpoint"),
        (String::new(), "something else than a checkpoint"),
    ] {
        let url = liar(body);
        let said = verify(&world, &["--witness", &url, "--witness-key", &vkey]);
        assert_eq!(said.code, 2, "{}", said.out);
        assert!(said.out.contains(named), "{origin}: {}", said.out);
    }
}

fn key_of_witness() -> String {
    let signing = key("witness.example/w9");
    let cosigning = compliance_log::seal::note::CosigningKey::new(signing).unwrap();
    cosigning.witness().to_string()
}

fn revocation(by: &SigningKey, store: &Sealed, size: u64) -> String {
    let of = Revoked::Origin(store.keys.origin.clone());
    let stated = Revocation::new(store.keys.log.verifier().clone(), of, size, None);
    Signed::sign(stated, &[by]).unwrap().to_block()
}

#[test]
fn a_revoked_key_is_not_believed_above_what_was_trusted() {
    let world = closed();
    let dir = world.base.path().join("ours");
    let mut store = Sealed::new(&dir);
    store.certify();
    store.book(3);
    store.seal();
    let root = store.root.verifier().to_string();
    let file = world.base.path().join("revoked");
    let told = |by: &SigningKey, size| {
        rewrite(&file, revocation(by, &store, size).as_bytes());
        verify_at(
            &world,
            &dir,
            &["--root-key", &root, "--revocations", &text_of(&file)],
        )
    };
    assert_eq!(told(&store.root, 1_000).code, 0);
    let said = told(&store.root, 2);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("BAD_SIGNATURE"), "{}", said.out);
    // Anybody else's is of no account, and said to be.
    let said = told(&key("log.example/other"), 2);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(
        said.out.contains("no root key that was given signed it"),
        "{}",
        said.out
    );
}

#[test]
fn a_ledger_that_is_none_is_not_believed() {
    let world = closed();
    let root = root_file(&world);
    let ledger = text_of(&world.base.path().join("logs"));
    let said = verify(&world, &["--root-key", &root, "--ledger", &ledger]);
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("it is not certified as an operators' ledger"),
        "{}",
        said.out
    );

    // One that is certified as such, by the same root, is.
    let (store, other) = (
        world.base.path().join("store"),
        world.base.path().join("ops"),
    );
    let store = Sealed::new(&store);
    store.certify();
    let ops = store.cloned(&other);
    let (log, epoch0) = (&ops.keys.log, &ops.keys.epoch0);
    let (log, epoch0) = (log.verifier().clone(), epoch0.verifier().clone());
    let stated = Certificate::new(Role::Ops, ops.keys.origin.clone(), log, epoch0).unwrap();
    let signed = Signed::sign(stated, &[&*ops.root]).unwrap();
    let root_key = store.root.verifier().to_string();
    let given = ["--root-key", &root_key, "--ledger", &text_of(&other)];
    ops.certify();
    assert_eq!(verify_at(&world, &store.path, &given).code, 1);
    rewrite(&ops.path.join("seal/cert"), signed.to_block().as_bytes());
    let said = verify_at(&world, &store.path, &given);
    assert_eq!(said.code, 0, "{}", said.out);

    let empty = world.base.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(
        verify(
            &world,
            &["--root-key", &root, "--ledger", &text_of(Path::new(&empty))]
        )
        .code,
        2
    );
}
