//! What is acknowledged is stored, whatever fails; what is lost is counted.

use std::{fs, thread, time::Duration};

use compliance_log::{
    CommitErrorKind, ComplianceLog, audit_event,
    event::Category,
    test_util::{Fault, Faults, within_sync},
};

use crate::support::{events, files, lines, only_store, records, segments, wait_until};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
}

#[audit_event(name = "cache.hit", category = "app")]
struct Note {
    number: u64,
}

fn builder(dir: &std::path::Path) -> compliance_log::Builder {
    ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir)
}

#[test]
fn after_a_failed_sync_another_segment_restates_what_was_not_durable() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    // Nothing is synced by time, so that emitted records wait for the sync that fails.
    let log = faults
        .under(builder(dir.path()))
        .sync_after(Duration::from_secs(3600))
        .open()
        .unwrap();
    let commit = |number| within_sync(&log, || Step { number }.commit().wait());
    commit(0).unwrap();
    for number in 1..4 {
        within_sync(&log, || Step { number }.emit()).unwrap();
    }
    faults.set(Fault::Sync { count: 1 });
    let receipt = commit(4).unwrap();
    commit(5).unwrap();
    log.shutdown().unwrap();

    let store = only_store(dir.path());
    let [old, new] = &segments(&store, "audit")[..] else {
        panic!("two segments")
    };
    let new_lines = lines(new);
    assert_eq!(
        events(&new_lines),
        [
            "step.done",
            "step.done",
            "step.done",
            "step.done",
            "segment.header",
            "step.done",
            "log.stopped"
        ]
    );
    let supersedes = &new_lines[4]["data"]["supersedes"];
    assert_eq!(
        supersedes["segment"],
        old.file_name().unwrap().to_str().unwrap()
    );
    let offset = usize::try_from(supersedes["offset"].as_u64().unwrap()).unwrap();
    let old_bytes = fs::read(old).unwrap();
    assert_eq!(old_bytes[..offset].last(), Some(&b'\n'));
    let restated = &fs::read(new).unwrap()[..old_bytes.len() - offset];
    assert_eq!(
        &old_bytes[offset..],
        restated,
        "the bytes are written again unchanged"
    );
    assert_eq!(
        new_lines[3]["hash"].as_str().unwrap(),
        receipt.hash().to_string()
    );

    // The next start goes on after the new segment.
    let log = builder(dir.path()).open().unwrap();
    within_sync(&log, || Step { number: 6 }.commit().wait()).unwrap();
    log.shutdown().unwrap();
    assert_eq!(segments(&store, "audit").len(), 2);
    let after = lines(new);
    assert_eq!(after.last().unwrap()["event"], "log.stopped");
    assert_eq!(after.len(), new_lines.len() + 3);
}

#[test]
fn a_stream_whose_sync_fails_twice_is_superseded_twice() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = faults
        .under(builder(dir.path()))
        .sync_after(Duration::from_secs(3600))
        .open()
        .unwrap();
    // The second failure is the superseding segment's own sync: the record may or may not be there.
    faults.set(Fault::Sync { count: 2 });
    let unknown = within_sync(&log, || Step { number: 1 }.commit().wait()).unwrap_err();
    assert_eq!(unknown.kind(), CommitErrorKind::Unknown);
    wait_until("the stream is mended", || {
        within_sync(&log, || Step { number: 2 }.commit().wait()).is_ok()
    });
    log.shutdown().unwrap();
    let store = only_store(dir.path());
    let names: Vec<_> = files(&store, "audit")
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    let aside = names
        .iter()
        .filter(|name| name.to_str().unwrap().contains(".superseded-"))
        .count();
    assert_eq!(aside, 0, "an attempt that failed is used again: {names:?}");
}

#[test]
fn a_full_disk_refuses_commits_counts_the_rest_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = faults.under(builder(dir.path())).open().unwrap();
    let commit = |number| within_sync(&log, || Step { number }.commit().wait());
    commit(0).unwrap();
    log.flush().unwrap();
    faults.set(Fault::NoSpace);
    within_sync(&log, || Note { number: 1 }.emit()).unwrap();
    log.flush().unwrap();
    let refused = commit(1).unwrap_err();
    assert_eq!(refused.kind(), CommitErrorKind::Unavailable);
    faults.clear();
    let mut refusals = 1;
    wait_until("the disk is tried again", || {
        let stored = commit(2).is_ok();
        refusals += u64::from(!stored);
        stored
    });
    log.shutdown().unwrap();

    let audit = records(dir.path(), "audit");
    let steps: Vec<u64> = audit
        .iter()
        .filter(|record| record["event"] == "step.done")
        .map(|record| record["data"]["number"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, [0, 2], "after {refusals} refusals");
    let app = records(dir.path(), "app");
    let gap = app
        .iter()
        .find(|record| record["event"] == "log.gap")
        .unwrap();
    assert_eq!(gap["category"], Category::App.as_str());
    assert_eq!(
        gap["data"]["lost"],
        serde_json::json!([{"event": "cache.hit", "reason": "store_unavailable", "count": 1}])
    );
}

