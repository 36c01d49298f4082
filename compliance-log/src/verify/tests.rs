//! Each tampering is called by its name and found in its place; no clean store is accused.

use std::{
    fs,
    io::Write as _,
    num::NonZero,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    Options, Verdict,
    fixture::{CHANNEL, Checked, FIRST, Stream, line, put, structural},
    parallel::scan_all,
    plan::Plan,
    scan::{Chunk, Range, Scan},
    stitch::Stitch,
    verify,
    window::Buffer,
};
use crate::{
    chain::{Digest, check_line},
    layout::{HEAD, STREAMS, torn_name},
};

const SECOND: &str = "00000000000000000012.jsonl";

/// Genesis, records 1 to 10, footer 11; header 12, records 13 to 22.
fn clean() -> Stream {
    Stream::two_segments(10)
}

fn replace(file: &mut Vec<u8>, number: usize, with: &[u8]) {
    let at = line(file, number);
    file.splice(at, with.iter().copied());
}

fn hash_of(file: &[u8], number: usize) -> Digest {
    let at = line(file, number);
    check_line(&file[at.start..at.end - 1]).unwrap().hash
}

// ---- what is clean ---------------------------------------------------------------------------

#[test]
fn a_clean_store_is_ok() {
    let checked = clean().verify();
    checked.is_ok();
    let stream = checked.stream();
    assert_eq!(stream.stream, "svc/host-1/0123456789abcdef/audit");
    assert_eq!((stream.first, stream.last), (Some(0), Some(22)));
    assert_eq!((stream.records, stream.segments), (23, 2));
    assert_eq!(stream.durable_seq, Some(22));
}

#[test]
fn the_report_prints_in_the_promised_shape() {
    let mut stream = clean();
    let at = line(stream.first(), 5);
    stream.first()[at.start + 60] ^= 1;
    let json = serde_json::to_value(stream.verify().report).unwrap();
    assert_eq!(json["verdict"], "EDIT");
    assert_eq!(json["exit"], 1);
    let store = &json["stores"][0];
    assert_eq!(store["streams"][0]["durable_seq"], 22);
    let finding = &store["findings"][0];
    assert_eq!(finding["file"], format!("{STREAMS}/{CHANNEL}/{FIRST}"));
    assert_eq!(finding["line"], 6);
    assert!(store.get("notes").is_none());

    let empty = verify("/no/such/folder".as_ref(), &Options::default()).unwrap();
    assert_eq!(
        serde_json::to_string(&empty).unwrap(),
        r#"{"verdict":"NOTHING_CHECKED","exit":2,"stores":[]}"#
    );
}

#[test]
fn nothing_to_check_is_never_a_success() {
    let folder = TempDir::new().unwrap();
    let check = || verify(folder.path(), &Options::default()).unwrap();
    let nothing = |report: super::Report| {
        assert_eq!((report.verdict, report.exit), (Verdict::NothingChecked, 2));
    };
    nothing(check());
    fs::create_dir_all(folder.path().join("host-0123456789abcdef")).unwrap();
    nothing(check());
    fs::create_dir_all(folder.path().join(STREAMS)).unwrap();
    nothing(check());
    fs::create_dir_all(folder.path().join(STREAMS).join(CHANNEL)).unwrap();
    nothing(check());
    put(&folder.path().join(STREAMS).join(CHANNEL).join(FIRST), b"");
    nothing(check());
}

#[test]
fn a_folder_of_stores_is_checked_store_by_store() {
    let folder = TempDir::new().unwrap();
    clean().write(&folder.path().join("a"));
    let mut torn = clean();
    torn.newest().extend_from_slice(b"{\"v\":1,");
    torn.write(&folder.path().join("b"));
    let report = verify(folder.path(), &Options::default()).unwrap();
    assert_eq!(report.stores.len(), 2);
    assert_eq!((report.verdict, report.exit), (Verdict::Torn, 4));

    let mut cut = clean();
    cut.first().clear();
    cut.write(&folder.path().join("c"));
    let report = verify(folder.path(), &Options::default()).unwrap();
    assert_eq!(report.exit, 1);
}

#[test]
fn a_store_without_its_audit_stream_was_not_checked() {
    let store = TempDir::new().unwrap();
    Stream::of("0123456789abcdef", "app").write(store.path());
    let report = verify(store.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::NothingChecked);
}

