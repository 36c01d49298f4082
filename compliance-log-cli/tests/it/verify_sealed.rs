//! `verify` on stores that a service sealed, with what a verifier has at hand.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use compliance_log::{
    ComplianceLog, Seal,
    clock::{ManualClock, Timestamp},
};
use serde_json::Value;

use crate::{
    command::{Said, run},
    real_store::World,
    sealed::{Sealed, key},
    store::rewrite,
};

/// A closed store of a few records.
pub(crate) fn closed() -> World {
    let mut world = World::new();
    world.book(0..5);
    world.close();
    world
}

pub(crate) fn root_file(world: &World) -> String {
    text_of(&world.base.path().join("logs.root.vkey"))
}

pub(crate) fn text_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

pub(crate) fn verify(world: &World, more: &[&str]) -> Said {
    verify_at(world, &world.base.path().join("logs"), more)
}

pub(crate) fn verify_at(world: &World, dir: &Path, more: &[&str]) -> Said {
    let arguments = ["verify", dir.to_str().unwrap()];
    run(world.base.path(), arguments.iter().chain(more))
}

pub(crate) fn report(world: &World, more: &[&str]) -> Value {
    let more: Vec<&str> = more.iter().copied().chain(["--json"]).collect();
    let said = verify(world, &more);
    let report: Value = serde_json::from_str(&said.out).expect(&said.err);
    assert_eq!(report["exit"], said.code, "{}", said.out);
    report
}

pub(crate) fn copy(from: &Path, to: &Path) -> PathBuf {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
    to.to_owned()
}

/// Asserts what a refused argument leads to.
fn refused(world: &World, more: &[&str], named: &str) {
    let said = verify(world, more);
    assert_eq!((said.code, &*said.out), (3, ""), "{more:?}: {}", said.err);
    assert!(said.err.contains(named), "{more:?}: {}", said.err);
    assert!(
        said.err.contains("\nhint: ") || said.err.contains("--help"),
        "{}",
        said.err
    );
}

#[test]
fn without_a_root_key_the_verdict_says_that_nobody_knows_who_sealed() {
    let world = closed();
    let said = verify(&world, &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let store = world.store();
    let name = store.file_name().unwrap().to_str().unwrap();
    let verdict = format!("OK (authenticity NOT checked: no root key)  [DIR]/logs/{name}");
    assert_eq!(said.out.lines().last().unwrap(), verdict);
    let (_, incarnation) = name.split_once('-').unwrap();
    let seal = format!("\n  log.example/booking-api/i1/{incarnation}: sealed to size ");
    assert!(said.out.contains(&seal), "{}", said.out);
    assert!(
        said.out
            .contains(", 0 records unsealed, no anchor has it\n"),
        "{}",
        said.out
    );
    assert!(
        said.err
            .starts_with("hint: give the root key with --root-key"),
        "{}",
        said.err
    );
}

#[test]
fn with_the_root_key_the_store_is_known_to_be_the_service_s() {
    let world = closed();
    let vkey = fs::read_to_string(root_file(&world)).unwrap();
    let commented = world.base.path().join("roots");
    rewrite(&commented, format!("# roots\n\n{vkey}\n# end\n").as_bytes());
    for given in [&root_file(&world), vkey.trim_end(), &text_of(&commented)] {
        let said = verify(&world, &["--root-key", given]);
        assert_eq!((said.code, &*said.err), (0, ""), "{}", said.out);
        assert!(
            said.out
                .lines()
                .last()
                .unwrap()
                .starts_with("OK (sealed)  "),
            "{}",
            said.out
        );
    }
}

#[test]
fn the_json_says_what_the_seal_says() {
    let world = closed();
    let report = report(&world, &["--root-key", &root_file(&world)]);
    let store = report["stores"][0].as_object().unwrap();
    let keys: Vec<&str> = store.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "path",
            "verdict",
            "streams",
            "findings",
            "sealed",
            "origin",
            "authenticity",
            "sealed_size",
            "epochs",
            "newest_checkpoint",
            "not_checked"
        ]
    );
    assert_eq!(store["authenticity"], "checked");
    let size = store["sealed_size"].to_string();
    let checkpoint = store["newest_checkpoint"].as_str().unwrap();
    assert_eq!(checkpoint.lines().nth(1), Some(&*size));
    for stream in store["streams"].as_array().unwrap() {
        assert_eq!(stream["unsealed"], 0, "{stream}");
    }
}

