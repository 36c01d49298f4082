//! The operators' ledger: when it is believed, and what it excuses.

use std::{fs, path::PathBuf, time::Duration};

use compliance_log::{
    seal::statement::Role,
    verify::{Options, Report, Verdict, verify},
};

use super::{
    files::{AUDIT, CATALOG, files, lines, name, segment},
    keys::key,
    line::{between, event_of},
    world::World,
    writer::{Birth, Writer},
};

pub(crate) struct Ledger {
    pub(crate) world: World,
    pub(crate) store: PathBuf,
    path: PathBuf,
    pub(crate) writer: Writer,
}

impl Ledger {
    pub(crate) fn new(role: Role) -> Self {
        Self::after(role, 0)
    }

    /// One that begins so many seconds after the history of the store ends.
    pub(crate) fn after(role: Role, seconds: u64) -> Self {
        let world = World::new();
        world.clock.tick(seconds);
        let store = world.copy();
        let path = world.base.path().join("ledger");
        let root = key("acme.example/root", "root");
        let birth = Birth {
            service: "compliance-log",
            incarnation: "fedcba9876543210",
            role,
            root: Some(&root),
            continues: None,
        };
        let writer = Writer::create(&path, &world.clock, "ops", &birth);
        Self {
            world,
            store,
            path,
            writer,
        }
    }

    /// Records that a segment of the audit stream went, and removes it.
    pub(crate) fn remove(&mut self, nth: usize, event: &str, change: impl Fn(String) -> String) {
        let facts = files(&self.store.join(CATALOG), ".jsonl");
        let facts = facts.iter().flat_map(|file| lines(file));
        let sealed = facts
            .filter(|line| event_of(line) == "segment.sealed")
            .nth(nth)
            .unwrap();
        let text = |key: &str| {
            between(&sealed, &format!(r#""{key}":""#), "\"")
                .unwrap()
                .to_owned()
        };
        let size = between(&sealed, r#""size":"#, ",").unwrap();
        let data = format!(
            r#"{{"origin":"{}","of":"{}","file":"{}","size":{size},"root":"{}","until":"{}"}}"#,
            self.world.keys.origin,
            text("of"),
            text("file"),
            text("root"),
            self.world.clock.text(),
        );
        self.writer.emit("audit", event, &change(data));
        let file = self.store.join(AUDIT).join(text("file"));
        if file.exists() {
            fs::remove_file(file).unwrap();
        }
    }

    pub(crate) fn options(&self) -> Options {
        Options::default()
            .root_key(self.world.root.verifier().clone())
            .ledger(&self.path)
            // When it may go is a question of its own.
            .retention(Duration::ZERO)
    }

    pub(crate) fn verify_itself(&self) -> Report {
        verify(&self.path, &self.options()).unwrap()
    }

    pub(crate) fn verify(&self) -> Report {
        verify(&self.store, &self.options()).unwrap()
    }
}

#[test]
fn archived_segments_are_not_checked_and_that_counts() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.archived", |data| data);
    ledger.remove(1, "segment.archived", |data| data);
    ledger.writer.seal();
    let report = ledger.verify();
    assert_eq!((report.verdict, report.exit), (Verdict::Ok, 2));
    assert_eq!(
        report.stores[0].seal.as_ref().unwrap().archived_not_checked,
        2
    );

    let report = verify(&ledger.store, &ledger.options().hot_only()).unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::Ok, 0));
}

#[test]
fn what_was_archived_and_then_expired_is_expired() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.archived", |data| data);
    ledger.remove(0, "segment.expired", |data| data);
    ledger.writer.seal();
    let report = ledger.verify();
    assert_eq!((report.verdict, report.exit), (Verdict::Expired, 0));
    let finding = &report.stores[0].findings[0];
    let file = format!("{AUDIT}/00000000000000000000.jsonl");
    assert_eq!(finding.file.as_deref(), Some(&*file));
}