#[test]
fn other_files_are_noted_and_those_of_ours_are_not() {
    let store = TempDir::new().unwrap();
    let mut stream = clean();
    let torn = torn_name(FIRST, 7, 1);
    stream.files.insert(torn, b"torn".to_vec());
    stream.files.insert("README".into(), b"hello".to_vec());
    stream.write(store.path());
    let report = verify(store.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    assert_eq!(
        report.stores[0].notes,
        ["streams/audit/README is not of the log"]
    );
}

// ---- edits -----------------------------------------------------------------------------------

#[test]
fn an_edit_in_place_is_found_in_its_place() {
    let mut stream = clean();
    let at = line(stream.first(), 5);
    let field = stream.first()[at.clone()]
        .windows(6)
        .position(|bytes| bytes == b"number")
        .unwrap();
    stream.first()[at.start + field + 8] = b'9';
    let checked = stream.verify();
    let finding = checked.names(Verdict::Edit, FIRST, 5, 6, at.clone());
    assert!(finding.detail.contains("hash"), "{}", finding.detail);
    let islands = &checked.stream().islands;
    assert_eq!((islands[0].first, islands[0].last), (6, 11));
    assert_eq!(islands[0].offset, at.end as u64);
    assert_eq!((islands[1].first, islands[1].records), (12, 11));
}

#[test]
fn an_edit_with_a_new_hash_is_named_and_not_its_successor() {
    let mut stream = clean();
    let prev = hash_of(stream.first(), 4);
    let forged = stream.forge(5, prev);
    replace(stream.first(), 5, &forged);
    let at = line(stream.first(), 5);
    stream.verify().names(Verdict::Edit, FIRST, 5, 6, at);

    // The last record of a file: its successor stands in the next one.
    let mut stream = clean();
    let prev = hash_of(stream.first(), 10);
    let forged = stream.forge(11, prev);
    replace(stream.first(), 11, &forged);
    let at = line(stream.first(), 11);
    let checked = stream.verify();
    assert_eq!(checked.verdict(), Verdict::Edit);
    let finding = &checked.findings()[0];
    assert_eq!(
        (finding.seq, finding.offset),
        (Some(11), Some(at.start as u64))
    );
}

#[test]
fn two_edits_are_two_findings() {
    let mut stream = clean();
    for number in [4, 5, 8] {
        let at = line(stream.first(), number);
        stream.first()[at.start + 100] ^= 4;
    }
    let checked = stream.verify();
    let seqs: Vec<_> = checked.findings().iter().map(|f| f.seq).collect();
    assert_eq!(seqs, [Some(4), Some(5), Some(8)]);
}

#[test]
fn a_record_that_was_durable_with_another_hash_is_an_edit() {
    let mut stream = clean();
    let last = stream.next_seq() - 1;
    let prev = hash_of(stream.newest(), 9);
    let forged = stream.forge(last, prev);
    replace(stream.newest(), 10, &forged);
    let at = line(stream.newest(), 10);
    let checked = stream.verify();
    let finding = checked.names(Verdict::Edit, SECOND, last, 11, at);
    assert!(finding.detail.contains("head file"), "{}", finding.detail);
}

#[test]
fn conversion_to_crlf_is_called_that() {
    let mut stream = clean();
    let text = String::from_utf8(stream.first().clone()).unwrap();
    *stream.first() = text.replace('\n', "\r\n").into_bytes();
    let bytes = stream.first().len();
    let checked = stream.verify();
    let finding = &checked.findings()[0];
    assert_eq!(finding.verdict, Verdict::Edit);
    assert!(
        finding.detail.contains("converted to CRLF: 12 lines"),
        "{}",
        finding.detail
    );
    assert_eq!(
        (finding.offset, finding.length),
        (Some(0), Some(bytes as u64))
    );

    // Also where nothing is known to be durable: a crash does not add carriage returns.
    stream.forget_head();
    let text = String::from_utf8(stream.newest().clone()).unwrap();
    *stream.newest() = text.replace('\n', "\r\n").into_bytes();
    assert_eq!(stream.verify().verdict(), Verdict::Edit);
}

#[test]
fn each_kind_of_damage_to_a_line_is_called_by_its_name() {
    type Damage = fn(&mut Vec<u8>);
    let cases: [(&str, Damage); 12] = [
        ("behind the record", |line| {
            line.insert(line.len() - 1, b' ');
        }),
        ("before the record", |line| line.insert(0, b' ')),
        ("byte order mark", |line| {
            line.splice(0..0, *b"\xef\xbb\xbf");
        }),
        ("a key stands twice: \"event\"", |line| {
            let at = memchr::memmem::find(line, b"\"event\"").unwrap();
            line.splice(at..at, *b"\"event\":\"x.y\",");
        }),
        ("not UTF-8", |line| line[120] = 0xff),
        ("zero bytes", |line| line[50..90].fill(0)),
        ("control character", |line| {
            let at = memchr::memmem::find(line, b"thing").unwrap();
            line[at] = 7;
        }),
        ("not JSON", |line| line.truncate(100)),
        ("not the two links", |line| {
            let at = line.len() - 4;
            line[at] = b'A';
        }),
        ("format version 2", |line| line[5] = b'2'),
        ("65535", |line| {
            let at = line.len() - 170;
            line.splice(at..at, std::iter::repeat_n(b'x', 70_000));
        }),
        ("65535", |line| {
            let at = line.len() - 170;
            line.splice(at..at, std::iter::repeat_n(b'x', 700_000));
        }),
    ];
    for (words, damage) in cases {
        for chunk in [200, 8 << 20] {
            let mut stream = clean();
            let at = line(stream.first(), 5);
            let mut bytes = stream.first()[at.clone()].to_vec();
            damage(&mut bytes);
            if bytes.last() != Some(&b'\n') {
                bytes.push(b'\n');
            }
            replace(stream.first(), 5, &bytes);
            let checked = stream.verify_with(&Options::default().chunk_bytes(chunk));
            let here = at.start..at.start + bytes.len();
            let finding = checked.names(Verdict::Edit, FIRST, 5, 6, here);
            assert!(
                finding.detail.contains(words),
                "{words}: {}",
                finding.detail
            );
        }
    }
}

#[test]
fn a_blank_line_is_an_edit_that_takes_no_record_with_it() {
    let mut stream = clean();
    let at = line(stream.first(), 5).start;
    stream.first().insert(at, b'\n');
    let checked = stream.verify();
    let finding = checked.findings()[0].clone();
    assert_eq!(finding.verdict, Verdict::Edit);
    assert_eq!((finding.line, finding.offset), (Some(6), Some(at as u64)));
    assert_eq!((finding.length, finding.seq), (Some(1), None));
    assert!(finding.detail.contains("blank line"));
    assert_eq!(checked.findings().len(), 1, "{:#?}", checked.findings());
    assert_eq!(checked.stream().records, 23);
}

#[test]
fn a_zeroed_block_in_a_closed_segment_is_an_edit() {
    let mut stream = Stream::two_segments(100);
    stream.first()[4096..8192].fill(0);
    let checked = stream.verify();
    assert_eq!(checked.verdict(), Verdict::Edit);
    assert!(checked.only().detail.contains("4096 zero bytes"));
}

#[test]
fn links_that_stand_in_a_record_twice_are_an_edit() {
    let mut stream = clean();
    let at = line(stream.first(), 5);
    let mut bytes = stream.first()[at.clone()].to_vec();
    let links = bytes[bytes.len() - 155..bytes.len() - 2].to_vec();
    let end = bytes.len() - 155;
    bytes.splice(end..end, links);
    replace(stream.first(), 5, &bytes);
    let here = at.start..at.start + bytes.len();
    stream.verify().names(Verdict::Edit, FIRST, 5, 6, here);
}

// ---- deletions, insertions, order ------------------------------------------------------------

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

// ---- other streams ---------------------------------------------------------------------------

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

// ---- files -----------------------------------------------------------------------------------

#[test]
fn a_missing_segment_is_missed() {
    let mut stream = clean();
    stream.rotate();
    stream.records(3);
    stream.sync();
    let third = stream.current_name();
    let mut first_gone = stream.clone();
    first_gone.files.remove(FIRST);
    first_gone
        .verify()
        .names(Verdict::MissingSegment, SECOND, 0, 1, 0..0);
    stream.files.remove(SECOND);
    let checked = stream.verify();
    checked.names(Verdict::MissingSegment, &third, 12, 1, 0..0);
    assert_eq!(checked.only().segment, Some(24));
}

#[test]
fn a_missing_newest_segment_is_known_from_the_head_file() {
    let mut stream = clean();
    stream.files.remove(SECOND);
    let bytes = stream.first().len();
    stream
        .verify()
        .names(Verdict::Truncated, FIRST, 12, 13, bytes..bytes);
    stream.files.clear();
    assert_eq!(stream.verify().verdict(), Verdict::MissingSegment);
}

#[test]
fn renamed_files_are_found() {
    let mut stream = clean();
    let second = stream.files.remove(SECOND).unwrap();
    stream
        .files
        .insert("00000000000000000013.jsonl".into(), second);
    stream.forget_head();
    assert_eq!(stream.verify().verdict(), Verdict::Edit);
}

#[test]
fn a_header_that_does_not_fit_the_file_before_is_an_edit() {
    for data in [
        r#"{"number":1,"previous":"00000000000000000001.jsonl","bytes":10}"#,
        r#"{"number":1,"previous":"00000000000000000000.jsonl","bytes":10}"#,
        r#"{"number":1}"#,
        "7",
    ] {
        let mut stream = Stream::new();
        stream.append(&structural(
            "segment.footer",
            r#"{"records":2,"reason":"size"}"#,
        ));
        stream.sync();
        stream
            .files
            .insert("00000000000000000002.jsonl".into(), Vec::new());
        let mut head = stream.head();
        let file = stream.file("00000000000000000002.jsonl");
        head.link(&structural("segment.header", data), file);
        let bytes = file.len();
        stream
            .verify()
            .names(Verdict::Edit, "00000000000000000002.jsonl", 2, 1, 0..bytes);
    }
}

#[test]
fn a_closed_file_needs_its_footer_and_each_file_its_header() {
    let mut stream = Stream::new();
    stream.records(2);
    stream.sync();
    let bytes = stream.first().len();
    stream
        .files
        .insert("00000000000000000003.jsonl".into(), Vec::new());
    let mut head = stream.head();
    let data = format!(r#"{{"number":1,"previous":"{FIRST}","bytes":{bytes}}}"#);
    let file = stream.file("00000000000000000003.jsonl");
    head.link(&structural("segment.header", &data), file);
    let last = line(stream.first(), 2);
    stream.verify().names(Verdict::Edit, FIRST, 2, 3, last);

    let mut stream = Stream::new();
    stream.append(&structural(
        "segment.footer",
        r#"{"records":2,"reason":"size"}"#,
    ));
    stream.records(1);
    let footer = line(stream.first(), 1);
    stream.verify().names(Verdict::Insert, FIRST, 1, 2, footer);

    let mut stream = Stream::new();
    stream.files.clear();
    stream
        .files
        .insert(FIRST.into(), stream.forge(0, stream.genesis_link()));
    stream.forget_head();
    assert_eq!(stream.verify().verdict(), Verdict::Edit);
}

// ---- what a crash leaves ---------------------------------------------------------------------

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

// ---- superseding segments --------------------------------------------------------------------

/// Records since the last sync, which then fails.
fn unsynced() -> Stream {
    let mut stream = clean();
    stream.records(4);
    stream
}

#[test]
fn a_superseded_file_counts_up_to_the_offset() {
    let mut stream = unsynced();
    let old = stream.current_name();
    stream.supersede();
    stream.records(3);
    stream.sync();
    stream.verify().is_ok();
    // What stands behind the offset is ignored, whatever it is.
    let offset = line(stream.file(&old), 11).start;
    stream.file(&old)[offset..].fill(b'x');
    stream.verify().is_ok();
    stream.file(&old).truncate(offset);
    let checked = stream.verify();
    checked.is_ok();
    assert_eq!(checked.stream().records, 31);
    // Before the offset nothing is.
    stream.file(&old)[offset - 100] ^= 1;
    assert_eq!(stream.verify().verdict(), Verdict::Edit);
}

#[test]
fn superseding_may_happen_again_and_from_the_first_byte() {
    let mut stream = unsynced();
    stream.supersede();
    stream.records(2);
    stream.supersede();
    stream.verify().is_ok();
    stream.records(2);
    stream.supersede();
    stream.records(2);
    stream.sync();
    stream.verify().is_ok();
    stream.records(2);
    stream.supersede();
    stream.rotate();
    stream.records(1);
    stream.sync();
    stream.verify().is_ok();

    // A footer whose sync failed is restated too.
    let mut stream = clean();
    stream.records(1);
    stream.append(&structural(
        "segment.footer",
        r#"{"records":12,"reason":"size"}"#,
    ));
    stream.supersede();
    stream.records(1);
    stream.rotate();
    stream.verify().is_ok();

    let mut genesis = Stream::new();
    genesis.forget_head();
    genesis.records(3);
    genesis.set_durable(crate::layout::Slot {
        segment: 99,
        ..clean().durable()
    });
    genesis.supersede();
    genesis.forget_head();
    genesis.verify().is_ok();
}

#[test]
fn an_edit_in_a_superseding_file_is_an_edit() {
    let mut stream = unsynced();
    stream.supersede();
    stream.records(3);
    stream.rotate();
    stream.sync();
    for number in 0..8 {
        let mut edited = stream.clone();
        let name = "00000000000000000023.jsonl";
        let at = line(edited.file(name), number);
        edited.file(name)[at.start + 90] ^= 1;
        let checked = edited.verify();
        assert_eq!(checked.verdict(), Verdict::Edit, "{number}");
    }
}

#[test]
fn a_superseding_file_without_its_header_is_torn_and_the_old_one_counts() {
    let mut stream = unsynced();
    stream.restate();
    let name = stream.current_name();
    let whole = stream.newest().len();
    let mut header = stream.clone();
    header.supersede_header();
    let full = header.newest().len();
    for cut in [0, 1, 100, whole / 2, whole, whole + 1, full - 1] {
        let mut cut_short = header.clone();
        cut_short.newest().truncate(cut);
        let checked = cut_short.verify();
        let finding = checked.names(Verdict::Torn, &name, 23, 1, 0..cut);
        assert_eq!(finding.segment, Some(23));
        assert_eq!(checked.stream().last, Some(26));
    }
    header.verify().is_ok();
    // Damage below the bound in the file that counts is still tampering.
    let mut edited = stream.clone();
    edited.file(SECOND)[100] ^= 1;
    assert_eq!(edited.verify().verdict(), Verdict::Edit);
    // And so is a file that was durable and has lost its header.
    let mut durable = header;
    durable.sync();
    durable.newest().truncate(whole);
    assert_eq!(durable.verify().report.exit, 1);
}

// ---- limits ----------------------------------------------------------------------------------

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

// ---- every place ------------------------------------------------------------------------------

fn lines_of(file: &[u8]) -> Vec<Vec<u8>> {
    let lines = file.split_inclusive(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

/// Asserts that the first finding is `verdict` at line `number`, from 0, of `file`.
#[track_caller]
fn first_is(stream: &Stream, verdict: Verdict, file: &str, number: usize, what: &str) {
    let checked = stream.verify();
    let finding = &checked.findings()[0];
    let offset: usize = lines_of(&stream.files[file])
        .iter()
        .take(number)
        .map(Vec::len)
        .sum();
    assert_eq!(
        checked.verdict(),
        verdict,
        "{what} {:#?}",
        checked.findings()
    );
    assert_eq!(finding.verdict, verdict, "{what} {:#?}", checked.findings());
    assert_eq!(finding.file, Some(format!("{STREAMS}/{CHANNEL}/{file}")));
    assert_eq!(finding.line, Some(number as u64 + 1), "{what}");
    assert_eq!(finding.offset, Some(offset as u64), "{what}");
}

#[test]
fn each_tampering_is_named_at_every_line_of_every_file() {
    let stream = clean();
    for name in [FIRST, SECOND] {
        let lines = lines_of(&stream.files[name]);
        let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            let mut tampered = stream.clone();
            *tampered.file(name) = lines.concat();
            tampered
        };
        let last = lines.len() - 1;
        for at in 0..lines.len() {
            let edited = with(&|lines| lines[at][100] ^= 1);
            first_is(&edited, Verdict::Edit, name, at, &format!("edit {at}"));

            let deleted = with(&|lines| drop(lines.remove(at)));
            let verdict = if name == SECOND && at == last {
                Verdict::Truncated
            } else {
                Verdict::Delete
            };
            first_is(&deleted, verdict, name, at, &format!("delete {at}"));

            for to in 0..=lines.len() {
                let what = format!("copy {at} to {to}");
                let copied = with(&|lines| lines.insert(to, lines[at].clone()));
                // Next to the original, which of the two is the copy cannot be told.
                let to = if to == at { at + 1 } else { to };
                first_is(&copied, Verdict::Duplicate, name, to, &what);
            }
            if at < last {
                let swapped = with(&|lines| lines.swap(at, at + 1));
                first_is(&swapped, Verdict::Reorder, name, at, &format!("swap {at}"));
            }
        }
    }
}

#[test]
fn a_store_that_is_being_written_is_never_accused() {
    let store = TempDir::new().unwrap();
    let folder = store.path().join(STREAMS).join(CHANNEL);
    let mut stream = Stream::new();
    stream.write(store.path());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for step in 0..400_u64 {
                stream.records(1 + step % 5);
                if step % 7 == 3 {
                    stream.rotate();
                    stream.records(1);
                }
                if step % 11 == 5 {
                    stream.supersede();
                }
                // As a writer does: append, then say that it is durable.
                for (name, bytes) in &stream.files {
                    append(&folder.join(name), bytes);
                }
                stream.sync();
                stream.write_head(store.path());
            }
        });
        let mut rounds = 0;
        while !writer.is_finished() || rounds == 0 {
            let report = verify(store.path(), &Options::default()).unwrap();
            let findings = &report.stores[0].findings;
            assert!(
                matches!(report.verdict, Verdict::Ok | Verdict::Torn),
                "{findings:#?}"
            );
            rounds += 1;
        }
        println!("verified {rounds} times while writing");
    });
    let report = verify(store.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
}

