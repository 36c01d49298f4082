//! `tail`: the newest records, and those that come.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::show::{print, wanted_streams};
use crate::{
    cli::TailArgs,
    exit::Exit,
    failure::Failure,
    filter::{Filter, Match},
    printer::Printer,
    record::Stored,
    source::{self, Line, Lines, Segment, Segments, StreamDir},
};

/// How soon a new record is seen.
const POLL: Duration = Duration::from_millis(200);
/// In so many polls, folders are looked through for new files and stores whatever their times say.
const POLLS_PER_RESCAN: u32 = 10;
/// The first guess at how far back the newest records begin.
const WINDOW_BYTES: u64 = 1 << 18;

pub(crate) fn run(args: &mut TailArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    if args.follow {
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(|error| {
                Failure::new(
                    format!("cannot wait for signals: {error}"),
                    "run without --follow",
                )
            })?;
        }
    }
    let filter = Filter::new(std::mem::take(&mut args.filter));
    let mut followers = BTreeMap::new();
    let mut newest = Vec::new();
    for stream in wanted_streams(&args.dir, &filter)? {
        let mut follower = Follower::new(stream.path.clone());
        newest.extend(follower.newest(args.lines, &filter)?);
        followers.insert(stream, follower);
    }
    by_time(&mut newest);
    for stored in newest.iter().skip(newest.len().saturating_sub(args.lines)) {
        print(printer, stored, args.json)?;
    }
    printer.flush()?;

    let mut polls = 0_u32;
    while args.follow && wait(&stop, POLL)? {
        polls = polls.wrapping_add(1);
        let rescan = polls.is_multiple_of(POLLS_PER_RESCAN);
        if rescan {
            add_new(&args.dir, &filter, &mut followers)?;
        }
        let mut fresh = Vec::new();
        for follower in followers.values_mut() {
            follower.read_on(rescan, &mut |stored| {
                if filter.matches(&stored) != Match::No {
                    fresh.push(stored);
                }
            })?;
        }
        by_time(&mut fresh);
        for stored in &fresh {
            print(printer, stored, args.json)?;
        }
        printer.flush()?;
    }
    Ok(Exit::Ok)
}

/// Streams that came since; all of their records are new.
fn add_new(
    dir: &Path,
    filter: &Filter,
    followers: &mut BTreeMap<StreamDir, Follower>,
) -> Result<(), Failure> {
    for stream in source::streams(dir)? {
        if filter.wants_channel(&stream.channel) && !followers.contains_key(&stream) {
            let follower = Follower::new(stream.path.clone());
            followers.insert(stream, follower);
        }
    }
    Ok(())
}

/// Stable, so that what has no time of its own stays where it is.
fn by_time(records: &mut [Stored]) {
    let mut latest: BTreeMap<String, String> = BTreeMap::new();
    records.sort_by_cached_key(|stored| {
        let stream = stored.text("stream").unwrap_or_default().to_owned();
        let latest = latest.entry(stream).or_default();
        let time = stored.text("timestamp").unwrap_or_default();
        if time > latest.as_str() {
            time.clone_into(latest);
        }
        latest.clone()
    });
}

/// Waits; `false` when it is time to go. Wakes at once if the reader of stdout has gone: then there
/// is nothing left to wait for.
fn wait(stop: &AtomicBool, time: Duration) -> Result<bool, Failure> {
    let stdout = io::stdout();
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    match rustix::event::poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(Failure::from(io::Error::from(error))),
    }
    let gone = watched[0]
        .revents()
        .intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
    Ok(!gone && !stop.load(Ordering::Relaxed))
}

/// A place in a stream, kept across rotations.
#[derive(Debug)]
struct Follower {
    dir: PathBuf,
    /// The folder's time when its files were last listed.
    listed: Option<std::time::SystemTime>,
    current: Option<Current>,
    /// Records below were shown: a segment that restates them does not show them again.
    next_seq: u64,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    first_seq: u64,
    /// Which file it is, whatever its name.
    inode: (u64, u64),
    /// After the last whole line.
    offset: u64,
    /// What stands from here on is restated in the next file.
    end: u64,
}

