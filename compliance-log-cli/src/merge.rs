//! Several streams as one: by time, and never against a stream's own order.

use std::{cmp::Reverse, collections::BinaryHeap, path::PathBuf};

use crate::{
    failure::Failure,
    source::{Line, StreamLines},
};

/// A line of one of several streams.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) path: PathBuf,
    pub(crate) line: Line,
}

/// Holds one line per stream.
#[derive(Debug, Default)]
pub(crate) struct Merge {
    streams: Vec<Ahead>,
    /// Time and index of each stream that has a line.
    order: BinaryHeap<Reverse<(String, usize)>>,
}

#[derive(Debug)]
struct Ahead {
    lines: StreamLines,
    next: Option<(PathBuf, Line)>,
}

impl Merge {
    /// # Errors
    ///
    /// A file that cannot be read.
    pub(crate) fn add(&mut self, lines: StreamLines) -> Result<(), Failure> {
        self.streams.push(Ahead { lines, next: None });
        self.advance(self.streams.len() - 1, String::new())
    }

    /// # Errors
    ///
    /// A file that cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<Merged>, Failure> {
        let Some(Reverse((time, index))) = self.order.pop() else {
            return Ok(None);
        };
        let next = self.streams[index].next.take();
        self.advance(index, time)?;
        Ok(next.map(|(path, line)| Merged { path, line }))
    }

    /// Reads a stream's next line. Its time counts as no earlier than the one before: a clock that
    /// was set back does not change a stream's order.
    fn advance(&mut self, index: usize, not_before: String) -> Result<(), Failure> {
        let stream = &mut self.streams[index];
        stream.next = stream.lines.next()?;
        if let Some((_, line)) = &stream.next {
            let time = line.stored.text("timestamp").unwrap_or_default().to_owned();
            self.order.push(Reverse((time.max(not_before), index)));
        }
        Ok(())
    }
}
