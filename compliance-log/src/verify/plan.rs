//! A stream's files before they are judged: their names and lengths, which stream they hold, and
//! which of them supersedes which.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind as IoErrorKind},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    scan::{HeaderData, MarkKind, Piece, Range, Scan},
    seal::{Expunged, Facts, Retention, Sealed},
    window::{Buffer, Window},
};
use crate::{
    chain::{LINE_BYTES_MAX, check_line, claimed_place},
    error::Error,
    layout::{CATALOG, FileKind, HEAD, HEAD_BYTES, Slot, file_kind, segment_name},
};

/// A stream's folder, as it was when it was looked at.
#[derive(Debug)]
pub(super) struct Plan {
    /// `streams/audit`.
    pub(super) folder: String,
    pub(super) channel: String,
    /// By name.
    pub(super) segments: Vec<Segment>,
    pub(super) slot: Option<Slot>,
    /// The id that its records claim.
    pub(super) stream: Option<String>,
    pub(super) unknown: Vec<String>,
    /// What the seal says of it, in a sealed store.
    pub(super) sealed: Option<Sealed>,
    /// Records whose text was taken out, as the ledger says.
    pub(super) expunged: BTreeMap<u64, Vec<Expunged>>,
    /// What the ledger says of it that does not count.
    pub(super) refused: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) first_seq: u64,
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Bytes when it was looked at; a writer may have appended since.
    pub(super) len: u64,
    /// Bytes that count: a later file may supersede the rest.
    pub(super) end: u64,
    pub(super) superseded: bool,
    pub(super) opening: Opening,
    /// What the first line claims, right or not.
    pub(super) claimed: Option<u64>,
}

/// What a file's first line is.
#[derive(Debug)]
pub(super) enum Opening {
    /// Whether it says that the store is sealed.
    Genesis(bool),
    Header(Option<HeaderData>),
    /// A good record of another kind: restated, if a superseding header follows.
    Record,
    /// No good line.
    Nothing,
}

impl Plan {
    /// Looks at `folder`. The head file is read first: what it says was true before the segments
    /// are looked at. Lengths are taken after the names are known: a file is then as long as it was
    /// when the next one was made, or longer.
    pub(super) fn new(
        store: &Path,
        channel: &str,
        sealed: Option<Sealed>,
        buffer: &mut Buffer,
    ) -> Result<Self, Error> {
        let folder = format!("{}/{channel}", crate::layout::STREAMS);
        let path = store.join(&folder);
        let mut plan = Self {
            folder,
            channel: channel.to_owned(),
            segments: Vec::new(),
            slot: read_slot(&path)?,
            stream: None,
            unknown: Vec::new(),
            sealed,
            expunged: BTreeMap::new(),
            refused: Vec::new(),
        };
        let mut first_seqs = Vec::new();
        for name in plan.names(&path)? {
            match file_kind(&name) {
                FileKind::Segment(first_seq) => first_seqs.push(first_seq),
                FileKind::Checkpoints(_) if channel == CATALOG => (),
                FileKind::Checkpoints(_) | FileKind::Other => plan.unknown.push(name),
                FileKind::Head | FileKind::Torn | FileKind::Superseded => (),
            }
        }
        first_seqs.sort_unstable();
        let mut claims = BTreeMap::new();
        for first_seq in first_seqs {
            let segment = Segment::look(&path, first_seq)?;
            match segment {
                Some(segment) => plan.segments.push(segment),
                None => plan.unknown.push(segment_name(first_seq)),
            }
        }
        let count = plan.segments.len();
        for (at, segment) in plan.segments.iter_mut().enumerate() {
            let votes = at == 0 || at.checked_add(1) == Some(count);
            segment
                .open(buffer, votes.then_some(&mut claims))
                .map_err(|error| cannot_read(&segment.path, error))?;
        }
        plan.stream = match &plan.sealed {
            // The seal says which stream stands here; what the lines say is to be checked.
            Some(sealed) => Some(sealed.stream.clone()),
            None => elect(&claims, channel),
        };
        plan.find_superseded(buffer)?;
        Ok(plan)
    }

    /// A folder that the seal names may be gone.
    fn names(&self, path: &Path) -> Result<Vec<String>, Error> {
        match fs::metadata(path) {
            Err(error) if self.sealed.is_some() && error.kind() == IoErrorKind::NotFound => {
                Ok(Vec::new())
            }
            _ => names(path),
        }
    }

    /// Up to which byte `segment` may not be hurt.
    pub(super) fn bound(&self, segment: &Segment, newest: bool) -> u64 {
        match &self.slot {
            _ if !newest => u64::MAX,
            Some(slot) if slot.segment == segment.first_seq => slot.offset,
            Some(slot) if slot.segment > segment.first_seq => u64::MAX,
            _ => 0,
        }
    }

    /// Judges what the ledger says of files that are not here.
    pub(super) fn judge_gone(&mut self, retention: &Retention) {
        let segments = self
            .segments
            .iter()
            .filter_map(|segment| match &segment.opening {
                Opening::Header(Some(header)) => Some((segment.first_seq, header.time?)),
                _ => None,
            });
        if let Some(sealed) = &mut self.sealed {
            self.refused = sealed.judge_gone(retention, &segments);
        }
    }

