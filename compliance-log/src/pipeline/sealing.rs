//! The seal thread: signs what the writer made durable, and never holds it up.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    clock::Step,
    error::{Error, ErrorKind},
    metric,
    redact::Policy,
    store::{Altered, Ends, Exposed, Farewell, Sealer},
};

/// The writer's end of the seal thread. Dropped, it ends the thread, and nothing more is signed.
#[derive(Debug)]
pub(super) struct Sealing {
    inbox: Arc<Inbox>,
    exposed: Arc<Exposed>,
    /// Where the root key of a store that was just made is, if it has one of its own.
    new_root_key: Option<PathBuf>,
    thread: Option<JoinHandle<()>>,
}

/// What the newest checkpoint is asked for with.
pub(super) type CheckpointReply = mpsc::Sender<Result<String, Error>>;

#[derive(Debug)]
enum Request {
    Stepped(Step),
    ChangePolicy(Arc<Policy>),
    Checkpoint(CheckpointReply),
    RotateKeys(CheckpointReply),
    Close(Ends, Farewell, mpsc::Sender<Result<(), Error>>),
    Abandon,
}

impl Request {
    /// The thread ended: nobody does this any more.
    fn refuse(self) {
        match self {
            Self::Checkpoint(reply) | Self::RotateKeys(reply) => {
                reply.send(Err(ended())).unwrap_or(());
            }
            Self::Close(_, _, reply) => reply.send(Err(ended())).unwrap_or(()),
            Self::Stepped(_) | Self::ChangePolicy(_) | Self::Abandon => {}
        }
    }
}

fn ended() -> Error {
    Error::new(
        ErrorKind::Seal,
        "the seal thread ended: nothing more is sealed until the log is opened again",
    )
}

#[derive(Debug)]
struct Inbox {
    /// `None` once the thread ended.
    requests: Mutex<Option<Vec<Request>>>,
    /// What the thread says: the store is not to be gone on with.
    has_another_history: AtomicBool,
    altered: OnceLock<Altered>,
}

impl Inbox {
    fn requests(&self) -> MutexGuard<'_, Option<Vec<Request>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// However the thread ends, by a panic too, who waits for it is answered.
struct Guard {
    inbox: Arc<Inbox>,
    exposed: Arc<Exposed>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.exposed.unattended();
        let requests = self.inbox.requests().take();
        requests.into_iter().flatten().for_each(Request::refuse);
        if thread::panicking() {
            metric::count("compliance_log_seal_errors");
        }
    }
}

impl Sealing {
    /// Starts the thread.
    pub(super) fn start(sealer: Sealer, new_root_key: Option<PathBuf>) -> Result<Self, Error> {
        let inbox = Arc::new(Inbox {
            requests: Mutex::new(Some(Vec::new())),
            has_another_history: AtomicBool::new(false),
            altered: OnceLock::new(),
        });
        let exposed = sealer.exposed();
        let guard = Guard {
            inbox: Arc::clone(&inbox),
            exposed: Arc::clone(&exposed),
        };
        let thread = thread::Builder::new()
            .name("compliance-log-seal".into())
            .spawn(move || run(sealer, &guard.inbox))
            .map_err(|error| Error::io("cannot start the seal thread", error))?;
        Ok(Self {
            inbox,
            exposed,
            new_root_key,
            thread: Some(thread),
        })
    }

    pub(super) fn new_root_key(&self) -> Option<&Path> {
        self.new_root_key.as_deref()
    }

    /// The wall clock was set.
    pub(super) fn stepped(&self, step: Step) {
        self.ask(Request::Stepped(step));
    }

    pub(super) fn change_policy(&self, policy: Arc<Policy>) {
        self.ask(Request::ChangePolicy(policy));
    }

    /// Seals what is durable now, and answers with the newest checkpoint.
    pub(super) fn checkpoint(&self, reply: CheckpointReply) {
        self.ask(Request::Checkpoint(reply));
    }

    /// Has the next keys take the place of those that sign, and answers with the checkpoint after that.
    pub(super) fn rotate_keys(&self, reply: CheckpointReply) {
        self.ask(Request::RotateKeys(reply));
    }

    /// For how long records may lie here that the anchors do not cover, by the clock of the seal.
    pub(super) fn exposure(&self, now: Duration) -> Option<Duration> {
        self.exposed.at(now)
    }

    /// Whether the store was rolled back, or runs a second time.
    pub(super) fn has_another_history(&self) -> bool {
        self.inbox.has_another_history.load(Ordering::Relaxed)
    }

    /// What somebody did to the files of the seal, which ends it.
    pub(super) fn altered(&self) -> Option<&Altered> {
        self.inbox.altered.get()
    }

    /// Counts again and again that nothing is sealed any more, where that is so.
    pub(super) fn report(&self) {
        if self.inbox.requests().is_none() {
            metric::count("compliance_log_seal_errors");
        }
    }

    /// Seals everything, for the last time.
    pub(super) fn close(self, ends: Ends, farewell: Farewell) -> Result<(), Error> {
        let (reply, answer) = mpsc::channel();
        self.ask(Request::Close(ends, farewell, reply));
        answer.recv().map_err(|_gone| ended())?
    }

    fn ask(&self, request: Request) {
        match &mut *self.inbox.requests() {
            Some(requests) => requests.push(request),
            None => return request.refuse(),
        }
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        self.ask(Request::Abandon);
        // Only then are the keys free for another store.
        if let Some(thread) = self.thread.take() {
            // Its guard counted a panic.
            drop(thread.join());
        }
    }
}

fn run(mut sealer: Sealer, inbox: &Inbox) {
    for tree in sealer.trees() {
        tree.grown_by(thread::current());
    }
    let every = sealer.every();
    let mut due = Instant::now() + every;
    loop {
        let requests = inbox.requests().as_mut().map(std::mem::take);
        for request in requests.into_iter().flatten() {
            match request {
                Request::Stepped(step) => sealer.stepped(step),
                Request::ChangePolicy(policy) => sealer.change_policy(policy),
                Request::Checkpoint(reply) => {
                    let checkpoint = sealer.checkpoint();
                    count(&checkpoint);
                    reply.send(checkpoint).unwrap_or(());
                }
                Request::RotateKeys(reply) => {
                    let rotated = sealer.rotate_keys();
                    count(&rotated);
                    reply.send(rotated).unwrap_or(());
                }
                Request::Close(ends, farewell, reply) => {
                    let closed = sealer.close(ends, farewell);
                    count(&closed);
                    reply.send(closed).unwrap_or(());
                    return;
                }
                Request::Abandon => return,
            }
        }
        if Instant::now() >= due {
            count(&sealer.work());
            due = Instant::now() + every;
        } else {
            sealer.keep_up();
        }
        if sealer.has_another_history() {
            inbox.has_another_history.store(true, Ordering::Relaxed);
        }
        if let Some(altered) = sealer.altered() {
            inbox.altered.get_or_init(|| altered.clone());
        }
        let age = sealer.age();
        metric::report(|| metrics::gauge!("compliance_log_checkpoint_age_seconds").set(age));
        if let Some(window) = sealer.exposure() {
            metric::report(|| {
                metrics::gauge!("compliance_log_exposure_window_seconds").set(window);
            });
        }
        thread::park_timeout(left(due));
    }
}

fn left(due: Instant) -> Duration {
    due.saturating_duration_since(Instant::now())
}

fn count<T>(outcome: &Result<T, Error>) {
    if outcome.is_err() {
        metric::count("compliance_log_seal_errors");
    }
}