/// Writes what the file lacks, in two halves.
fn append(path: &Path, bytes: &[u8]) {
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    let there = usize::try_from(file.metadata().unwrap().len()).unwrap();
    let missing = &bytes[there.min(bytes.len())..];
    let (one, two) = missing.split_at(missing.len() / 2);
    for half in [one, two] {
        (&file).write_all(half).unwrap();
    }
}

// ---- properties ------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Step {
    Records(u64),
    Sync,
    Rotate,
    Supersede,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..8_u64).prop_map(Step::Records),
        2 => Just(Step::Sync),
        1 => Just(Step::Rotate),
        1 => Just(Step::Supersede),
    ];
    prop::collection::vec(step, 0..20)
}

fn build(steps: &[Step]) -> Stream {
    let mut stream = Stream::new();
    for step in steps {
        match step {
            Step::Records(count) => stream.records(*count),
            Step::Sync => stream.sync(),
            Step::Rotate => stream.rotate(),
            Step::Supersede => stream.supersede(),
        }
    }
    stream
}

fn both(stream: &Stream, chunk_bytes: u64, threads: usize) -> Checked {
    let whole = stream.verify_with(&Options::default().threads(NonZero::<usize>::MIN));
    let threads = NonZero::new(threads).unwrap();
    let options = Options::default().threads(threads).chunk_bytes(chunk_bytes);
    let chunked = stream.verify_with(&options);
    let strip = |checked: &Checked| {
        let store = &checked.report.stores[0];
        (store.verdict, store.streams.clone(), store.findings.clone())
    };
    assert_eq!(strip(&whole), strip(&chunked));
    whole
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_clean_store_is_accused(steps in steps(), chunk in 1..3_000_u64, threads in 1..4_usize) {
        both(&build(&steps), chunk, threads).is_ok();
    }

    #[test]
    fn a_crash_is_never_called_tampering(
        steps in steps(), cut in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut stream = build(&steps);
        let durable = stream.durable();
        let bound = if stream.current_name() == crate::layout::segment_name(durable.segment) {
            usize::try_from(durable.offset).unwrap()
        } else {
            0
        };
        let file = stream.newest();
        let cut = bound + cut.index(file.len() - bound + 1);
        file.truncate(cut);
        file.extend_from_slice(&noise);
        let checked = both(&stream, 700, 2);
        prop_assert!(
            matches!(checked.verdict(), Verdict::Ok | Verdict::Torn),
            "{:#?}", checked.findings()
        );
    }

    #[test]
    fn changed_lines_never_pass_and_parts_never_matter(
        ops in prop::collection::vec((0..7_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
        newest in any::<bool>(), chunk in 1..3_000_u64,
    ) {
        let mut stream = clean();
        let mut other = Stream::of("fedcba9876543210", CHANNEL);
        other.records(30);
        let foreign = lines_of(other.first());
        let name = if newest { SECOND } else { FIRST };
        let mut lines = lines_of(&stream.files[name]);
        for (kind, one, two) in ops {
            let (at, to) = (one.index(lines.len()), two.index(lines.len()));
            match kind {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.swap(at, to),
                2 => lines.insert(to, lines[at].clone()),
                3 => lines[at].insert(0, b' '),
                4 => lines.insert(to, stream.forge(at as u64, Digest::of(b"any"))),
                5 => lines.insert(to, foreign[at].clone()),
                _ => {
                    let end = lines[at].len() - 1;
                    lines[at].insert(end, b'\r');
                }
            }
        }
        let changed = lines.concat() != stream.files[name];
        *stream.file(name) = lines.concat();
        let checked = both(&stream, chunk, 2);
        prop_assert_eq!(checked.report.exit, u8::from(changed), "{:#?}", checked.findings());
    }

    #[test]
    fn no_change_below_the_bound_passes(
        steps in steps(), file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        kind in 0..5_u8, chunk in 1..3_000_u64,
    ) {
        let mut stream = build(&steps);
        stream.records(2);
        stream.rotate();
        stream.records(2);
        stream.sync();
        let newest = stream.current_name();
        let names: Vec<String> = stream.files.keys().cloned().collect();
        let name = file.get(&names).clone();
        let before = stream.files[&name].clone();
        let at = at.index(before.len());
        let bytes = stream.file(&name);
        match kind {
            0 => bytes[at] ^= 1,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b'\n'),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + 600).min(bytes.len());
                bytes[at..end].fill(0);
            }
        }
        let same = before.iter().zip(&*bytes).take_while(|(one, two)| one == two);
        let same = same.count();
        let checked = both(&stream, chunk, 2);
        // What a later file supersedes does not count, and may be changed.
        let ignored = name.contains("superseded") || (name != newest && {
            let mut without = stream.clone();
            without.files.insert(name.clone(), before);
            without.file(&name).truncate(same);
            without.verify().verdict() == Verdict::Ok
        });
        if !ignored {
            prop_assert_eq!(checked.report.exit, 1, "{} {:#?}", name, checked.findings());
        }
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_a_closed_segment_is_found() {
    const STEP: u64 = 2_048;
    let mut stream = Stream::new();
    while stream.first().len() < 64 << 10 {
        stream.records(1);
    }
    stream.rotate();
    stream.sync();
    let store = TempDir::new().unwrap();
    stream.write(store.path());
    let path = store.path().join(STREAMS).join(CHANNEL).join(FIRST);
    let clean = stream.first().clone();
    let opening = line(&clean, 0).end;
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();

    // What `verify` does, except that only the parts around the flipped byte are checked again.
    let mut buffer = Buffer::new();
    let plan = Plan::new(store.path(), CHANNEL, &mut buffer).unwrap();
    let scan = Scan {
        stream: plan.stream.as_deref(),
        watch: plan.slot.map(|slot| slot.last_seq),
    };
    let mut parts = Vec::new();
    scan_all(&plan.segments, scan, STEP, 1, |segment, range, chunk| {
        parts.push((segment, range, chunk));
        Ok(())
    })
    .unwrap();
    // A line belongs to the part in which it starts, and its newline ends the search of the next.
    let outcome = |parts: &[(usize, Range, Chunk)]| {
        let mut stitch = Stitch::new(&plan);
        for (segment, _, chunk) in parts {
            stitch.chunk(*segment, chunk.clone()).unwrap();
        }
        stitch.finish().unwrap()
    };
    assert_eq!(outcome(&parts).worst, None);

    let (mut random, mut tried, mut missed) = (0x9e37_79b9_u32, 0, 0);
    for (at, byte) in clean.iter().enumerate() {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let flipped = byte ^ (1 << (random % 8));
        file.write_all_at(&[flipped], at as u64).unwrap();
        let (worst, findings) = if at < opening {
            let report = verify(store.path(), &Options::default()).unwrap();
            let store = report.stores.into_iter().next().unwrap();
            (Some(store.verdict), store.findings)
        } else {
            let mut parts = parts.clone();
            let near = at as u64 / STEP;
            for (segment, range, chunk) in &mut parts {
                if *segment == 0
                    && (near.saturating_sub(1)..=near + 1).contains(&(range.start / STEP))
                {
                    *chunk = scan.chunk(&file, *range, &mut buffer).unwrap();
                }
            }
            let outcome = outcome(&parts);
            (outcome.worst, outcome.findings)
        };
        let here = findings.iter().any(|finding| {
            let from = finding.offset.unwrap();
            finding.segment == Some(0)
                && (from..=from + finding.length.unwrap()).contains(&(at as u64))
        });
        tried += 1;
        missed += u32::from(worst.is_none_or(|worst| worst.exit() != 1) || !here);
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
    println!("tried {tried}, missed {missed}");
    assert_eq!(missed, 0);
}
