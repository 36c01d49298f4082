//! Wherever code runs, `emit` and `commit` end: with the record stored, or with an error.

use std::{
    cell::RefCell,
    fmt,
    path::Path,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use compliance_log::{
    Commit, CommitErrorKind, ComplianceLog, Handle, Health, OnFailure, Policy, audit_event, carry,
    clock::{Clock, Timestamp},
    event::Category,
    test_util::{Fault, Faults, capture, within, within_sync},
};
use futures_util::FutureExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{records, wait_until};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
}

fn open(dir: &Path) -> ComplianceLog {
    let builder = ComplianceLog::builder("svc").env("test").dir(dir);
    builder.open().unwrap()
}

/// The numbers of the steps that are stored, in ascending order.
fn steps(dir: &Path) -> Vec<u64> {
    let records = records(dir, "audit");
    let steps = records
        .iter()
        .filter(|record| record["event"] == "step.done");
    let mut numbers: Vec<u64> = steps
        .map(|record| record["data"]["number"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future by hand, as a program without a runtime would.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_future_needs_no_runtime_and_wait_needs_no_future() {
    let (log, written) = capture();
    block_on(within_sync(&log, || Step { number: 1 }.commit())).unwrap();
    within_sync(&log, || Step { number: 2 }.commit().wait()).unwrap();
    within_sync(&log, || Step { number: 3 }.emit()).unwrap();
    assert_eq!(written.all::<Step>().len(), 3);
}

#[test]
fn a_runtime_of_any_kind_may_wait_in_either_way() {
    let (log, written) = capture();
    let work = async {
        Step { number: 1 }.commit().await.unwrap();
        Step { number: 2 }.commit().wait().unwrap();
        let commit = Step { number: 3 }.commit();
        tokio::task::spawn_blocking(move || commit.wait())
            .await
            .unwrap()
            .unwrap();
        tokio::spawn(carry(async { Step { number: 4 }.commit().await }))
            .await
            .unwrap()
            .unwrap();
    };
    let one = tokio::runtime::Builder::new_current_thread().build();
    one.unwrap().block_on(within(&log, work));
    let many = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    many.block_on(within(&log, async { Step { number: 5 }.commit().await }))
        .unwrap();
    assert_eq!(written.all::<Step>().len(), 5);
}

#[test]
fn after_the_end_every_way_in_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let handle = log.handle();
    log.shutdown().unwrap();
    let kinds = handle.scope_sync(|| {
        [
            Step { number: 1 }.emit().unwrap_err(),
            Step { number: 2 }.commit().wait().unwrap_err(),
            block_on(Step { number: 3 }.commit()).unwrap_err(),
        ]
        .map(|error| error.kind())
    });
    assert_eq!(kinds, [CommitErrorKind::Closed; 3]);
    assert!(steps(dir.path()).is_empty());
}

/// Commits when it is dropped.
struct CommitsLast {
    handle: Handle,
    number: u64,
    answer: mpsc::Sender<bool>,
}

impl Drop for CommitsLast {
    fn drop(&mut self) {
        let number = self.number;
        let stored = self
            .handle
            .scope_sync(|| Step { number }.commit().wait().is_ok());
        self.answer.send(stored).unwrap_or(());
    }
}

thread_local! {
    static LAST: RefCell<Vec<CommitsLast>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn destructors_may_commit_also_when_a_thread_ends_or_panics() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let (answer, answers) = mpsc::channel();
    let last = |number| CommitsLast {
        handle: log.handle(),
        number,
        answer: answer.clone(),
    };
    drop(last(1));
    let (of_thread, of_used_thread, of_panic) = (last(2), last(3), last(4));
    thread::spawn(move || LAST.with_borrow_mut(|kept| kept.push(of_thread)))
        .join()
        .unwrap();
    // The buffers of this thread are gone before the destructor runs, or after: either is fine.
    thread::spawn(move || {
        of_used_thread
            .handle
            .scope_sync(|| Step { number: 30 }.emit())
            .unwrap();
        LAST.with_borrow_mut(|kept| kept.push(of_used_thread));
    })
    .join()
    .unwrap();
    thread::spawn(move || {
        let _kept = of_panic;
        std::panic::resume_unwind(Box::new("a producer's"));
    })
    .join()
    .unwrap_err();
    let stored: Vec<bool> = answers.try_iter().collect();
    assert_eq!(stored, [true; 4]);
    log.shutdown().unwrap();
    assert_eq!(steps(dir.path()), [1, 2, 3, 4, 30]);
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let log = faults.under(builder).open().unwrap();
    faults.set(Fault::Stall);
    let (answer, answers) = mpsc::channel();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (begun, all_begun) = mpsc::channel();
    for number in 0..100 {
        let (begun, handle, answer) = (begun.clone(), log.handle(), answer.clone());
        runtime.spawn(within(&log, async move {
            // Dropped with the runtime, while its own commit is on its way.
            let _last = CommitsLast {
                handle,
                number: 1000 + number,
                answer,
            };
            let commit = Step { number }.commit();
            begun.send(()).unwrap();
            commit.await.unwrap();
        }));
    }
    all_begun.iter().take(100).for_each(drop);
    let ending = thread::spawn(move || runtime.shutdown_background());
    faults.clear();
    ending.join().unwrap();
    drop(answer);
    let stored: Vec<bool> = answers.iter().collect();
    assert_eq!(stored, [true; 100]);
    log.shutdown().unwrap();
    let expected: Vec<u64> = (0..100).chain(1000..1100).collect();
    assert_eq!(steps(dir.path()), expected);
}

/// Logs while it is being logged, in every way.
struct Chatty;

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Step { number: 1 }.commit().wait().unwrap();
        Step { number: 2 }.emit().unwrap();
        tracing::info!("from within");
        f.write_str("chatty")
    }
}

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[test]
fn what_logs_while_it_is_logged_is_stored() {
    let (log, written) = capture();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let _default = tracing::subscriber::set_default(subscriber);
    within_sync(&log, || {
        tracing::info!(value = ?Chatty, "debug");
        tracing::info!(value = %Chatty, "display");
        tracing::info!("message {Chatty}");
    });
    assert!(written.all::<Step>().len() >= 6);
    let named = written.named("log");
    assert!(named.len() >= 3, "{named:?}");
    written.assert_chain_valid();
}

