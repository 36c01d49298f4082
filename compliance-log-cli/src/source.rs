//! Where records lie: stores, streams, segments, lines. Reads only.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use compliance_log::chain::LINE_BYTES_MAX;

use crate::{failure::Failure, record::Stored};

const STREAMS: &str = "streams";
const SEGMENT_SUFFIX: &str = ".jsonl";

/// The folder of one stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamDir {
    pub(crate) path: PathBuf,
    pub(crate) channel: String,
}

/// Every stream in a store or a folder of stores, in the order of their names.
///
/// # Errors
///
/// A folder that cannot be read.
pub(crate) fn streams(dir: &Path) -> Result<Vec<StreamDir>, Failure> {
    let mut streams = Vec::new();
    for store in stores(dir)? {
        for path in folders(&store.join(STREAMS))? {
            let channel = file_name(&path);
            streams.push(StreamDir { path, channel });
        }
    }
    Ok(streams)
}

/// The store itself, or every store in a folder of stores, in the order of their names.
///
/// # Errors
///
/// A folder that cannot be read.
pub(crate) fn stores(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    if dir.join(STREAMS).is_dir() {
        return Ok(vec![dir.to_owned()]);
    }
    let mut stores = folders(dir)?;
    // One whose making was cut short is not a store.
    stores.retain(|store| store.join(STREAMS).is_dir() && !file_name(store).starts_with(".new-"));
    Ok(stores)
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(dir).map_err(|error| Failure::io("read folder", dir, error))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| Failure::io("read folder", dir, error))?
            .path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// One file of a stream that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// As in its name.
    pub(crate) first_seq: u64,
    /// What stands from here on was restated in the next file.
    pub(crate) end: u64,
}

/// The files of a stream, as they stand now.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    /// Those that count, oldest first.
    pub(crate) files: Vec<Segment>,
    /// The newest file, if it lacks a header: a writer is about to write it, or a crash came first,
    /// or somebody took it away. It restates the one before it; what it holds beyond that is shown,
    /// so that nothing can hide in it.
    pub(crate) unfinished: Option<PathBuf>,
}

/// The files of a stream from the one with `first_seq` on.
///
/// # Errors
///
/// A folder or file that cannot be read.
pub(crate) fn segments(stream: &Path, first_seq: u64) -> Result<Segments, Failure> {
    let unread = |error| Failure::io("read folder", stream, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(stream).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if let Some(first) = segment_seq(&file_name(&path))
            && first >= first_seq
            && path.is_file()
        {
            names.push((first, path));
        }
    }
    names.sort();

    let mut found = Segments::default();
    let newest = names.len().saturating_sub(1);
    for (index, (first_seq, path)) in names.into_iter().enumerate() {
        if let Some(before) = found.files.last_mut() {
            match restates(&path)? {
                Restates::From(offset) => before.end = offset,
                Restates::Unfinished if index == newest => {
                    found.unfinished = Some(path);
                    break;
                }
                Restates::Unfinished | Restates::Nothing => {}
            }
        }
        found.files.push(Segment {
            path,
            first_seq,
            end: u64::MAX,
        });
    }
    Ok(found)
}

/// The first sequence that a segment's name states. Files set aside have other names.
fn segment_seq(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SEGMENT_SUFFIX)?;
    let canonical = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| canonical)
}

enum Restates {
    /// An ordinary file.
    Nothing,
    /// The file before it, from this offset.
    From(u64),
    /// The file before it, but its header is not there (yet).
    Unfinished,
}

fn restates(path: &Path) -> Result<Restates, Failure> {
    let mut lines = Lines::open(path, 0, u64::MAX)?;
    let mut first = true;
    while let Some(line) = lines.next()? {
        if line.ended && contains(&line.stored.raw, b"\"segment.header\"") {
            if let Some(offset) = line.stored.supersedes() {
                return Ok(Restates::From(offset));
            }
            if first && line.stored.is_header() {
                return Ok(Restates::Nothing);
            }
        }
        first = false;
    }
    Ok(Restates::Unfinished)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// One line and where it stands.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) stored: Stored,
    /// Of its first byte.
    pub(crate) offset: u64,
    /// Of the first byte after it.
    pub(crate) end: u64,
    /// Whether its newline is there.
    pub(crate) ended: bool,
}

