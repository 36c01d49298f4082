//! Records that are missing, too many, in another order, or of another stream.

use super::{SECOND, clean, hash_of, replace};
use crate::{
    chain::{Digest, check_line},
    verify::{
        Options, Verdict,
        fixture::{FIRST, Stream, line},
        verify,
    },
};
use tempfile::TempDir;

#[test]
fn deleted_records_are_missed_where_they_stood() {
    for count in [1, 3] {
        let mut stream = clean();
        let from = line(stream.first(), 5).start;
        let to = line(stream.first(), 4 + count).end;
        stream.first().drain(from..to);
        let checked = stream.verify();
        checked.names(Verdict::Delete, FIRST, 5, 6, from..from);
    }
}

#[test]
fn a_deleted_first_record_is_missed() {
    let mut stream = clean();
    let at = line(stream.first(), 0);
    stream.first().drain(at);
    stream.verify().names(Verdict::Delete, FIRST, 0, 1, 0..0);

    let mut stream = clean();
    let at = line(stream.newest(), 0);
    stream.newest().drain(at);
    stream.verify().names(Verdict::Delete, SECOND, 12, 1, 0..0);
}

#[test]
fn a_closed_file_cut_at_its_end_is_missed_there() {
    let mut stream = clean();
    let from = line(stream.first(), 10).start;
    stream.first().truncate(from);
    let checked = stream.verify();
    checked.names(Verdict::Delete, FIRST, 10, 11, from..from);
}

#[test]
fn a_number_that_the_writer_left_out_is_a_gap() {
    let mut stream = clean();
    let skipped = stream.next_seq() + 2;
    let at = stream.newest().len();
    let link = stream.head().last();
    let forged = stream.forge(skipped, link);
    stream.newest().extend_from_slice(&forged);
    stream.verify().names(Verdict::Gap, SECOND, 23, 12, at..at);
}

#[test]
fn an_inserted_record_is_named_whatever_it_claims() {
    let links = |stream: &mut Stream| {
        let before = hash_of(stream.first(), 4);
        [before, hash_of(stream.first(), 5), Digest::of(b"any")]
    };
    for link in 0..3 {
        for seq in [5, 6, 3, 1_000_000] {
            let mut stream = clean();
            // Behind record 5, before record 6.
            let prev = links(&mut stream)[link];
            let forged = stream.forge(seq, prev);
            let at = line(stream.first(), 6).start;
            stream.first().splice(at..at, forged.iter().copied());
            if seq == 1_000_000 && link == 1 {
                // It links, so it looks like numbers left out; what follows gives it away.
                assert_ne!(stream.verify().verdict(), Verdict::Ok);
                continue;
            }
            let checked = stream.verify();
            let here = at..at + forged.len();
            checked.names(Verdict::Insert, FIRST, seq, 7, here);
        }
    }
}

#[test]
fn swapped_lines_are_a_reorder() {
    let mut stream = clean();
    let (one, two) = (line(stream.first(), 5), line(stream.first(), 6));
    let mut swapped = stream.first()[two.clone()].to_vec();
    swapped.extend_from_slice(&stream.first()[one.clone()]);
    stream.first().splice(one.start..two.end, swapped);
    let at = line(stream.first(), 5);
    stream.verify().names(Verdict::Reorder, FIRST, 6, 6, at);
}

#[test]
fn a_line_moved_far_is_a_reorder() {
    for (from, to) in [(3, 8), (8, 3)] {
        let mut stream = clean();
        let mut lines: Vec<Vec<u8>> = stream
            .first()
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        let moved = lines.remove(from);
        lines.insert(to, moved);
        *stream.first() = lines.concat();
        let at = line(stream.first(), to);
        let number = to as u64 + 1;
        stream
            .verify()
            .names(Verdict::Reorder, FIRST, from as u64, number, at);
    }
}

#[test]
fn a_copied_line_is_a_duplicate() {
    for to in [6, 9, 3] {
        let mut stream = clean();
        let copied = line(stream.first(), 5);
        let copied = stream.first()[copied].to_vec();
        let at = line(stream.first(), to).start;
        stream.first().splice(at..at, copied.iter().copied());
        let here = at..at + copied.len();
        let number = to as u64 + 1;
        stream
            .verify()
            .names(Verdict::Duplicate, FIRST, 5, number, here);
    }
    // Several, together.
    let mut stream = clean();
    let from = line(stream.first(), 3).start;
    let to = line(stream.first(), 5).end;
    let copied = stream.first()[from..to].to_vec();
    stream.first().splice(to..to, copied.iter().copied());
    let here = to..to + copied.len();
    stream.verify().names(Verdict::Duplicate, FIRST, 3, 7, here);
}

#[test]
fn a_line_of_another_stream_is_a_splice() {
    for (incarnation, channel) in [("0123456789abcdef", "app"), ("fedcba9876543210", "audit")] {
        let mut stream = clean();
        let mut other = Stream::of(incarnation, channel);
        other.records(10);
        let spliced = line(other.first(), 5);
        let spliced = other.first()[spliced].to_vec();
        let at = line(stream.first(), 5).start;
        replace(stream.first(), 5, &spliced);
        let here = at..at + spliced.len();
        stream.verify().names(Verdict::Splice, FIRST, 5, 6, here);
    }
}

#[test]
fn a_genesis_linked_to_another_name_is_a_splice() {
    let mut stream = Stream::new();
    stream.records(5);
    stream.sync();
    let mut line = stream.forge(0, Digest::of(b"any"));
    replace(stream.first(), 0, &line);
    let prev = check_line(&line[..line.len() - 1]).unwrap().hash;
    line = stream.forge(1, prev);
    replace(stream.first(), 1, &line);
    stream.forget_head();
    let checked = stream.verify();
    assert_eq!(checked.verdict(), Verdict::Splice);
    assert_eq!(checked.findings()[0].seq, Some(0));
}

#[test]
fn streams_in_each_others_places_are_a_splice() {
    let folder = TempDir::new().unwrap();
    let (audit, app) = (clean(), Stream::of("0123456789abcdef", "app"));
    let verdict = |store: &str| {
        let report = verify(&folder.path().join(store), &Options::default()).unwrap();
        report.verdict
    };
    audit.write(&folder.path().join("right"));
    app.write(&folder.path().join("right"));
    assert_eq!(verdict("right"), Verdict::Ok);
    audit.write_as(&folder.path().join("swapped"), "app");
    app.write_as(&folder.path().join("swapped"), "audit");
    assert_eq!(verdict("swapped"), Verdict::Splice);
    audit.write(&folder.path().join("mixed"));
    Stream::of("fedcba9876543210", "app").write(&folder.path().join("mixed"));
    assert_eq!(verdict("mixed"), Verdict::Splice);
}