#[test]
fn a_torn_tail_is_kept_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let log = builder(dir.path()).open().unwrap();
    within_sync(&log, || Step { number: 0 }.commit().wait()).unwrap();
    log.shutdown().unwrap();
    let store = only_store(dir.path());
    let segment = segments(&store, "audit").remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    let whole = bytes.len();
    bytes.extend_from_slice(b"{\"v\":1,\"stream\":\"svc/one/");
    fs::write(&segment, &bytes).unwrap();

    builder(dir.path()).open().unwrap().shutdown().unwrap();
    let torn = segment.with_file_name(format!(
        "{}.torn-{whole}",
        segment.file_name().unwrap().to_str().unwrap()
    ));
    assert_eq!(fs::read(&torn).unwrap(), &bytes[whole..]);
    let records = records(dir.path(), "audit");
    let recovery = records
        .iter()
        .find(|record| record["event"] == "chain.recovery")
        .unwrap();
    assert_eq!(recovery["data"]["torn"]["offset"], whole as u64);
    assert_eq!(
        recovery["data"]["torn"]["bytes"],
        (bytes.len() - whole) as u64
    );
    assert_eq!(
        recovery["data"]["torn"]["file"],
        torn.file_name().unwrap().to_str().unwrap()
    );
}

#[test]
fn nobody_waits_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let log = builder(dir.path()).open().unwrap();
    let commits: Vec<_> = within_sync(&log, || {
        (0..100).map(|number| Step { number }.commit()).collect()
    });
    let handle = log.handle();
    log.shutdown().unwrap();
    for commit in commits {
        commit.wait().unwrap();
    }
    assert_eq!(handle.health(), compliance_log::Health::Closed);
}

#[test]
fn a_full_disk_hides_no_crash_and_no_restart() {
    let dir = tempfile::tempdir().unwrap();
    builder(dir.path()).open().unwrap().shutdown().unwrap();
    // As a crash would leave it: the last record is no `log.stopped`.
    let segment = segments(&only_store(dir.path()), "audit").remove(0);
    let text = fs::read_to_string(&segment).unwrap();
    let without_stop = text.trim_end().rfind('\n').unwrap() + 1;
    fs::write(&segment, &text[..without_stop]).unwrap();
    fs::remove_file(segment.with_file_name("head")).unwrap();

    let faults = Faults::new();
    faults.set(Fault::NoSpace);
    let log = faults.under(builder(dir.path())).open().unwrap();
    assert!(log.failure().is_some());
    faults.clear();
    wait_until("the disk is tried again", || {
        within_sync(&log, || Step { number: 1 }.commit().wait()).is_ok()
    });
    faults.set(Fault::NoSpace);
    within_sync(&log, || Step { number: 2 }.commit().wait()).unwrap_err();
    faults.clear();
    log.shutdown().unwrap();
    let records = records(dir.path(), "audit");
    let events = events(&records);
    assert_eq!(
        events[events.len() - 5..],
        [
            "chain.recovery",
            "log.unclean_stop",
            "log.started",
            "step.done",
            "log.stopped"
        ]
    );
}

#[test]
fn an_end_that_cannot_be_written_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = faults.under(builder(dir.path())).open().unwrap();
    faults.set(Fault::NoSpace);
    let said = log.shutdown().unwrap_err().to_string();
    assert!(
        said.contains("not stored") || said.contains("cannot close"),
        "{said}"
    );
}

#[test]
fn what_is_counted_while_a_log_ends_is_told_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = faults.under(builder(dir.path())).open().unwrap();
    faults.set(Fault::NoSpace);
    within_sync(&log, || Step { number: 1 }.commit().wait()).unwrap_err();
    let handle = log.handle();
    let note = || handle.scope_sync(|| Note { number: 1 }.emit());
    note().unwrap();
    faults.set(Fault::Stall);
    let ending = thread::spawn(move || log.shutdown());
    wait_until("the writer waits for the disk", || faults.stalled() > 0);
    let counted = (0..100).filter(|_| note().is_ok()).count() as u64;
    faults.clear();
    ending.join().unwrap().unwrap();
    assert_eq!(note().unwrap_err().kind(), CommitErrorKind::Closed);
    let app = records(dir.path(), "app");
    let gaps = app.iter().filter(|record| record["event"] == "log.gap");
    let told = gaps.map(|gap| gap["data"]["lost"][0]["count"].as_u64().unwrap());
    assert_eq!(told.sum::<u64>(), 1 + counted);
}

#[test]
fn long_an_end_does_not_wait_for_ever_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = faults.under(builder(dir.path())).open().unwrap();
    faults.set(Fault::Stall);
    let commit = within_sync(&log, || Step { number: 1 }.commit());
    let said = log.shutdown().unwrap_err().to_string();
    assert!(said.contains("does not return"), "{said}");
    faults.clear();
    commit.wait().unwrap();
}
