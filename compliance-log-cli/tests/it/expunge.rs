//! Taking the text out of a record, with a service's own store.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use compliance_log::{ComplianceLog, Seal, audit_event, test_util::within_sync};

use crate::{command::Said, ledger::World, store::rewrite};

#[audit_event(name = "seat.booked", target = "seat/{seat}")]
struct Booked {
    seat: u64,
    #[audit(internal)]
    remark: String,
}

/// A service with a ledger and two people who may sign.
struct Service {
    world: World,
    log: Option<ComplianceLog>,
    store: PathBuf,
}

const PREFIX: &str = "log.example/";

impl Service {
    fn new() -> Self {
        let world = World::new();
        let log = open(world.base.path());
        let store = log.store().unwrap().to_owned();
        let service = Self {
            world,
            log: Some(log),
            store,
        };
        service.book(0..120);
        let request = service.world.printed(&["keys", "request", service.path()]);
        service.world.certify(&request, "store", &service.store);
        for name in ["ann", "ben"] {
            service.person(name, name, PREFIX);
        }
        service
    }

    fn path(&self) -> &str {
        self.store.to_str().unwrap()
    }

    /// A key of this name in a file, and its certificate.
    fn person(&self, file: &str, name: &str, prefix: &str) {
        let world = &self.world;
        let key = world.text(&format!("{file}.skey"));
        let vkey = world.printed(&["keys", "init", "--name", name, "--out", &key]);
        let root = world.text("root.skey");
        let certificate = world.printed(&[
            "keys",
            "certify",
            "--key",
            &root,
            "--operator-prefix",
            prefix,
            "--vkey",
            vkey.trim_end(),
        ]);
        rewrite(
            Path::new(&world.text(&format!("{file}.cert"))),
            certificate.as_bytes(),
        );
    }

    fn book(&self, seats: std::ops::Range<u64>) {
        let log = self.log.as_ref().unwrap();
        for seat in seats {
            let booked = Booked {
                seat,
                remark: format!("remark of seat {seat} {}", "x".repeat(1_000)),
            };
            within_sync(log, || booked.commit().wait()).unwrap();
        }
        log.checkpoint().unwrap();
    }

    fn stop(&mut self) {
        self.log.take().unwrap().shutdown().unwrap();
    }

    fn request(&self, seq: &str, reason: &str) -> Said {
        let path = self.path();
        self.world
            .say(&["expunge", "request", path, "audit", seq, "--reason", reason])
    }

    /// The file of an order that these people signed.
    fn order(&self, seq: &str, people: &[&str]) -> String {
        let order = self.world.text("order");
        let said = self.request(seq, "a card number in the remark");
        assert_eq!(said.code, 0, "{}", said.err);
        rewrite(Path::new(&order), said.out.as_bytes());
        for person in people {
            let key = self.world.text(&format!("{person}.skey"));
            let signed = self
                .world
                .printed(&["expunge", "approve", &order, "--key", &key]);
            rewrite(Path::new(&order), signed.as_bytes());
        }
        order
    }

    fn apply(&self, order: &str, people: &[&str], more: &[&str]) -> Said {
        let mut arguments = vec!["expunge", "apply", self.path(), order];
        arguments.extend(["--root-key", &self.world.root]);
        let files: Vec<String> = people
            .iter()
            .map(|person| self.world.text(&format!("{person}.cert")))
            .collect();
        for file in &files {
            arguments.extend(["--certificate", file]);
        }
        arguments.extend(more);
        self.world.recorded(&arguments)
    }

    /// Exit code and headline, with the ledger and without.
    fn verdicts(&self) -> [(i32, String); 2] {
        let ledger = self.world.text("ledger");
        let path = self.path();
        let root = &*self.world.root;
        [
            &["verify", path, "--root-key", root, "--ledger", &ledger][..],
            &["verify", path, "--root-key", root],
        ]
        .map(|arguments| {
            let said = self.world.say(&[arguments, &["--json"]].concat());
            let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
            (said.code, report["verdict"].as_str().unwrap().to_owned())
        })
    }

    fn refused(&self, said: &Said, why: &str) {
        assert_eq!((said.code, &*said.out), (3, ""), "{}", said.err);
        assert!(said.err.contains(why), "{}", said.err);
        let untouched = [(0, "OK".to_owned()), (0, "OK".to_owned())];
        assert_eq!(self.verdicts(), untouched);
    }

    /// All bytes of the store's streams.
    fn bytes(&self) -> String {
        let folder = self.store.join("streams/audit");
        let files = fs::read_dir(folder).unwrap();
        let text = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        files.map(|file| text(file.unwrap().path())).collect()
    }
}

fn open(base: &Path) -> ComplianceLog {
    let seal = Seal::default()
        .domain("log.example")
        .every(Duration::from_millis(100))
        .certified_outside();
    ComplianceLog::builder("booking-api")
        .env("test")
        .instance("i1")
        .dir(base.join("logs"))
        .segment_bytes_max(64 * 1024)
        .seal(seal)
        .open()
        .unwrap()
}

