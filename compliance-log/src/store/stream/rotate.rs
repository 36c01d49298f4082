//! Where a segment ends and the next begins.

use std::{io, time::Duration};

use super::{Durable, Stream, Tail, WriteError};
use crate::{
    chain::FRAME_BYTES_MAX,
    layout,
    lifecycle::{Previous, Rotation, Scribe},
    metric,
    store::{durable, fs::Access, segment::Segment},
};

impl Stream {
    /// Why the segment must end before a record of `body_bytes` is linked.
    pub(crate) fn rotation_due(&self, body_bytes: usize, now: Duration) -> Option<Rotation> {
        let Tail::Open { segment, due } = &self.tail else {
            return None;
        };
        let bytes = segment.len + (self.batch.len() + body_bytes + FRAME_BYTES_MAX) as u64;
        if bytes > self.settings.segment_bytes_max {
            Some(Rotation::Size)
        } else if now >= *due {
            Some(Rotation::Time)
        } else {
            None
        }
    }

    /// Makes the stream ready for records: begins the next segment, or supersedes a poisoned one.
    pub(crate) fn ready(&mut self, scribe: &Scribe) -> Result<(), WriteError> {
        match self.tail {
            Tail::Open { .. } => Ok(()),
            Tail::Closed { .. } => self.open_next(scribe).map_err(|error| self.error(error)),
            Tail::Poisoned { .. } => self.supersede(scribe).map_err(|error| self.error(error)),
        }
    }

    /// Ends the segment and begins the next.
    ///
    /// 1. footer written            crash: the newest segment may have a footer; the next start begins another
    /// 2. segment and head synced   crash: as above, and everything in it is durable
    /// 3. segment made read-only    crash: as above
    /// 4. next file, folder synced  crash: the newest segment is empty; the next start writes its header
    /// 5. header written            crash: an ordinary tail
    pub(crate) fn rotate(&mut self, scribe: &Scribe, reason: Rotation) -> Result<(), WriteError> {
        // 1, 2, 3
        self.end_segment(scribe, reason)?;
        // 4, 5
        self.ready(scribe)
    }

    /// Ends the segment, unless another one had to supersede it; [`Stream::ready`] begins the next.
    pub(in crate::store) fn end_segment(
        &mut self,
        scribe: &Scribe,
        reason: Rotation,
    ) -> Result<(), WriteError> {
        self.write()?;
        let Tail::Open { segment, .. } = &self.tail else {
            return self.ready(scribe);
        };
        let records = self.head.next_seq() - segment.first_seq + 1;
        let before = (self.unsynced.len(), self.echo.len(), self.written);

        // 1
        self.link(&scribe.footer(self.channel, records, reason));
        self.write()?;

        // 2
        let Tail::Open { segment, .. } = &mut self.tail else {
            return self.ready(scribe);
        };
        if segment.file.sync_data().is_err() {
            // The segment that supersedes this one goes on instead of it, so the footer never was.
            self.unsynced.truncate(before.0);
            self.echo.truncate(before.1);
            self.written = before.2;
            self.go_back();
            self.poison();
            return self.ready(scribe);
        }
        self.mark_durable();
        self.sync_head_file();

        // 3
        self.close_segment();
        Ok(())
    }

    pub(super) fn close_segment(&mut self) {
        let Tail::Open { segment, .. } = &self.tail else {
            return;
        };
        let previous = Previous {
            name: segment.name.clone(),
            bytes: segment.len,
            superseded: false,
        };
        let number = segment.number + 1;
        // A segment that stays writable is no less true: the chain proves it, not its mode.
        if self
            .fs
            .make_read_only(&self.dir.join(&segment.name))
            .is_err()
        {
            metric::count("compliance_log_write_errors");
        }
        if let Some(tree) = &self.tree {
            tree.end_segment(&previous.name, previous.bytes, self.written.last);
        }
        self.tail = Tail::Closed { number, previous };
    }

    /// `open(O_CREAT | O_EXCL)` of the next segment, `fsync` of the folder, `write` of its header.
    pub(super) fn open_next(&mut self, scribe: &Scribe) -> io::Result<()> {
        let Tail::Closed { number, previous } = &self.tail else {
            return Ok(());
        };
        let (number, previous) = (*number, previous.clone());
        let first_seq = self.head.next_seq();
        let name = layout::segment_name(first_seq);
        let path = self.dir.join(&name);
        let file = match self.fs.open(&path, Access::Create) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Left by an attempt that failed, or by a crash, before its header was whole.
                let file = self.fs.open(&path, Access::Append)?;
                if file.len()? > 0 {
                    durable::set_aside(&*self.fs, &self.dir, &name, |n| {
                        layout::torn_name(&name, 0, n)
                    })?;
                    self.fs.open(&path, Access::Create)?
                } else {
                    file
                }
            }
            opened => opened?,
        };
        self.fs.sync_dir(&self.dir)?;
        let segment = Segment {
            file,
            name,
            first_seq,
            number,
            len: 0,
        };
        self.tail = Tail::Open {
            segment,
            due: self.age_limit(scribe),
        };
        self.durable = Durable {
            offset: 0,
            next_seq: first_seq,
            last: self.head.last(),
        };
        let before = self.before();
        self.link(&scribe.header(self.channel, number, &previous, before.as_ref()));
        let written = self.write_batch();
        match written {
            Ok(()) => self.checkpoints = None,
            Err(_) => self.tail = Tail::Closed { number, previous },
        }
        written
    }

    /// When a segment that begins now is as old as one may be.
    pub(super) fn age_limit(&self, scribe: &Scribe) -> Duration {
        let now = scribe.clock.monotonic();
        now.saturating_add(self.settings.segment_age_max)
    }
}
