//! One part of a file, line by line: which lines are records, and which of these follow each other.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{fs::File, io};

use serde::Deserialize;

use super::{
    diagnose,
    seal::{Fact, Facts, Subtrees, time_ms},
    window::{Buffer, RawLine, Window, Zeros},
};
use crate::chain::{Digest, Line, LineFault, check_line, claimed_place, expunged_line};

/// A part of a file that has more pieces than this is not told apart any further.
const PIECES_MAX: usize = 1_000;

/// Where a line, or several, stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1 once the stitcher has it; within the chunk, from 0, before.
    pub(super) line: u64,
    pub(super) offset: u64,
    /// With newlines.
    pub(super) length: u64,
}

impl Place {
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// Consecutive records of the stream, each linked to the one before.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) first_seq: u64,
    pub(super) first_prev: Digest,
    pub(super) first_hash: Digest,
    pub(super) last_seq: u64,
    pub(super) last_hash: Digest,
    pub(super) place: Place,
    pub(super) first_length: u64,
    pub(super) last: Place,
    /// One per chunk: where to start reading for one of its records.
    pub(super) parts: Vec<Part>,
    pub(super) marks: Vec<Mark>,
    /// The record that was asked for, if it is here.
    pub(super) watched: Option<(Digest, Place)>,
    pub(super) read: Box<Read>,
}

/// What was read of the records of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    /// Their part of the stream's tree, if it was asked for.
    pub(super) tree: Subtrees,
    /// What they state, if it was asked for.
    pub(super) facts: Vec<Fact>,
    /// Those of which only the links are left.
    pub(super) expunged: Vec<Expunged>,
}

/// A record whose text was taken out. Its hash is that of the text, so it cannot be checked by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expunged {
    pub(super) seq: u64,
    pub(super) hash: Digest,
    pub(super) place: Place,
}

/// The start of a run in one chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) first_seq: u64,
    pub(super) line: u64,
    pub(super) offset: u64,
}

impl Run {
    /// Turns lines within a chunk, from 0, into lines of the file, from 1.
    pub(super) fn count_lines_from(&mut self, base: u64) {
        let lift = |line: &mut u64| *line = line.saturating_add(base);
        lift(&mut self.place.line);
        lift(&mut self.last.line);
        self.parts.iter_mut().for_each(|part| lift(&mut part.line));
        self.marks
            .iter_mut()
            .for_each(|mark| lift(&mut mark.place.line));
        self.read
            .facts
            .iter_mut()
            .for_each(|fact| lift(&mut fact.place.line));
        self.read
            .expunged
            .iter_mut()
            .for_each(|expunged| lift(&mut expunged.place.line));
        if let Some((_, place)) = &mut self.watched {
            lift(&mut place.line);
        }
    }

    /// Takes in the next chunk's run, or gives it back if it does not follow.
    pub(super) fn absorb(&mut self, next: Self) -> Option<Self> {
        let follows = self.last_seq.checked_add(1) == Some(next.first_seq)
            && self.last_hash == next.first_prev
            && self.place.end() == next.place.offset;
        if !follows {
            return Some(next);
        }
        self.last_seq = next.last_seq;
        self.last_hash = next.last_hash;
        self.last = next.last;
        self.place.length = self.place.length.saturating_add(next.place.length);
        self.parts.extend(next.parts);
        self.marks.extend(next.marks);
        self.watched = next.watched.or(self.watched);
        self.read.tree.absorb(next.read.tree);
        self.read.facts.extend(next.read.facts);
        self.read.expunged.extend(next.read.expunged);
        None
    }
}

/// A structural record.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) seq: u64,
    pub(super) place: Place,
    pub(super) kind: MarkKind,
}

#[derive(Clone, Debug)]
pub(super) enum MarkKind {
    /// Whether it says that the store is sealed.
    Genesis(bool),
    /// `None`: its data cannot be read.
    Header(Option<HeaderData>),
    Footer,
    /// The records, first and last, that a writer found behind what it knew to be durable and took on.
    Adopted(u64, u64),
}

