//! What a crash leaves, and what only looks like it.

use super::{SECOND, clean};
use crate::{
    layout::{HEAD, STREAMS},
    verify::{
        Options, Verdict,
        fixture::{CHANNEL, FIRST, Stream, line, put},
        verify,
    },
};
use tempfile::TempDir;

#[test]
fn a_partial_last_line_is_torn_and_below_the_bound_truncated() {
    let mut stream = clean();
    let durable = stream.newest().len();
    stream.records(2);
    let last = line(stream.newest(), 12);
    stream.newest().truncate(last.end - 30);
    let torn = last.start..last.end - 30;
    let checked = stream.verify();
    checked.names(Verdict::Torn, SECOND, 24, 13, torn);
    assert_eq!(checked.report.exit, 4);

    stream.newest().truncate(durable - 1);
    let last = line(clean().newest(), 10);
    stream
        .verify()
        .names(Verdict::Truncated, SECOND, 22, 11, last.start..durable - 1);
    stream.newest().truncate(last.start);
    let end = last.start..last.start;
    stream
        .verify()
        .names(Verdict::Truncated, SECOND, 22, 11, end);
    // A cut that takes durable records and the lines before them with it.
    let earlier = line(stream.newest(), 4).start;
    stream.newest().truncate(earlier);
    let end = earlier..earlier;
    stream
        .verify()
        .names(Verdict::Truncated, SECOND, 16, 5, end);
}

#[test]
fn a_tail_of_zeros_or_noise_above_the_bound_is_torn() {
    for tail in [
        vec![0; 5_000],
        vec![0; 500_000],
        b"noise\nand more\n\n".to_vec(),
    ] {
        let mut stream = clean();
        let durable = stream.newest().len();
        stream.newest().extend_from_slice(&tail);
        let here = durable..durable + tail.len();
        stream.verify().names(Verdict::Torn, SECOND, 23, 12, here);
    }
}

#[test]
fn damage_above_the_bound_with_records_behind_it_is_an_edit_unless_it_is_a_hole() {
    let mut stream = clean();
    stream.records(5);
    let at = line(stream.newest(), 13);
    let mut edited = stream.clone();
    edited.newest()[at.start + 100] ^= 1;
    edited
        .verify()
        .names(Verdict::Edit, SECOND, 25, 14, at.clone());

    let mut hole = stream.clone();
    hole.newest()[at.start..at.end - 1].fill(0);
    hole.verify().names(Verdict::Torn, SECOND, 25, 14, at);

    let mut sector = Stream::new();
    sector.records(100);
    sector.first()[4096..8192].fill(0);
    assert_eq!(sector.verify().verdict(), Verdict::Torn);
    // The same bytes below the bound are tampering.
    sector.sync();
    assert_eq!(sector.verify().verdict(), Verdict::Edit);
}

#[test]
fn damage_below_the_bound_is_tampering_also_at_the_end() {
    let mut stream = clean();
    let at = line(stream.newest(), 10);
    stream.newest()[at.start + 100] ^= 1;
    stream.verify().names(Verdict::Edit, SECOND, 22, 11, at);
    // In a closed file there is no bound.
    let mut stream = clean();
    let at = line(stream.first(), 11);
    stream.first()[at.start + 100] ^= 1;
    stream.forget_head();
    stream.verify().names(Verdict::Edit, FIRST, 11, 12, at);
}

#[test]
fn a_head_file_that_is_gone_or_damaged_says_nothing() {
    let mut stream = clean();
    let from = line(stream.newest(), 8).start;
    stream.newest().truncate(from);
    assert_eq!(stream.verify().verdict(), Verdict::Truncated);
    let store = TempDir::new().unwrap();
    stream.write(store.path());
    let head = store.path().join(STREAMS).join(CHANNEL).join(HEAD);
    put(&head, &[7; 128]);
    let report = verify(store.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    assert_eq!(report.stores[0].streams[0].durable_seq, None);
}