    /// From the newest file to the oldest: each may cut the one before it.
    fn find_superseded(&mut self, buffer: &mut Buffer) -> Result<(), Error> {
        for at in (1..self.segments.len()).rev() {
            let (before, from) = self.segments.split_at_mut(at);
            let (Some(before), Some(segment)) = (before.last_mut(), from.first()) else {
                continue;
            };
            let scan = Scan {
                stream: self.stream.as_deref(),
                watch: None,
                sizes: None,
                facts: Facts::None,
            };
            let cut = segment
                .supersedes(&before.name, scan, buffer)
                .map_err(|error| cannot_read(&segment.path, error))?;
            if let Some(offset) = cut {
                before.superseded = true;
                before.end = before.len.min(offset);
            }
        }
        Ok(())
    }
}

impl Segment {
    fn look(folder: &Path, first_seq: u64) -> Result<Option<Self>, Error> {
        let name = segment_name(first_seq);
        let path = folder.join(&name);
        let metadata = fs::metadata(&path).map_err(|error| cannot_read(&path, error))?;
        let len = metadata.len();
        Ok(metadata.is_file().then_some(Self {
            first_seq,
            name,
            path,
            len,
            end: len,
            superseded: false,
            opening: Opening::Nothing,
            claimed: None,
        }))
    }

    /// Reads the first line, and the ids that the first lines claim.
    fn open(
        &mut self,
        buffer: &mut Buffer,
        claims: Option<&mut BTreeMap<String, u64>>,
    ) -> io::Result<()> {
        let file = File::open(&self.path)?;
        let any = Scan {
            stream: None,
            watch: None,
            sizes: None,
            facts: Facts::None,
        };
        let range = Range {
            start: 0,
            end: self.len.min(1),
            len: self.len,
        };
        let chunk = any.chunk(&file, range, buffer)?;
        if let Some(Piece::Run(run)) = chunk.pieces.first() {
            self.opening = match run.marks.first().map(|mark| &mark.kind) {
                Some(MarkKind::Genesis(sealed)) => Opening::Genesis(*sealed),
                Some(MarkKind::Header(data)) => Opening::Header(data.clone()),
                Some(MarkKind::Footer | MarkKind::Adopted(..)) | None => Opening::Record,
            };
        }
        self.claimed = match chunk.pieces.first() {
            Some(Piece::Run(run)) => Some(run.first_seq),
            Some(Piece::Bad(bad)) => bad.claimed,
            None => None,
        };
        if let Some(claims) = claims {
            let end = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
            let mut window = Window::new(&file, self.len, 0, buffer);
            while window.offset() < end
                && let Some(line) = window.next_line()?
            {
                if let Ok((stream, _)) = claimed_place(line.bytes) {
                    // A record whose own hash is right outvotes any number of others.
                    let weight = if check_line(line.bytes).is_ok() {
                        GOOD_WEIGHT
                    } else {
                        1
                    };
                    let votes = claims.entry(stream.to_owned()).or_default();
                    *votes = votes.saturating_add(weight);
                }
            }
        }
        Ok(())
    }

    /// The offset from which this file supersedes `previous`.
    fn supersedes(
        &self,
        previous: &str,
        scan: Scan<'_>,
        buffer: &mut Buffer,
    ) -> io::Result<Option<u64>> {
        let of = |data: &HeaderData| {
            let supersedes = data.supersedes.as_ref()?;
            (supersedes.segment == previous).then_some(supersedes.offset)
        };
        match &self.opening {
            Opening::Genesis(_) => return Ok(None),
            Opening::Header(data) => return Ok(data.as_ref().and_then(of)),
            Opening::Record | Opening::Nothing => (),
        }
        let file = File::open(&self.path)?;
        let mut start = 0_u64;
        while start < self.end {
            let end = start.saturating_add(RESTATED_STEP_BYTES).min(self.end);
            let range = Range {
                start,
                end,
                len: self.end,
            };
            for piece in scan.chunk(&file, range, buffer)?.pieces {
                let Piece::Run(run) = piece else { continue };
                for mark in run.marks {
                    if let MarkKind::Header(Some(data)) = mark.kind
                        && let Some(offset) = of(&data)
                    {
                        return Ok(Some(offset));
                    }
                }
            }
            start = end;
        }
        Ok(None)
    }
}

/// Restated lines are those since one failed sync: rarely more than this.
const RESTATED_STEP_BYTES: u64 = 8 << 20;

/// No beginning of a file holds as many lines.
const GOOD_WEIGHT: u64 = 1 << 20;

/// The id that most lines claim, first among those that name this folder's channel.
fn elect(claims: &BTreeMap<String, u64>, channel: &str) -> Option<String> {
    let rank = |(stream, votes): &(&String, &u64)| {
        let fits = stream.rsplit('/').next() == Some(channel);
        (fits, **votes)
    };
    claims.iter().max_by_key(rank).map(|(id, _)| id.clone())
}

/// A head file that is missing, short or damaged says nothing.
fn read_slot(folder: &Path) -> Result<Option<Slot>, Error> {
    let path = folder.join(HEAD);
    let mut bytes = [0; HEAD_BYTES];
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let read = fs::metadata(&path).and_then(|metadata| {
        if !metadata.is_file() {
            return Ok(0);
        }
        File::open(&path)?.read_at(&mut bytes, 0)
    });
    match read {
        Ok(count) => Ok(Slot::newest(bytes.get(..count).unwrap_or_default())),
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot_read(&path, error)),
    }
}

/// The names in a folder, sorted. One that is not UTF-8 is none of ours and appears as text.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    };
    read().map_err(|error| cannot_read(folder, error))
}

#[cold]
pub(super) fn cannot_read(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot read {}", path.display()), error)
}
