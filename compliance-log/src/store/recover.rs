//! What a start does with a stream that somebody stopped writing, at whatever moment.

use std::{io, path::Path, sync::Arc, time::Duration};

use memchr::memmem;

use super::{
    durable,
    fs::{Access, Fs, StoreFile, is_no_file},
    scan::{Expected, Fault, Scanned, line_at, scan},
    segment::Segment,
    stream::{Resume, Settings, Stream},
};
use crate::{
    chain::{Digest, LINE_BYTES_MAX, LineFault, StreamId, check_line},
    clock::{Clock, Timestamp},
    error::{Error, ErrorKind},
    event::Channel,
    layout::{self, FileKind, HEAD_BYTES, Slot},
    lifecycle::{Predecessor, Torn, name},
};

/// A stream that is ready to go on, and what was found at its end.
pub(super) struct Recovered {
    pub(super) stream: Stream,
    /// Records after the last one that was known to be durable.
    pub(super) adopted: Option<(u64, u64)>,
    /// Bytes that were moved aside and that no record tells of yet.
    pub(super) torn: Vec<Torn>,
    /// The body of the last record.
    pub(super) last_body: Vec<u8>,
}

/// How far a stream is known to go.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// As far as its head file says; what is right beyond is adopted.
    Durable,
    /// As [`End::Durable`]; what is beyond this size was never sealed.
    Sealed(u64),
    /// Up to this size, and no further: nothing beyond is adopted.
    Signed(u64),
}

/// Why a stream cannot go on, and where it ends.
pub(super) struct Stopped {
    pub(super) error: Error,
    pub(super) end: Option<Predecessor>,
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self { error, end: None }
    }
}

/// Goes on after the last good record of a stream.
///
/// Bytes after it that were never known to be durable are moved to a file of their own. Anything
/// else that is not right in the newest segment or its head file is [`ErrorKind::Damaged`], and
/// nothing is changed then.
pub(super) fn recover(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    id: &StreamId,
    channel: Channel,
    settings: Settings,
    end: End,
    clock: &dyn Clock,
) -> Result<Recovered, Stopped> {
    let tail = Tail { fs: &**fs, dir, id };
    let failed = |error: io::Error| Stopped::from(unreadable(dir, error));
    let bound = match end {
        End::Durable | End::Sealed(_) => tail.bound().map_err(failed)?,
        End::Signed(_) => None,
    };
    let mut segments = tail.segments().map_err(failed)?;
    if let End::Signed(size) = end {
        // Nothing of these was signed, whatever they hold.
        while segments.len() > 1
            && let Some(first_seq) = segments.pop_if(|first_seq| *first_seq >= size)
        {
            tail.set_aside(Some(first_seq)).map_err(failed)?;
        }
    }
    if tail
        .is_incomplete_restatement(&segments, bound)
        .map_err(failed)?
    {
        tail.set_aside(segments.pop()).map_err(failed)?;
    }
    loop {
        let Some(first_seq) = segments.pop() else {
            return Err(damaged(dir, "it holds no segment").into());
        };
        let previous = segments.last().copied();
        let found = tail.find_end(first_seq, previous, bound, end)?;
        tail.cut(first_seq, found.scanned.end).map_err(failed)?;
        if found.scanned.end == 0 && previous.is_some() {
            // Its header was never written whole: the segment before it gets another successor.
            continue;
        }
        let torn = tail.untold(first_seq, previous).map_err(failed)?;
        return tail
            .resume(fs, found, (bound, end), torn, (channel, settings, clock))
            .map_err(failed);
    }
}

/// A stream's end, before it is known where that is.
#[derive(Clone, Copy)]
struct Tail<'a> {
    fs: &'a dyn Fs,
    dir: &'a Path,
    id: &'a StreamId,
}

/// The good beginning of the newest segment.
struct Found {
    first_seq: u64,
    scanned: Scanned,
    last: Digest,
    number: u64,
}

