//! The way back: what a caller holds while its record is on the way, and what it gets.

use std::{
    cell::Cell,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{
    chain::{Digest, StreamId},
    event::Failure,
    process::Process,
};

/// Proof that a record is durable: it survives a crash of the process and of the host.
#[derive(Debug)]
pub struct Receipt {
    stream: Arc<StreamId>,
    seq: u64,
    hash: Digest,
}

impl Receipt {
    pub(crate) fn new(stream: Arc<StreamId>, seq: u64, hash: Digest) -> Self {
        Self { stream, seq, hash }
    }

    /// The stream that holds the record.
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Its place in the stream, from 0.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Its hash, which the next record is linked to.
    pub fn hash(&self) -> &Digest {
        &self.hash
    }
}

/// Why a record was not, or perhaps not, stored.
#[derive(Clone)]
pub struct CommitError {
    kind: CommitErrorKind,
    text: Arc<str>,
}

/// The causes that a caller may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitErrorKind {
    /// The queue has no room; not stored. Try again, or refuse the operation.
    Full,
    /// The store cannot be written now, for example for lack of space; not stored.
    Unavailable,
    /// Writing began and could not be completed: the record may be stored or not.
    Unknown,
    /// The log was shut down; not stored.
    Closed,
    /// This process was forked from the one that opened the log, which alone can write to it; not
    /// stored. Open a log of its own in each process, after the fork.
    Forked,
    /// No log is in scope and none was installed by `init`; not stored.
    NoLog,
}

impl CommitError {
    #[cold]
    pub(crate) fn new(kind: CommitErrorKind, text: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    #[cold]
    pub(crate) fn closed() -> Self {
        Self::new(
            CommitErrorKind::Closed,
            "the log was shut down; the record is not stored",
        )
    }

    #[cold]
    pub(crate) fn forked() -> Self {
        let text =
            "this process was forked from the one that opened the log; the record is not stored";
        Self::new(CommitErrorKind::Forked, text)
    }

    #[cold]
    fn asked_in_a_fork() -> Self {
        let text = "the record is on its way in the process that this one was forked from; it may be stored or not";
        Self::new(CommitErrorKind::Unknown, text)
    }

    #[cold]
    fn unknown() -> Self {
        let text = "the writer ended while the record was written; it may be stored or not";
        Self::new(CommitErrorKind::Unknown, text)
    }

    #[cold]
    fn asked_where_it_is_answered() -> Self {
        let text =
            "this thread answers commits and cannot wait for them; the record may be stored or not";
        Self::new(CommitErrorKind::Unknown, text)
    }

    #[cold]
    pub(crate) fn answered() -> Self {
        let text = "this commit was answered before; ask its receipt";
        Self::new(CommitErrorKind::Unknown, text)
    }

    #[cold]
    pub(crate) fn no_log() -> Self {
        let text = "no log is in scope and none was installed by `init`; the record is not stored";
        Self::new(CommitErrorKind::NoLog, text)
    }

    /// The cause, for code that branches.
    pub fn kind(&self) -> CommitErrorKind {
        self.kind
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitError({:?}: {self})", self.kind)
    }
}

impl std::error::Error for CommitError {}

/// Of an action that could not begin because its record cannot be stored: 503.
impl Failure for CommitError {
    fn error_code(&self) -> &'static str {
        "AUDIT_UNAVAILABLE"
    }

    fn status(&self) -> u16 {
        503
    }
}

thread_local! {
    static ANSWERS: Cell<bool> = const { Cell::new(false) };
}

/// From here on this thread answers commits, and waits for none.
pub(crate) fn answer_here() {
    ANSWERS.try_with(|answers| answers.set(true)).unwrap_or(());
}

type Answer = Result<Receipt, CommitError>;

/// A record on its way. The record is queued already; dropping this does not take it back.
///
/// A future of any runtime, or blocking with [`Commit::wait`].
#[must_use = "the record may fail to be stored: await or `wait` for its receipt"]
pub struct Commit(State);

enum State {
    /// Refused before it was queued, with why; or answered, and asked for that already.
    Known(Option<CommitError>),
    Waiting(Arc<Shared>),
}

struct Shared {
    /// Where it is answered; nobody does so in a fork.
    process: Process,
    slot: Mutex<Slot>,
    answered: Condvar,
}

#[derive(Default)]
struct Slot {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Commit {
    pub(crate) fn refused(error: CommitError) -> Self {
        Self(State::Known(Some(error)))
    }

    /// A commit whose answer somebody else got.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn answered() -> Self {
        Self(State::Known(None))
    }

    /// A commit and the promise to answer it in `process`.
    pub(crate) fn pair(process: Process) -> (Self, Promise) {
        let shared = Arc::new(Shared {
            process,
            slot: Mutex::default(),
            answered: Condvar::new(),
        });
        (
            Self(State::Waiting(Arc::clone(&shared))),
            Promise {
                shared: Some(shared),
                writing: false,
            },
        )
    }

