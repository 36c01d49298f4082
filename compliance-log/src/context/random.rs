//! Random bytes for ids.

/// Fills `out` from the operating system's random source.
///
/// Where that fails (an early boot, a seccomp filter), the addresses and hashes that the standard
/// library seeds per process stand in: ids must be unlikely to collide, they are no secrets.
pub(crate) fn random(out: &mut [u8]) {
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