struct PanicsInDebug;

impl fmt::Debug for PanicsInDebug {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("in Debug"))
    }
}

#[test]
fn a_producer_that_panics_while_it_logs_takes_no_log_down() {
    let (log, written) = capture();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let dispatch = tracing::Dispatch::new(subscriber);
    let handle = log.handle();
    let panicked = thread::spawn(move || {
        tracing::dispatcher::with_default(&dispatch, || {
            handle.scope_sync(|| tracing::info!(value = ?PanicsInDebug, "lost"));
        });
    });
    // Whether the producer or its log hears of it, the log goes on.
    drop(panicked.join());
    within_sync(&log, || Step { number: 1 }.commit().wait()).unwrap();
    assert_eq!(written.all::<Step>().len(), 1);
}

/// A waker that does what wakers should not.
struct Rude {
    handle: Handle,
    answers: mpsc::Sender<Commit>,
}

impl Wake for Rude {
    fn wake(self: Arc<Self>) {
        let commit = self.handle.scope_sync(|| Step { number: 2 }.commit());
        self.answers.send(commit).unwrap_or(());
        std::panic::resume_unwind(Box::new("in a waker"));
    }
}

#[test]
fn a_waker_that_logs_and_panics_takes_no_log_down() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let log = faults.under(builder).open().unwrap();
    faults.set(Fault::Stall);
    let (answers, answer) = mpsc::channel();
    let handle = log.handle();
    let waker = Waker::from(Arc::new(Rude { handle, answers }));
    let mut first = pin!(within_sync(&log, || Step { number: 1 }.commit()));
    let pending = first.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    faults.clear();
    answer.recv().unwrap().wait().unwrap();
    assert!(first.now_or_never().unwrap().is_ok());
    log.shutdown().unwrap();
    assert_eq!(steps(dir.path()), [1, 2]);
}

/// Waits and ends the log where its answers come from, as an executor does that polls in a waker.
struct Blocks {
    log: Mutex<Option<ComplianceLog>>,
    said: mpsc::Sender<[Option<CommitErrorKind>; 2]>,
}

impl Wake for Blocks {
    fn wake(self: Arc<Self>) {
        let log = self.log.lock().unwrap().take().unwrap();
        let commit = within_sync(&log, || Step { number: 2 }.commit());
        let asked = [commit.wait().map(drop), log.flush()];
        drop(log);
        let said = asked.map(|answer| answer.err().map(|error| error.kind()));
        self.said.send(said).unwrap();
    }
}