impl Follower {
    fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            listed: None,
            current: None,
            next_seq: 0,
        }
    }

    /// The newest `count` records that fit, oldest first; goes on behind them.
    fn newest(&mut self, count: usize, filter: &Filter) -> Result<VecDeque<Stored>, Failure> {
        let Segments {
            files: segments,
            unfinished,
        } = source::segments(&self.dir, 0)?;
        if let Some(last) = segments.last() {
            self.take_up(last)?;
        }
        let mut newest = VecDeque::new();
        for (index, segment) in segments.iter().enumerate().rev() {
            if newest.len() >= count && index + 1 < segments.len() {
                break;
            }
            let is_last = index + 1 == segments.len();
            let found = self.newest_of(segment, is_last, count - newest.len(), filter)?;
            for stored in found.into_iter().rev() {
                newest.push_front(stored);
            }
        }
        if let Some(path) = unfinished {
            let mut lines = Lines::open(&path, 0, u64::MAX)?;
            while let Some(Line { stored, ended, .. }) = lines.next()? {
                let known = stored.seq().is_some_and(|seq| seq < self.next_seq);
                if ended && !known && filter.matches(&stored) != Match::No {
                    newest.push_back(stored);
                }
            }
            let newer = newest.iter().filter_map(Stored::seq).max();
            self.next_seq = self
                .next_seq
                .max(newer.map_or(0, |seq| seq.saturating_add(1)));
            newest.drain(..newest.len().saturating_sub(count));
        }
        Ok(newest)
    }

    fn newest_of(
        &mut self,
        segment: &Segment,
        is_last: bool,
        count: usize,
        filter: &Filter,
    ) -> Result<VecDeque<Stored>, Failure> {
        let size = fs::metadata(&segment.path)
            .map_err(|error| Failure::io("open", &segment.path, error))?
            .len()
            .min(segment.end);
        let mut window = WINDOW_BYTES;
        loop {
            let start = size.saturating_sub(window);
            let mut lines = Lines::open(&segment.path, start, size)?;
            let mut found = VecDeque::with_capacity(count.min(1024) + 1);
            let mut skip_partial = start > 0;
            while let Some(line) = lines.next()? {
                if std::mem::take(&mut skip_partial) {
                    continue;
                }
                if is_last {
                    if !line.ended {
                        break;
                    }
                    self.passed(&line.stored, line.end);
                }
                if filter.matches(&line.stored) != Match::No {
                    found.push_back(line.stored);
                    if found.len() > count {
                        found.pop_front();
                    }
                }
            }
            let placed = !is_last || self.current.as_ref().is_some_and(|at| at.offset > 0);
            if (found.len() >= count && placed) || start == 0 {
                return Ok(found);
            }
            window = window.saturating_mul(8);
        }
    }

    fn passed(&mut self, stored: &Stored, end: u64) {
        if let Some(current) = &mut self.current {
            current.offset = end;
        }
        if let Some(seq) = stored.seq() {
            self.next_seq = self.next_seq.max(seq.saturating_add(1));
        }
    }

    fn take_up(&mut self, segment: &Segment) -> Result<(), Failure> {
        self.current = Some(Current {
            path: segment.path.clone(),
            first_seq: segment.first_seq,
            inode: inode(&segment.path)?,
            offset: 0,
            end: segment.end,
        });
        Ok(())
    }

    /// Gives every record that came since to `each`.
    fn read_on(&mut self, rescan: bool, each: &mut dyn FnMut(Stored)) -> Result<(), Failure> {
        self.read_current(each)?;
        loop {
            let changed = match fs::metadata(&self.dir).and_then(|metadata| metadata.modified()) {
                Ok(changed) => changed,
                // The store has left: archived, or its pod is gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(Failure::io("read folder", &self.dir, error)),
            };
            if !rescan && self.listed == Some(changed) {
                return Ok(());
            }
            let first_seq = self.current.as_ref().map_or(0, |current| current.first_seq);
            let segments = source::segments(&self.dir, first_seq)?;
            let Some(next) = self.next_of(segments.files)? else {
                // A file that still lacks its header is looked at again whatever the folder's time.
                self.listed = segments.unfinished.is_none().then_some(changed);
                return Ok(());
            };
            // Whatever the old one got before the new one came.
            self.read_current(each)?;
            self.take_up(&next)?;
            self.read_current(each)?;
        }
    }

    /// The file after the current one.
    fn next_of(&mut self, segments: Vec<Segment>) -> Result<Option<Segment>, Failure> {
        let Some(current) = &mut self.current else {
            return Ok(segments.into_iter().next());
        };
        let mut after = None;
        for (index, segment) in segments.iter().enumerate() {
            if inode(&segment.path)? == current.inode {
                current.path.clone_from(&segment.path);
                current.end = segment.end;
                after = Some(index + 1);
            }
        }
        Ok(match after {
            Some(index) => segments.into_iter().nth(index),
            // Ours is gone: archived, or set aside. Go on with the first that comes behind it.
            None => segments.into_iter().next(),
        })
    }

    fn read_current(&mut self, each: &mut dyn FnMut(Stored)) -> Result<(), Failure> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let size = match File::open(&current.path).and_then(|file| file.metadata()) {
            Ok(metadata) if (metadata.dev(), metadata.ino()) == current.inode => metadata.len(),
            // Renamed or removed: `next_segment` finds out.
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::io("open", &current.path, error)),
        };
        if size <= current.offset {
            // Shorter: recovery cut off a torn tail.
            current.offset = size;
            return Ok(());
        }
        if current.end <= current.offset {
            return Ok(());
        }
        let mut lines = Lines::open(&current.path, current.offset, current.end)?;
        while let Some(line) = lines.next()? {
            if !line.ended {
                break;
            }
            let shown = line.stored.seq().is_some_and(|seq| seq < self.next_seq);
            self.passed(&line.stored, line.end);
            if !shown {
                each(line.stored);
            }
        }
        Ok(())
    }
}

fn inode(path: &Path) -> Result<(u64, u64), Failure> {
    let metadata = fs::metadata(path).map_err(|error| Failure::io("open", path, error))?;
    Ok((metadata.dev(), metadata.ino()))
}
