#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    fs::{self, File},
    io::{self, ErrorKind as IoErrorKind, Read as _},
    path::Path,
};

use crate::{
    chain::Digest,
    error::Error,
    seal::note::NoteFile,
    sha256::Sha256,
    verify::{plan::cannot_read, window::to_u64},
};

const READ_BYTES: usize = 256 << 10;
/// No note is longer; what has no end by then is damage and is not kept in memory.
const NOTE_BYTES_MAX: usize = 1 << 20;

/// Where a note stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::verify) struct NotePlace<'f> {
    /// Relative to the store.
    pub(super) file: &'f str,
    /// From 1.
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// What a file of notes came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended<'f> {
    pub(super) bytes: u64,
    pub(super) digest: Digest,
    /// What stands behind the last whole note.
    pub(super) torn: Option<NotePlace<'f>>,
}

/// Calls `each` for every whole note of `store/file`, in order, up to the length that the file has now, or
/// had when somebody looked. `None` if there is no such file.
pub(super) fn read_notes<'f>(
    store: &Path,
    file: &'f str,
    looked: Option<u64>,
    each: impl FnMut(NotePlace<'f>, &[u8]),
) -> Result<Option<Ended<'f>>, Error> {
    let path = store.join(file);
    match fs::metadata(&path) {
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(None),
        Ok(metadata) if !metadata.is_file() => Ok(None),
        Ok(metadata) => read(
            &path,
            file,
            metadata.len().min(looked.unwrap_or(u64::MAX)),
            each,
        )
        .map(Some)
        .map_err(|error| cannot_read(&path, error)),
        Err(error) => Err(cannot_read(&path, error)),
    }
}

fn read<'f>(
    path: &Path,
    file: &'f str,
    len: u64,
    mut each: impl FnMut(NotePlace<'f>, &[u8]),
) -> io::Result<Ended<'f>> {
    let mut reader = File::open(path)?.take(len);
    let mut hasher = Sha256::new();
    let mut place = NotePlace {
        file,
        line: 1,
        offset: 0,
        length: 0,
    };
    let mut held: Vec<u8> = Vec::new();
    let mut damaged = false;
    loop {
        let before = held.len();
        reader
            .by_ref()
            .take(to_u64(READ_BYTES))
            .read_to_end(&mut held)?;
        let fresh = held.get(before..).unwrap_or_default();
        if fresh.is_empty() {
            break;
        }
        hasher.update(fresh);
        if damaged || before > NOTE_BYTES_MAX {
            // Only its length is of interest any more.
            damaged = true;
            place.length = place.length.saturating_add(to_u64(held.len()));
            held.clear();
            continue;
        }
        let NoteFile { notes, torn } = NoteFile::split(&held);
        for (_, note) in notes {
            // With the empty line behind it.
            place.length = to_u64(note.len()).saturating_add(1);
            each(place, note);
            let lines = memchr::memchr_iter(b'\n', note).count();
            place.line = place.line.saturating_add(to_u64(lines)).saturating_add(1);
            place.offset = place.offset.saturating_add(place.length);
        }
        place.length = 0;
        let rest = torn.and_then(|at| usize::try_from(at).ok());
        held.drain(..rest.unwrap_or(held.len()));
    }
    place.length = place.length.saturating_add(to_u64(held.len()));
    Ok(Ended {
        bytes: len,
        digest: Digest::new(hasher.finish()),
        torn: (place.length > 0).then_some(place),
    })
}
