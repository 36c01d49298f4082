//! One append-only file of a stream.

use std::io;

use super::fs::StoreFile;

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: Box<dyn StoreFile>,
    pub(super) name: String,
    pub(super) first_seq: u64,
    /// Counts the stream's segments from 0.
    pub(super) number: u64,
    /// Bytes of whole records; what the file holds beyond was not written by us, or not wholly.
    pub(super) len: u64,
}

impl Segment {
    /// Appends whole records. After an error the file ends where it ended before, and that is durable,
    /// unless cutting it back failed too: else a crash could bring back what was said not to be stored.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), AppendError> {
        match self.file.append(lines) {
            Ok(()) => {
                self.len += lines.len() as u64;
                Ok(())
            }
            Err(error) => {
                let cut = self.file.set_len(self.len);
                match cut.and_then(|()| self.file.sync_data()) {
                    Ok(()) => Err(AppendError::CutBack(error)),
                    Err(_) => Err(AppendError::LeftPartial(error)),
                }
            }
        }
    }
}

/// How a failed append left the file.
#[derive(Debug)]
pub(super) enum AppendError {
    /// As it was before.
    CutBack(io::Error),
    /// With some of the bytes at its end.
    LeftPartial(io::Error),
}