/// The lines of a file, in bounded memory.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) path: PathBuf,
    input: io::Take<BufReader<File>>,
    offset: u64,
}

impl Lines {
    /// From `offset` to `end`.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened.
    pub(crate) fn open(path: &Path, offset: u64, end: u64) -> Result<Self, Failure> {
        let open = || {
            // Looked at before it is opened: opening a pipe would wait for its other end.
            if !fs::metadata(path)?.is_file() {
                return Err(io::Error::other("it is no file"));
            }
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(BufReader::with_capacity(1 << 16, file).take(end.saturating_sub(offset)))
        };
        Ok(Self {
            path: path.to_owned(),
            input: open().map_err(|error| Failure::io("open", path, error))?,
            offset,
        })
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    ///
    /// A file that cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, Failure> {
        let offset = self.offset;
        let raw = self.next_raw()?;
        Ok(raw.map(|(raw, ended)| Line {
            stored: Stored::parse(raw),
            offset,
            end: self.offset,
            ended,
        }))
    }

    /// The bytes of the next line without its newline, and whether that is there; `None` at the end.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next).
    pub(crate) fn next_raw(&mut self) -> Result<Option<(Vec<u8>, bool)>, Failure> {
        let raw = self
            .read()
            .map_err(|error| Failure::io("read", &self.path, error))?;
        Ok(raw.map(|(raw, bytes, ended)| {
            self.offset += bytes;
            (raw, ended)
        }))
    }

    /// A line, how many bytes it has in the file, and whether it ended.
    fn read(&mut self) -> io::Result<Option<(Vec<u8>, u64, bool)>> {
        let mut raw = Vec::new();
        let limit = LINE_BYTES_MAX as u64;
        let mut bytes = self
            .input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut raw)? as u64;
        if bytes == 0 {
            return Ok(None);
        }
        let mut ended = raw.pop_if(|byte| *byte == b'\n').is_some();
        // Longer than a record can be: the rest is passed over, not kept.
        while !ended && bytes >= limit {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let newline = available.iter().position(|byte| *byte == b'\n');
            let used = newline.map_or(available.len(), |at| at + 1);
            self.input.consume(used);
            bytes += used as u64;
            ended = newline.is_some();
        }
        Ok(Some((raw, bytes, ended)))
    }
}

/// The lines of a stream, segment after segment.
#[derive(Debug)]
pub(crate) struct StreamLines {
    segments: std::vec::IntoIter<Segment>,
    unfinished: Option<PathBuf>,
    current: Option<Lines>,
    /// After the last record that was given.
    next_seq: u64,
    /// The current file may restate records that were given before.
    restating: bool,
}

impl StreamLines {
    pub(crate) fn new(segments: Segments) -> Self {
        Self {
            segments: segments.files.into_iter(),
            unfinished: segments.unfinished,
            current: None,
            next_seq: 0,
            restating: false,
        }
    }

    /// The next line and its file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<(PathBuf, Line)>, Failure> {
        loop {
            if let Some(lines) = &mut self.current {
                while let Some(line) = lines.next()? {
                    let seq = line.stored.seq();
                    if self.restating && seq.is_some_and(|seq| seq < self.next_seq) {
                        continue;
                    }
                    let after = seq.map_or(0, |seq| seq.saturating_add(1));
                    self.next_seq = self.next_seq.max(after);
                    return Ok(Some((lines.path.clone(), line)));
                }
                self.current = None;
            }
            let (path, end) = match (self.segments.next(), self.unfinished.take()) {
                (Some(segment), unfinished) => {
                    self.unfinished = unfinished;
                    (segment.path, segment.end)
                }
                (None, Some(path)) => {
                    self.restating = true;
                    (path, u64::MAX)
                }
                (None, None) => return Ok(None),
            };
            self.current = Some(Lines::open(&path, 0, end)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_segments() {
        assert_eq!(segment_seq("00000000000000000042.jsonl"), Some(42));
        for other in [
            "42.jsonl",
            "head",
            "00000000000000000042.jsonl.torn-9",
            "00000000000000000042.jsonl.superseded-2",
            "+0000000000000000042.jsonl",
        ] {
            assert_eq!(segment_seq(other), None, "{other}");
        }
    }
}
