//! A file's lines, one after the other, through a buffer of fixed size.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{fs::File, io, os::unix::fs::FileExt as _};

use crate::chain::LINE_BYTES_MAX;

/// Holds the longest line several times over and still fits a second-level cache.
const BUFFER_BYTES: usize = 256 << 10;

/// A disk's smallest unit of writing: what a power loss leaves out starts and ends at one.
const SECTOR_BYTES: u64 = 512;

/// The buffer, reused from one part of a file to the next.
#[derive(Debug)]
pub(super) struct Buffer(Box<[u8]>);

impl Buffer {
    pub(super) fn new() -> Self {
        Self(vec![0; BUFFER_BYTES].into_boxed_slice())
    }
}

/// A line as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawLine<'b> {
    pub(super) offset: u64,
    /// With the newline, if there is one.
    pub(super) length: u64,
    /// The bytes without the newline; the first [`LINE_BYTES_MAX`] of a longer line.
    pub(super) bytes: &'b [u8],
    pub(super) newline: bool,
    /// Of a line that is too long to be in `bytes`.
    pub(super) too_long: Option<Zeros>,
}

/// Reads lines from `start` on; bytes at or behind `len` do not exist for it.
#[derive(Debug)]
pub(super) struct Window<'f> {
    file: &'f File,
    len: u64,
    buffer: &'f mut Buffer,
    /// Where in the file the buffer's first byte is.
    base: u64,
    filled: usize,
    at: usize,
}

impl<'f> Window<'f> {
    pub(super) fn new(file: &'f File, len: u64, start: u64, buffer: &'f mut Buffer) -> Self {
        Self {
            file,
            len,
            buffer,
            base: start,
            filled: 0,
            at: 0,
        }
    }

    /// Where the next line starts.
    pub(super) fn offset(&self) -> u64 {
        self.base.saturating_add(to_u64(self.at))
    }

    /// Goes behind the next newline; `false` if there is none before `end`.
    pub(super) fn skip_line(&mut self, end: u64) -> io::Result<bool> {
        loop {
            let rest = self.rest();
            let found = memchr::memchr(b'\n', rest);
            let skipped = found.map_or(rest.len(), |at| at.saturating_add(1));
            self.at = self.at.saturating_add(skipped);
            if found.is_some() {
                return Ok(self.offset() < end);
            }
            if self.offset() >= end || !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// The next line, or `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let mut searched = 0_usize;
        loop {
            let rest = self.rest();
            let unseen = rest.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', unseen) {
                let bytes = searched.saturating_add(at);
                return Ok(Some(self.take(bytes, true)));
            }
            searched = rest.len();
            if searched > LINE_BYTES_MAX {
                return self.long_line().map(Some);
            }
            if !self.fill()? {
                let bytes = self.rest().len();
                return Ok((bytes > 0).then(|| self.take(bytes, false)));
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.0.get(self.at..self.filled).unwrap_or_default()
    }

    fn take(&mut self, bytes: usize, newline: bool) -> RawLine<'_> {
        let from = self.at;
        let offset = self.offset();
        let length = bytes.saturating_add(usize::from(newline));
        self.at = from.saturating_add(length);
        RawLine {
            offset,
            length: to_u64(length),
            bytes: self
                .buffer
                .0
                .get(from..from.saturating_add(bytes))
                .unwrap_or_default(),
            newline,
            too_long: None,
        }
    }

    /// A line that no writer wrote. It is measured, not kept.
    fn long_line(&mut self) -> io::Result<RawLine<'_>> {
        let offset = self.offset();
        let mut zeros = Zeros::new(offset);
        let newline = loop {
            let rest = self.rest();
            let found = memchr::memchr(b'\n', rest);
            let line = rest.get(..found.unwrap_or(rest.len())).unwrap_or_default();
            zeros.add(line);
            let skipped = line.len().saturating_add(usize::from(found.is_some()));
            self.at = self.at.saturating_add(skipped);
            if found.is_some() {
                break true;
            }
            if !self.fill()? {
                break false;
            }
        };
        Ok(RawLine {
            offset,
            length: self.offset().saturating_sub(offset),
            bytes: &[],
            newline,
            too_long: Some(zeros),
        })
    }

    /// Moves what was not taken to the front and reads behind it; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.base = self.offset();
        self.buffer.0.copy_within(self.at..self.filled, 0);
        self.filled = self.filled.saturating_sub(self.at);
        self.at = 0;
        let from = self.base.saturating_add(to_u64(self.filled));
        let wanted = usize::try_from(self.len.saturating_sub(from)).unwrap_or(usize::MAX);
        let room = self.buffer.0.get_mut(self.filled..).unwrap_or_default();
        let bytes = wanted.min(room.len());
        if bytes == 0 {
            return Ok(false);
        }
        let room = room.get_mut(..bytes).unwrap_or_default();
        self.file.read_exact_at(room, from)?;
        self.filled = self.filled.saturating_add(bytes);
        Ok(true)
    }
}

/// Where the zero bytes of a line are: what a hole after a power loss is told by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zeros {
    line: u64,
    end: u64,
    first: Option<u64>,
    last: u64,
    pub(super) count: u64,
}

impl Zeros {
    /// Of a line that starts at `offset` in the file.
    pub(super) fn new(offset: u64) -> Self {
        Self {
            line: offset,
            end: offset,
            first: None,
            last: 0,
            count: 0,
        }
    }

    /// Takes the line's next bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for at in memchr::memchr_iter(0, bytes) {
            let at = self.end.saturating_add(to_u64(at));
            self.first.get_or_insert(at);
            self.last = at;
            self.count = self.count.saturating_add(1);
        }
        self.end = self.end.saturating_add(to_u64(bytes.len()));
    }

    /// Whether the whole line is zeros, or one block of them that begins and ends where a disk
    /// may leave off.
    pub(super) fn are_a_hole(&self) -> bool {
        let Some(first) = self.first else {
            return false;
        };
        let behind = self.last.saturating_add(1);
        let one_block = behind.checked_sub(first) == Some(self.count);
        let starts = first == self.line || first.is_multiple_of(SECTOR_BYTES);
        let ends = behind == self.end || behind.is_multiple_of(SECTOR_BYTES);
        one_block && starts && ends
    }

    /// Whether there is nothing else.
    pub(super) fn are_all(&self) -> bool {
        self.count > 0 && self.end.checked_sub(self.line) == Some(self.count)
    }
}

pub(super) fn to_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
