//! What a run of `verify` found, signed.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;

use crate::{
    command::{Said, run},
    real_store::World,
    sealed::key,
    store::{Stream, rewrite},
    verify_sealed::{closed, copy, root_file, text_of, verify, verify_at},
};

struct Kept {
    world: World,
    file: String,
    skey: String,
    vkey: String,
}

impl Kept {
    fn new() -> Self {
        let world = closed();
        let skey = text_of(&world.base.path().join("verifier.key"));
        let made = [
            "keys",
            "init",
            "--name",
            "ops.example/verifier",
            "--out",
            &skey,
        ];
        let said = run(world.base.path(), made);
        assert_eq!(said.code, 0, "{}", said.err);
        Self {
            file: text_of(&world.base.path().join("evidence")),
            skey,
            vkey: said.out.trim_end().to_owned(),
            world,
        }
    }

    fn verify(&self, more: &[&str]) -> Said {
        let kept = ["--evidence", &self.file, "--evidence-key", &self.skey];
        let more: Vec<&str> = more.iter().copied().chain(kept).collect();
        verify(&self.world, &more)
    }

    fn show(&self, key: &str) -> Said {
        run(
            self.world.base.path(),
            ["evidence", "show", &self.file, "--key", key],
        )
    }

    fn objects(&self) -> Vec<Value> {
        let said = self.show(&self.vkey);
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

#[test]
fn what_was_found_is_kept_and_signed() {
    let kept = Kept::new();
    let root = root_file(&kept.world);
    let said = kept.verify(&["--root-key", &root]);
    assert_eq!((said.code, &*said.err), (0, ""), "{}", said.out);
    let text = fs::read_to_string(&kept.file).unwrap();
    assert!(
        text.starts_with("compliance-log/v1/evidence\n{\"tool\":\"compliance-log\","),
        "{text}"
    );

    let objects = kept.objects();
    let [object] = &objects[..] else {
        panic!("{objects:?}");
    };
    for key in [
        "tool",
        "version",
        "started",
        "finished",
        "origin",
        "root_key_id",
        "inputs",
        "verdict",
        "exit",
        "findings",
        "streams",
        "unsealed",
        "epochs",
        "newest_checkpoint",
        "not_checked",
        "run",
    ] {
        assert!(!object[key].is_null(), "{key}: {object}");
    }
    assert_eq!(
        (&object["verdict"], &object["exit"]),
        (&"OK".into(), &0.into())
    );
    assert_eq!(object["unsealed"]["records"], 0);
    for stream in object["streams"].as_array().unwrap() {
        assert_eq!(stream["sealed_size"], stream["records"], "{stream}");
        assert_eq!(
            stream["sealed_root"].as_str().map(str::len),
            Some(64),
            "{stream}"
        );
    }
    let root = fs::read_to_string(root).unwrap();
    let id: Vec<&str> = root.split('+').take(2).collect();
    assert_eq!(object["root_key_id"][0], id.join("+"));
    let shown = run(kept.world.base.path(), ["keys", "show", &kept.file]).out;
    assert!(shown.starts_with("evidence\n"), "{shown}");
}

#[test]
fn a_run_that_fails_is_kept_too_and_one_without_a_store() {
    let kept = Kept::new();
    let other = key("log.example/other").verifier().to_string();
    assert_eq!(kept.verify(&["--root-key", &other]).code, 1);
    let objects = kept.objects();
    assert_eq!(
        (&objects[0]["verdict"], &objects[0]["exit"]),
        (&"BAD_SIGNATURE".into(), &1.into())
    );

    let none = kept.world.base.path().join("none");
    fs::create_dir(&none).unwrap();
    fs::remove_file(&kept.file).unwrap();
    let flags = ["--evidence", &kept.file, "--evidence-key", &kept.skey];
    assert_eq!(verify_at(&kept.world, &none, &flags).code, 2);
    assert_eq!(kept.objects()[0]["run"]["verdict"], "NOTHING_CHECKED");

    // A note for each of several stores.
    let both = kept.world.base.path().join("both");
    Stream::create(&both, "audit").bookings(1).sync();
    copy(&kept.world.store(), &both.join("i1-0123456789abcdef"));
    fs::remove_file(&kept.file).unwrap();
    verify_at(&kept.world, &both, &flags);
    let objects = kept.objects();
    let sealed: Vec<&Value> = objects.iter().map(|object| &object["sealed"]).collect();
    assert_eq!(sealed, [false, true]);
}

#[test]
fn evidence_is_never_overwritten() {
    let kept = Kept::new();
    rewrite(kept.file.as_ref(), b"older");
    let said = kept.verify(&[]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(said.err.contains("is there already"), "{}", said.err);
    assert_eq!(fs::read(&kept.file).unwrap(), b"older");
    fs::remove_file(&kept.file).unwrap();
    // A key that others may read is no key.
    fs::set_permissions(&kept.skey, fs::Permissions::from_mode(0o644)).unwrap();
    let said = kept.verify(&[]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("others may read"), "{}", said.err);
    assert!(!fs::exists(&kept.file).unwrap());
}

#[test]
fn the_next_run_trusts_its_checkpoint() {
    let mut kept = Kept::new();
    let old = kept.world.base.path().join("old");
    copy(&kept.world.store(), &old);
    kept.world.open();
    kept.world.book(5..9);
    kept.world.close();
    assert_eq!(kept.verify(&[]).code, 0);
    let trusted = ["--trusted-checkpoint", &kept.file];
    assert_eq!(verify(&kept.world, &trusted).code, 0);
    let said = verify_at(&kept.world, &old, &trusted);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("ROLLBACK"), "{}", said.out);
}

#[test]
fn evidence_of_another_key_and_with_any_bit_flipped_is_not_believed() {
    let kept = Kept::new();
    assert_eq!(kept.verify(&[]).code, 0);
    let said = kept.show(&key("ops.example/verifier").verifier().to_string());
    assert_eq!((said.code, &*said.out), (1, ""));
    assert!(said.err.contains("did not sign it"), "{}", said.err);
    let whole = fs::read(&kept.file).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        rewrite(kept.file.as_ref(), &bytes);
        let said = kept.show(&kept.vkey);
        assert!(matches!(said.code, 1 | 3), "byte {at}: {}", said.out);
        assert_eq!(said.out, "", "byte {at}");
    }
}

/// A key that nobody certified as a verifier's may have signed anything.
#[test]
fn evidence_is_believed_of_a_verifier_whom_a_root_certified() {
    let kept = Kept::new();
    kept.verify(&[]);
    let base = kept.world.base.path();
    let path = |name: &str| text_of(&base.join(name));
    let say = |arguments: &[&str]| run(base, arguments);
    let root = say(&[
        "keys",
        "init",
        "--name",
        "ops.example/root",
        "--out",
        &path("root"),
    ])
    .out;
    let root = root.trim_end();
    let certify = |prefix: &str, vkey: &str, file: &str| {
        let said = say(&[
            "keys",
            "certify",
            "--key",
            &path("root"),
            "--operator-prefix",
            prefix,
            "--vkey",
            vkey,
        ]);
        assert_eq!(said.code, 0, "{}", said.err);
        rewrite(&base.join(file), said.out.as_bytes());
    };
    let show = |certificate: &str, root: &str| {
        let with = ["--root-key", root, "--certificate", &path(certificate)];
        say(&[&["evidence", "show", &kept.file], &with[..]].concat())
    };
    certify("log.example/", &kept.vkey, "cert");
    let said = show("cert", root);
    assert_eq!((said.code, &*said.err), (0, ""));
    assert!(said.out.contains("\"verdict\":\"OK\""), "{}", said.out);

    certify("other.example/", &kept.vkey, "elsewhere");
    let said = show("elsewhere", root);
    assert_eq!((said.code, &*said.out), (1, ""));
    assert!(
        said.err.contains("certified for other.example/"),
        "{}",
        said.err
    );

    let other = key("ops.example/verifier").verifier().to_string();
    certify("log.example/", &other, "other");
    let said = show("other", root);
    assert_eq!((said.code, &*said.out), (1, ""));
    assert!(said.err.contains("did not sign it"), "{}", said.err);

    let stranger = key("ops.example/root").verifier().to_string();
    let said = show("cert", &stranger);
    assert_eq!((said.code, &*said.out), (1, ""));
    assert!(said.err.contains("no root key signed"), "{}", said.err);

    // By the key alone it is said what was not asked.
    let said = kept.show(&kept.vkey);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("was not asked"), "{}", said.err);
}
