use std::{
    error::Error as StdError,
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;

use super::{ask, options::VaultOptions};
use crate::pseudonym::{Keyring, PseudonymKey, PseudonymKeys};

/// After a failure; doubled by each that follows.
const RETRY: Duration = Duration::from_secs(5);
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// Keys in the KV secrets engine, version 2, of Vault or OpenBao.
///
/// ```no_run
/// use compliance_log::{ComplianceLog, pseudonym::VaultKeys};
///
/// # fn main() -> Result<(), compliance_log::Error> {
/// let keys = VaultKeys::at("https://vault.example.org:8200")
///     .path("compliance-log/booking-api")
///     .token_file("/vault/secrets/token")
///     .start();
/// let log = ComplianceLog::builder("booking-api").env("prod").pseudonym_keys(keys).init()?;
/// # Ok(())
/// # }
/// ```
///
/// The secret has one entry, `keys`, whose value is the text of a key file, as
/// [`Keyring::parse`](super::super::Keyring::parse) reads it:
///
/// ```text
/// compliance-log pseudonym new-key --keys keys.toml --tenant acme --field data.passenger
/// vault kv put -mount=secret compliance-log/booking-api keys=@keys.toml
/// ```
///
/// The token needs the capability `read` on `<mount>/data/<path>`. Each request is
/// `GET <address>/v1/<mount>/data/<path>`; it takes 2 seconds to connect and 5 in all, at most, and
/// follows no redirect and no proxy. Plain `http` is for this machine alone, for example Vault Agent.
/// While Vault does not answer with keys, those that it gave last are in use, and the log says so;
/// destroying a key means writing a secret without it.
///
/// The thread ends once this is dropped: at once, or when the request ends that is under way.
pub struct VaultKeys(Arc<Shared>);

struct Shared {
    keys: ArcSwap<Keyring>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    running: Running,
    /// Of the last request; the first may be under way.
    outcome: Result<(), String>,
    asked: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Running {
    On,
    Stopped,
}

impl VaultKeys {
    /// Keys of the Vault at `address`: `https://host:port`, or `http://` on this machine.
    pub fn at(address: impl Into<String>) -> VaultOptions {
        VaultOptions::new(address.into())
    }

    pub(super) fn start(options: VaultOptions) -> Self {
        let shared = Arc::new(Shared {
            keys: ArcSwap::default(),
            state: Mutex::new(State {
                running: Running::On,
                outcome: Err("Vault has not answered yet".to_owned()),
                asked: 0,
            }),
            changed: Condvar::new(),
        });
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("compliance-log-vault".into())
            .spawn(move || of_thread.run(&options));
        match thread {
            Ok(_detached) => shared.wait_for_first(),
            Err(error) => {
                shared.state().outcome =
                    Err(format!("cannot start the thread that asks Vault: {error}"));
            }
        }
        Self(shared)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_first(&self) {
        let unanswered = |state: &mut State| state.asked == 0;
        let state = self.state();
        drop(
            self.changed
                .wait_timeout_while(state, FIRST_ANSWER, unanswered),
        );
    }

    fn run(&self, options: &VaultOptions) {
        let mut retry = RETRY;
        loop {
            let outcome = ask::keys(options);
            let pause = if outcome.is_ok() {
                retry = RETRY;
                options.refresh_every
            } else {
                let pause = retry.min(options.refresh_every);
                retry = retry.saturating_mul(2);
                pause
            };
            let outcome = outcome.map(|keys| self.keys.store(keys.into()));
            let mut state = self.state();
            state.outcome = outcome;
            state.asked += 1;
            self.changed.notify_all();
            let until = Instant::now() + pause;
            while state.running == Running::On {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                state = match self.changed.wait_timeout(state, left) {
                    Ok((state, _)) => state,
                    Err(poisoned) => poisoned.into_inner().0,
                };
            }
            if state.running == Running::Stopped {
                return;
            }
        }
    }
}

impl PseudonymKeys for VaultKeys {
    fn key(&self, tenant: &str, field: &str) -> Option<PseudonymKey> {
        self.0.keys.load().key(tenant, field)
    }

    /// Says how the last request ended; the thread asks.
    fn refresh(&self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        Ok(self.0.state().outcome.clone()?)
    }
}

impl Drop for VaultKeys {
    fn drop(&mut self) {
        self.0.state().running = Running::Stopped;
        self.0.changed.notify_all();
    }
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeys")
            .field("keys", &**self.0.keys.load())
            .finish_non_exhaustive()
    }
}
