//! Buffers that a thread keeps between records, so that a record costs no allocation.

use std::{cell::Cell, ops::Range};

use super::names::NameCache;

/// A buffer that grew beyond this for one large record is given back.
const KEEP_BYTES: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Buffers {
    /// The record.
    pub(super) body: Vec<u8>,
    /// Values that make their text on the spot.
    pub(super) text: String,
    /// A value after redaction.
    pub(super) clean: String,
    /// The values that the net by value looks at.
    pub(super) values: Vec<Value>,
    /// Those of them that may hold a literal, one after the other.
    pub(super) joined: Vec<u8>,
    /// The name by which a field's key is looked up.
    pub(super) field: String,
    /// The elements of `redactions`, as JSON.
    pub(super) redactions: Vec<u8>,
    /// Where in `body` the keys stand that `data` has so far.
    pub(super) keys: Vec<Range<usize>>,
    pub(super) names: NameCache,
}

/// A value in the record that may hold a secret.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The kinds of bytes in it.
    pub(super) kinds: u8,
}

thread_local! {
    static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// The thread's buffers, taken out of their place while they are used: a `Debug` impl that logs
/// while it is being encoded finds the place empty and gets buffers of its own.
pub(crate) struct Scratch(Option<Box<Buffers>>);

impl Scratch {
    /// Takes the thread's buffers, or makes new ones.
    pub(crate) fn take() -> Self {
        Self(Some(
            BUFFERS
                .try_with(Cell::take)
                .ok()
                .flatten()
                .unwrap_or_default(),
        ))
    }

    pub(super) fn buffers(&mut self) -> &mut Buffers {
        self.0.get_or_insert_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(mut buffers) = self.0.take() else {
            return;
        };
        if buffers.body.capacity() > KEEP_BYTES {
            buffers.body = Vec::new();
        }
        if buffers.text.capacity() > KEEP_BYTES {
            buffers.text = String::new();
        }
        if buffers.clean.capacity() > KEEP_BYTES {
            buffers.clean = String::new();
        }
        // During thread exit there is no place to keep them.
        BUFFERS
            .try_with(|place| place.set(Some(buffers)))
            .unwrap_or(());
    }
}
