//! An anchor, and the thread that alone calls it.

use std::{
    collections::VecDeque,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::seal::{
    Anchor, Origin,
    merkle::TreeHash,
    statement::{Checkpoint, Signed},
};

/// The log's end of an anchor. Dropped, it ends the thread, once the call returns in which that may be.
///
/// There is one for the life of a log, whatever becomes of its stores: a call that never returns costs one
/// thread, once.
pub(super) struct Place(Arc<Shared>);

struct Shared {
    anchor: Arc<dyn Anchor>,
    desk: Mutex<Desk>,
    changed: Condvar,
}

#[derive(Default)]
struct Desk {
    thread: Thread,
    /// In the order of their numbers.
    waiting: VecDeque<(u64, Task)>,
    /// Since when the thread is in a call.
    busy_since: Option<Instant>,
    /// The numbers of the newest task that was given, and of the newest that is done.
    given: u64,
    done: u64,
    answers: Vec<Answer>,
    warning: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Thread {
    #[default]
    Unstarted,
    Running,
    /// Nobody needs it any more.
    Ended,
}

enum Task {
    /// Where the stores are: what is to be warned of?
    Look(PathBuf),
    Ask(Origin),
    Keep(Box<Signed<Checkpoint>>),
}

/// What an anchor said.
pub(super) struct Answer {
    pub(super) origin: Origin,
    /// The newest note that it keeps.
    pub(super) newest: io::Result<Option<Vec<u8>>>,
    /// What it was given to keep, and what it said to that.
    pub(super) kept: Option<Kept>,
}

/// A checkpoint, by size and root, and what an anchor said to it.
pub(super) type Kept = ((u64, TreeHash), io::Result<Option<String>>);

/// More tasks do not wait: the oldest go.
const WAITING_MAX: usize = 4;

impl Place {
    pub(super) fn new(anchor: Arc<dyn Anchor>) -> Self {
        Self(Arc::new(Shared {
            anchor,
            desk: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    pub(super) fn name(&self) -> &str {
        self.0.anchor.name()
    }

    pub(super) fn kind(&self) -> &str {
        self.0.anchor.kind()
    }

    /// Asks what is to be warned of.
    pub(super) fn look(&self, stores: &Path) -> u64 {
        self.give(Task::Look(stores.to_path_buf()))
    }

    pub(super) fn warning(&self) -> Option<String> {
        self.0.desk().warning.take()
    }

    /// Asks for the newest checkpoint of an origin.
    pub(super) fn ask(&self, origin: &Origin) -> u64 {
        self.give(Task::Ask(origin.clone()))
    }

    /// Has a checkpoint kept, in place of an older one that waits.
    pub(super) fn keep(&self, checkpoint: &Signed<Checkpoint>) -> u64 {
        self.give(Task::Keep(Box::new(checkpoint.clone())))
    }

    /// The answers since this was asked last, of one origin.
    pub(super) fn answers(&self, origin: &Origin) -> Vec<Answer> {
        let mut answers = std::mem::take(&mut self.0.desk().answers);
        answers.retain(|answer| answer.origin == *origin);
        answers
    }

    /// Whether it is in a call that takes longer than it may.
    pub(super) fn is_late(&self, deadline: Duration) -> bool {
        let desk = self.0.desk();
        desk.busy_since
            .is_some_and(|since| since.elapsed() >= deadline)
    }

    /// Waits until a task is done, or will not be any more, or until then.
    pub(super) fn wait(&self, task: u64, until: Instant) {
        let desk = self.0.desk();
        let left = until.saturating_duration_since(Instant::now());
        let is_open = |desk: &mut Desk| desk.done < task;
        let waited = self.0.changed.wait_timeout_while(desk, left, is_open);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn give(&self, task: Task) -> u64 {
        let mut desk = self.0.desk();
        if let Task::Keep(new) = &task {
            let origin = &new.statement().origin;
            desk.waiting.retain(
                |(_, task)| !matches!(task, Task::Keep(old) if old.statement().origin == *origin),
            );
        }
        if desk.waiting.len() >= WAITING_MAX {
            desk.waiting.pop_front();
        }
        desk.given += 1;
        let number = desk.given;
        desk.waiting.push_back((number, task));
        if desk.thread == Thread::Unstarted {
            let shared = Arc::clone(&self.0);
            let started = thread::Builder::new()
                .name("compliance-log-anchor".into())
                .spawn(move || shared.run());
            if started.is_ok() {
                desk.thread = Thread::Running;
            }
        }
        drop(desk);
        self.0.changed.notify_all();
        number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.desk().thread = Thread::Ended;
        self.0.changed.notify_all();
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.anchor.fmt(f)
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut desk = self.desk();
        loop {
            if desk.thread == Thread::Ended {
                return;
            }
            let Some((number, task)) = desk.waiting.pop_front() else {
                let changed = self.changed.wait(desk);
                desk = changed.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            desk.busy_since = Some(Instant::now());
            drop(desk);
            let (warning, answer) = match task {
                Task::Look(stores) => (self.warning(&stores), None),
                Task::Ask(origin) => (None, Some(self.answer(origin, None))),
                Task::Keep(checkpoint) => {
                    let origin = checkpoint.statement().origin.clone();
                    (None, Some(self.answer(origin, Some(&checkpoint))))
                }
            };
            desk = self.desk();
            desk.busy_since = None;
            desk.done = number;
            desk.warning = warning.or(desk.warning.take());
            if let Some(answer) = answer {
                // Nobody may take them for long, while there is no store.
                if desk.answers.len() >= WAITING_MAX {
                    desk.answers.remove(0);
                }
                desk.answers.push(answer);
            }
            self.changed.notify_all();
        }
    }

    fn answer(&self, origin: Origin, checkpoint: Option<&Signed<Checkpoint>>) -> Answer {
        let mut newest = guarded(|| self.anchor.newest(&origin));
        let mut kept = None;
        if let Some(checkpoint) = checkpoint
            && newest.is_ok()
        {
            let outcome = guarded(|| self.anchor.keep(checkpoint));
            if let Err(error) = &outcome
                && error.kind() == io::ErrorKind::AlreadyExists
            {
                // Somebody else kept it in between: what?
                newest = guarded(|| self.anchor.newest(&origin));
            }
            let Checkpoint { size, root, .. } = *checkpoint.statement();
            kept = Some(((size, root), outcome));
        }
        Answer {
            origin,
            newest,
            kept,
        }
    }

    fn warning(&self, stores: &Path) -> Option<String> {
        guarded(|| Ok(self.anchor.warning(stores))).ok().flatten()
    }
}

fn guarded<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(io::Error::other("it panicked")))
}
