//! What sealing costs: end-to-end time, CPU of the whole process, bytes, and verification, of a sealed
//! store beside one that is not, in one run, rounds interleaved.

#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use compliance_log::{
    Builder, ComplianceLog, Seal,
    test_util::within_sync,
    verify::{Options, Verdict, verify},
};
use compliance_log_benches::{booking, in_request, median, print, process_cpu};

/// How much is measured. `--short` only shows that it runs.
#[derive(Clone, Copy)]
struct Size {
    events: u64,
    rounds: usize,
    seals: u64,
}

const FULL: Size = Size {
    events: 600_000,
    rounds: 5,
    seals: 30,
};
const SHORT: Size = Size {
    events: 3_000,
    rounds: 1,
    seals: 2,
};

/// A stream of 100 records a second is sealed after as many.
const EVENTS_A_SEAL: u64 = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sealed,
    Plain,
}

/// Nanoseconds per event.
struct Cost {
    wall: f64,
    cpu: f64,
    verify_cpu: f64,
}

fn open(kind: Kind, dir: &Path) -> ComplianceLog {
    let builder: Builder = ComplianceLog::builder("bench").env("bench").instance("one");
    let builder = match kind {
        Kind::Sealed => builder.seal(Seal::default()),
        Kind::Plain => builder.unsealed(),
    };
    builder.dir(dir).open().expect("a log")
}

fn emit(log: &ComplianceLog, events: u64) {
    within_sync(log, || {
        in_request(|| {
            for number in 0..events {
                while booking(number).emit().is_err() {
                    std::thread::yield_now();
                }
            }
        });
    });
    log.flush().expect("stored");
}

fn write(kind: Kind, dir: &Path, size: Size) -> Cost {
    let log = open(kind, dir);
    emit(&log, 1_000);
    let (cpu, wall) = (process_cpu(), Instant::now());
    emit(&log, size.events);
    if kind == Kind::Sealed {
        log.checkpoint().expect("sealed");
    }
    let (cpu, wall) = (process_cpu().saturating_sub(cpu), wall.elapsed());
    log.shutdown().expect("nothing lost");
    let before = process_cpu();
    let report = verify(dir, &Options::default()).expect("read");
    let verify_cpu = process_cpu().saturating_sub(before);
    assert_eq!(report.verdict, Verdict::Ok, "{:?}", report.stores);
    let per_event = |time: Duration| time.as_secs_f64() * 1e9 / precise(size.events);
    Cost {
        wall: per_event(wall),
        cpu: per_event(cpu),
        verify_cpu: per_event(verify_cpu),
    }
}

/// Bytes of records, and of what seals them, over five minutes of 100 records a second: one epoch.
fn bytes(dir: &Path, size: Size) -> [f64; 2] {
    let log = open(Kind::Sealed, dir);
    for _ in 0..size.seals {
        emit(&log, EVENTS_A_SEAL);
        log.checkpoint().expect("sealed");
    }
    log.shutdown().expect("nothing lost");
    let stores = fs::read_dir(dir).expect("a folder");
    let store = stores
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.join("streams").is_dir())
        .expect("a store");
    let of = |folder: &str| -> u64 {
        let files = fs::read_dir(store.join(folder)).expect("a folder");
        let files = files.map(|entry| entry.expect("an entry"));
        files
            .map(|entry| entry.metadata().expect("its length").len())
            .sum()
    };
    [
        of("streams/audit") + of("streams/app"),
        of("streams/catalog") + of("seal"),
    ]
    .map(precise)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a bench's numbers are far below 2^52"
)]
fn precise(number: u64) -> f64 {
    number as f64
}

fn main() {
    let size = if std::env::args().any(|word| word == "--short") {
        SHORT
    } else {
        FULL
    };
    let mut costs: [Vec<Cost>; 2] = Default::default();
    for _ in 0..size.rounds {
        let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
        for (at, kind) in [Kind::Sealed, Kind::Plain].into_iter().enumerate() {
            let name = ["sealed", "plain"][at];
            costs[at].push(write(kind, &dir.path().join(name), size));
        }
    }
    let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
    let [records, seal] = bytes(&dir.path().join("bytes"), size);
    let of = |at: usize, get: fn(&Cost) -> f64| median(costs[at].iter().map(get).collect());
    print(&[
        (
            "end to end per event, ns",
            of(0, |cost| cost.wall),
            of(1, |cost| cost.wall),
            "1.20 x unsealed",
        ),
        (
            "CPU of the process per event, ns",
            of(0, |cost| cost.cpu),
            of(1, |cost| cost.cpu),
            "1.15 x unsealed",
        ),
        (
            "CPU of verify per event, ns",
            of(0, |cost| cost.verify_cpu),
            of(1, |cost| cost.verify_cpu),
            "1.50 x unsealed",
        ),
        (
            "bytes at 100 records/s",
            records + seal,
            records,
            "1.02 x the records",
        ),
    ]);
}
