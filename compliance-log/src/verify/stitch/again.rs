//! Looking at a record again that has gone by.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{fs::File, os::unix::fs::FileExt as _};

use serde::Deserialize;

use super::state::{Found, Indexed, Stitch};
use crate::{
    chain::{LINE_BYTES_MAX, check_line, claimed_place},
    error::Error,
    verify::{
        plan::cannot_read,
        scan::{Place, Run},
        seal::time_ms,
        window::Window,
    },
};

/// How often a file is read again: a bound on time.
const LOOKUPS_MAX: u32 = 256;

impl Stitch<'_> {
    pub(super) fn index_parts(&mut self, run: &Run) {
        for (at, part) in run.parts.iter().enumerate() {
            let next = run.parts.get(at.saturating_add(1));
            self.index.push(Indexed {
                segment: self.segment,
                first: part.first_seq,
                last: next.map_or(run.last_seq, |next| next.first_seq.saturating_sub(1)),
                line: part.line,
                offset: part.offset,
                end: next.map_or(run.place.end(), |next| next.offset),
            });
        }
    }

    /// Reads an accepted record again; the newest, where there are several of its number.
    pub(super) fn lookup(&mut self, seq: u64) -> Result<Option<Found>, Error> {
        let holds = |indexed: &&Indexed| (indexed.first..=indexed.last).contains(&seq);
        match self.index.iter().rev().find(holds).copied() {
            Some(indexed) => self.read_again(indexed, seq),
            None => Ok(None),
        }
    }

    /// When the last record was written, in milliseconds since 1970, if that can be read again.
    pub(super) fn last_ms(&self) -> Option<i64> {
        #[derive(Deserialize)]
        struct Record {
            timestamp: String,
        }
        let (segment, _, place) = self.last?;
        let length = usize::try_from(place.length).ok()?;
        let mut line = vec![0; length.min(LINE_BYTES_MAX)];
        let file = File::open(&self.plan.segments.get(segment)?.path).ok()?;
        file.read_exact_at(&mut line, place.offset).ok()?;
        let record: Record = serde_json::from_slice(line.trim_ascii_end()).ok()?;
        time_ms(&record.timestamp)
    }

    /// Reads a record of a run again that was not accepted yet.
    pub(super) fn lookup_in(&mut self, run: &Run, seq: u64) -> Result<Option<Found>, Error> {
        let Some(part) = run.parts.iter().rfind(|part| part.first_seq <= seq) else {
            return Ok(None);
        };
        let indexed = Indexed {
            segment: self.segment,
            first: part.first_seq,
            last: run.last_seq,
            line: part.line,
            offset: part.offset,
            end: run.place.end(),
        };
        self.read_again(indexed, seq)
    }

    pub(super) fn read_again(
        &mut self,
        indexed: Indexed,
        seq: u64,
    ) -> Result<Option<Found>, Error> {
        let Some(segment) = self.plan.segments.get(indexed.segment) else {
            return Ok(None);
        };
        if self.lookups >= LOOKUPS_MAX {
            return Ok(None);
        }
        self.lookups = self.lookups.saturating_add(1);
        let failed = |error| cannot_read(&segment.path, error);
        let file = File::open(&segment.path).map_err(failed)?;
        let mut window = Window::new(&file, indexed.end, indexed.offset, &mut self.buffer);
        let mut number = indexed.line;
        while let Some(raw) = window.next_line().map_err(failed)? {
            if let Ok((_, claimed)) = claimed_place(raw.bytes)
                && claimed == seq
                && let Ok(line) = check_line(raw.bytes)
            {
                return Ok(Some(Found {
                    segment: indexed.segment,
                    prev: line.prev,
                    hash: line.hash,
                    place: Place {
                        line: number,
                        offset: raw.offset,
                        length: raw.length,
                    },
                }));
            }
            number = number.saturating_add(1);
        }
        Ok(None)
    }
}
