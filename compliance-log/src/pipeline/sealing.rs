//! The seal thread: signs what the writer made durable, and never holds it up.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{clock::Step, error::Error, metric, redact::Policy, store::Sealer};

/// The writer's end of the seal thread. Dropped, it ends the thread, and nothing more is signed.
#[derive(Debug)]
pub(super) struct Sealing {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

/// What the newest checkpoint is asked for with.
pub(super) type CheckpointReply = mpsc::Sender<Result<String, Error>>;

#[derive(Debug)]
enum Request {
    Stepped(Step),
    ChangePolicy(Arc<Policy>),
    Checkpoint(CheckpointReply),
    Close(mpsc::Sender<Result<(), Error>>),
    Abandon,
}

#[derive(Debug, Default)]
struct Inbox(Mutex<Vec<Request>>);

impl Inbox {
    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sealing {
    /// Starts the thread.
    pub(super) fn start(sealer: Sealer) -> Result<Self, Error> {
        let inbox = Arc::new(Inbox::default());
        let its = Arc::clone(&inbox);
        let thread = thread::Builder::new()
            .name("compliance-log-seal".into())
            .spawn(move || run(sealer, &its))
            .map_err(|error| Error::io("cannot start the seal thread", error))?;
        Ok(Self {
            inbox,
            thread: Some(thread),
        })
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

    /// Seals everything, for the last time.
    pub(super) fn close(self) -> Result<(), Error> {
        let (reply, answer) = mpsc::channel();
        self.ask(Request::Close(reply));
        let ended = |_| {
            Error::io(
                "the seal thread ended",
                std::io::ErrorKind::BrokenPipe.into(),
            )
        };
        answer.recv().map_err(ended)?
    }

    fn ask(&self, request: Request) {
        self.inbox.requests().push(request);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        self.ask(Request::Abandon);
        // Only then are the keys free for another store.
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            metric::count("compliance_log_seal_errors");
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
        let requests = std::mem::take(&mut *inbox.requests());
        for request in requests {
            match request {
                Request::Stepped(step) => sealer.stepped(step),
                Request::ChangePolicy(policy) => sealer.change_policy(policy),
                Request::Checkpoint(reply) => {
                    let checkpoint = sealer.checkpoint();
                    count(&checkpoint);
                    reply.send(checkpoint).unwrap_or(());
                }
                Request::Close(reply) => {
                    let closed = sealer.close();
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
        let age = sealer.age();
        metric::report(|| metrics::gauge!("compliance_log_checkpoint_age_seconds").set(age));
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
