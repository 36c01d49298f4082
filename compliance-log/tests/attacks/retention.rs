//! Segments that expired: when the ledger's word for that counts.

use std::{fs, time::Duration};

use compliance_log::{
    seal::statement::Role,
    verify::{Verdict, verify},
};

use super::{
    files::{AUDIT, CATALOG, files, lines, name, note_line, notes, segment},
    ledger::Ledger,
    line::{between, event_of, seq_of},
    world::With,
};

const DAY: Duration = Duration::from_secs(86_400);

fn days(days: u32) -> Duration {
    DAY * days
}

/// The ledger, the verdict with this retention, and what the report notes.
fn judged(ledger: &Ledger, keep: Duration) -> (Verdict, String) {
    let report = verify(&ledger.store, &ledger.options().retention(keep)).unwrap();
    (report.verdict, report.stores[0].notes.join("\n"))
}

/// A ledger that lets the first segment of the audit stream go after so many days. What it states is changed
/// from the time of that record.
fn expired(after: u32, change: impl Fn(String) -> String) -> Ledger {
    let mut ledger = Ledger::after(Role::Ops, days(after).as_secs());
    ledger.remove(0, "segment.expired", change);
    ledger.writer.seal();
    ledger
}

#[test]
fn a_segment_that_was_kept_for_long_enough_is_expired() {
    let ledger = expired(10, |data| data);
    assert_eq!(judged(&ledger, days(10)), (Verdict::Expired, String::new()));
    let (verdict, notes) = judged(&ledger, days(11));
    assert_eq!(verdict, Verdict::MissingSegment);
    assert!(notes.contains("kept for 11 days"), "{notes}");
    // The default is twelve months.
    let report = verify(
        &ledger.store,
        &ledger
            .world
            .options(With::Root, &super::world::Extra::default()),
    );
    assert_eq!(report.unwrap().verdict, Verdict::MissingSegment);
}

#[test]
fn a_segment_whose_record_does_not_say_until_when_is_missing() {
    let without = |data: String| {
        let at = data.find(r#","until""#).unwrap();
        format!("{}}}", &data[..at])
    };
    let ledger = expired(10, without);
    let (verdict, notes) = judged(&ledger, Duration::ZERO);
    assert_eq!(verdict, Verdict::MissingSegment);
    assert!(notes.contains("does not say until when"), "{notes}");
}

fn until(data: &str, time: &str) -> String {
    let stated = between(data.as_bytes(), r#""until":""#, "\"").unwrap();
    data.replace(stated, time)
}

#[test]
fn a_time_that_is_none_excuses_nothing() {
    for time in ["", "soon", "2026-13-01T00:00:00Z"] {
        let ledger = expired(10, |data| until(&data, time));
        let (verdict, _) = judged(&ledger, Duration::ZERO);
        assert_eq!(verdict, Verdict::MissingSegment, "{time:?}");
    }
}

/// Who has the operators' key can state any time: before the end of the segment's time, and after his own
/// record.
#[test]
fn a_time_before_the_end_of_the_retention_excuses_nothing() {
    let ledger = expired(10, |data| until(&data, "2026-01-02T00:00:00Z"));
    assert_eq!(judged(&ledger, days(10)).0, Verdict::MissingSegment);
    assert_eq!(judged(&ledger, Duration::ZERO).0, Verdict::Expired);
}

#[test]
fn a_ledger_whose_clock_is_ahead_excuses_nothing() {
    // Its record is of a time that nobody lived to see, and so is what it states.
    let ledger = expired(400_000, |data| data);
    let (verdict, notes) = judged(&ledger, days(10));
    assert_eq!(verdict, Verdict::MissingSegment);
    assert!(notes.contains("is not over"), "{notes}");
}

#[test]
fn a_later_record_that_counts_does_so_whatever_an_earlier_one_said() {
    let mut ledger = expired(10, |data| until(&data, "2026-01-02T00:00:00Z"));
    assert_eq!(judged(&ledger, days(10)).0, Verdict::MissingSegment);
    ledger.remove(0, "segment.expired", |data| data);
    ledger.remove(0, "segment.expired", |data| {
        until(&data, "2026-01-02T00:00:00Z")
    });
    ledger.writer.seal();
    assert_eq!(judged(&ledger, days(10)).0, Verdict::Expired);
}

/// An archived segment may have been expired too early: then it is where it was archived.
#[test]
fn what_was_archived_and_expired_too_early_is_archived() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.remove(0, "segment.archived", |data| data);
    ledger.remove(0, "segment.expired", |data| data);
    ledger.writer.seal();
    let report = verify(&ledger.store, &ledger.options().retention(days(10))).unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::Ok, 2));
}

/// Removes the first segment of the catalog too, as its time is over.
fn expire_catalog(ledger: &mut Ledger) {
    let file = segment(&ledger.store, CATALOG, 0);
    let begins = seq_of(&lines(&segment(&ledger.store, CATALOG, 1))[0]);
    let notes = notes(&ledger.store.join("seal/epochs"));
    let note = notes
        .iter()
        .find(|note| note_line(note, 3) == begins.to_string())
        .unwrap();
    let root = data_encoding::BASE64
        .decode(note_line(note, 4).as_bytes())
        .unwrap();
    let root = data_encoding::HEXLOWER.encode(&root);
    let origin = &ledger.world.keys.origin;
    let [_, service, instance, incarnation] = origin.parts();
    let data = format!(
        r#"{{"origin":"{origin}","of":"{service}/{instance}/{incarnation}/catalog","file":"{}","size":{begins},"root":"{root}","until":"{}"}}"#,
        name(&file),
        ledger.world.clock.text(),
    );
    ledger.writer.emit("audit", "segment.expired", &data);
    fs::remove_file(&file).unwrap();
    fs::remove_file(file.with_extension("ckpt")).unwrap();
    ledger.writer.seal();
}

/// The catalog says when a segment ended. Where that part of it is gone, what is left shows a later time.
#[test]
fn the_beginning_of_a_catalog_expires_like_every_segment() {
    let mut ledger = expired(10, |data| data);
    expire_catalog(&mut ledger);
    assert_eq!(judged(&ledger, days(9)).0, Verdict::Expired);
    let (verdict, notes) = judged(&ledger, days(11));
    assert_eq!(verdict, Verdict::MissingSegment);
    assert!(notes.contains("streams/catalog"), "{notes}");
    let sealed = files(&ledger.store.join(CATALOG), ".jsonl");
    let sealed = sealed.iter().flat_map(|file| lines(file));
    let of_audit = sealed
        .filter(|line| event_of(line) == "segment.sealed")
        .count();
    assert!(of_audit < 2, "{AUDIT}: the catalog forgot none");
}
