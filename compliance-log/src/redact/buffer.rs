//! Buffers that a thread keeps, so that a look at harmless text costs no allocation.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
};

/// A thread keeps at most so many.
const KEEP: usize = 8;
/// One that grew beyond this is given back.
const KEEP_BYTES: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Vec<Vec<u8>>> = const { Cell::new(Vec::new()) };
}

/// An empty buffer, given back when it is dropped.
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn take() -> Self {
        let spare = SPARE.try_with(|place| {
            let mut spare = place.take();
            let buffer = spare.pop();
            place.set(spare);
            buffer
        });
        Self(spare.ok().flatten().unwrap_or_default())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.0);
        if buffer.capacity() > KEEP_BYTES {
            return;
        }
        buffer.clear();
        // During thread exit there is no place to keep it.
        SPARE
            .try_with(|place| {
                let mut spare = place.take();
                if spare.len() < KEEP {
                    spare.push(buffer);
                }
                place.set(spare);
            })
            .unwrap_or(());
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}