/// Words in backquotes.
fn documented(word: &str) -> bool {
    include_str!("../../../docs/VERIFY.md").contains(&format!("`{word}"))
}

#[test]
fn the_page_has_every_flag_and_every_key() {
    let world = closed();
    let said = run(world.base.path(), ["verify", "--help"]);
    let flags = said
        .out
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--"));
    let flags: Vec<&str> = flags.filter_map(|line| line.split(' ').next()).collect();
    assert!(flags.len() > 12, "{flags:?}");
    for flag in flags {
        assert!(documented(&format!("--{flag}")), "--{flag}");
    }
    let report = report(&world, &[]);
    for object in [
        &report,
        &report["stores"][0],
        &report["stores"][0]["streams"][0],
    ] {
        for key in object.as_object().unwrap().keys() {
            assert!(documented(&format!("{key}`")), "{key}");
        }
    }
}

#[test]
fn another_root_key_certified_nothing_here() {
    let world = closed();
    let other = key("log.example/other").verifier().to_string();
    let said = verify(&world, &["--root-key", &other]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("\nBAD_SIGNATURE"), "{}", said.out);
    assert!(
        said.err.contains("is the root key the right one"),
        "{}",
        said.err
    );
    // One of several is enough.
    let both = verify(
        &world,
        &["--root-key", &other, "--root-key", &root_file(&world)],
    );
    assert_eq!(both.code, 0, "{}", both.out);
}

#[test]
fn what_cannot_be_read_is_refused_before_anything_is_checked() {
    let world = closed();
    let root = root_file(&world);
    let junk = world.base.path().join("junk");
    rewrite(&junk, b"no such thing\n");
    let junk = text_of(&junk);
    let empty = world.base.path().join("empty");
    rewrite(&empty, b"# nothing\n");
    let empty = text_of(&empty);
    let missing = text_of(&world.base.path().join("missing"));
    for (arguments, named) in [
        (&["--root-key", &junk][..], "junk, line 1: "),
        (&["--root-key", &empty], "there is no key in"),
        (&["--root-key", &missing], "missing: "),
        (&["--trusted-checkpoint", &missing], "cannot read"),
        (
            &["--trusted-checkpoint", &junk],
            "is not made of whole notes",
        ),
        (&["--expect-streams", &missing], "cannot read"),
        (&["--expect-streams", &junk], "line 1: no origin"),
        (&["--expect-streams", &empty], "expects no store"),
        (
            &["--revocations", &missing, "--root-key", &root],
            "cannot read",
        ),
        (
            &["--revocations", &junk, "--root-key", &root],
            "is not made of whole notes",
        ),
        (&["--revocations", &junk], "--root-key"),
        (
            &["--ledger", &missing, "--root-key", &root],
            "cannot read folder",
        ),
        (&["--ledger", &missing], "cannot read folder"),
        (&["--anchor", &missing], "cannot read folder"),
        (&["--witness", "http://127.0.0.1:9"], "--witness-key"),
        (
            &["--witness", "ftp://x", "--witness-key", &junk],
            "junk, line 1: ",
        ),
        (&["--evidence", &missing], "--evidence-key"),
        (&["--evidence", &missing, "--evidence-key", &junk], "junk"),
    ] {
        refused(&world, arguments, named);
    }
}

#[test]
fn a_moved_copy_verifies_without_keys_and_without_its_folder() {
    let world = closed();
    let elsewhere = world.base.path().join("elsewhere");
    let copied = copy(&world.store(), &elsewhere);
    let said = verify_at(&world, &copied, &["--root-key", &root_file(&world)]);
    assert_eq!((said.code, &*said.err), (0, ""), "{}", said.out);
    assert!(
        said.out.ends_with("OK (sealed)  [DIR]/elsewhere\n"),
        "{}",
        said.out
    );
}

