//! Producer CPU, end-to-end rate and commit latency beside `tracing-subscriber`'s JSON formatter with
//! `tracing-appender`'s non-blocking writer, in one run, rounds interleaved.
//!
//! The peer neither redacts, nor chains, nor syncs. Ours does all of it.

#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use compliance_log::{ComplianceLog, test_util::within_sync};
use compliance_log_benches::{booking, in_request, median, thread_cpu};
use tracing_subscriber::layer::SubscriberExt;

/// How much is measured. `--short` only shows that it runs.
#[derive(Clone, Copy)]
struct Size {
    events: u32,
    commits: u32,
    rounds: usize,
}

const FULL: Size = Size {
    events: 150_000,
    commits: 800,
    rounds: 5,
};
const SHORT: Size = Size {
    events: 2_000,
    commits: 20,
    rounds: 1,
};

/// Per event: producer CPU and wall time until everything is in the file.
struct Rate {
    cpu_ns: f64,
    wall_ns: f64,
}

fn ours(dir: &Path, size: Size) -> Rate {
    let log = ComplianceLog::builder("bench")
        .env("bench")
        .instance("one")
        .dir(dir)
        .open()
        .expect("a log");
    let rate = within_sync(&log, || {
        in_request(|| {
            measure(
                size,
                |number| {
                    while booking(number).emit().is_err() {
                        std::thread::yield_now();
                    }
                },
                || log.flush().expect("stored"),
            )
        })
    });
    log.shutdown().expect("nothing lost");
    rate
}

fn peer(dir: &Path, size: Size) -> Rate {
    let file = File::create_new(dir.join("peer.json")).expect("a file");
    let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .lossy(false)
        .finish(file);
    let subscriber = tracing_subscriber::registry().with(
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(writer),
    );
    let mut guard = Some(guard);
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!(
            "request",
            trace_id = "0af7651916cd43dd8448eb211c80319c",
            tenant_id = "acme",
            request_id = "r-1"
        );
        let _entered = span.enter();
        measure(
            size,
            |number| {
                let e = booking(number);
                tracing::info!(
                    booking_id = e.booking_id,
                    offer_id = e.offer_id,
                    provider = e.provider,
                    payload_size = e.payload_size,
                    route = e.route,
                    cabin = e.cabin,
                    seats = e.seats,
                    price = e.price,
                    currency = e.currency,
                    note = e.note,
                    partner = e.partner,
                    retry = e.retry,
                    attempt = e.attempt,
                );
            },
            || drop(guard.take()),
        )
    })
}

fn measure(size: Size, mut one: impl FnMut(u64), drain: impl FnOnce()) -> Rate {
    (0..1_000).for_each(&mut one);
    let (cpu, wall) = (thread_cpu(), Instant::now());
    (0..u64::from(size.events)).for_each(&mut one);
    let cpu = thread_cpu().saturating_sub(cpu);
    drain();
    let per_event = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(size.events);
    Rate {
        cpu_ns: per_event(cpu),
        wall_ns: per_event(wall.elapsed()),
    }
}

/// Microseconds of each durable commit by one caller.
fn commits(dir: &Path, size: Size) -> Vec<f64> {
    let log = ComplianceLog::builder("bench")
        .env("bench")
        .instance("one")
        .dir(dir)
        .open()
        .expect("a log");
    let times = within_sync(&log, || {
        in_request(|| {
            (0..size.commits)
                .map(|number| {
                    let started = Instant::now();
                    booking(number.into()).commit().wait().expect("stored");
                    started.elapsed().as_secs_f64() * 1e6
                })
                .collect()
        })
    });
    log.shutdown().expect("nothing lost");
    times
}

/// Microseconds of each bare write of as many bytes, and its `fdatasync`.
fn bare(dir: &Path, size: Size) -> Vec<f64> {
    let mut file = File::create_new(dir.join("bare")).expect("a file");
    let line = [b'x'; 830];
    (0..size.commits)
        .map(|_| {
            let started = Instant::now();
            file.write_all(&line)
                .and_then(|()| file.sync_data())
                .expect("written");
            started.elapsed().as_secs_f64() * 1e6
        })
        .collect()
}

fn main() {
    let size = if std::env::args().any(|word| word == "--short") {
        SHORT
    } else {
        FULL
    };
    let mut rates: [Vec<Rate>; 2] = Default::default();
    let mut latencies: [Vec<f64>; 2] = Default::default();
    for _ in 0..size.rounds {
        let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
        rates[0].push(ours(&dir.path().join("ours"), size));
        rates[1].push(peer(dir.path(), size));
        latencies[0].push(median(commits(&dir.path().join("commits"), size)));
        latencies[1].push(median(bare(dir.path(), size)));
    }
    let of = |rates: &[Rate], get: fn(&Rate) -> f64| median(rates.iter().map(get).collect());
    let [ours_cpu, peer_cpu] = [0, 1].map(|i: usize| of(&rates[i], |rate| rate.cpu_ns));
    let [ours_wall, peer_wall] = [0, 1].map(|i: usize| of(&rates[i], |rate| rate.wall_ns));
    let [ours_commit, bare_commit] = latencies.map(median);
    compliance_log_benches::print(&[
        (
            "producer CPU per event, ns",
            ours_cpu,
            peer_cpu,
            "0.15 x fmt JSON + non_blocking",
        ),
        (
            "end to end per event, ns",
            ours_wall,
            peer_wall,
            "1/6 of fmt JSON + non_blocking",
        ),
        (
            "commit p50, us",
            ours_commit,
            bare_commit,
            "1.1 x bare write + fdatasync",
        ),
    ]);
}