#[test]
fn a_waker_that_waits_for_its_own_log_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let log = faults.under(builder).open().unwrap();
    faults.set(Fault::Stall);
    let mut first = pin!(within_sync(&log, || Step { number: 1 }.commit()));
    let (said, asked) = mpsc::channel();
    let log = Mutex::new(Some(log));
    let waker = Waker::from(Arc::new(Blocks { log, said }));
    let pending = first.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    faults.clear();
    let said = asked.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(said, [Some(CommitErrorKind::Unknown); 2]);
    wait_until("the log ends", || steps(dir.path()) == [1, 2]);
}

/// Panics where the log's own thread asks, once it is told to.
#[derive(Debug, Default)]
struct Breaks(AtomicBool);

impl Clock for Breaks {
    fn now(&self) -> Timestamp {
        let of_log = thread::current().name() == Some("compliance-log");
        if of_log && self.0.load(Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("in a clock"));
        }
        Timestamp::from_micros(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn a_clock_that_ends_the_writer_leaves_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Breaks::default());
    let deadline = Duration::from_secs(60);
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let builder = builder.on_failure(Category::Audit, OnFailure::Block { deadline });
    let log = builder.clock(Arc::clone(&clock) as _).open().unwrap();
    let commit = || within_sync(&log, || Step { number: 1 }.commit().wait());
    commit().unwrap();
    clock.0.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(commit().unwrap_err().kind(), CommitErrorKind::Closed);
    }
    assert_eq!(log.flush().unwrap_err().kind(), CommitErrorKind::Closed);
    let changed = log.set_policy(Policy::builtin()).wait();
    assert_eq!(changed.unwrap_err().kind(), CommitErrorKind::Closed);
    assert_eq!(log.health(), Health::Closed);
    let said = log.shutdown().unwrap_err().to_string();
    assert!(said.contains("panicked"), "{said}");
}

#[test]
fn a_deadline_s_waker_may_panic_too() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let deadline = Duration::from_millis(5);
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let builder = builder.on_failure(Category::Audit, OnFailure::Block { deadline });
    let log = faults.under(builder).open().unwrap();
    faults.set(Fault::NoSpace);
    within_sync(&log, || Step { number: 0 }.commit().wait()).unwrap_err();
    let (answers, answer) = mpsc::channel();
    let handle = log.handle();
    let waker = Waker::from(Arc::new(Rude { handle, answers }));
    let mut first = pin!(within_sync(&log, || Step { number: 1 }.commit()));
    let pending = first.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    let second = answer.recv().unwrap().wait().unwrap_err();
    assert_eq!(second.kind(), CommitErrorKind::Unavailable);
    assert!(first.now_or_never().unwrap().is_err());
    faults.clear();
    wait_until("the store is mended", || {
        within_sync(&log, || Step { number: 3 }.commit().wait()).is_ok()
    });
    log.shutdown().unwrap();
    assert_eq!(steps(dir.path()), [3]);
}

#[test]
fn long_each_of_100_000_tasks_hears_of_its_commit() {
    let dir = tempfile::tempdir().unwrap();
    let deadline = Duration::from_secs(60);
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let log = builder
        .on_failure(Category::Audit, OnFailure::Block { deadline })
        .queue_bytes_max(128 * 1024 * 1024)
        .open()
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tasks: Vec<_> = (0..100_000)
        .map(|number| {
            let work = async move { Step { number }.commit().await };
            runtime.spawn(within(&log, work))
        })
        .collect();
    let stored = runtime.block_on(async {
        let mut stored = 0;
        for task in tasks {
            stored += u64::from(task.await.unwrap().is_ok());
        }
        stored
    });
    log.shutdown().unwrap();
    assert_eq!(stored, 100_000, "there was room for all");
    assert_eq!(steps(dir.path()), (0..100_000).collect::<Vec<u64>>());
}

#[test]
fn sixty_four_threads_commit_to_two_logs_at_once() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let logs = [open(one.path()), open(other.path())];
    thread::scope(|scope| {
        for thread in 0..64_u64 {
            let log = &logs[usize::from(thread % 2 == 1)];
            scope.spawn(move || {
                for turn in 0..50 {
                    let number = thread * 1000 + turn;
                    within_sync(log, || Step { number }.commit().wait()).unwrap();
                }
            });
        }
    });
    for log in logs {
        log.shutdown().unwrap();
    }
    for (dir, odd) in [(&one, 0), (&other, 1)] {
        let threads = (0..64).filter(|thread| thread % 2 == odd);
        let expected: Vec<u64> = threads
            .flat_map(|thread| (0..50).map(move |turn| thread * 1000 + turn))
            .collect();
        assert_eq!(steps(dir.path()), expected);
    }
}
