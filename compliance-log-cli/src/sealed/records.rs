use std::path::{Path, PathBuf};

use compliance_log::{
    chain::{Digest, check_line, expunged_line},
    seal::merkle::{Frontier, TreeHash},
};

use crate::{
    failure::Failure,
    source::{self, Lines, Segment},
};

const HINT: &str = "`compliance-log verify` says what is wrong with the store";

/// The records of a stream, one after the other. Each is whole and linked to the one before, or an error.
#[derive(Debug)]
pub(super) struct Records {
    stream: PathBuf,
    segments: std::vec::IntoIter<Segment>,
    lines: Option<Lines>,
    next_seq: u64,
    last: Option<Digest>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) leaf: TreeHash,
    /// The line without its end.
    pub(super) line: Vec<u8>,
}

impl Records {
    /// Begins with the newest segment that begins at `seq` or before it, and tells the tree over what was
    /// before that segment. Whether it is true shows at the first root that is known from elsewhere.
    ///
    /// # Errors
    ///
    /// A stream that has no such segment any more, or cannot be read.
    pub(super) fn from(stream: &Path, seq: u64) -> Result<(Frontier, Self), Failure> {
        let mut segments = source::segments(stream, 0)?.files;
        let begun = segments.partition_point(|segment| segment.first_seq <= seq);
        let Some(first) = begun.checked_sub(1) else {
            return Err(Failure::new(
                format!("{} no longer holds sequence {seq}", stream.display()),
                "older segments were archived: put them back where they were, or use a copy of the whole store",
            ));
        };
        segments.drain(..first);
        let next_seq = segments.first().map_or(0, |segment| segment.first_seq);
        let frontier = match segments.first() {
            Some(segment) if next_seq > 0 => frontier(segment)?,
            _ => Frontier::new(),
        };
        let records = Self {
            stream: stream.to_owned(),
            segments: segments.into_iter(),
            lines: None,
            next_seq,
            last: None,
        };
        Ok((frontier, records))
    }

    /// The next record; `None` where the stream ends.
    ///
    /// # Errors
    ///
    /// A line that is not the next record.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Failure> {
        loop {
            if let Some(lines) = &mut self.lines
                && let Some((line, ended)) = lines.next_raw()?
            {
                return self.checked(line, ended).map(Some);
            }
            let Some(segment) = self.segments.next() else {
                return Ok(None);
            };
            self.lines = Some(Lines::open(&segment.path, 0, segment.end)?);
        }
    }

    /// The next record, which has to be there.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next), and the end of the stream.
    pub(super) fn expect(&mut self) -> Result<Record, Failure> {
        let next_seq = self.next_seq;
        self.next()?.ok_or_else(|| {
            let stream = self.stream.display();
            Failure::new(
                format!("{stream} ends before sequence {next_seq}, which was sealed"),
                HINT,
            )
        })
    }

    fn checked(&mut self, line: Vec<u8>, ended: bool) -> Result<Record, Failure> {
        let seq = self.next_seq;
        // Of one whose text was taken out, the root shows that the links are those that were sealed.
        let read = check_line(&line).ok().or_else(|| expunged_line(&line));
        let hash = match read {
            Some(read)
                if ended && read.seq == seq && self.last.is_none_or(|last| last == read.prev) =>
            {
                read.hash
            }
            _ => {
                let stream = self.stream.display();
                let text = format!("what stands for sequence {seq} in {stream} is not that record");
                return Err(Failure::new(text, HINT));
            }
        };
        self.last = Some(hash);
        self.next_seq = seq.saturating_add(1);
        Ok(Record {
            seq,
            leaf: TreeHash::leaf(&hash),
            line,
        })
    }
}

/// The tree before a segment, as its header states it. In a segment that supersedes another one, restated
/// records come before the header.
fn frontier(segment: &Segment) -> Result<Frontier, Failure> {
    let refuse = |reason: &str| {
        let text = format!("{} {reason}", segment.path.display());
        Failure::new(text, HINT)
    };
    let mut lines = Lines::open(&segment.path, 0, segment.end)?;
    while let Some(line) = lines.next()? {
        if !line.stored.is_header() {
            continue;
        }
        let roots = line
            .stored
            .fields
            .as_ref()
            .and_then(|fields| fields.get("data"));
        let roots = roots.and_then(|data| data.get("frontier")?.as_array());
        let roots = roots.ok_or_else(|| refuse("has a header without frontier"))?;
        let roots: Vec<&str> = roots.iter().filter_map(|root| root.as_str()).collect();
        return Frontier::from_hex(segment.first_seq, &roots)
            .map_err(|error| refuse(&format!("has a wrong frontier: {error}")));
    }
    Err(refuse("has no header"))
}
