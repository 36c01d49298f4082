//! A process that forks: the child is refused, at once, and the parent's log goes on untouched.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up ends the test"
)]

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use compliance_log::{
    CommitErrorKind, ComplianceLog, Health, audit_event,
    context::{SpanId, TraceId},
    test_util::{Fault, Faults, within_sync},
    verify::{Options, Verdict, verify},
};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
}

#[audit_event(name = "cache.hit", category = "app")]
struct Note {
    number: u64,
}

const OF_CHILD: u64 = 1_000_000;

/// Runs `child` in a fork, and gives the code that it ended with. One that hangs is ended.
#[expect(
    unsafe_code,
    reason = "forking a process with threads is unsafe; the child does what services do in one"
)]
fn fork(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child has its own copy of the memory, takes no lock of the harness, and ends by
    // `_exit` without running anything of the parent's; the C library keeps its own locks sound.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "no fork");
    if pid == 0 {
        let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(99);
        // SAFETY: ends this process alone.
        unsafe { libc::_exit(code) }
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut status = 0;
        // SAFETY: `status` outlives the call, and `pid` is a child that was not waited for yet.
        let ended = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
        if ended == pid {
            return libc::WEXITSTATUS(status);
        }
        if Instant::now() > deadline {
            // SAFETY: ends the child alone.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            panic!("the child hangs");
        }
        thread::yield_now();
    }
}

#[expect(
    unsafe_code,
    reason = "the limit of a child process, which has no safe call"
)]
fn limit_files(limit: &libc::rlimit) {
    // SAFETY: `limit` outlives the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, limit) }, 0);
}

fn open(dir: &Path, faults: &Faults) -> ComplianceLog {
    let builder = ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .queue_bytes_max(256 * 1024);
    faults.under(builder.dir(dir)).open().unwrap()
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Everything that a child may try. Its code says what went wrong, 0 where nothing did.
fn misuse(log: ComplianceLog) -> i32 {
    let refused = |result: Result<(), compliance_log::CommitError>| {
        result.is_err_and(|error| error.kind() == CommitErrorKind::Forked)
    };
    let number = OF_CHILD;
    let commit = within_sync(&log, || Step { number }.commit().wait());
    if !refused(commit.map(drop)) {
        return 1;
    }
    if !refused(log.flush()) {
        return 2;
    }
    let before = peak_kib();
    let mut last = Ok(());
    for _ in 0..20_000 {
        last = within_sync(&log, || Step { number }.emit());
    }
    if !refused(last) {
        return 3;
    }
    if peak_kib() > before + 8 * 1024 {
        return 4;
    }
    if log.shutdown().is_ok() {
        return 5;
    }
    0
}

fn stored(dir: &Path) -> Vec<u64> {
    let report = verify(dir, &Options::default()).unwrap();
    assert_eq!(report.stores.len(), 1);
    assert_eq!(report.stores[0].verdict, Verdict::Ok, "{report:#?}");
    let mut numbers = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "jsonl") {
                let text = std::fs::read_to_string(path).unwrap();
                numbers.extend(text.lines().filter_map(|line| {
                    let record: serde_json::Value = serde_json::from_str(line).unwrap();
                    record["data"]["number"].as_u64()
                }));
            }
        }
    }
    numbers.sort_unstable();
    numbers
}

// One test, because a fork copies whatever the threads beside it are doing.
#[test]
fn a_fork_is_refused_and_its_parent_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let mut log = Some(open(dir.path(), &faults));
    let commit = |log: &ComplianceLog, number| {
        within_sync(log, || Step { number }.commit().wait()).unwrap();
    };
    let parent = log.as_ref().unwrap();
    commit(parent, 1);

    // `log` is taken in the child's copy alone.
    assert_eq!(fork(|| misuse(log.take().unwrap())), 0, "the writer slept");
    let parent = log.as_ref().unwrap();
    commit(parent, 2);

    // Nobody answers in the child what the parent is waiting for.
    faults.set(Fault::Stall);
    let mut pending = Some(within_sync(parent, || Step { number: 3 }.commit()));
    let asked = fork(|| {
        let answer = pending.take().unwrap().wait();
        let code = answer.is_err_and(|error| error.kind() == CommitErrorKind::Unknown);
        i32::from(!code)
    });
    assert_eq!(asked, 0);
    faults.clear();
    pending.unwrap().wait().unwrap();

    // What is counted in a child is told by nobody.
    faults.set(Fault::NoSpace);
    within_sync(parent, || Step { number: 6 }.commit().wait()).unwrap_err();
    let counted = fork(|| {
        let note = within_sync(parent, || Note { number: OF_CHILD }.emit());
        let code = note.is_err_and(|error| error.kind() == CommitErrorKind::Forked);
        i32::from(!code)
    });
    assert_eq!(counted, 0);
    faults.clear();
    while parent.health() != Health::Ready {
        thread::yield_now();
    }

    // Random bytes that the parent has in store are the parent's alone.
    let small = tempfile::tempdir().unwrap();
    let of_child = small.path().join("ids");
    let ids = || [(); 3].map(|()| (TraceId::random().to_string(), SpanId::random().to_string()));
    ids();
    let written = fork(|| {
        let file = File::create_new(&of_child);
        let written = file.and_then(|mut file| write!(file, "{:?}", ids()));
        i32::from(written.is_err())
    });
    assert_eq!(written, 0);
    let of_child = std::fs::read_to_string(of_child).unwrap();
    for (trace, span) in ids() {
        assert!(!of_child.contains(&trace) && !of_child.contains(&span));
    }

    // The system ends a process whose file grows beyond a limit that is set.
    let code = fork(|| {
        let limit = libc::rlimit {
            rlim_cur: 128 * 1024,
            rlim_max: libc::RLIM_INFINITY,
        };
        limit_files(&limit);
        let log = open(small.path(), &Faults::new());
        (0..500).for_each(|number| commit(&log, number));
        i32::from(log.shutdown().is_err())
    });
    assert_eq!(code, 0);
    let numbers = stored(small.path());
    assert!((0..500).all(|number| numbers.contains(&number)));

    // While others hold the locks of the log in turn, a fork finds them in every state.
    let stop = AtomicBool::new(false);
    let forks = 30;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    within_sync(parent, || Step { number: 4 }.emit()).unwrap_or(());
                }
            });
        }
        for _ in 0..forks {
            let code = fork(|| {
                let number = OF_CHILD;
                let mut last = Ok(());
                for _ in 0..2000 {
                    last = within_sync(parent, || Step { number }.emit());
                }
                i32::from(last.is_ok())
            });
            if code != 0 {
                stop.store(true, Ordering::Relaxed);
            }
            assert_eq!(code, 0);
        }
        stop.store(true, Ordering::Relaxed);
    });

    // A child's own log, in a folder of its own, is like any other.
    let own = tempfile::tempdir().unwrap();
    let code = fork(|| {
        let log = open(own.path(), &Faults::new());
        commit(&log, 7);
        i32::from(log.shutdown().is_err())
    });
    assert_eq!(code, 0);
    assert_eq!(stored(own.path()), [7]);

    commit(parent, 5);
    log.take().unwrap().shutdown().unwrap();
    let numbers = stored(dir.path());
    assert!(numbers.iter().all(|number| *number < OF_CHILD));
    for number in [1, 2, 3, 5] {
        assert!(numbers.contains(&number), "{number}");
    }
}
