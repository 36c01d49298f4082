//! How a verification is run.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    fmt,
    num::NonZero,
    path::PathBuf,
    thread,
    time::{Duration, SystemTime},
};

use super::seal::{Known, Retention};
use crate::{
    clock::{Clock as _, SystemClock},
    error::Error,
    seal::{
        Origin,
        note::{VerifierKey, WitnessKey},
        statement::{Revocation, Signed},
    },
};

/// Large enough that joining the pieces costs nothing, small enough that cores share one file.
const CHUNK_BYTES: u64 = 8 << 20;

/// Twelve months, of which one may be in a leap year (PCI DSS 10.5.1).
const KEEP: Duration = Duration::from_secs(366 * 24 * 3_600);

/// How [`verify`](super::verify) runs. The default uses every core and says nothing on the way.
pub struct Options {
    threads: Option<NonZero<usize>>,
    progress: Option<Box<dyn Fn(u64)>>,
    chunk_bytes: u64,
    pub(super) roots: Vec<VerifierKey>,
    pub(super) known: Vec<Known>,
    /// Why places with checkpoints could not be asked.
    pub(super) unread: Vec<String>,
    pub(super) expected: Vec<(Origin, u64)>,
    pub(super) revocations: Vec<Signed<Revocation>>,
    pub(super) ledger: Option<PathBuf>,
    pub(super) now: Option<SystemTime>,
    keep: Duration,
    pub(super) archives: Archives,
    pub(super) signatures: Signatures,
}

/// Whether segments that lie in an archive make a report incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Archives {
    Count,
    Ignore,
}

/// Which checkpoints have their signatures checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signatures {
    /// Those of the newest file, and the last one of each file before.
    Enough,
    All,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            progress: None,
            chunk_bytes: CHUNK_BYTES,
            roots: Vec::new(),
            known: Vec::new(),
            unread: Vec::new(),
            expected: Vec::new(),
            revocations: Vec::new(),
            ledger: None,
            now: None,
            keep: KEEP,
            archives: Archives::Count,
            signatures: Signatures::Enough,
        }
    }
}

impl Options {
    /// Checks on at most this many threads instead of one per core.
    #[must_use]
    pub fn threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Calls `progress` with the bytes checked so far, about once per 8 MiB, on the thread that
    /// called [`verify`](super::verify). The number never falls.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(u64) + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Trusts this root key; may be called again for others. Every store must then be sealed, and its
    /// certificate lead to one of them. Without a root key, what a seal shows is that the store was not
    /// changed since somebody sealed it, not who that was.
    #[must_use]
    pub fn root_key(mut self, key: VerifierKey) -> Self {
        self.roots.push(key);
        self
    }

    /// Believes a checkpoint, in whatever way it came here: an auditor's copy, or the one of the last
    /// report. A store of its origin must be there and hold what it covers. `source` is a word for it in
    /// reports, such as a file's name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`](crate::ErrorKind::Seal) or [`ErrorKind::Name`](crate::ErrorKind::Name) for what
    /// is no checkpoint's note.
    pub fn trusted_checkpoint(mut self, source: &str, note: &[u8]) -> Result<Self, Error> {
        self.known.push(Known::named(source.to_owned(), note)?);
        Ok(self)
    }

    /// Compares stores with a checkpoint that was read from an anchor. It counts for the store of its
    /// origin, and only if that store's log key signed it. Otherwise it is a finding
    /// [`NothingChecked`](super::Verdict::NothingChecked) of a bad anchor: nothing was compared with it.
    #[must_use]
    pub fn anchored_checkpoint(mut self, source: &str, note: &[u8]) -> Self {
        self.known.push(Known::read(source.to_owned(), note, None));
        self
    }

    /// As [`anchored_checkpoint`](Self::anchored_checkpoint), read from a witness, which must have cosigned
    /// it too.
    #[must_use]
    pub fn witnessed_checkpoint(mut self, source: &str, note: &[u8], witness: WitnessKey) -> Self {
        let known = Known::read(source.to_owned(), note, Some(witness));
        self.known.push(known);
        self
    }

    /// Says that an anchor should have been asked and could not be, and why. Nothing was compared with it: a
    /// finding [`NothingChecked`](super::Verdict::NothingChecked).
    #[must_use]
    pub fn unread_anchor(mut self, source: &str, why: &str) -> Self {
        self.unread.push(format!("{source} was not asked: {why}"));
        self
    }

    /// Expects a store of this origin, sealed to this size of its catalog at least.
    #[must_use]
    pub fn expect(mut self, origin: Origin, size: u64) -> Self {
        self.expected.push((origin, size));
        self
    }

