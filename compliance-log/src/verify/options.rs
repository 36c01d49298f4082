//! How a verification is run.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{fmt, num::NonZero, thread};

/// Large enough that joining the pieces costs nothing, small enough that cores share one file.
const CHUNK_BYTES: u64 = 8 << 20;

/// How [`verify`](super::verify) runs. The default uses every core and says nothing on the way.
pub struct Options {
    threads: Option<NonZero<usize>>,
    progress: Option<Box<dyn Fn(u64)>>,
    chunk_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            progress: None,
            chunk_bytes: CHUNK_BYTES,
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

    /// Cuts files into pieces of this size, so that tests can have many in a small file.
    #[cfg(test)]
    pub(super) fn chunk_bytes(mut self, chunk_bytes: u64) -> Self {
        self.chunk_bytes = chunk_bytes;
        self
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