/// What `segment.header` says of the file before it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct HeaderData {
    pub(super) previous: Option<String>,
    pub(super) bytes: Option<u64>,
    pub(super) supersedes: Option<Supersedes>,
    /// Of a sealed store: the tree before the file's first line.
    pub(super) frontier: Option<Vec<String>>,
    /// When it was written, in milliseconds since 1970.
    #[serde(skip)]
    pub(super) time: Option<i64>,
}

/// From where on which older file counts no longer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Supersedes {
    pub(super) segment: String,
    pub(super) offset: u64,
}

/// Bytes that are no record of the stream.
#[derive(Clone, Debug)]
pub(super) struct Bad {
    pub(super) place: Place,
    pub(super) lines: u64,
    pub(super) fault: Fault,
    /// The sequence that the first line claims.
    pub(super) claimed: Option<u64>,
    /// Empty where the fault says it all.
    pub(super) detail: String,
    /// Zero bytes as a power loss leaves them.
    pub(super) hole: bool,
    /// The file ends in it, without a newline.
    pub(super) partial: bool,
    /// The next sequence and its link, where records in here were still readable.
    pub(super) resume: Option<(u64, Digest)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No record.
    Line,
    /// A record, but the file ends without a newline.
    NoNewline,
    /// Records, each with a carriage return behind it.
    Crlf,
    /// Good records of this other stream.
    Foreign(Box<str>),
    /// Good and bad ones, too many to list.
    Many,
}

impl Bad {
    /// Whether no crash can have left this: the records are whole.
    pub(super) fn is_deliberate(&self) -> bool {
        match self.fault {
            Fault::Crlf | Fault::Foreign(_) => true,
            Fault::Many => self.resume.is_some(),
            Fault::Line | Fault::NoNewline => false,
        }
    }

    /// Takes in `next` if both are one and the same change to neighbouring lines.
    pub(super) fn absorb(&mut self, next: &Self) -> bool {
        let joins = match (&self.fault, &next.fault) {
            (Fault::Crlf, Fault::Crlf) => self
                .resume
                .is_some_and(|(seq, _)| next.claimed == Some(seq)),
            (Fault::Foreign(one), Fault::Foreign(two)) => one == two,
            (Fault::Many, Fault::Many) => true,
            _ => false,
        };
        if !joins || self.place.end() != next.place.offset {
            return false;
        }
        self.place.length = self.place.length.saturating_add(next.place.length);
        self.lines = self.lines.saturating_add(next.lines);
        self.resume = next.resume.or(self.resume);
        self.hole &= next.hole;
        self.partial = next.partial;
        true
    }
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Run(Run),
    Bad(Bad),
}

/// A part of a file, checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    pub(super) lines: u64,
    pub(super) pieces: Vec<Piece>,
}

/// Part of a file: the lines that start in `start..end`. Bytes from `len` on do not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) len: u64,
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'s> {
    /// The stream that the file should hold; any, if none is known.
    pub(super) stream: Option<&'s str>,
    /// A record to report on: the one in the head file.
    pub(super) watch: Option<u64>,
    /// The sizes, in order, at which the stream's tree will be looked at; `None` if never.
    pub(super) sizes: Option<&'s [u64]>,
    /// What is read of the records themselves.
    pub(super) facts: Facts,
}

