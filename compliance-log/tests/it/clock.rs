//! The wall clock may be set while a service runs; the log says so, once, before what it stamps then.

use std::{path::Path, sync::Arc, time::Duration};

use compliance_log::{
    Builder, ComplianceLog, audit_event,
    clock::{Clock as _, ManualClock, Timestamp},
    test_util::within_sync,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{only_store, records, segments};

#[audit_event(name = "step.done", target = "step")]
struct Step {}

const START: i64 = 1_800_000_000_000_000;

fn builder(dir: &Path, clock: &Arc<ManualClock>) -> Builder {
    ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir)
        .clock(Arc::<ManualClock>::clone(clock))
}

fn clock_at(micros: i64) -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_micros(micros)))
}

fn time(record: &Value) -> i64 {
    Timestamp::parse(record["timestamp"].as_str().unwrap())
        .unwrap()
        .as_micros()
}

/// Milliseconds of a step, where a record tells of one.
fn step_of(record: &Value) -> Option<i64> {
    (record["event"] == "clock.stepped").then(|| record["data"]["delta_ms"].as_i64().unwrap())
}

#[test]
fn a_step_is_told_once_before_the_records_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock_at(START);
    let log = builder(dir.path(), &clock).open().unwrap();
    let commit = || within_sync(&log, || Step {}.commit().wait()).unwrap();
    commit();
    clock.advance(Duration::from_secs(3600));
    commit();
    let right = clock.now();
    clock.set(Timestamp::from_micros(right.as_micros() - 10_000_000));
    commit();
    commit();
    log.shutdown().unwrap();
    let records = records(dir.path(), "audit");
    let steps: Vec<i64> = records.iter().filter_map(step_of).collect();
    assert_eq!(steps, [-10_000], "time that passed is no step");
    let at = records
        .iter()
        .position(|record| step_of(record).is_some())
        .unwrap();
    assert_eq!(records[at]["data"]["since"], right.to_string());
    assert_eq!(records[at]["level"], "WARN");
    assert_eq!(records[at + 1]["event"], "step.done");
    assert_eq!(time(&records[at + 1]), right.as_micros() - 10_000_000);
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    Pass(u32),
    Set(i32),
    Commit,
    Emit,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        1 => (0_u32..5_000_000).prop_map(Turn::Pass),
        // Up to a second is no step: a clock that is slewed goes on like that.
        1 => (1_001_000_i32..20_000_000).prop_map(Turn::Set),
        1 => (-20_000_000_i32..-1_001_000).prop_map(Turn::Set),
        4 => Just(Turn::Commit),
        2 => Just(Turn::Emit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn time_goes_back_by_no_more_than_what_is_told(turns in prop::collection::vec(turn(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let clock = clock_at(START);
        let log = builder(dir.path(), &clock).open().unwrap();
        for turn in turns {
            // Nothing waits in the queue while the clocks go on.
            log.flush().unwrap();
            match turn {
                Turn::Pass(micros) => clock.advance(Duration::from_micros(micros.into())),
                Turn::Set(by) => {
                    clock.set(Timestamp::from_micros(clock.now().as_micros() + i64::from(by)));
                }
                Turn::Commit => drop(within_sync(&log, || Step {}.commit().wait()).unwrap()),
                Turn::Emit => within_sync(&log, || Step {}.emit()).unwrap(),
            }
        }
        log.flush().unwrap();
        log.shutdown().unwrap();
        let records = records(dir.path(), "audit");
        let mut earliest = i64::MIN;
        for record in &records {
            if let Some(step) = step_of(record) {
                // Milliseconds are cut, and what is told is no later than what it tells of.
                earliest = earliest.saturating_add(step.min(0) * 1000 - 1000);
            }
            let time = time(record);
            prop_assert!(time >= earliest, "{record}");
            earliest = earliest.max(time);
        }
    }
}

#[test]
fn a_segment_grows_old_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock_at(START);
    let open = |clock: &Arc<ManualClock>| {
        let builder = builder(dir.path(), clock).segment_age_max(Duration::from_secs(100));
        builder.open().unwrap()
    };
    let lives = |seconds: [u64; 3]| {
        for seconds in seconds {
            // Each life has a monotonic clock of its own, as after a reboot.
            let life = clock_at(clock.now().as_micros());
            let log = open(&life);
            life.advance(Duration::from_secs(seconds));
            within_sync(&log, || Step {}.commit().wait()).unwrap();
            log.shutdown().unwrap();
            clock.advance(Duration::from_secs(seconds));
        }
        segments(&only_store(dir.path()), "audit").len()
    };
    assert_eq!(lives([40, 40, 10]), 1, "90 seconds old");
    assert_eq!(
        lives([20, 40, 40]),
        2,
        "it ended after 100, the next is young"
    );
    let records = records(dir.path(), "audit");
    let footer = records
        .iter()
        .find(|record| record["event"] == "segment.footer")
        .unwrap();
    assert_eq!(footer["data"]["reason"], "time");
}