impl Tail<'_> {
    /// The newest slot of the head file; `None` if it is missing or neither slot is whole.
    fn bound(&self) -> io::Result<Option<Slot>> {
        let file = match self.fs.open(&self.dir.join(layout::HEAD), Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = [0; HEAD_BYTES];
        let read = file.read_at(&mut bytes, 0)?;
        Ok(Slot::newest(&bytes[..read]))
    }

    /// The first sequences of the segments, ascending.
    fn segments(&self) -> io::Result<Vec<u64>> {
        let names = self.fs.list(self.dir)?;
        let first_seqs = names
            .iter()
            .filter_map(|name| match layout::file_kind(name) {
                FileKind::Segment(first_seq) => Some(first_seq),
                _ => None,
            });
        Ok(first_seqs.collect())
    }

    fn open(&self, first_seq: u64) -> io::Result<(Box<dyn StoreFile>, u64)> {
        let file = self.fs.open(
            &self.dir.join(layout::segment_name(first_seq)),
            Access::Read,
        )?;
        let len = file.len()?;
        Ok((file, len))
    }

    /// Whether the newest segment was to supersede the one before it, and the crash came before it
    /// was whole. Its lines are then still in the one before, or were never acknowledged.
    fn is_incomplete_restatement(&self, segments: &[u64], bound: Option<Slot>) -> io::Result<bool> {
        let [.., previous, newest] = segments else {
            return Ok(false);
        };
        let (file, len) = self.open(*previous)?;
        let ends_in_footer = last_line(&*file, len)?
            .and_then(|line| {
                check_line(&line)
                    .ok()
                    .map(|line| says(line.body, name::FOOTER))
            })
            .unwrap_or(false);
        if ends_in_footer || bound.is_some_and(|bound| bound.segment == *newest) {
            return Ok(false);
        }
        let mut supersedes = false;
        let (file, len) = self.open(*newest)?;
        let from = Expected::from(*newest);
        scan(&*file, len, self.id, from, None, |_, line, _| {
            supersedes |=
                says(line, name::HEADER) && memmem::find(line, b"\"supersedes\":{").is_some();
        })?;
        Ok(!supersedes)
    }

    /// Reads the newest segment as far as it is right.
    fn find_end(
        &self,
        first_seq: u64,
        previous: Option<u64>,
        bound: Option<Slot>,
        end: End,
    ) -> Result<Found, Stopped> {
        let path = self.dir.join(layout::segment_name(first_seq));
        let failed = |error: io::Error| unreadable(&path, error);
        let prev = match previous {
            None if first_seq == 0 => self.id.genesis_prev(),
            None => return Err(damaged(&path, "the segments before it are missing").into()),
            Some(previous) => self
                .hash_before(previous, first_seq)
                .map_err(failed)?
                .ok_or_else(|| damaged(&path, "the segment before it does not lead to it"))?,
        };
        let (file, len) = self.open(first_seq).map_err(failed)?;
        let mut number = 0;
        let until = match end {
            End::Signed(size) => Some(size),
            End::Durable | End::Sealed(_) => None,
        };
        let expected = Expected {
            seq: first_seq,
            prev: Some(prev),
            until,
        };
        let own_bound = bound.filter(|bound| bound.segment == first_seq);
        let scanned = scan(&*file, len, self.id, expected, own_bound, |_, line, _| {
            if says(line, name::HEADER) {
                number = header_number(line).unwrap_or(number);
            }
        })
        .map_err(failed)?;
        let last = scanned.last.unwrap_or(prev);
        let predecessor = (scanned.end > 0).then(|| Predecessor {
            stream: self.id.to_string(),
            seq: scanned.next_seq - 1,
            hash: last,
        });
        let at = scanned.end;
        let error = match (bound, scanned.fault) {
            (_, Some(Fault::Line(LineFault::Version(version)))) => Some(Error::new(
                ErrorKind::NewerFormat,
                format!(
                    "{}: byte {at} starts a record of format {version}",
                    path.display()
                ),
            )),
            (Some(bound), _) if bound.segment > first_seq => {
                let missing = layout::segment_name(bound.segment);
                Some(damaged(
                    &path,
                    &format!("the head file names segment {missing}, which is missing"),
                ))
            }
            (Some(bound), _) if bound.segment == first_seq && at < bound.offset => Some(damaged(
                &path,
                &format!(
                    "byte {at} is not the record that was durable there, up to byte {}",
                    bound.offset
                ),
            )),
            _ if !scanned.bound_met => Some(damaged(
                &path,
                "the record that the head file names is another one now",
            )),
            _ if at == 0 && previous.is_none() => {
                Some(damaged(&path, "its first record is missing"))
            }
            _ if until.is_some_and(|size| scanned.next_seq < size) => Some(damaged(
                &path,
                &format!("byte {at} is not the record that was signed there"),
            )),
            _ => None,
        };
        match error {
            Some(error) => Err(Stopped {
                error,
                end: predecessor,
            }),
            None => Ok(Found {
                first_seq,
                scanned,
                last,
                number,
            }),
        }
    }

    /// The hash of the record before `first_seq`, in the segment that holds it.
    fn hash_before(&self, segment: u64, first_seq: u64) -> io::Result<Option<Digest>> {
        let (file, len) = self.open(segment)?;
        if let Some(line) = last_line(&*file, len)?
            && let Ok(line) = check_line(&line)
            && line.seq.checked_add(1) == Some(first_seq)
        {
            return Ok(Some(line.hash));
        }
        let mut hash = None;
        scan(
            &*file,
            len,
            self.id,
            Expected::from(segment),
            None,
            |_, _, line| {
                if line.seq.checked_add(1) == Some(first_seq) {
                    hash = Some(line.hash);
                }
            },
        )?;
        Ok(hash)
    }

    /// Moves what a segment holds from `end` on to a file of its own.
    ///
    /// 1. copied, file and folder synced   crash: found torn again, and copied to another name
    /// 2. segment cut and synced           crash: the next start finds the file and tells of it
    fn cut(&self, first_seq: u64, end: u64) -> io::Result<()> {
        let name = layout::segment_name(first_seq);
        let (file, len) = self.open(first_seq)?;
        if end < len {
            durable::keep_torn(self.fs, self.dir, &name, &*file, end, len - end)?;
            let mut file = self.fs.open(&self.dir.join(&name), Access::Append)?;
            file.set_len(end)?;
            file.sync_data()?;
        }
        Ok(())
    }

    /// Renames a whole segment to a torn file.
    fn set_aside(&self, first_seq: Option<u64>) -> io::Result<()> {
        let Some(first_seq) = first_seq else {
            return Ok(());
        };
        let name = layout::segment_name(first_seq);
        durable::set_aside(self.fs, self.dir, &name, |n| layout::torn_name(&name, 0, n)).map(drop)
    }

    /// The torn files that no `chain.recovery` tells of: a crash may have come between. What tells of
    /// a file stands in the segment that it was cut off, or in the one after.
    fn untold(&self, newest: u64, previous: Option<u64>) -> io::Result<Vec<Torn>> {
        let since = previous.unwrap_or(newest);
        let mut torn: Vec<(String, u64)> = self
            .fs
            .list(self.dir)?
            .into_iter()
            .filter_map(|name| {
                let (segment, offset) = layout::torn_place(&name)?;
                (segment >= since).then_some((name, offset))
            })
            .collect();
        if torn.is_empty() {
            return Ok(Vec::new());
        }
        for segment in previous.into_iter().chain([newest]) {
            let (file, len) = self.open(segment)?;
            let from = Expected::from(segment);
            scan(&*file, len, self.id, from, None, |_, line, _| {
                if says(line, name::RECOVERY) {
                    torn.retain(|(name, _)| torn_file(line).as_ref() != Some(name));
                }
            })?;
        }
        torn.into_iter()
            .map(|(name, offset)| {
                let file = self.fs.open(&self.dir.join(&name), Access::Read)?;
                let (bytes, sha256) = durable::digest(&*file)?;
                Ok(Torn {
                    file: name,
                    offset,
                    bytes,
                    sha256,
                })
            })
            .collect()
    }

    fn resume(
        &self,
        fs: &Arc<dyn Fs>,
        found: Found,
        (bound, end): (Option<Slot>, End),
        torn: Vec<Torn>,
        (channel, settings, clock): (Channel, Settings, &dyn Clock),
    ) -> io::Result<Recovered> {
        let Found {
            first_seq,
            scanned,
            last,
            number,
        } = found;
        let name = layout::segment_name(first_seq);
        let path = self.dir.join(&name);
        let mut file = self.fs.open(&path, Access::Read)?;
        let line = line_at(&*file, scanned.end, scanned.last_start)?.unwrap_or_default();
        let last_body = check_line(&line)
            .map(|line| line.body.to_vec())
            .unwrap_or_default();
        // Whatever is adopted is durable from here on.
        file.sync_data()?;
        let complete = says(&last_body, name::FOOTER);
        let first = line_at(&*file, scanned.end, 0)?.unwrap_or_default();
        let age = first_time(&first).map_or(Duration::ZERO, |first| age(first, clock.now()));
        if !complete {
            file = self.fs.open(&path, Access::Append)?;
        }
        let known = match end {
            End::Durable => bound.map_or(0, |bound| bound.last_seq + 1).max(first_seq),
            End::Sealed(size) | End::Signed(size) => size,
        };
        let adopted = (known < scanned.next_seq).then(|| (known, scanned.next_seq - 1));
        let segment = Segment {
            file,
            name,
            first_seq,
            number,
            len: scanned.end,
        };
        let resume = Resume {
            segment,
            next_seq: scanned.next_seq,
            last,
            complete,
            age,
        };
        let stream = Stream::resume(
            fs,
            self.dir,
            self.id.clone(),
            channel,
            settings,
            resume,
            clock.monotonic(),
        )?;
        Ok(Recovered {
            stream,
            adopted,
            torn,
            last_body,
        })
    }
}

