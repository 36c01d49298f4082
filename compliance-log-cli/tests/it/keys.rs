use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    slice,
};

use compliance_log::seal::{
    note::{NoteFile, SigningKey, VerifierKey},
    statement::{Certificates, EpochNote, Revocation, Revoked, Signed},
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    command::{Said, run},
    sealed::{Sealed, frontier, leaves},
    store::rewrite,
};

struct World {
    base: TempDir,
    store: Sealed,
}

impl World {
    fn new() -> Self {
        let base = tempdir().unwrap();
        Self {
            store: Sealed::new(&base.path().join("logs")),
            base,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    fn say(&self, arguments: &[&str]) -> Said {
        run(self.base.path(), ["keys"].iter().chain(arguments))
    }

    /// What was printed, of a call that succeeds.
    fn printed(&self, arguments: &[&str]) -> String {
        let said = self.say(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
        said.out
    }

    fn refused(&self, arguments: &[&str], text: &str) {
        let said = self.say(arguments);
        assert_eq!((said.code, &*said.out), (3, ""), "{arguments:?}");
        assert!(said.err.contains(text), "{arguments:?}: {}", said.err);
    }

    /// Keeps what was printed.
    fn keep(&self, name: &str, arguments: &[&str]) -> String {
        let path = self.path(name);
        rewrite(&path, self.printed(arguments).as_bytes());
        path.to_str().unwrap().to_owned()
    }

    /// A new key: its file, and its public half.
    fn key(&self, name: &str) -> (String, VerifierKey) {
        let file = self.path(&format!("{name}.key"));
        let file = file.to_str().unwrap().to_owned();
        let vkey = self.printed(&["init", "--name", name, "--out", &file]);
        (file, vkey.trim_end().parse().unwrap())
    }

    fn request(&self) -> String {
        self.keep("request", &["request", self.store.path.to_str().unwrap()])
    }
}

fn certified(file: &str) -> Certificates {
    Certificates::parse(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn a_new_key_is_kept_for_its_owner_and_never_overwritten() {
    let world = World::new();
    let (file, vkey) = world.key("root");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let key = SigningKey::from_skey(text.strip_suffix('\n').unwrap()).unwrap();
    assert_eq!(
        (key.verifier(), key.verifier().name().as_str()),
        (&vkey, "root")
    );

    world.refused(
        &["init", "--name", "root", "--out", &file],
        "a key is never overwritten",
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let left: Vec<_> = fs::read_dir(world.base.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "the store and the key: {left:?}");

    world.refused(&["init", "--name", "a b", "--out", &file], "names no key");
    let nowhere = world.path("no/where.key");
    world.refused(
        &["init", "--name", "x", "--out", nowhere.to_str().unwrap()],
        "write access is needed to the folder",
    );
    let other = world.path("other.key");
    let said = world.printed(&[
        "init",
        "--name",
        "x",
        "--out",
        other.to_str().unwrap(),
        "--json",
    ]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(said["vkey"].as_str().unwrap().starts_with("x+"), "{said}");
}

#[test]
fn a_root_certifies_a_store_and_another_root_signs_too() {
    let world = World::new();
    let ((one_file, one), (two_file, two)) = (world.key("one"), world.key("two"));
    let request = world.request();
    let origin = &world.store.keys.origin;
    let text = fs::read_to_string(&request).unwrap();
    let expected = format!(
        "compliance-log/v1/cert\nstore\n{origin}\n{}\n{}\n",
        world.store.keys.log.verifier(),
        world.store.keys.epoch0.verifier()
    );
    assert_eq!(text, expected);

    let said = world.say(&["certify", &request, "--key", &one_file]);
    assert_eq!(said.err, format!("note: signed for the store {origin}\n"));
    let once = world.keep("cert", &["certify", &request, "--key", &one_file]);
    certified(&once).check(slice::from_ref(&one)).unwrap();
    certified(&once).check(slice::from_ref(&two)).unwrap_err();

    let twice = world.keep("cert2", &["certify", &once, "--key", &two_file]);
    for root in [one, two] {
        certified(&twice).check(&[root]).unwrap();
    }
    world.refused(
        &["certify", &twice, "--key", &two_file],
        "two signatures of two",
    );

    // A store that is certified is asked for the same.
    fs::copy(&twice, world.store.path.join("seal/cert")).unwrap();
    assert_eq!(fs::read_to_string(world.request()).unwrap(), expected);
    let json = world.printed(&["request", world.store.path.to_str().unwrap(), "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["origin"], &json["text"]),
        (&json!(origin.as_str()), &json!(expected))
    );
}

#[test]
fn an_issuer_certifies_the_stores_of_a_prefix() {
    let world = World::new();
    let ((root_file, root), (issuer_file, issuer)) = (world.key("root"), world.key("issuer"));
    let (other_file, other) = world.key("other");
    let vkey = issuer.to_string();
    let certify = |prefix, key| {
        [
            "certify",
            "--issuer-prefix",
            prefix,
            "--vkey",
            &vkey,
            "--key",
            key,
        ]
        .map(str::to_owned)
    };
    let of_prefix = |name: &str, prefix, key| {
        let arguments = certify(prefix, key);
        world.keep(name, &arguments.each_ref().map(String::as_str))
    };
    let certificate = of_prefix("issuer", "log.example/booking-api/", &root_file);
    let request = world.request();
    let arguments = [
        "certify",
        &request,
        "--key",
        &issuer_file,
        "--issuer",
        &certificate,
    ];
    let of_store = world.keep("cert", &arguments);
    let read = certified(&of_store);
    read.check(slice::from_ref(&root)).unwrap();
    assert_eq!(read.issuer().unwrap().statement().key, issuer);

    // Another root signs what counts: the issuer's.
    let both = world.keep("cert2", &["certify", &of_store, "--key", &other_file]);
    for trusted in [&root, &other] {
        certified(&both).check(slice::from_ref(trusted)).unwrap();
    }
    let certificate_2 = world.keep("issuer2", &["certify", &certificate, "--key", &other_file]);
    let arguments = [
        "certify",
        &request,
        "--key",
        &issuer_file,
        "--issuer",
        &certificate_2,
    ];
    certified(&world.keep("cert3", &arguments))
        .check(&[other])
        .unwrap();

    let elsewhere = of_prefix("issuer3", "log.example/other/", &root_file);
    world.refused(
        &[
            "certify",
            &request,
            "--key",
            &issuer_file,
            "--issuer",
            &elsewhere,
        ],
        "an issuer for log.example/other/ cannot certify",
    );
    world.refused(
        &[
            "certify",
            &request,
            "--key",
            &root_file,
            "--issuer",
            &certificate,
        ],
        "certifies issuer+",
    );
    world.refused(
        &[
            "certify",
            &request,
            "--key",
            &issuer_file,
            "--issuer",
            &request,
        ],
        "empty line before its signatures",
    );
    let wrong = certify("log.example", &root_file);
    world.refused(&wrong.each_ref().map(String::as_str), "a prefix of origins");
    world.refused(&["certify", "--key", &root_file], "REQUEST");
}

#[test]
fn what_is_no_request_is_not_signed() {
    let world = World::new();
    let (file, _) = world.key("root");
    let request = world.request();
    let text = fs::read_to_string(&request).unwrap();
    for (changed, named) in [
        (text.replacen("store\n", "shop\n", 1), "certificate"),
        (text.clone() + "more\n", "certificate"),
        (text.replacen("host-1", "host-2", 1), "certificate"),
        (String::new(), "certificate"),
    ] {
        rewrite(Path::new(&request), changed.as_bytes());
        world.refused(&["certify", &request, "--key", &file], named);
    }
    rewrite(Path::new(&request), text.as_bytes());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    world.refused(
        &["certify", &request, "--key", &file],
        "others may read the private key",
    );
    fs::set_permissions(&request, fs::Permissions::from_mode(0o600)).unwrap();
    world.refused(&["certify", &request, "--key", &request], "PRIVATE+KEY+");
}

#[test]
fn a_revocation_is_what_verifiers_read() {
    let world = World::new();
    let (file, root) = world.key("root");
    let (log, origin) = (world.store.keys.log.verifier(), &world.store.keys.origin);
    let vkey = log.to_string();
    let hash = "fXgDXt1XJLmVuIMP3pzWQZ5q0xW0DVPMZYyYyk4tDtc=";
    let whole = [
        "revoke", "--key", &file, "--vkey", &vkey, "--size", "17", "--of",
    ];
    let with = |more: &[&str]| -> Signed<Revocation> {
        let arguments: Vec<&str> = whole.iter().chain(more).copied().collect();
        let printed = world.printed(&arguments);
        let [(_, note)] = NoteFile::split(printed.as_bytes()).notes[..] else {
            panic!("{printed}");
        };
        Signed::parse(note).unwrap()
    };
    let of_store = with(&[origin.as_str(), "--root", hash]);
    of_store.check(&root).unwrap();
    let stated = of_store.statement();
    assert_eq!((&stated.key, stated.size), (log, 17));
    assert_eq!(stated.of, Revoked::Origin(origin.clone()));
    let text = of_store.to_string();
    assert!(text.contains(&format!("\n17\n{hash}\n")), "{text}");

    let of_prefix = with(&["log.example/booking-api/"]);
    assert!(of_prefix.statement().of.covers(origin));
    assert_eq!(of_prefix.statement().root, None);

    let refused = |more: &[&str], text| {
        let arguments: Vec<&str> = whole.iter().chain(more).copied().collect();
        world.refused(&arguments, text);
    };
    refused(&["log.example/booking-api"], "four names between slashes");
    refused(
        &[origin.as_str(), "--root", &hash.replace('c', "d")],
        "is no root in base64",
    );
    refused(&[origin.as_str(), "--root", "AAAA"], "is no root in base64");
}

#[test]
fn show_says_what_each_kind_of_file_says() {
    let world = World::new();
    let (file, root) = world.key("root");
    let keys = &world.store.keys;
    let (origin, log) = (&keys.origin, keys.log.verifier());
    let show = |path: &Path| world.printed(&["show", path.to_str().unwrap()]);

    // A private key is never shown.
    let said = show(Path::new(&file));
    let secret = fs::read_to_string(&file).unwrap();
    assert!(said.contains(&format!("  vkey      {root}\n")), "{said}");
    assert!(
        !said.contains(secret.splitn(5, '+').last().unwrap().trim_end()),
        "{said}"
    );

    let vkeys = world.path("vkeys");
    rewrite(&vkeys, format!("# roots\n{root}\n\n{log}\n").as_bytes());
    let id = root.id();
    let expected = format!(
        "key\n  name      root\n  id        {id}\n  algorithm ed25519\n  vkey      {root}\n\
         key\n  name      {origin}\n  id        {}\n  algorithm ed25519\n  vkey      {log}\n",
        log.id()
    );
    assert_eq!(show(&vkeys), expected);

    let request = world.request();
    let epoch0 = keys.epoch0.verifier();
    let stated = format!(
        "certificate\n  role      store\n  origin    {origin}\n  log       {log}\n  epoch0    {epoch0}\n"
    );
    assert_eq!(
        show(Path::new(&request)),
        format!("{stated}  signed by nobody\n")
    );
    let certificate = world.keep("cert", &["certify", &request, "--key", &file]);
    let signed = format!("{stated}  signed by root ({id})\n");
    assert_eq!(show(Path::new(&certificate)), signed);

    // A store that nobody certified, and then one that is certified and in its second epoch.
    let root_hash = |leaves: &[_]| frontier(leaves).root();
    let sealed = leaves(&world.store.catalog);
    let said = show(&world.store.path);
    assert!(
        said.starts_with(&format!("{stated}  signed by nobody\ncheckpoint\n")),
        "{said}"
    );
    assert!(said.contains("  size      3\n"), "{said}");
    fs::copy(&certificate, world.store.path.join("seal/cert")).unwrap();
    let next = SigningKey::generate(origin.epoch_key(1), log.algorithm()).unwrap();
    let next = next.verifier().clone();
    let note = EpochNote::new(origin.clone(), 3, root_hash(&sealed), next.clone()).unwrap();
    let note = Signed::sign(note, &[&keys.epoch0]).unwrap();
    let epochs = world.store.path.join("seal/epochs");
    rewrite(&epochs, note.to_block().as_bytes());
    let said = show(&world.store.path);
    assert!(said.starts_with(&format!("{signed}epoch\n")), "{said}");
    let of_epochs = show(&epochs);
    assert!(said.contains(&of_epochs), "{said}");
    assert!(
        of_epochs.contains("  epoch     1\n  size      3\n"),
        "{of_epochs}"
    );
    assert!(
        of_epochs.contains(&format!("  key       {next}\n  signed by {origin}/e0 (")),
        "{of_epochs}"
    );

    let json = world.printed(&["show", epochs.to_str().unwrap(), "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let epoch = &json["shown"][0];
    assert_eq!(
        (&epoch["kind"], &epoch["epoch"], &epoch["size"]),
        (&json!("epoch"), &json!(1), &json!(3))
    );
    assert_eq!(epoch["key"], next.to_string());

    for (text, named) in [
        ("", "there is no key in"),
        ("hello\n", "a vkey is"),
        ("a\nb\n\n\u{2014} c d\n", "base64"),
    ] {
        rewrite(&vkeys, text.as_bytes());
        world.refused(&["show", vkeys.to_str().unwrap()], named);
    }
    rewrite(&epochs, (note.to_block() + "torn").as_bytes());
    world.refused(&["show", epochs.to_str().unwrap()], "is no whole note");
}
