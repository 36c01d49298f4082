//! Hands parts of files to threads and gives the results back in the order of the files.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    sync::{Condvar, Mutex, PoisonError, mpsc},
    thread,
};

use super::{
    plan::{Segment, cannot_read},
    scan::{Chunk, Range, Scan},
    window::Buffer,
};
use crate::error::Error;

/// How many parts per thread may wait for an earlier one: a bound on memory.
const AHEAD: usize = 4;

/// One part of one file.
#[derive(Clone, Copy, Debug)]
struct Job {
    segment: usize,
    range: Range,
}

/// Checks all of `segments` and calls `sink` with each part, in order.
pub(super) fn scan_all(
    segments: &[Segment],
    scan: Scan<'_>,
    chunk_bytes: u64,
    threads: usize,
    mut sink: impl FnMut(usize, Range, Chunk) -> Result<(), Error>,
) -> Result<(), Error> {
    let jobs = || {
        segments.iter().enumerate().flat_map(|(at, segment)| {
            let starts =
                (0..segment.end).step_by(usize::try_from(chunk_bytes).unwrap_or(usize::MAX));
            starts.map(move |start| Job {
                segment: at,
                range: Range {
                    start,
                    end: start.saturating_add(chunk_bytes).min(segment.end),
                    len: segment.end,
                },
            })
        })
    };
    let threads = threads.min(jobs().take(threads).count());
    if threads < 2 {
        let mut worker = Worker::new(segments, scan);
        return jobs().try_for_each(|job| sink(job.segment, job.range, worker.run(job)?));
    }

    let queue = Mutex::new(Queue {
        jobs: jobs().enumerate(),
        next: 0,
        limit: threads.saturating_mul(AHEAD),
        stopped: false,
    });
    let moved = Condvar::new();
    let (results, received) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let results = results.clone();
            let (queue, moved) = (&queue, &moved);
            scope.spawn(move || {
                let mut worker = Worker::new(segments, scan);
                while let Some((number, job)) = take(queue, moved) {
                    if results.send((number, job, worker.run(job))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(results);

        let mut waiting = BTreeMap::new();
        let mut needed = 0_usize;
        let mut outcome = Ok(());
        for (number, job, result) in received {
            if outcome.is_err() {
                continue;
            }
            waiting.insert(number, (job, result));
            while let Some((job, result)) = waiting.remove(&needed) {
                outcome = result.and_then(|chunk| sink(job.segment, job.range, chunk));
                needed = needed.saturating_add(1);
                if outcome.is_err() {
                    break;
                }
            }
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.limit = needed.saturating_add(threads.saturating_mul(AHEAD));
            queue.stopped = outcome.is_err();
            drop(queue);
            moved.notify_all();
        }
        outcome
    })
}

struct Queue<J> {
    jobs: J,
    next: usize,
    limit: usize,
    stopped: bool,
}

fn take<J: Iterator<Item = (usize, Job)>>(
    queue: &Mutex<Queue<J>>,
    moved: &Condvar,
) -> Option<(usize, Job)> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut queue = moved
        .wait_while(queue, |queue| !queue.stopped && queue.next >= queue.limit)
        .unwrap_or_else(PoisonError::into_inner);
    if queue.stopped {
        return None;
    }
    queue.next = queue.next.saturating_add(1);
    queue.jobs.next()
}

/// One thread's buffer and open file.
struct Worker<'w> {
    segments: &'w [Segment],
    scan: Scan<'w>,
    buffer: Buffer,
    open: Option<(usize, File)>,
}

impl<'w> Worker<'w> {
    fn new(segments: &'w [Segment], scan: Scan<'w>) -> Self {
        Self {
            segments,
            scan,
            buffer: Buffer::new(),
            open: None,
        }
    }

    fn run(&mut self, job: Job) -> Result<Chunk, Error> {
        let Some(segment) = self.segments.get(job.segment) else {
            return Ok(Chunk::default());
        };
        self.chunk(segment, job)
            .map_err(|error| cannot_read(&segment.path, error))
    }

    fn chunk(&mut self, segment: &Segment, job: Job) -> io::Result<Chunk> {
        let file = match self.open.take() {
            Some((at, file)) if at == job.segment => file,
            _ => File::open(&segment.path)?,
        };
        let (_, file) = self.open.insert((job.segment, file));
        self.scan.chunk(file, job.range, &mut self.buffer)
    }
}
