//! Bounds and options.

use super::clean;
use crate::verify::{
    Options, Verdict,
    fixture::{FIRST, Stream, line, put},
    verify,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tempfile::TempDir;

#[test]
fn findings_beyond_the_limit_are_counted() {
    let mut stream = Stream::two_segments(1_500);
    for number in 1..1_500 {
        let at = line(stream.first(), number);
        stream.first()[at.start + 100] ^= 1;
    }
    let checked = stream.verify();
    assert_eq!(checked.verdict(), Verdict::Edit);
    assert!(checked.findings().len() <= 1_002);
    // Through small chunks each is a piece of its own.
    let checked = stream.verify_with(&Options::default().chunk_bytes(10_000));
    assert_eq!(checked.findings().len(), 1_000);
    assert_eq!(checked.stream().findings_omitted, 499);
}

#[test]
fn every_second_line_deleted_does_not_run_away() {
    let mut stream = Stream::two_segments(3_000);
    let lines: Vec<&[u8]> = stream.files[FIRST]
        .split_inclusive(|byte| *byte == b'\n')
        .collect();
    let kept: Vec<u8> = lines
        .iter()
        .step_by(2)
        .copied()
        .collect::<Vec<_>>()
        .concat();
    *stream.first() = kept;
    let checked = stream.verify();
    assert_eq!(checked.verdict(), Verdict::Edit);
    assert!(checked.findings().len() <= 1_000);
    let last = checked.stream().islands.last().unwrap();
    assert_eq!(last.last, stream.next_seq() - 1);
}

#[test]
fn progress_reaches_the_last_byte() {
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    let options = Options::default().chunk_bytes(500).progress(move |bytes| {
        assert!(bytes >= counter.swap(bytes, Ordering::Relaxed));
    });
    let stream = clean();
    stream.verify_with(&options).is_ok();
    let bytes: usize = stream.files.values().map(Vec::len).sum();
    assert_eq!(seen.load(Ordering::Relaxed), bytes as u64);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let store = TempDir::new().unwrap();
    put(&store.path().join("file"), b"");
    let error = verify(&store.path().join("file"), &Options::default()).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Io);
}
