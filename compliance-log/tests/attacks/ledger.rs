//! The operators' ledger: when it is believed, and what it excuses.

use std::{fs, path::PathBuf};

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

struct Ledger {
    world: World,
    store: PathBuf,
    path: PathBuf,
    writer: Writer,
}

impl Ledger {
    fn new(role: Role) -> Self {
        let world = World::new();
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
    fn remove(&mut self, nth: usize, event: &str, change: impl Fn(String) -> String) {
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

    fn options(&self) -> Options {
        Options::default()
            .root_key(self.world.root.verifier().clone())
            .ledger(&self.path)
    }

    fn verify(&self) -> Report {
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

/// Takes the text out of a record of the audit stream, as the command does.
fn expunge(store: &std::path::Path, change: impl Fn(&str) -> String) -> (String, u64, String) {
    let file = segment(store, AUDIT, 0);
    let mut all = lines(&file);
    let line = all[4].clone();
    let (seq, hash) = (
        super::line::seq_of(&line),
        super::line::hash_of(&line).to_string(),
    );
    let stream = between(&line, r#""stream":""#, "\"").unwrap().to_owned();
    let links = &std::str::from_utf8(&line).unwrap()[line.len() - 154..];
    let text = format!(
        r#"{{"v":1,"stream":"{stream}","seq":{seq},"event":"record.expunged","ref":"compliance-log/i1/fedcba9876543210/audit/3"{links}"#
    );
    all[4] = change(&text).into_bytes();
    super::files::save(&file, &all);
    (stream, seq, hash)
}

fn signed_for(stream: &str, seq: u64, hash: &str, signers: &[&str]) -> String {
    let lines: Vec<String> = signers
        .iter()
        .map(|signer| format!("\"\u{2014} {signer} AAAAAAAAAAAA\""))
        .collect();
    format!(
        r#"{{"expunge":{{"stream":"{stream}","seq":{seq},"hash":"{hash}","signatures":[{}]}}}}"#,
        lines.join(",")
    )
}

#[test]
fn a_record_that_two_people_took_out_is_expunged() {
    let mut ledger = Ledger::new(Role::Ops);
    let (stream, seq, hash) = expunge(&ledger.store, str::to_owned);
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::Edit, "nobody says why");
    let one = signed_for(&stream, seq, &hash, &["ann", "ann"]);
    ledger.writer.emit("audit", "record.expunged", &one);
    ledger.writer.seal();
    assert_eq!(
        ledger.verify().verdict,
        Verdict::BadSignature,
        "an entry of one"
    );

    let mut ledger = Ledger::new(Role::Ops);
    expunge(&ledger.store, str::to_owned);
    let two = signed_for(&stream, seq, &hash, &["ann", "ben"]);
    ledger.writer.emit("audit", "record.expunged", &two);
    ledger.writer.seal();
    let report = ledger.verify();
    assert_eq!(
        (report.verdict, report.exit),
        (Verdict::Expunged, 0),
        "{:#?}",
        report.stores[0].findings
    );
    let finding = &report.stores[0].findings[0];
    assert_eq!((finding.seq, finding.line), (Some(seq), Some(5)));
    assert!(report.stores[0].streams[1].islands.is_empty());

    // The rest of the file is compared with the seal all the same.
    let file = segment(&ledger.store, AUDIT, 0);
    let mut all = lines(&file);
    let text = String::from_utf8(all[6].clone()).unwrap();
    all[6] = text
        .replace("booking.created", "booking.deleted")
        .into_bytes();
    super::line::relink(&mut all, 6);
    super::files::save(&file, &all);
    assert_eq!(ledger.verify().verdict, Verdict::Edit);
}

#[test]
fn a_record_without_its_text_is_that_record_and_says_nothing_else() {
    for (from, to) in [
        (r#""ref":""#, r#""note":"x","ref":""#),
        ("record.expunged", "record.forgotten"),
        ("/3\"", "/\u{e9}\""),
    ] {
        let mut ledger = Ledger::new(Role::Ops);
        let (stream, seq, hash) = expunge(&ledger.store, |text| text.replace(from, to));
        let two = signed_for(&stream, seq, &hash, &["ann", "ben"]);
        ledger.writer.emit("audit", "record.expunged", &two);
        ledger.writer.seal();
        assert_eq!(ledger.verify().verdict, Verdict::Edit, "{to}");
    }
}