    /// Blocks until the record is durable. Not where the log itself calls a waker or a recorder of
    /// metrics: on its own threads this fails at once, since nobody else could answer.
    ///
    /// # Errors
    ///
    /// [`CommitError`]; all kinds but `Unknown` mean that the record is not stored.
    pub fn wait(self) -> Result<Receipt, CommitError> {
        match self.0 {
            State::Known(error) => Err(error.unwrap_or_else(CommitError::answered)),
            State::Waiting(shared) => {
                if !shared.process.is_current() {
                    return Err(CommitError::asked_in_a_fork());
                }
                let mut slot = shared.slot();
                loop {
                    if let Some(answer) = slot.answer.take() {
                        return answer;
                    }
                    if ANSWERS.try_with(Cell::get) == Ok(true) {
                        return Err(CommitError::asked_where_it_is_answered());
                    }
                    slot = shared
                        .answered
                        .wait(slot)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl Future for Commit {
    type Output = Result<Receipt, CommitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match &mut self.0 {
            State::Known(error) => Err(error.take().unwrap_or_else(CommitError::answered)),
            State::Waiting(shared) if !shared.process.is_current() => {
                Err(CommitError::asked_in_a_fork())
            }
            State::Waiting(shared) => {
                let mut slot = shared.slot();
                if let Some(answer) = slot.answer.take() {
                    answer
                } else {
                    match &mut slot.waker {
                        Some(waker) => waker.clone_from(cx.waker()),
                        empty => *empty = Some(cx.waker().clone()),
                    }
                    return Poll::Pending;
                }
            }
        };
        self.0 = State::Known(None);
        Poll::Ready(answer)
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Known(_) => "Commit(refused)",
            State::Waiting(_) => "Commit(on its way)",
        })
    }
}

/// The duty to answer one [`Commit`]. Dropped unanswered, it answers `Closed`, or `Unknown` once
/// writing began: however the writer ends, nobody waits for ever.
pub(crate) struct Promise {
    shared: Option<Arc<Shared>>,
    writing: bool,
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Promise")
    }
}

impl Promise {
    pub(crate) fn answer(mut self, answer: Answer) {
        self.settle(answer);
    }

    /// From here on nobody can say that the record is not stored, until the answer does.
    pub(crate) fn writing(&mut self) {
        self.writing = true;
    }

    fn settle(&mut self, answer: Answer) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        let waker = {
            let mut slot = shared.slot();
            slot.answer = Some(answer);
            slot.waker.take()
        };
        shared.answered.notify_all();
        // A waker is a runtime's code: its panic must not end the writer.
        drop(catch_unwind(AssertUnwindSafe(|| {
            if let Some(waker) = waker {
                waker.wake();
            }
        })));
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if self.shared.is_some() {
            let error = if self.writing {
                CommitError::unknown()
            } else {
                CommitError::closed()
            };
            self.settle(Err(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_promise_answers_closed() {
        let (commit, promise) = Commit::pair(Process::current());
        drop(promise);
        assert_eq!(commit.wait().unwrap_err().kind(), CommitErrorKind::Closed);
    }

    #[test]
    fn a_waiting_thread_is_woken() {
        let (commit, promise) = Commit::pair(Process::current());
        let waiting = std::thread::spawn(move || commit.wait());
        promise.answer(Err(CommitError::new(CommitErrorKind::Full, "full")));
        assert_eq!(
            waiting.join().unwrap().unwrap_err().kind(),
            CommitErrorKind::Full
        );
    }

    #[test]
    fn once_writing_began_nobody_says_not_stored() {
        let (commit, mut promise) = Commit::pair(Process::current());
        promise.writing();
        drop(promise);
        assert_eq!(commit.wait().unwrap_err().kind(), CommitErrorKind::Unknown);
    }

    struct Panics;

    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker")
        }
    }

    #[test]
    fn a_waker_that_panics_ends_nothing_and_a_second_question_is_answered() {
        let (mut commit, promise) = Commit::pair(Process::current());
        let waker = Waker::from(Arc::new(Panics));
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut commit).poll(&mut cx).is_pending());
        promise.answer(Err(CommitError::new(CommitErrorKind::Full, "full")));
        let Poll::Ready(Err(first)) = Pin::new(&mut commit).poll(&mut cx) else {
            panic!("answered")
        };
        assert_eq!(first.kind(), CommitErrorKind::Full);
        let Poll::Ready(Err(second)) = Pin::new(&mut commit).poll(&mut cx) else {
            panic!("pending")
        };
        assert_eq!(second.kind(), CommitErrorKind::Unknown);
        assert_eq!(commit.wait().unwrap_err().kind(), CommitErrorKind::Unknown);
    }
}
