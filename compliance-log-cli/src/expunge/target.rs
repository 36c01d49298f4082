use std::path::PathBuf;

use compliance_log::{
    chain::{Digest, StreamId, check_line, expunged_line},
    seal::Origin,
};

use crate::{
    failure::Failure,
    record::Stored,
    sealed::{SealedAt, SealedStore, stream_id},
    source::{self, Lines},
};

/// What the log says of itself is what everything else is judged by.
const OWN: [&str; 10] = [
    "chain.", "segment.", "seal.", "stream.", "anchor.", "log.", "policy.", "key.", "clock.",
    "volume.",
];

/// A sealed record.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) origin: Origin,
    pub(crate) stream: StreamId,
    pub(crate) seq: u64,
    pub(crate) hash: Digest,
    pub(crate) file: PathBuf,
    /// Whether a writer would go on in that file.
    pub(crate) newest: bool,
    /// As it stands there, without its end.
    pub(crate) line: Vec<u8>,
    /// Its text was taken out before.
    pub(crate) expunged: bool,
}

impl Target {
    /// Looks for a record, and whether it is the one that was sealed.
    ///
    /// # Errors
    ///
    /// One that is not there, not sealed, not what was sealed, or that nobody may take out.
    pub(crate) fn find(store: &SealedStore, stream: &str, seq: u64) -> Result<Self, Failure> {
        let origin = store.origin()?;
        let stream = stream_id(stream, origin.as_str())?;
        let [.., channel] = stream.parts();
        let refuse =
            |why: &str, hint: &str| Failure::new(format!("sequence {seq} of {stream} {why}"), hint);
        let unsealed = || {
            refuse(
                "is not there, or not sealed yet",
                "what is written is sealed some seconds later; `compliance-log tail` shows the newest sequence",
            )
        };
        let newest = store.newest()?.ok_or_else(unsealed)?;
        let end = newest.statement().size;
        let sealed = SealedAt::find(store, stream.as_str(), seq, end)?.ok_or_else(unsealed)?;
        let line = sealed.record(store, channel, seq)?.line;

        let files = source::segments(&store.stream(channel), 0)?.files;
        let at = files.partition_point(|segment| segment.first_seq <= seq);
        let file = at.checked_sub(1).and_then(|at| files.get(at));
        let file = file.ok_or_else(unsealed)?;
        let (hash, expunged) = match (check_line(&line), expunged_line(&line)) {
            (Ok(line), _) => (line.hash, false),
            (Err(_), Some(line)) => (line.hash, true),
            (Err(_), None) => return Err(unsealed()),
        };
        let stored = Stored::parse(line.clone());
        let event = stored
            .fields
            .as_ref()
            .and_then(|fields| fields.get("event"));
        let event = event.and_then(|event| event.as_str()).unwrap_or_default();
        if channel == "catalog" || OWN.iter().any(|own| event.starts_with(own)) {
            return Err(refuse(
                &format!("is what the log says of itself ({event})"),
                "such records hold nothing of anybody, and everything else is judged by them",
            ));
        }
        Ok(Self {
            newest: at == files.len(),
            file: file.path.clone(),
            origin,
            seq,
            hash,
            line,
            expunged,
            stream,
        })
    }

    /// Where it begins in its file.
    ///
    /// # Errors
    ///
    /// A file that changed meanwhile.
    pub(crate) fn offset(&self) -> Result<usize, Failure> {
        let mut lines = Lines::open(&self.file, 0, u64::MAX)?;
        let mut offset = 0;
        while let Some((line, ended)) = lines.next_raw()? {
            if ended && line == self.line {
                return Ok(offset);
            }
            offset += line.len() + 1;
        }
        Err(Failure::new(
            format!(
                "sequence {} went from {} meanwhile",
                self.seq,
                self.file.display()
            ),
            "nothing was changed: try again",
        ))
    }
}
