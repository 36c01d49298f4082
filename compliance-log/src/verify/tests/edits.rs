//! Changed bytes.

use super::{SECOND, clean, hash_of, replace};
use crate::verify::{
    Options, Verdict,
    fixture::{FIRST, Stream, line},
};

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