impl Scan<'_> {
    /// Checks the lines that start in `range`.
    pub(super) fn chunk(
        &self,
        file: &File,
        range: Range,
        buffer: &mut Buffer,
    ) -> io::Result<Chunk> {
        let mut chunk = Chunk::default();
        let mut window = if let Some(before) = range.start.checked_sub(1) {
            let mut window = Window::new(file, range.len, before, buffer);
            if !window.skip_line(range.end)? {
                return Ok(chunk);
            }
            window
        } else {
            Window::new(file, range.len, 0, buffer)
        };
        while window.offset() < range.end {
            let Some(raw) = window.next_line()? else {
                break;
            };
            self.line(&raw, &mut chunk);
            chunk.lines = chunk.lines.saturating_add(1);
        }
        Ok(chunk)
    }

    fn line(&self, raw: &RawLine<'_>, chunk: &mut Chunk) {
        let place = Place {
            line: chunk.lines,
            offset: raw.offset,
            length: raw.length,
        };
        let checked = match raw.too_long {
            None => check_line(raw.bytes),
            Some(_) => Err(LineFault::TooLong),
        };
        match checked {
            Ok(line) if raw.newline => match self.stream {
                Some(stream) if stream != line.stream => {
                    let bad = bad(place, Fault::Foreign(line.stream.into()), Some(line.seq));
                    chunk.push_bad(bad);
                }
                _ => self.record(&line, raw, place, chunk),
            },
            Ok(line) => {
                let ours = self.stream.is_none_or(|stream| stream == line.stream);
                let mut bad = bad(place, Fault::NoNewline, ours.then_some(line.seq));
                bad.partial = true;
                chunk.push_bad(bad);
            }
            Err(LineFault::Hash)
                if raw.newline
                    && !chunk.is_full_of_expunged()
                    && let Some(line) = expunged_line(raw.bytes)
                    && self.stream.is_none_or(|stream| stream == line.stream) =>
            {
                self.record(&line, raw, place, chunk);
                chunk.note_expunged(&line, place);
            }
            Err(fault) => chunk.push_bad(self.faulty(raw, fault, place, chunk.is_full())),
        }
    }

    fn record(&self, line: &Line<'_>, raw: &RawLine<'_>, place: Place, chunk: &mut Chunk) {
        let Some(run) = chunk.run_for(line, place) else {
            return;
        };
        run.last_seq = line.seq;
        run.last_hash = line.hash;
        run.last = place;
        run.place.length = place.end().saturating_sub(run.place.offset);
        if self.watch == Some(line.seq) {
            run.watched = Some((line.hash, place));
        }
        if let Some(sizes) = self.sizes {
            run.read.tree.push(line.seq, &line.hash, sizes);
        }
        if let Some(fact) = self.facts.read(line, raw.bytes, place) {
            run.read.facts.push(fact);
        }
        if let Some(kind) = mark(line, raw.bytes)
            && run.marks.len() < PIECES_MAX
        {
            run.marks.push(Mark {
                seq: line.seq,
                place,
                kind,
            });
        }
    }

    fn faulty(&self, raw: &RawLine<'_>, fault: LineFault, place: Place, terse: bool) -> Bad {
        if let Some(line) = raw.bytes.strip_suffix(b"\r")
            && let Ok(line) = check_line(line)
            && self.stream.is_none_or(|stream| stream == line.stream)
        {
            let mut bad = bad(place, Fault::Crlf, Some(line.seq));
            bad.resume = line.seq.checked_add(1).map(|next| (next, line.hash));
            return bad;
        }
        let zeros = raw.too_long.unwrap_or_else(|| {
            let mut zeros = Zeros::new(raw.offset);
            zeros.add(raw.bytes);
            zeros
        });
        let claimed = claimed_place(raw.bytes)
            .ok()
            .filter(|(stream, _)| self.stream.is_none_or(|expected| expected == *stream))
            .map(|(_, seq)| seq);
        let mut bad = bad(place, Fault::Line, claimed);
        bad.hole = zeros.are_a_hole();
        bad.partial = !raw.newline;
        if !terse {
            bad.detail = diagnose::describe(raw, fault, &zeros);
        }
        bad
    }
}

fn bad(place: Place, fault: Fault, claimed: Option<u64>) -> Bad {
    Bad {
        place,
        lines: 1,
        fault,
        claimed,
        detail: String::new(),
        hole: false,
        partial: false,
        resume: None,
    }
}

impl Chunk {
    fn is_full(&self) -> bool {
        self.pieces.len() >= PIECES_MAX
    }

    /// Each one has to be looked up: a file that is made of them is no log any more.
    fn is_full_of_expunged(&self) -> bool {
        matches!(self.pieces.last(), Some(Piece::Run(run)) if run.read.expunged.len() >= PIECES_MAX)
    }

    fn note_expunged(&mut self, line: &Line<'_>, place: Place) {
        if let Some(Piece::Run(run)) = self.pieces.last_mut() {
            run.read.expunged.push(Expunged {
                seq: line.seq,
                hash: line.hash,
                place,
            });
        }
    }