    /// Does not trust a key any more. It counts only if one of the root keys signed it.
    #[must_use]
    pub fn revocation(mut self, revocation: Signed<Revocation>) -> Self {
        self.revocations.push(revocation);
        self
    }

    /// Looks up in the operators' ledger, a store or a folder of stores, why segments are not here, or why the
    /// text of a record is not. It is believed if it verifies by itself, under one of the same root keys, and
    /// was certified as an operators' ledger. Without a root key nobody knows who wrote it: nothing of it is
    /// believed, and each store has a finding [`NothingChecked`](super::Verdict::NothingChecked) that says so.
    #[must_use]
    pub fn ledger(mut self, path: impl Into<PathBuf>) -> Self {
        self.ledger = Some(path.into());
        self
    }

    /// How long segments must be kept: one that expired earlier than this after its last record is missing,
    /// whatever the ledger says. Default: 366 days.
    #[must_use]
    pub fn retention(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Expects stores whose writers run: [`Verdict::Stale`](super::Verdict::Stale) if at `now` the newest
    /// sealed record is older than two heartbeats and 5 s.
    #[must_use]
    pub fn live(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Is content with what is in the store: segments that lie in an archive are no reason for the exit
    /// code 2.
    #[must_use]
    pub fn hot_only(mut self) -> Self {
        self.archives = Archives::Ignore;
        self
    }

    /// Checks the signatures of all checkpoints, also where a digest in the catalog covers them. It takes
    /// about 70 µs and 40 bytes of memory for each.
    #[must_use]
    pub fn all_signatures(mut self) -> Self {
        self.signatures = Signatures::All;
        self
    }

    /// Whether a store without a seal is not what was asked for.
    pub(super) fn wants_seal(&self) -> bool {
        let nothing = self.roots.is_empty()
            && self.known.is_empty()
            && self.unread.is_empty()
            && self.expected.is_empty();
        !nothing
    }

    /// `now` in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> Option<i64> {
        let since = self.now?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()
    }

    /// The rule for segments that expired; time tells no tampering, but what is not over excuses nothing.
    pub(super) fn rule(&self) -> Retention {
        let now_ms = || SystemClock::new().now().as_micros().div_euclid(1_000);
        Retention {
            keep_ms: i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX),
            now_ms: self.now_ms().unwrap_or_else(now_ms),
        }
    }

    /// The size above which a key is not trusted, and the root there, by each revocation that a root
    /// signed.
    pub(super) fn revoked(&self) -> impl Iterator<Item = &Revocation> + Clone {
        let counts = |signed: &&Signed<Revocation>| self.signed_by_root(signed);
        let counting = self.revocations.iter().filter(counts);
        counting.map(Signed::statement)
    }

    fn signed_by_root(&self, signed: &Signed<Revocation>) -> bool {
        self.roots.iter().any(|root| signed.check(root).is_ok())
    }

    /// What was given and is not used.
    pub(super) fn unused(&self) -> Vec<String> {
        let revocations = self.revocations.iter();
        let revocations = revocations.filter(|signed| !self.signed_by_root(signed));
        let revocations = revocations.map(|signed| {
            let revoked = signed.statement();
            format!(
                "the revocation of {} is not used: no root key that was given signed it",
                revoked.key.name()
            )
        });
        revocations.collect()
    }

    /// The anchors that nobody could be compared with.
    pub(super) fn not_compared(&self) -> impl Iterator<Item = String> {
        let known = self.known.iter().filter_map(Known::useless);
        known.chain(self.unread.iter().cloned())
    }

    /// Cuts files into pieces of this size, so that tests can have many in a small file.
    #[cfg(test)]
    pub(super) fn chunk_bytes(mut self, chunk_bytes: u64) -> Self {
        self.chunk_bytes = chunk_bytes;
        self
    }

    /// How the ledger is checked: under the same root keys, and by itself.
    pub(super) fn for_ledger(&self) -> Self {
        Self {
            threads: self.threads,
            roots: self.roots.clone(),
            revocations: self.revocations.clone(),
            ..Self::default()
        }
    }

    pub(super) fn chunk(&self) -> u64 {
        self.chunk_bytes.max(1)
    }

    pub(super) fn workers(&self) -> usize {
        let all = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.threads.unwrap_or_else(all).get()
    }

    pub(super) fn report(&self, bytes_checked: u64) {
        if let Some(progress) = &self.progress {
            progress(bytes_checked);
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("threads", &self.threads)
            .field("progress", &self.progress.is_some())
            .finish_non_exhaustive()
    }
}
