//! Each tampering is called by its name and found in its place; no clean store is accused.

mod clean;
mod edits;
mod order;
mod files;
mod crash;
mod superseding;
mod limits;
mod everywhere;
mod properties;

use super::fixture::{Stream, line};
use crate::chain::{Digest, check_line};

pub(super) const SECOND: &str = "00000000000000000012.jsonl";

/// Genesis, records 1 to 10, footer 11; header 12, records 13 to 22.
pub(super) fn clean() -> Stream {
    Stream::two_segments(10)
}

pub(super) fn replace(file: &mut Vec<u8>, number: usize, with: &[u8]) {
    let at = line(file, number);
    file.splice(at, with.iter().copied());
}

pub(super) fn hash_of(file: &[u8], number: usize) -> Digest {
    let at = line(file, number);
    check_line(&file[at.start..at.end - 1]).unwrap().hash
}

pub(super) fn lines_of(file: &[u8]) -> Vec<Vec<u8>> {
    let lines = file.split_inclusive(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}