    /// The run that `line` carries on, or a new one; `None` when there are too many.
    fn run_for(&mut self, line: &Line<'_>, place: Place) -> Option<&mut Run> {
        let linked = matches!(self.pieces.last(), Some(Piece::Run(run))
            if run.last_seq.checked_add(1) == Some(line.seq) && run.last_hash == line.prev);
        if !linked {
            if self.is_full() {
                let mut many = bad(place, Fault::Many, Some(line.seq));
                many.resume = line.seq.checked_add(1).map(|next| (next, line.hash));
                self.push_bad(many);
                return None;
            }
            self.pieces.push(Piece::Run(Run {
                first_seq: line.seq,
                first_prev: line.prev,
                first_hash: line.hash,
                last_seq: line.seq,
                last_hash: line.hash,
                place,
                first_length: place.length,
                last: place,
                parts: vec![Part {
                    first_seq: line.seq,
                    line: place.line,
                    offset: place.offset,
                }],
                marks: Vec::new(),
                watched: None,
                read: Box::default(),
            }));
        }
        match self.pieces.last_mut() {
            Some(Piece::Run(run)) => Some(run),
            _ => None,
        }
    }

    fn push_bad(&mut self, mut bad: Bad) {
        if self.is_full() && !matches!(bad.fault, Fault::Crlf | Fault::Foreign(_)) {
            bad.fault = Fault::Many;
        }
        if let Some(Piece::Bad(last)) = self.pieces.last_mut()
            && last.absorb(&bad)
        {
            return;
        }
        if self.pieces.len() > PIECES_MAX {
            // The last piece is the one for all that is left; it takes whatever there is.
            bad.fault = Fault::Many;
            if let Some(Piece::Bad(last)) = self.pieces.last_mut() {
                last.fault = Fault::Many;
                last.absorb(&bad);
                return;
            }
        }
        self.pieces.push(Piece::Bad(bad));
    }
}

/// Which structural record a line is, if any.
fn mark(line: &Line<'_>, bytes: &[u8]) -> Option<MarkKind> {
    #[derive(Deserialize)]
    struct Header {
        timestamp: String,
        data: HeaderData,
    }
    #[derive(Deserialize)]
    struct Genesis {
        data: GenesisData,
    }
    #[derive(Deserialize)]
    struct GenesisData {
        #[serde(default)]
        sealed: bool,
    }
    #[derive(Deserialize)]
    struct Recovery {
        data: RecoveryData,
    }
    #[derive(Deserialize)]
    struct RecoveryData {
        adopted_from: Option<u64>,
        adopted_to: Option<u64>,
    }
    match root_event(line)? {
        b"chain.genesis" => {
            let genesis = serde_json::from_slice::<Genesis>(bytes);
            Some(MarkKind::Genesis(
                genesis.is_ok_and(|genesis| genesis.data.sealed),
            ))
        }
        b"segment.footer" => Some(MarkKind::Footer),
        b"chain.recovery" => {
            let recovery = serde_json::from_slice::<Recovery>(bytes).ok()?.data;
            Some(MarkKind::Adopted(
                recovery.adopted_from?,
                recovery.adopted_to?,
            ))
        }
        b"segment.header" => {
            let header = serde_json::from_slice::<Header>(bytes).ok();
            Some(MarkKind::Header(header.map(|header| HeaderData {
                time: time_ms(&header.timestamp),
                ..header.data
            })))
        }
        _ => None,
    }
}

/// The record's `event`. Key order is fixed: only texts that need no escape stand before it.
pub(super) fn root_event<'l>(line: &Line<'l>) -> Option<&'l [u8]> {
    // `{"v":1,"stream":"` and `","seq":` around the id: the number starts behind them.
    let number = line.stream.len().checked_add(25)?;
    let body = line.body.get(number..)?;
    let mut rest = body.get(memchr::memchr(b',', body)?..)?;
    for _ in 0..4 {
        rest = rest.strip_prefix(b",\"")?;
        let (key, value) = rest.split_at_checked(rest.iter().take(16).position(|b| *b == b'"')?)?;
        let value = value.strip_prefix(b"\":\"")?;
        let (value, behind) = value.split_at_checked(memchr::memchr(b'"', value)?)?;
        if key == b"event" {
            return Some(value);
        }
        rest = behind.strip_prefix(b"\"")?;
    }
    None
}
