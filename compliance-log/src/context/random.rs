//! Random bytes for ids.

use std::cell::RefCell;

use forkguard::Guard;

/// Fills `out` for ids, which must be unlikely to collide and hard to guess, and are no secrets.
///
/// They come from the operating system's random source, by way of a pool of the thread's own: to ask the
/// system for a few bytes takes 240 ns, several times as long as the rest of a request's context. No two
/// processes hand out the same bytes, also where one is a fork of the other.
pub(crate) fn random(out: &mut [u8]) {
    // A thread that ends has no pool any more.
    let drawn = POOL.try_with(|pool| Some(pool.try_borrow_mut().ok()?.as_mut()?.draw(out)));
    if drawn != Ok(Some(Drawn::Filled)) {
        system(out);
    }
}

/// The bytes of a pool: those of some thirty requests, in a call that takes 2 us.
const POOL_BYTES: usize = 1024;

thread_local! {
    static POOL: RefCell<Option<Pool>> = RefCell::new(Pool::new());
}

struct Pool {
    bytes: Box<[u8; POOL_BYTES]>,
    /// So many of them, from the front, are spent.
    spent: usize,
    fork: Guard,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Drawn {
    Filled,
    /// The system had no bytes, or more are wanted than the pool has.
    Nothing,
}

impl Pool {
    /// A pool that is empty; `None` where nobody would tell it of a fork.
    fn new() -> Option<Self> {
        Some(Self {
            bytes: Box::new([0; POOL_BYTES]),
            spent: POOL_BYTES,
            fork: Guard::try_new().ok()?,
        })
    }

    fn draw(&mut self, out: &mut [u8]) -> Drawn {
        // The bytes of a fork are those of the process that it came from, which spends them too.
        if self.fork.detected_fork() || POOL_BYTES - self.spent < out.len() {
            self.spent = POOL_BYTES;
            if getrandom::fill(&mut *self.bytes).is_ok() {
                self.spent = 0;
            }
        }
        let Some(bytes) = self.bytes.get(self.spent..self.spent + out.len()) else {
            return Drawn::Nothing;
        };
        out.copy_from_slice(bytes);
        self.spent += out.len();
        Drawn::Filled
    }
}

/// Asks the operating system itself.
///
/// Where that fails (an early boot, a seccomp filter), the addresses and hashes that the standard
/// library seeds per process stand in.
#[cold]
fn system(out: &mut [u8]) {
    use std::hash::{BuildHasher, RandomState};

    if getrandom::fill(out).is_ok() {
        return;
    }
    for chunk in out.chunks_mut(8) {
        let word = RandomState::new()
            .hash_one(chunk.as_ptr().addr())
            .to_be_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_handed_out_twice() {
        let mut seen = HashSet::new();
        for _ in 0..4 * POOL_BYTES / 24 {
            let mut bytes = [0; 24];
            random(&mut bytes);
            for word in bytes.chunks(8) {
                assert!(seen.insert(word.to_vec()));
            }
        }
        let mut many = [0; 2 * POOL_BYTES];
        random(&mut many);
        for word in many.chunks(8) {
            assert!(seen.insert(word.to_vec()), "more than a pool has");
        }
    }
}