#[test]
fn a_byte_of_a_sealed_record_is_an_edit() {
    let world = closed();
    let file = world
        .store()
        .join("streams/audit/00000000000000000000.jsonl");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::remove_file(&file).unwrap();
    rewrite(&file, &bytes);
    let said = verify(&world, &["--root-key", &root_file(&world)]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("\nEDIT (sealed)  "), "{}", said.out);
    assert!(
        said.err.starts_with("hint: leave the store as it is"),
        "{}",
        said.err
    );
}

#[test]
fn an_unsealed_store_is_not_what_a_root_key_asks_for() {
    let world = closed();
    let plain = world.base.path().join("plain");
    crate::store::Stream::create(&plain, "audit")
        .bookings(2)
        .sync();
    let root = root_file(&world);
    let said = verify_at(&world, &plain, &["--root-key", &root]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("\nUNSEALED  "), "{}", said.out);
    assert!(said.err.contains("nobody vouches"), "{}", said.err);
}

#[test]
fn a_store_that_nobody_certified_says_so() {
    let world = closed();
    let dir = world.base.path().join("uncertified");
    Sealed::new(&dir);
    let said = verify_at(&world, &dir, &[]);
    assert_eq!(said.code, 2, "{}", said.out);
    let last = said.out.lines().last().unwrap();
    assert!(
        last.starts_with("UNCERTIFIED (authenticity NOT checked: no certificate)  "),
        "{last}"
    );
    assert!(said.err.contains("keys certify"), "{}", said.err);
}

#[test]
fn a_writer_that_does_not_run_is_stale_only_for_those_who_expect_it() {
    let world = World::new();
    world.book(0..3);
    let live = |world: &World, dir: &Path| {
        let root = text_of(&dir.with_extension("root.vkey"));
        verify_at(world, dir, &["--root-key", &root, "--live"])
    };
    let said = live(&world, &world.base.path().join("logs"));
    assert_eq!(said.code, 0, "{}", said.out);

    let old = world.base.path().join("old");
    let then = Timestamp::parse("2020-02-02T02:02:02.000000Z").unwrap();
    let log = ComplianceLog::builder("booking-api")
        .dir(&old)
        .clock(Arc::new(ManualClock::new(then)))
        .seal(Seal::default())
        .open()
        .unwrap();
    log.shutdown().unwrap();
    assert_eq!(verify_at(&world, &old, &[]).code, 0);
    let said = live(&world, &old);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.out.contains("\nSTALE (sealed)  "), "{}", said.out);
    assert!(
        said.err.contains("look whether the service runs"),
        "{}",
        said.err
    );
}

#[test]
fn the_python_checker_checks_the_chains_of_a_sealed_store_and_says_so() {
    let world = closed();
    let logs = world.base.path().join("logs");
    let checker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify.py");
    let checked = || {
        let output = Command::new("python3")
            .args(["-B", "-W", "error"])
            .args([&checker, &logs])
            .output();
        let output = output.expect("python3 is needed");
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    // Names that the writer gives to what it sets aside.
    let catalog = world.store().join("streams/catalog");
    rewrite(&catalog.join("00000000000000000000.jsonl.torn-77"), b"x");
    rewrite(&catalog.join("00000000000000000000.ckpt.torn-77"), b"x");
    let (code, out) = checked();
    assert_eq!(code, Some(0), "{out}");
    for channel in ["app", "audit", "catalog"] {
        assert!(out.contains(&format!("/{channel}: ")), "{out}");
    }
    let said = "chains only: no seal was checked, nor who wrote them\n";
    assert!(out.ends_with(said), "{out}");
    assert_eq!(verify(&world, &[]).code, 0);

    let file = catalog.join("00000000000000000000.jsonl");
    let mut bytes = fs::read(&file).unwrap();
    bytes[700] ^= 1;
    fs::remove_file(&file).unwrap();
    rewrite(&file, &bytes);
    assert_eq!(checked().0, Some(1));
    assert_eq!(verify(&world, &[]).code, 1);
}

#[test]
fn every_signature_may_be_asked_for() {
    let world = closed();
    let said = verify(
        &world,
        &[
            "--root-key",
            &root_file(&world),
            "--all-signatures",
            "--hot-only",
        ],
    );
    assert_eq!((said.code, &*said.err), (0, ""), "{}", said.out);
}
