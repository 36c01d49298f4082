//! What follows a sync that failed: another segment restates what it was to make durable.

use std::io;

use super::{Position, Stream, Tail};
use crate::{
    chain::Head,
    layout,
    lifecycle::{Previous, Scribe},
    metric,
    store::{
        durable,
        fs::Access,
        segment::{AppendError, Segment},
    },
};

impl Stream {
    /// Restates, in a new segment, every line since the last good sync.
    ///
    /// 1. a file of that name set aside      crash: the restated lines were never acknowledged
    /// 2. lines and header written to a new  crash: it is incomplete and is set aside as torn
    /// 3. new segment and folder synced      crash: as above, or complete
    /// 4. head file's slot                   crash: the head lags, the new segment counts
    pub(super) fn supersede(&mut self, scribe: &Scribe) -> io::Result<()> {
        let Tail::Poisoned { segment: old } = &self.tail else {
            return Ok(());
        };
        let previous = Previous {
            name: old.name.clone(),
            bytes: self.durable.offset,
            superseded: true,
        };
        let number = old.number + 1;
        let first_seq = self.durable.next_seq;
        let name = layout::segment_name(first_seq);
        let path = self.dir.join(&name);

        // 1
        let file = match self.fs.open(&path, Access::Create) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder()?;
                self.fs.open(&path, Access::Create)?
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.restating == Some(first_seq) {
                    // Our own attempt that was never completed: nothing refers to it.
                    let mut file = self.fs.open(&path, Access::Append)?;
                    file.set_len(0)?;
                    file
                } else {
                    durable::set_aside(&*self.fs, &self.dir, &name, |n| {
                        layout::superseded_name(&name, n)
                    })?;
                    self.fs.open(&path, Access::Create)?
                }
            }
            opened => opened?,
        };
        self.restating = Some(first_seq);

        // 2
        let before = self.before();
        let header = scribe.header(self.channel, number, &previous, before.as_ref());
        let mut lines = self.unsynced.clone();
        let mut head = Head::after(&self.id, self.written.next_seq, self.written.last);
        let restated = lines.len();
        let linked = head.link(&header, &mut lines);
        let mut segment = Segment {
            file,
            name,
            first_seq,
            number,
            len: 0,
        };
        segment.append(&lines).map_err(|error| match error {
            AppendError::CutBack(error) | AppendError::LeftPartial(error) => error,
        })?;

        // 3
        segment.file.sync_data()?;
        self.fs.sync_dir(&self.dir)?;

        // 4
        self.appended += lines.len() as u64;
        if let Some(tree) = &self.tree {
            if previous.bytes > 0 {
                tree.end_segment(&previous.name, previous.bytes, self.durable.last);
            }
            // Those before are of the records that were restated.
            self.hashes.push(linked.hash);
        }
        self.restating = None;
        self.checkpoints = None;
        metric::count("compliance_log_poisoned");
        if self.settings.echo {
            self.echo.extend_from_slice(&lines[restated..]);
        }
        self.head = head;
        self.written = Position {
            next_seq: self.head.next_seq(),
            last: self.head.last(),
        };
        self.tail = Tail::Open {
            segment,
            due: self.age_limit(scribe),
        };
        self.mark_durable();
        Ok(())
    }

    pub(super) fn poison(&mut self) {
        let closed = Tail::Closed {
            number: 0,
            previous: Previous {
                name: String::new(),
                bytes: 0,
                superseded: false,
            },
        };
        self.tail = match std::mem::replace(&mut self.tail, closed) {
            Tail::Open { segment, .. } => Tail::Poisoned { segment },
            other => other,
        };
    }

    /// `mkdir` of the stream's folder and the one above, but never of the store's: that one is another
    /// store once it is gone.
    pub(super) fn make_folder(&self) -> io::Result<()> {
        let Some(streams) = self.dir.parent() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        for folder in [streams, &self.dir] {
            match self.fs.create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        if let Some(store) = streams.parent() {
            self.fs.sync_dir(store)?;
        }
        self.fs.sync_dir(streams)
    }
}
