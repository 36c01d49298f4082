//! The operators' ledger: what the command records of itself.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::Stdio,
};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::{
    command::{Said, command, run},
    sealed::Sealed,
    store::rewrite,
};

/// A ledger that a root certified, and a store.
pub(crate) struct World {
    pub(crate) base: TempDir,
    pub(crate) root: String,
    pub(crate) ledger: PathBuf,
}

impl World {
    /// As `docs/LEDGER.md` tells a newcomer to do it.
    pub(crate) fn new() -> Self {
        let base = tempdir().unwrap();
        let mut world = Self {
            ledger: base.path().join("ledger"),
            base,
            root: String::new(),
        };
        let key = world.text("root.skey");
        let root = world.printed(&["keys", "init", "--name", "log.example/root", "--out", &key]);
        world.root = root.trim_end().to_owned();
        let ledger = world.text("ledger");
        let request = world.printed(&["ledger", "init", &ledger, "--domain", "log.example"]);
        let store = world.ledger_store();
        world.certify(&request, "ops", &store);
        world
    }

    /// What certifies a store, put where it belongs.
    pub(crate) fn certify(&self, request: &str, role: &str, store: &std::path::Path) {
        let file = self.text("request");
        rewrite(
            self.base.path().join("request").as_path(),
            request.as_bytes(),
        );
        let key = self.text("root.skey");
        let certified = self.printed(&["keys", "certify", &file, "--key", &key, "--role", role]);
        rewrite(&store.join("seal/cert"), certified.as_bytes());
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.base.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn ledger_store(&self) -> PathBuf {
        let entries = fs::read_dir(&self.ledger).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let stores: Vec<PathBuf> = paths.filter(|path| path.join("streams").is_dir()).collect();
        assert_eq!(stores.len(), 1, "{stores:?}");
        stores[0].clone()
    }

    pub(crate) fn say(&self, arguments: &[&str]) -> Said {
        run(self.base.path(), arguments)
    }

    /// What was printed, of a call that succeeds.
    pub(crate) fn printed(&self, arguments: &[&str]) -> String {
        let said = self.say(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said.out
    }

    /// The same, recorded.
    pub(crate) fn recorded(&self, arguments: &[&str]) -> Said {
        let ledger = self.text("ledger");
        self.say(&[arguments, &["--record", &ledger]].concat())
    }

    /// The records of commands, in order.
    pub(crate) fn records(&self) -> Vec<Value> {
        let ledger = self.text("ledger");
        let shown = self.printed(&["show", &ledger, "--json"]);
        let records = shown
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let of_commands = |record: &Value| record["category"] == "admin";
        records.filter(of_commands).collect()
    }

    pub(crate) fn events(&self) -> Vec<String> {
        let records = self.records();
        let event = |record: &Value| record["event"].as_str().unwrap().to_owned();
        records.iter().map(event).collect()
    }

    fn verify_ledger(&self) -> Said {
        let ledger = self.text("ledger");
        self.say(&["verify", &ledger, "--root-key", &self.root])
    }
}

fn store(world: &World) -> String {
    let folder = world.base.path().join("logs");
    Sealed::new(&folder);
    let mut entries = fs::read_dir(folder).unwrap();
    let path = entries.next().unwrap().unwrap().path();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_read_is_recorded_before_and_after() {
    let world = World::new();
    let store = store(&world);
    let said = world.recorded(&["show", &store, "--event", "booking.created"]);
    assert_eq!((said.code, &*said.err), (0, ""));
    let records = world.records();
    assert_eq!(world.events(), ["command.started", "command.finished"]);
    let [started, finished] = &records[..] else {
        unreachable!()
    };
    let base = world.base.path().to_str().unwrap();
    assert_eq!(started["target_resource"], store.replace(base, "[DIR]"));
    assert_eq!(started["data"]["command"], "show");
    let arguments = started["data"]["arguments"].as_str().unwrap();
    assert!(arguments.contains("--event booking.created"), "{arguments}");
    assert_ne!(started["user_id"], "anonymous");
    assert!(started["user_id"].is_string(), "{started}");
    assert_eq!(started.get("schema_violations"), None, "{started}");
    let of = format!("{}/{}", started["stream"].as_str().unwrap(), started["seq"]);
    assert_eq!(finished["data"]["started"], of);
    assert_eq!(finished["data"]["exit"], 0);
    assert_eq!(finished["outcome"], "success");

    let said = world.recorded(&["prove", &store, "audit", "9999"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert_eq!(world.records().last().unwrap()["data"]["exit"], 2);
    let said = world.recorded(&["show", "no such folder"]);
    assert_eq!(said.code, 3);
    let failed = world.records().pop().unwrap();
    assert_eq!(failed["event"], "command.failed");
    assert_eq!(
        (&failed["outcome"], &failed["data"]["exit"]),
        (&"fail".into(), &3.into())
    );
    assert_eq!(world.verify_ledger().code, 0);
}

#[test]
fn a_verification_is_recorded_with_its_verdict_and_evidence() {
    let world = World::new();
    let store = store(&world);
    let key = world.text("ann.skey");
    world.printed(&["keys", "init", "--name", "ann", "--out", &key]);
    let evidence = world.text("evidence");
    let said = world.recorded(&[
        "verify",
        &store,
        "--evidence",
        &evidence,
        "--evidence-key",
        &key,
    ]);
    let records = world.records();
    let run = &records[1];
    assert_eq!(
        world.events(),
        ["command.started", "verify.run", "command.finished"]
    );
    assert_eq!(run["data"]["exit"], said.code);
    assert_eq!(run["data"]["verdict"], "UNCERTIFIED");
    let digest = compliance_log::chain::Digest::of(&fs::read(evidence).unwrap());
    assert_eq!(run["data"]["evidence_sha256"], digest.to_string());
}

/// The ledger is a store like others: looking at it is recorded in it, once.
#[test]
fn the_ledger_records_its_own_verification() {
    let world = World::new();
    let ledger = world.text("ledger");
    for _ in 0..2 {
        let said = world.recorded(&["verify", &ledger, "--root-key", &world.root]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    }
    assert_eq!(world.events().len(), 6);
    assert_eq!(world.verify_ledger().code, 0);
}

#[test]
fn keys_are_recorded_and_never_their_values() {
    let world = World::new();
    let key = world.text("issuer.skey");
    let said = world.recorded(&[
        "keys",
        "init",
        "--name",
        "log.example/issuer",
        "--out",
        &key,
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let root = world.text("root.skey");
    let vkey = said.out.trim_end();
    let of = ["--vkey", vkey, "--of", "log.example/", "--size", "0"];
    let said = world.recorded(&[&["keys", "revoke", "--key", &root], &of[..]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let records = world.records();
    let commands: Vec<_> = records
        .iter()
        .map(|record| &record["data"]["command"])
        .collect();
    assert_eq!(
        commands,
        ["keys init", "keys init", "keys revoke", "keys revoke"]
    );
    let secret = fs::read_to_string(&key).unwrap();
    let secret = secret.trim_end().rsplit('+').next().unwrap();
    assert!(
        !records
            .iter()
            .any(|record| record.to_string().contains(secret))
    );
}

#[test]
fn a_value_that_is_looked_for_is_not_recorded() {
    let world = World::new();
    let keys = world.text("keys.toml");
    let field = [
        "--keys",
        &keys,
        "--tenant",
        "acme",
        "--field",
        "data.passenger",
    ];
    let said = world.recorded(&[&["pseudonym", "new-key"], &field[..]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let find = [
        &["pseudonym", "find"],
        &field[..],
        &["--value", "Erika Muster"],
    ]
    .concat();
    assert_eq!(world.recorded(&find).code, 0);
    let records = world.records();
    assert!(
        !records
            .iter()
            .any(|record| record.to_string().contains("Muster"))
    );
    assert_eq!(records[2]["data"]["command"], "pseudonym find");
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let world = World::new();
    let store = store(&world);
    let none = world.text("none");
    let said = world.say(&["show", &store, "--record", &none]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(
        said.err.contains("cannot record in the ledger"),
        "{}",
        said.err
    );
    let empty = world.text("empty");
    fs::create_dir(&empty).unwrap();
    let said = world.say(&["show", &store, "--record", &empty]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(said.err.contains("is no ledger"), "{}", said.err);
    assert!(said.err.contains("ledger init"), "{}", said.err);
    let key = world.text("new.skey");
    let said = world.say(&[
        "keys", "init", "--name", "x", "--out", &key, "--record", &empty,
    ]);
    assert_eq!((said.code, fs::exists(&key).unwrap()), (3, false));

    let output = command()
        .args(["show", &store])
        .env("COMPLIANCE_LOG_LEDGER", &none)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
}

#[test]
fn commands_take_turns() {
    let world = World::new();
    let store = store(&world);
    let shows: Vec<_> = (0..5)
        .map(|_| {
            let ledger = &world.ledger;
            let mut show = command();
            show.args(["show", &store, "--record"]).arg(ledger);
            show.stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for show in shows {
        let output = show.wait_with_output().unwrap();
        assert!(output.status.success(), "{:?}", output.stderr);
    }
    let events = world.events();
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!(
        (count("command.started"), count("command.finished")),
        (5, 5)
    );
    // One store, or the others would not be certified.
    world.ledger_store();
    assert_eq!(world.verify_ledger().code, 0);
}

#[test]
fn a_command_that_was_killed_leaves_its_beginning() {
    let world = World::new();
    let store = store(&world);
    let mut tail = command()
        .args(["tail", "-f", &store, "--record"])
        .arg(&world.ledger)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(tail.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(!line.is_empty());
    // The ledger is free while a command is at work.
    assert_eq!(world.recorded(&["show", &store]).code, 0);
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert_eq!(world.recorded(&["show", &store]).code, 0);
    let records = world.records();
    let ends: Vec<_> = records
        .iter()
        .filter_map(|record| record["data"].get("started"))
        .collect();
    let without_end: Vec<_> = records
        .iter()
        .filter(|record| record["event"] == "command.started")
        .filter(|record| {
            let of = format!("{}/{}", record["stream"].as_str().unwrap(), record["seq"]);
            !ends.contains(&&Value::from(of))
        })
        .map(|record| &record["data"]["command"])
        .collect();
    assert_eq!(without_end, ["tail"]);
    assert_eq!(world.verify_ledger().code, 0);
}

#[test]
fn a_ledger_is_made_once() {
    let world = World::new();
    let ledger = world.text("ledger");
    let said = world.say(&["ledger", "init", &ledger, "--domain", "log.example"]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(said.err.contains("is a ledger already"), "{}", said.err);
    world.ledger_store();
    let other = world.text("other");
    let said = world.say(&["ledger", "init", &other, "--domain", "No Host"]);
    assert_eq!((said.code, &*said.out), (3, ""), "{}", said.err);
}

#[test]
fn a_ledger_is_believed_with_its_root_key_and_its_role() {
    let world = World::new();
    let store = store(&world);
    let ledger = world.text("ledger");
    let said = world.say(&["verify", &store, "--ledger", &ledger]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.out.contains("NOTHING_CHECKED"), "{}", said.out);
    assert!(
        said.out.contains("who wrote it was not checked"),
        "{}",
        said.out
    );

    let request = world.printed(&["keys", "request", world.ledger_store().to_str().unwrap()]);
    world.certify(
        &request.replace("\nops\n", "\nstore\n"),
        "store",
        &world.ledger_store(),
    );
    let said = world.say(&[
        "verify",
        &store,
        "--ledger",
        &ledger,
        "--root-key",
        &world.root,
    ]);
    assert_eq!(said.code, 1, "{}", said.out);
}
