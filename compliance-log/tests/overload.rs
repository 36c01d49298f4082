//! Ten times what the disk takes, under each policy: memory stays within its bound, what was offered
//! was stored, refused or counted, and a flood of app records costs no audit record.
//!
//! `OVERLOAD_SECONDS` says for how long each policy is tried; 20 where it is not set.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use compliance_log::{
    Commit, CommitErrorKind, ComplianceLog, OnFailure, audit_event,
    event::Category,
    test_util::{Fault, Faults, within_sync},
};
use serde_json::Value;

#[audit_event(name = "payment.made", target = "payment/{number}")]
struct Payment {
    number: u64,
}

#[audit_event(name = "step.done", category = "security", target = "step/{number}")]
struct Step {
    number: u64,
    #[audit(internal)]
    padding: String,
}

#[audit_event(name = "batch.served", category = "access", target = "batch/{number}")]
struct Served {
    number: u64,
    #[audit(internal)]
    padding: String,
}

#[audit_event(name = "cache.hit", category = "app")]
struct Note {
    number: u64,
    #[audit(internal)]
    padding: String,
}

/// Of the queue; each append of the disk takes `APPEND`, so no more than this is stored in that time.
const QUEUE_BYTES: usize = 64 * 1024;
const APPEND: Duration = Duration::from_millis(APPEND_MS);
/// So slow that an unoptimised build offers ten times as much.
const APPEND_MS: u64 = 200;
/// Padding, so that few records make many bytes.
const PADDING: usize = 700;
/// Records of this size a second that are ten times what the disk takes.
const RATE: u64 = 10 * (1000 / APPEND_MS) * (QUEUE_BYTES / PADDING) as u64;
/// More than all bounds together take, and far less than what is offered.
const MEMORY_KIB: u64 = 24 * 1024;

#[derive(Debug, Default)]
struct Sums {
    offered: u64,
    stored: u64,
    refused: u64,
    lost: u64,
    payments: u64,
    payments_refused: u64,
    grown_kib: u64,
}

/// Calls `offer` at the rate of the overload, and says how often.
fn overload(seconds: u64, mut offer: impl FnMut(u64)) -> u64 {
    let begun = Instant::now();
    let mut offered = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap();
        let due = millis * RATE / 1000;
        while offered < due {
            offer(offered);
            offered += 1;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    offered
}

/// The lines of a channel.
fn lines(dir: &Path, channel: &str) -> Vec<Value> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "jsonl")
                && path.parent().unwrap().ends_with(channel)
            {
                files.push(path);
            }
        }
    }
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| {
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect::<Vec<Value>>()
        })
        .collect()
}

fn stored_and_lost(lines: &[Value], event: &str) -> (u64, u64) {
    let named = |name: &str| {
        let name = name.to_owned();
        lines.iter().filter(move |line| line["event"] == name)
    };
    let lost = named("log.gap")
        .flat_map(|gap| gap["data"]["lost"].as_array().unwrap())
        .filter(|lost| lost["event"] == event)
        .map(|lost| lost["count"].as_u64().unwrap());
    (named(event).count() as u64, lost.sum())
}

fn resident_peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_ascii_whitespace().nth(1);
    kib.unwrap().parse().unwrap()
}

/// Offers records by `offer` beside one payment after another, each of them awaited.
fn try_policy(
    policies: &[(Category, OnFailure)],
    event: &str,
    offer: impl Fn(u64) -> Result<Option<Commit>, CommitErrorKind>,
) -> Sums {
    let seconds = std::env::var("OVERLOAD_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(20);
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let mut builder = ComplianceLog::builder("svc")
        .env("test")
        .dir(dir.path())
        .queue_bytes_max(QUEUE_BYTES);
    for (category, policy) in policies {
        builder = builder.on_failure(*category, *policy);
    }
    let log = faults.under(builder).open().unwrap();
    faults.set(Fault::Slow { by: APPEND });
    let before = resident_peak_kib();
    let (commits, pending) = mpsc::channel::<Commit>();
    let stop = AtomicBool::new(false);
    let mut sums = Sums::default();
    (sums.payments, sums.payments_refused) = thread::scope(|scope| {
        let told = scope.spawn(move || {
            let answers = pending.iter().map(Commit::wait);
            answers.filter(Result::is_err).count() as u64
        });
        let payments = scope.spawn(|| {
            let mut paid = 0;
            let mut refused = 0;
            while !stop.load(Ordering::Relaxed) {
                let payment = Payment { number: paid };
                match within_sync(&log, || payment.commit().wait()) {
                    Ok(_) => paid += 1,
                    Err(_) => refused += 1,
                }
            }
            (paid, refused)
        });
        sums.offered = overload(seconds, |number| {
            match within_sync(&log, || offer(number)) {
                Ok(commit) => commit
                    .into_iter()
                    .for_each(|commit| commits.send(commit).unwrap()),
                Err(_) => sums.refused += 1,
            }
        });
        stop.store(true, Ordering::Relaxed);
        drop(commits);
        sums.refused += told.join().unwrap();
        payments.join().unwrap()
    });
    sums.grown_kib = resident_peak_kib() - before;
    faults.clear();
    log.shutdown().unwrap();

    let channel = if event == "cache.hit" { "app" } else { "audit" };
    (sums.stored, sums.lost) = stored_and_lost(&lines(dir.path(), channel), event);
    assert!(sums.grown_kib < MEMORY_KIB, "{sums:?}");
    let (stored, lost) = stored_and_lost(&lines(dir.path(), "audit"), "payment.made");
    assert_eq!((stored, lost), (sums.payments, 0));
    if channel == "app" {
        assert_eq!(sums.payments_refused, 0, "none for app records: {sums:?}");
        assert!(sums.payments > 0);
    }
    assert!(
        sums.offered > 4 * sums.stored,
        "that was no overload: {sums:?}"
    );
    sums
}

// One test, because the memory of a process is that of all its threads.
#[test]
fn long_ten_times_what_the_disk_takes() {
    // Words, since a long run of letters is looked into for what it may encode.
    let padding = || "x ".repeat(PADDING / 2);
    let deadline = Duration::from_millis(100);

    let app = try_policy(&[], "cache.hit", |number| {
        let padding = padding();
        Note { number, padding }
            .emit()
            .map(|()| None)
            .map_err(|error| error.kind())
    });
    assert_eq!(app.offered, app.stored + app.lost, "{app:?}");
    assert_eq!(app.refused, 0);

    let refusing = try_policy(&[], "step.done", |number| {
        let padding = padding();
        Step { number, padding }
            .emit()
            .map(|()| None)
            .map_err(|error| error.kind())
    });
    assert_eq!(
        refusing.offered,
        refusing.stored + refusing.refused,
        "{refusing:?}"
    );
    assert_eq!(refusing.lost, 0);

    let block = OnFailure::Block { deadline };
    let waiting = try_policy(&[(Category::Security, block)], "step.done", |number| {
        let padding = padding();
        Ok(Some(Step { number, padding }.commit()))
    });
    assert_eq!(
        waiting.offered,
        waiting.stored + waiting.refused,
        "{waiting:?}"
    );
    assert_eq!(waiting.lost, 0);

    let access = try_policy(&[(Category::Access, block)], "batch.served", |number| {
        let padding = padding();
        Ok(Some(Served { number, padding }.commit()))
    });
    assert_eq!(access.offered, access.stored + access.lost, "{access:?}");
    assert_eq!(access.refused, access.lost, "who waits is told too");
    println!("{app:?}\n{refusing:?}\n{waiting:?}\n{access:?}");
}
