//! What the built-in policy's scan adds to the producer's CPU for an event without secrets.
//!
//! Two logs stand side by side, one with the built-in policy, one without rules, and take turns in
//! short slices, so that whatever else the machine does weighs on both alike.

#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

use std::path::Path;

use compliance_log::{ComplianceLog, Policy, test_util::within_sync};
use compliance_log_benches::{booking, in_request, median, thread_cpu};

/// Events of a slice: few enough that the queue never fills.
const SLICE: u32 = 200;

/// Nanoseconds of producer CPU per event, in one slice.
fn slice(log: &ComplianceLog) -> f64 {
    let cpu = within_sync(log, || {
        in_request(|| {
            let started = thread_cpu();
            for number in 0..u64::from(SLICE) {
                booking(number).emit().expect("queued");
            }
            thread_cpu().saturating_sub(started)
        })
    });
    log.flush().expect("stored");
    cpu.as_secs_f64() * 1e9 / f64::from(SLICE)
}

fn open(dir: &Path, policy: Policy) -> ComplianceLog {
    let log = ComplianceLog::builder("bench").env("bench").instance("one");
    log.dir(dir).policy(policy).open().expect("a log")
}

fn main() {
    let short = std::env::args().any(|word| word == "--short");
    let (rounds, slices) = if short { (2, 2) } else { (12, 400) };
    let none = Policy::parse("version = 1").expect("a policy");
    let mut cpu: [Vec<f64>; 2] = Default::default();
    for round in 0..rounds {
        let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
        // How a log's threads fall on the processors weighs as much as a scan, so each gets many.
        let [with, without] = [("with", Policy::builtin()), ("without", none.clone())]
            .map(|(name, policy)| open(&dir.path().join(name), policy));
        for turn in 0..slices {
            let with_first = (round + turn) % 2 == 0;
            for is_with in [with_first, !with_first] {
                let log = if is_with { &with } else { &without };
                cpu[usize::from(!is_with)].push(slice(log));
            }
        }
        for log in [with, without] {
            log.shutdown().expect("nothing lost");
        }
    }
    let [with, without] = cpu.map(median);
    compliance_log_benches::print(&[(
        "producer CPU: rules or none, ns",
        with,
        without,
        "1.15 x producer CPU without rules",
    )]);
}
