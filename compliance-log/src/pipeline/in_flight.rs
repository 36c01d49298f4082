//! Records that requests owe and that are not queued yet.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{event::Channel, process::Process};

/// Counts them, so that a log does not end before they are, and by event, so that it can tell of
/// those that it does not wait for.
pub(super) struct InFlight {
    // What was owed once stays here, so that a request costs no allocation.
    accounts: Mutex<BTreeMap<(&'static str, Channel), Arc<Account>>>,
    end: Arc<End>,
}

/// How many records of each event are owed.
pub(super) type Owed = BTreeMap<(&'static str, Channel), u64>;

/// How many records of one event are owed. To owe one more, and one less, takes no lock.
pub(crate) struct Account {
    owed: AtomicU64,
    end: Arc<End>,
}

/// A record that is owed; held until it is queued.
pub(crate) struct Owing(Arc<Account>);

/// The end of the log, which waits until nothing is owed.
struct End {
    process: Process,
    awaited: AtomicBool,
    lock: Mutex<()>,
    nothing_owed: Condvar,
}

impl Account {
    /// One more is owed, until [`Account::settle`].
    pub(crate) fn owe(&self) {
        self.owed.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn settle(&self) {
        let before = self.owed.fetch_sub(1, Ordering::SeqCst);
        // Whoever waits said so before it looked at the count, so one of the two sees the other.
        if before == 1 && self.end.awaited.load(Ordering::SeqCst) {
            let held = self.end.process.lock(&self.end.lock);
            drop(held);
            self.end.nothing_owed.notify_all();
        }
    }
}

impl Owing {
    pub(super) fn new(account: Arc<Account>) -> Self {
        account.owe();
        Self(account)
    }
}

impl Drop for Owing {
    fn drop(&mut self) {
        self.0.settle();
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.owed.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Owing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owing")
    }
}

impl InFlight {
    pub(super) fn new(process: Process) -> Self {
        Self {
            accounts: Mutex::default(),
            end: Arc::new(End {
                process,
                awaited: AtomicBool::new(false),
                lock: Mutex::new(()),
                nothing_owed: Condvar::new(),
            }),
        }
    }

    /// The account of one event. In a fork that was made while another thread held the lock it is one
    /// that nobody looks at.
    pub(super) fn account(&self, event: &'static str, channel: Channel) -> Arc<Account> {
        let account = || {
            Arc::new(Account {
                owed: AtomicU64::new(0),
                end: Arc::clone(&self.end),
            })
        };
        match self.end.process.lock(&self.accounts) {
            Some(mut accounts) => {
                Arc::clone(accounts.entry((event, channel)).or_insert_with(account))
            }
            None => account(),
        }
    }

    /// Waits until none is left, for `grace` at most. Says which are.
    pub(super) fn wait(&self, grace: Duration) -> Owed {
        let until = Instant::now() + grace;
        let mut held = (self.end.lock.lock()).unwrap_or_else(PoisonError::into_inner);
        self.end.awaited.store(true, Ordering::SeqCst);
        loop {
            let owed = self.owed();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || owed.values().all(|count| *count == 0) {
                return owed;
            }
            held = (self.end.nothing_owed)
                .wait_timeout(held, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn owed(&self) -> Owed {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = |account: &Account| account.owed.load(Ordering::SeqCst);
        let accounts = accounts.iter();
        accounts
            .map(|(event, account)| (*event, owed(account)))
            .collect()
    }
}
