//! A JSON array: each element goes through the nets as if it stood alone.

use std::{
    fmt,
    ops::{ControlFlow, Range},
};

use super::{
    cut::{Bound, MARKER_BYTES_MAX},
    json,
    record::Pass,
    value::{Dropped, write_text as write_value},
};
use crate::event::{Elements, Raw};

/// An array holds at most this many elements, and the marker where there were more.
const ELEMENTS_MAX: usize = 64;

/// What the marker takes, with its quotes, the comma before it and the bracket after it:
/// `,"…[<20 digits> elements]"]`.
const END_BYTES_MAX: usize = 1 + 2 + 3 + 1 + 20 + " elements]".len() + 1;

impl<'a> Pass<'a, '_> {
    /// Writes a value with `one`, or each element of a list.
    pub(super) fn one_or_each(
        &mut self,
        path: &str,
        key: Range<usize>,
        raw: Raw<'_>,
        bound: Bound,
        mut one: impl FnMut(&mut Self, Range<usize>, Raw<'_>) -> Result<(), Dropped<'a>>,
    ) -> Result<(), Dropped<'a>> {
        let Raw::List(list) = raw else {
            return one(self, key, raw);
        };
        self.list(path, key, list, bound, |pass, key, raw, _| {
            one(pass, key, raw)
        });
        Ok(())
    }

    /// Writes the elements with `one`. Where there are too many of them, or they need more than
    /// `bound`, the last one is a marker that says how many there were.
    pub(super) fn list(
        &mut self,
        path: &str,
        key: Range<usize>,
        list: &dyn Elements,
        bound: Bound,
        mut one: impl FnMut(&mut Self, Range<usize>, Raw<'_>, Bound) -> Result<(), Dropped<'a>>,
    ) {
        self.buffers.body.push(b'[');
        let start = self.buffers.body.len();
        let mut written = 0;
        let cut = list.each(&mut |raw| {
            let before = self.buffers.body.len();
            // Two are for the quotes of a text.
            let used = before - start + END_BYTES_MAX + 3;
            let room = bound.left_after(used);
            if written == ELEMENTS_MAX || room < MARKER_BYTES_MAX {
                return ControlFlow::Break(());
            }
            if before > start {
                self.buffers.body.push(b',');
            }
            let element = bound.within(room);
            let wrote = match raw {
                Raw::List(inner) => one(self, key.clone(), Raw::Display(&Joined(inner)), element),
                raw => one(self, key.clone(), raw, element),
            };
            match wrote {
                Ok(()) => written += 1,
                Err((rule, effect)) => {
                    self.buffers.body.truncate(before);
                    self.redacted_key(path, key.clone(), rule, effect.as_str());
                }
            }
            ControlFlow::Continue(())
        });
        if cut.is_break() {
            let comma = if self.buffers.body.len() > start {
                ","
            } else {
                ""
            };
            json::display(
                &mut self.buffers.body,
                format_args!("{comma}\"…[{} elements]\"", list.count()),
            );
            self.redacted_key(path, key, "size", "cut");
        }
        self.buffers.body.push(b']');
    }
}

/// Writes a list as plain text, with commas between the elements.
pub(super) fn write_text(out: &mut dyn fmt::Write, list: &dyn Elements) -> fmt::Result {
    write!(out, "{}", Joined(list))
}

struct Joined<'v>(&'v dyn Elements);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = 0;
        let mut result = Ok(());
        let cut = self.0.each(&mut |raw| {
            if written == ELEMENTS_MAX {
                return ControlFlow::Break(());
            }
            if written > 0 {
                result = f.write_str(", ");
            }
            result = result.and_then(|()| write_value(f, raw));
            written += 1;
            match result {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        result?;
        match cut {
            ControlFlow::Break(()) => write!(f, ", …[{} elements]", self.0.count()),
            ControlFlow::Continue(()) => Ok(()),
        }
    }
}
