//! Files that are missing, renamed, or not what the next one says.

use super::{SECOND, clean};
use crate::verify::{
    Verdict,
    fixture::{FIRST, Stream, line, structural},
};

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