#[test]
fn a_reason_that_is_not_sealed_yet_is_none() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.writer.seal();
    ledger.remove(0, "segment.expired", |data| data);
    assert_eq!(ledger.verify().verdict, Verdict::MissingSegment);
}

#[test]
fn a_segment_that_went_before_its_time_is_missing() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.expired", |data| {
        let until = between(data.as_bytes(), r#""until":""#, "\"")
            .unwrap()
            .to_owned();
        data.replace(&until, "2031-01-01T00:00:00Z")
    });
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::MissingSegment);
}

#[test]
fn a_reason_for_other_records_is_none() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.expired", |data| {
        let root = between(data.as_bytes(), r#""root":""#, "\"")
            .unwrap()
            .to_owned();
        data.replace(&root, &"0".repeat(64))
    });
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::MissingSegment);
}

#[test]
fn a_reason_for_a_store_of_another_origin_is_none() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.expired", |data| {
        data.replace("acme.example/", "other.example/")
    });
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::MissingSegment);
}

#[test]
fn one_reason_does_not_excuse_the_next_file_too() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.expired", |data| data);
    fs::remove_file(segment(&ledger.store, AUDIT, 0)).unwrap();
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::MissingSegment);
}

#[test]
fn a_store_of_a_service_is_no_ledger() {
    let mut ledger = Ledger::new(Role::Store);
    ledger.remove(0, "segment.expired", |data| data);
    ledger.writer.seal();
    let report = ledger.verify();
    assert_eq!(report.verdict, Verdict::BadSignature);
    let detail = &report.stores[0].findings[0].detail;
    assert!(
        detail.contains("not certified as an operators' ledger"),
        "{detail}"
    );
}

#[test]
fn a_ledger_that_was_tampered_with_is_not_believed() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.expired", |data| data);
    ledger.writer.seal();
    super::files::flip(&segment(&ledger.path, AUDIT, 0), 3_000);
    assert_eq!(ledger.verify().verdict, Verdict::BadSignature);
}

#[test]
fn without_a_root_key_nobody_knows_who_wrote_a_ledger() {
    let ledger = Ledger::new(Role::Ops);
    let options = || Options::default().ledger(&ledger.path);
    let report = verify(&ledger.store, &options()).unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::NothingChecked, 2));
    let detail = &report.stores[0].findings[0].detail;
    assert!(detail.contains("who wrote it was not checked"), "{detail}");

    let mut ledger = ledger;
    ledger.remove(0, "segment.expired", |data| data);
    ledger.writer.seal();
    let options = Options::default().ledger(&ledger.path);
    let report = verify(&ledger.store, &options).unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::MissingSegment, 1));
}

#[test]
fn a_folder_without_a_store_is_no_ledger() {
    let ledger = Ledger::new(Role::Ops);
    let empty = ledger.world.base.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let report = verify(&ledger.store, &ledger.options().ledger(empty)).unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::NothingChecked, 2));
}

/// Behind a beginning that is gone for a reason the rest is compared all the same: a header that says
/// nothing of the tree is no way around that.
#[test]
fn what_is_left_behind_an_expired_beginning_is_compared() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.expired", |data| data);
    ledger.remove(1, "segment.expired", |data| data);
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::Expired);
    let file = segment(&ledger.store, AUDIT, 0);
    for header in ["frontier", "no_frontier"] {
        let mut all = lines(&file);
        let text = String::from_utf8(all[0].clone()).unwrap();
        all[0] = text.replace("frontier", header).into_bytes();
        let text = String::from_utf8(all[2].clone()).unwrap();
        all[2] = text
            .replace("booking.created", "booking.deleted")
            .into_bytes();
        super::line::relink(&mut all, 0);
        super::files::save(&file, &all);
        let report = ledger.verify();
        assert_eq!(report.verdict, Verdict::Edit, "{header} in {}", name(&file));
    }
}