/// Where a stream ends that is not continued, as its newest segment says.
pub(super) fn end_of(fs: &dyn Fs, dir: &Path, id: &StreamId) -> Option<Predecessor> {
    let tail = Tail { fs, dir, id };
    let newest = tail.segments().ok()?.pop()?;
    let (file, len) = tail.open(newest).ok()?;
    let line = last_line(&*file, len).ok()??;
    let line = check_line(&line).ok()?;
    (line.stream == id.as_str()).then(|| Predecessor {
        stream: id.to_string(),
        seq: line.seq,
        hash: line.hash,
    })
}

/// The last line of a file that ends in a newline.
fn last_line(file: &dyn StoreFile, len: u64) -> io::Result<Option<Vec<u8>>> {
    let mut tail = vec![0; LINE_BYTES_MAX + 1];
    let from = len.saturating_sub(tail.len() as u64);
    let read = file.read_at(&mut tail, from)?;
    tail.truncate(read);
    let Some(lines) = tail.strip_suffix(b"\n") else {
        return Ok(None);
    };
    let start = memchr::memrchr(b'\n', lines).map_or(0, |at| at + 1);
    Ok(Some(lines[start..].to_vec()))
}

/// Whether a line or body is of this event of ours. The first such key is the record's own: keys of
/// fields come after it, and text has its quotes escaped.
pub(crate) fn says(body: &[u8], event: &str) -> bool {
    const KEY: &[u8] = b",\"event\":\"";
    memmem::find(body, KEY)
        .and_then(|at| body.get(at + KEY.len()..)?.strip_prefix(event.as_bytes()))
        .is_some_and(|rest| rest.starts_with(b"\""))
}

/// Time from `first` to `now`; none if the clock was set back between.
fn age(first: Timestamp, now: Timestamp) -> Duration {
    let micros = now.as_micros().saturating_sub(first.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn first_time(line: &[u8]) -> Option<Timestamp> {
    let line: serde_json::Value = serde_json::from_slice(line).ok()?;
    Timestamp::parse(line.get("timestamp")?.as_str()?)
}

fn header_number(line: &[u8]) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(line)
        .ok()?
        .pointer("/data/number")?
        .as_u64()
}

fn torn_file(line: &[u8]) -> Option<String> {
    let line: serde_json::Value = serde_json::from_slice(line).ok()?;
    Some(line.pointer("/data/torn/file")?.as_str()?.to_owned())
}

/// A store that holds a pipe or a folder in the place of a file is damaged; what cannot be read now may
/// be readable later.
pub(super) fn unreadable(path: &Path, error: io::Error) -> Error {
    if is_no_file(&error) {
        return damaged(path, &error.to_string());
    }
    Error::io(format!("cannot recover {}", path.display()), error)
}

fn damaged(path: &Path, text: &str) -> Error {
    Error::new(ErrorKind::Damaged, format!("{}: {text}", path.display()))
}
