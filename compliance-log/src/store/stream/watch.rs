//! What becomes of a stream whose files somebody else removes, replaces or cuts.

use super::{Stream, Tail, WriteError};
use crate::{
    layout,
    lifecycle::Scribe,
    metric,
    store::{
        altered::{Altered, How},
        head::HeadFile,
    },
};

impl Stream {
    /// Looks whether the files that are open are still those in the folder. A segment that is not is
    /// left: another one restates what was not durable in it, and the chain goes on there. A head file
    /// that is not is made anew. [`Stream::take_altered`] then tells of it.
    pub(crate) fn watch(&mut self, scribe: &Scribe) -> Result<(), WriteError> {
        if self.has_batch() {
            return Ok(());
        }
        let left = match self.segment_altered() {
            Some(how) => self.leave(how, scribe),
            None => Ok(()),
        };
        if let Some(head_file) = &self.head_file
            && let Some(how) = head_file.altered(&*self.fs, &self.dir)
            && let Ok(head_file) = HeadFile::open(&*self.fs, &self.dir)
            && self.fs.sync_dir(&self.dir).is_ok()
        {
            self.head_file = Some(head_file);
            self.publish();
            self.sync_head_file();
            self.note(layout::HEAD, how, None);
        }
        left
    }

    /// What somebody else did to the segment of a catalog, which is not left for another one.
    pub(in crate::store) fn altered(&self) -> Option<Altered> {
        let (Tail::Open { segment, .. }, how) = (&self.tail, self.segment_altered()?) else {
            return None;
        };
        Some(self.what(&segment.name, how, None))
    }

    /// What somebody else did to the files since this was asked last.
    pub(crate) fn take_altered(&mut self) -> Vec<Altered> {
        std::mem::take(&mut self.altered)
    }

    /// Leaves the store's folder, which is not where it was. Says how many records were written there
    /// that no sync covers, if its file went too. After a failed sync, another one that succeeds says
    /// nothing of the bytes before.
    pub(crate) fn abandon(&mut self) -> u64 {
        if let Tail::Open { segment, .. } = &mut self.tail {
            let synced = segment.file.sync_data().is_ok();
            let kept = matches!(segment.file.seen(), Ok(Some(seen)) if seen.links > 0);
            if synced && kept {
                return 0;
            }
        }
        memchr::memchr_iter(b'\n', &self.unsynced).count() as u64
    }

    /// `fstat` of the open segment, `lstat` of its name.
    pub(super) fn segment_altered(&self) -> Option<How> {
        let Tail::Open { segment, .. } = &self.tail else {
            return None;
        };
        let path = self.dir.join(&segment.name);
        How::of(&*self.fs, &path, segment.file.seen().ok()?, segment.len)
    }

    pub(super) fn leave(&mut self, how: How, scribe: &Scribe) -> Result<(), WriteError> {
        if let Tail::Open { segment, .. } = &self.tail {
            let last = self.durable.next_seq.saturating_sub(1);
            let records = (segment.first_seq < self.durable.next_seq && how != How::Cut)
                .then_some((segment.first_seq, last));
            let name = segment.name.clone();
            self.note(&name, how, records);
        }
        self.poison();
        self.supersede(scribe).map_err(|error| self.error(error))
    }

    pub(super) fn note(&mut self, file: &str, how: How, records: Option<(u64, u64)>) {
        metric::count("compliance_log_files_altered");
        let altered = self.what(file, how, records);
        self.altered.push(altered);
    }

    fn what(&self, file: &str, how: How, records: Option<(u64, u64)>) -> Altered {
        Altered {
            file: format!("{}/{}/{file}", layout::STREAMS, self.channel.as_str()),
            how,
            records,
        }
    }
}
