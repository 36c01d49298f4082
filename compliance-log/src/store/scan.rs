//! Reads a segment from its first byte as far as its records are right and linked.

use std::io;

use super::fs::StoreFile;
use crate::{
    chain::{Digest, LINE_BYTES_MAX, Line, LineFault, StreamId, check_line},
    layout::Slot,
};

/// What must come next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) seq: u64,
    /// The hash to link to; `None` where the file before it is not looked at.
    pub(super) prev: Option<Digest>,
    /// The first record that counts no more, whatever it is.
    pub(super) until: Option<u64>,
}

impl Expected {
    /// Whatever a file that begins with this record holds.
    pub(super) const fn from(seq: u64) -> Self {
        Self {
            seq,
            prev: None,
            until: None,
        }
    }
}

/// A segment's good beginning.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The first byte after the last good record.
    pub(super) end: u64,
    pub(super) next_seq: u64,
    /// The hash of the last good record.
    pub(super) last: Option<Digest>,
    /// Where the last good record starts.
    pub(super) last_start: u64,
    /// Why the line at `end` is not a record that fits; `None` at the end of the file.
    pub(super) fault: Option<Fault>,
    /// Whether the record that the head file names stands where it says.
    pub(super) bound_met: bool,
}

/// What ended the good beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The line by itself.
    Line(LineFault),
    /// It has no newline.
    Partial,
    /// A record of its own, but not the one that must come here.
    Misplaced,
}

/// Checks the first `len` bytes of `file`; calls `each` with every good line, where it starts and what it says.
pub(super) fn scan(
    file: &dyn StoreFile,
    len: u64,
    stream: &StreamId,
    expected: Expected,
    bound: Option<Slot>,
    mut each: impl FnMut(u64, &[u8], &Line<'_>),
) -> io::Result<Scanned> {
    let mut scanned = Scanned {
        end: 0,
        next_seq: expected.seq,
        last: expected.prev,
        last_start: 0,
        fault: None,
        bound_met: bound.is_none_or(|bound| bound.offset == 0),
    };
    let mut lines = Lines::new(file, len);
    while Some(scanned.next_seq) != expected.until
        && let Some((start, line)) = lines.next()?
    {
        let Some(line) = line.strip_suffix(b"\n") else {
            let fault = if line.len() < LINE_BYTES_MAX {
                Fault::Partial
            } else {
                Fault::Line(LineFault::TooLong)
            };
            scanned.fault = Some(fault);
            break;
        };
        match check_line(line) {
            Ok(record)
                if record.stream == stream.as_str()
                    && record.seq == scanned.next_seq
                    && scanned.last.is_none_or(|last| last == record.prev) =>
            {
                scanned.last_start = start;
                scanned.end = start + line.len() as u64 + 1;
                scanned.next_seq += 1;
                scanned.last = Some(record.hash);
                scanned.bound_met |= bound.is_some_and(|bound| {
                    bound.offset == scanned.end
                        && bound.last_seq == record.seq
                        && bound.hash == record.hash
                });
                each(start, line, &record);
            }
            Ok(_) => {
                scanned.fault = Some(Fault::Misplaced);
                break;
            }
            Err(fault) => {
                scanned.fault = Some(Fault::Line(fault));
                break;
            }
        }
    }
    Ok(scanned)
}

/// Reads the one line that starts at `start`, without its newline.
pub(super) fn line_at(file: &dyn StoreFile, len: u64, start: u64) -> io::Result<Option<Vec<u8>>> {
    let mut lines = Lines::new(file, len);
    lines.offset = start;
    Ok(lines
        .next()?
        .and_then(|(_, line)| line.strip_suffix(b"\n").map(<[u8]>::to_vec)))
}

/// Lines of a file in blocks, so that memory stays bounded whatever the file holds.
struct Lines<'f> {
    file: &'f dyn StoreFile,
    len: u64,
    /// Where the next line starts.
    offset: u64,
    buffer: Vec<u8>,
    /// Where `buffer` starts in the file, and how much of it is used.
    buffered: (u64, usize),
}

const BLOCK_BYTES: usize = 1 << 20;

impl<'f> Lines<'f> {
    fn new(file: &'f dyn StoreFile, len: u64) -> Self {
        Self {
            file,
            len,
            offset: 0,
            buffer: Vec::new(),
            buffered: (0, 0),
        }
    }

    /// The next line with its newline; without one if the file ends first or the line is too long.
    fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        let start = self.offset;
        if start >= self.len {
            return Ok(None);
        }
        let (base, filled) = self.buffered;
        let mut from = usize::try_from(start.saturating_sub(base)).unwrap_or(usize::MAX);
        let mut end = self
            .buffer
            .get(from..filled)
            .and_then(|rest| memchr::memchr(b'\n', rest));
        if end.is_none() {
            self.buffer.resize(BLOCK_BYTES, 0);
            let want =
                usize::try_from((self.len - start).min(BLOCK_BYTES as u64)).unwrap_or(BLOCK_BYTES);
            let filled = self.file.read_at(&mut self.buffer[..want], start)?;
            self.buffered = (start, filled);
            from = 0;
            end = memchr::memchr(b'\n', &self.buffer[..filled]);
            if filled == 0 {
                return Ok(None);
            }
        }
        let rest = &self.buffer[from..self.buffered.1];
        let line = match end {
            Some(end) => &rest[..=end],
            None => rest,
        };
        let line = &line[..line.len().min(LINE_BYTES_MAX + 1)];
        self.offset = start + line.len() as u64;
        Ok(Some((start, line)))
    }
}