#[test]
fn two_people_take_the_text_out_of_a_record() {
    let mut service = Service::new();
    service.stop();
    assert!(service.bytes().contains("remark of seat 8 "));
    let order = service.order("10", &["ann", "ben"]);
    let file = service
        .store
        .join("streams/audit/00000000000000000000.jsonl");
    let mode = fs::metadata(&file).unwrap().permissions();
    let said = service.apply(&order, &["ann", "ben"], &[]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("signed by ann and ben"), "{}", said.out);

    let expected = [(0, "EXPUNGED".to_owned()), (1, "EDIT".to_owned())];
    assert_eq!(service.verdicts(), expected);
    let text = fs::read_to_string(&file).unwrap();
    let line = text.lines().nth(10).unwrap();
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(record["event"], "record.expunged");
    assert!(
        !service
            .bytes()
            .contains(&format!("remark of seat {} ", seat(&service, 10)))
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions(), mode);

    // The order stands where the line says, and what was done behind it.
    let events = service.world.events();
    assert_eq!(
        events,
        [
            "command.started",
            "expunge.ordered",
            "expunge.done",
            "command.finished"
        ]
    );
    let ordered = &service.world.records()[1];
    let of = format!("{}/{}", ordered["stream"].as_str().unwrap(), ordered["seq"]);
    assert_eq!(record["ref"], of);
    assert_eq!(ordered.get("redactions"), None, "{ordered}");
    assert!(
        ordered["data"]["order"]
            .as_str()
            .unwrap()
            .contains("a card number in the remark")
    );

    // Records beside it are proved as before.
    let proof = service.world.text("proof");
    service
        .world
        .printed(&["prove", service.path(), "audit", "11", "--out", &proof]);

    // What was interrupted is done again; other people may sign later.
    let said = service.apply(&order, &["ann", "ben"], &[]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(service.verdicts(), expected);

    // The service goes on with its store.
    service.log = Some(open(service.world.base.path()));
    assert_eq!(
        service.log.as_ref().unwrap().store().unwrap(),
        service.store
    );
    service.book(200..210);
    service.stop();
    assert_eq!(service.verdicts(), expected);
}

/// The seat of a record: that of the one behind it less one.
fn seat(service: &Service, seq: usize) -> u64 {
    let text = service.bytes();
    let next = text
        .lines()
        .find(|line| line.contains(&format!("\"seq\":{},", seq + 1)));
    let next: serde_json::Value = serde_json::from_str(next.unwrap()).unwrap();
    next["data"]["seat"].as_u64().unwrap() - 1
}

#[test]
fn nobody_takes_out_a_record_alone() {
    let mut service = Service::new();
    service.stop();
    let one = service.order("10", &["ann"]);
    let said = service.apply(&one, &["ann", "ben"], &[]);
    service.refused(&said, "only ann signed");

    // The same name again, with another key.
    service.person("ann2", "ann", PREFIX);
    let twice = service.order("10", &["ann", "ann2"]);
    let said = service.apply(&twice, &["ann", "ann2"], &[]);
    service.refused(&said, "ann signed twice");

    let two = service.order("10", &["ann", "ben"]);
    let said = service.apply(&two, &["ann"], &[]);
    service.refused(&said, "no certificate is there of its key");
    service.person("eve", "eve", "log.example/payments/");
    let elsewhere = service.order("10", &["ann", "eve"]);
    let said = service.apply(&elsewhere, &["ann", "eve"], &[]);
    service.refused(&said, "certified for log.example/payments/");
    let stated = ["expunge.ordered".to_owned(), "expunge.done".to_owned()];
    assert!(
        !service
            .world
            .events()
            .iter()
            .any(|event| stated.contains(event))
    );
}

#[test]
fn a_signature_is_for_one_record() {
    let mut service = Service::new();
    service.stop();
    let order = service.order("10", &["ann", "ben"]);
    let signed = fs::read_to_string(&order).unwrap();
    rewrite(
        Path::new(&order),
        signed.replace("\n10\n", "\n11\n").as_bytes(),
    );
    let said = service.apply(&order, &["ann", "ben"], &[]);
    service.refused(&said, "nobody signed who may");
}

#[test]
fn what_may_not_be_taken_out_is_refused() {
    let mut service = Service::new();
    for (seq, why) in [
        ("0", "what the log says of itself"),
        ("9999", "not sealed yet"),
    ] {
        let said = service.request(seq, "a reason");
        assert_eq!((said.code, &*said.out), (3, ""));
        assert!(said.err.contains(why), "{}", said.err);
    }
    let said = service.request("10", "the card 4111 1111 1111 1111 in the remark");
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(said.err.contains("no log may hold"), "{}", said.err);
    for reason in ["", "two\nlines"] {
        assert_eq!(service.request("10", reason).code, 3);
    }

    let order = service.order("10", &["ann", "ben"]);
    let said = service.apply(&order, &["ann", "ben"], &[]);
    service.refused(&said, "runs");
    service.stop();
    let newest = service.order("119", &["ann", "ben"]);
    let said = service.apply(&newest, &["ann", "ben"], &[]);
    service.refused(&said, "newest file");
    let said = service.apply(&newest, &["ann", "ben"], &["--newest-file"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let expected = [(0, "EXPUNGED".to_owned()), (1, "EDIT".to_owned())];
    assert_eq!(service.verdicts(), expected);
    let said = service.world.say(&[
        "expunge",
        "apply",
        service.path(),
        &order,
        "--root-key",
        &service.world.root,
        "--certificate",
        &order,
    ]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("none is configured"), "{}", said.err);
}

/// An order in a ledger that nobody believes would leave a store that looks tampered with.
#[test]
fn without_a_ledger_that_is_believed_nothing_is_taken_out() {
    let mut service = Service::new();
    service.stop();
    let order = service.order("10", &["ann", "ben"]);
    let store = service.world.ledger_store();
    let request = service
        .world
        .printed(&["keys", "request", store.to_str().unwrap()]);
    let before = service.bytes();
    service
        .world
        .certify(&request.replace("\nops\n", "\nstore\n"), "store", &store);
    let said = service.apply(&order, &["ann", "ben"], &[]);
    assert_eq!((said.code, &*said.out), (3, ""));
    assert!(
        said.err.contains("would not believe the ledger"),
        "{}",
        said.err
    );
    assert!(service.bytes() == before);
}
