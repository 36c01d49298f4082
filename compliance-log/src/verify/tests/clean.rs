//! What is clean, and what was not checked at all.

use super::clean;
use crate::{
    layout::{STREAMS, torn_name},
    verify::{
        Options, Report, Verdict,
        fixture::{CHANNEL, FIRST, Stream, line, put},
        verify,
    },
};
use std::fs;
use tempfile::TempDir;

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
    let nothing = |report: Report| {
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
