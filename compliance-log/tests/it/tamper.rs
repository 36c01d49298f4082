//! Stores that the log itself wrote: no false alarm, and each tampering by its name.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use compliance_log::{
    ComplianceLog, audit_event,
    test_util::{Fault, Faults, within_sync},
    verify::{Finding, Options, Report, Verdict, verify},
};

use crate::support::{only_store, segments};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
    #[audit(internal)]
    note: &'static str,
}

fn builder(dir: &Path) -> compliance_log::Builder {
    ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir)
        .segment_bytes_max(64 * 1024)
}

/// A closed store of three segments; `seed` varies what else happened to it.
fn write_store(dir: &Path, seed: u64) -> u64 {
    let faults = Faults::new();
    let mut failures = 0;
    for start in 0..=seed % 3 {
        let log = faults
            .under(builder(dir))
            .sync_after(Duration::from_millis(seed % 7))
            .open()
            .unwrap();
        for number in 0..60 {
            if seed % 5 == 1 && number == 31 + seed % 13 {
                faults.set(Fault::Sync { count: 1 });
                failures += 1;
            }
            let event = Step {
                number,
                note: "a note that makes the record somewhat longer than it would be",
            };
            if number % (2 + seed % 4) == 0 {
                within_sync(&log, || event.commit().wait()).unwrap();
            } else {
                within_sync(&log, || event.emit()).unwrap();
            }
        }
        log.shutdown().unwrap();
        if seed % 4 == 2 && start < seed % 3 {
            tear(&only_store(dir), seed);
        }
    }
    failures
}

/// What a power cut leaves: the beginning of a record.
fn tear(store: &Path, seed: u64) {
    let newest = segments(store, "audit").pop().unwrap();
    let mut bytes = fs::read(&newest).unwrap();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap().to_vec();
    bytes.extend_from_slice(&line[..usize::try_from(1 + seed % 200).unwrap()]);
    fs::write(&newest, bytes).unwrap();
}

#[test]
fn long_a_hundred_stores_raise_no_alarm() {
    let (mut records, mut superseded, mut torn) = (0, 0, 0);
    for seed in 0..100 {
        let dir = tempfile::tempdir().unwrap();
        superseded += write_store(dir.path(), seed);
        torn += u64::from(seed % 4 == 2 && seed % 3 > 0);
        let report = verify(dir.path(), &Options::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Ok, "seed {seed}: {report:#?}");
        assert_eq!(report.exit, 0);
        records += report.stores[0]
            .streams
            .iter()
            .map(|stream| stream.records)
            .sum::<u64>();
    }
    println!(
        "100 stores, {records} records, {superseded} failed syncs, {torn} torn tails: 0 alarms"
    );
    assert!(superseded > 10 && torn > 10);
}

/// A store of several segments that was closed in peace.
struct Closed {
    dir: tempfile::TempDir,
}

impl Closed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = builder(dir.path()).open().unwrap();
        for number in 0..350 {
            within_sync(&log, || {
                Step {
                    number,
                    note: "a step",
                }
                .emit()
            })
            .unwrap();
        }
        log.shutdown().unwrap();
        let closed = Self { dir };
        assert!(closed.segments().len() >= 3, "{:?}", closed.segments());
        closed
    }

    fn store(&self) -> PathBuf {
        only_store(self.dir.path())
    }

    fn segments(&self) -> Vec<PathBuf> {
        segments(&self.store(), "audit")
    }

    /// The lines of the second segment, each with its newline.
    fn lines(&self) -> Vec<Vec<u8>> {
        let bytes = fs::read(&self.segments()[1]).unwrap();
        bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    }

    fn replace(&self, lines: &[Vec<u8>]) {
        let path = &self.segments()[1];
        fs::remove_file(path).unwrap();
        fs::write(path, lines.concat()).unwrap();
    }

    fn verify(&self) -> Report {
        verify(&self.store(), &Options::default()).unwrap()
    }
}

fn seq(line: &[u8]) -> u64 {
    serde_json::from_slice::<serde_json::Value>(line).unwrap()["seq"]
        .as_u64()
        .unwrap()
}

/// Gives a line another body and the hash that fits it.
fn rehashed(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256};

    let text = std::str::from_utf8(line)
        .unwrap()
        .trim_end()
        .replacen(from, to, 1);
    let at = text.rfind(",\"prev_hash\":\"").unwrap();
    let prev = &text[at + 14..at + 78];
    let prev: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&prev[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let mut hasher = Sha256::new_with_prefix(b"compliance-log/v1/record\0");
    hasher.update(prev);
    hasher.update(&text[..at]);
    let hash = compliance_log::chain::Digest::new(hasher.finalize().into());
    format!("{}{hash}\"}}\n", &text[..text.len() - 66]).into_bytes()
}

fn first(report: &Report) -> &Finding {
    assert_eq!(report.exit, 1, "{report:#?}");
    &report.stores[0].findings[0]
}

/// Alters lines of the second segment and checks what is said of them. Line 10 is a step, as are those
/// around it.
#[track_caller]
fn altered(verdict: Verdict, named: usize, detail: &str, alter: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let closed = Closed::new();
    let mut lines = closed.lines();
    for line in &lines[9..13] {
        assert!(String::from_utf8_lossy(line).contains("step.done"));
    }
    alter(&mut lines);
    closed.replace(&lines);
    let report = closed.verify();
    let finding = first(&report);
    assert_eq!(report.verdict, verdict, "{report:#?}");
    assert_eq!(finding.verdict, verdict, "{finding:#?}");
    let offset: usize = lines[..named].iter().map(Vec::len).sum();
    assert_eq!(finding.offset, Some(offset as u64), "{finding:#?}");
    assert_eq!(finding.line, Some(named as u64 + 1), "{finding:#?}");
    assert!(finding.detail.contains(detail), "{}", finding.detail);
}

#[test]
fn each_change_of_lines_has_its_name_and_place() {
    let edit = |line: &mut Vec<u8>, at: usize, byte: u8| line[at] = byte;
    altered(Verdict::Edit, 10, "hash", |lines| {
        edit(&mut lines[10], 150, b'#');
    });
    altered(Verdict::Edit, 10, "linked to another", |lines| {
        lines[10] = rehashed(&lines[10], "step/", "stop/");
    });
    altered(Verdict::Delete, 10, "", |lines| drop(lines.remove(10)));
    altered(Verdict::Delete, 0, "", |lines| drop(lines.remove(0)));
    altered(Verdict::Insert, 10, "", |lines| {
        lines.insert(10, rehashed(&lines[10], "step/", "stop/"));
    });
    altered(Verdict::Reorder, 10, "", |lines| lines.swap(10, 11));
    altered(Verdict::Duplicate, 11, "", |lines| {
        lines.insert(11, lines[10].clone());
    });
    altered(Verdict::Edit, 0, "CRLF", |lines| {
        for line in lines {
            line.insert(line.len() - 1, b'\r');
        }
    });
    altered(Verdict::Edit, 10, "space", |lines| {
        let end = lines[10].len() - 1;
        lines[10].insert(end, b' ');
    });
    altered(Verdict::Edit, 10, "blank", |lines| {
        lines.insert(10, b"\n".to_vec());
    });
    altered(Verdict::Edit, 0, "byte order mark", |lines| {
        lines[0].splice(0..0, *b"\xef\xbb\xbf");
    });
    altered(Verdict::Edit, 10, "twice", |lines| {
        let text = String::from_utf8(lines[10].clone()).unwrap();
        lines[10] = text
            .replacen("\"category\":", "\"category\":\"app\",\"category\":", 1)
            .into_bytes();
    });
    altered(Verdict::Edit, 10, "zero", |lines| {
        lines[10][100..400].fill(0);
    });
    altered(Verdict::Splice, 10, "", |lines| {
        let other = tempfile::tempdir().unwrap();
        write_store(other.path(), 0);
        let stranger = fs::read(&segments(&only_store(other.path()), "audit")[0]).unwrap();
        lines[10] = stranger
            .split_inclusive(|byte| *byte == b'\n')
            .nth(5)
            .unwrap()
            .to_vec();
    });
}

#[test]
fn the_first_record_cannot_go() {
    let closed = Closed::new();
    let path = &closed.segments()[0];
    let bytes = fs::read(path).unwrap();
    let first_line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    fs::remove_file(path).unwrap();
    fs::write(path, &bytes[first_line..]).unwrap();
    let report = closed.verify();
    assert_eq!(
        (first(&report).verdict, first(&report).offset),
        (Verdict::Delete, Some(0))
    );
    assert_eq!(first(&report).seq, Some(0));
}

#[test]
fn a_segment_cannot_go() {
    for gone in [0, 1] {
        let closed = Closed::new();
        let path = closed.segments().remove(gone);
        let first_seq = seq(fs::read(&path)
            .unwrap()
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap());
        fs::remove_file(&path).unwrap();
        let report = closed.verify();
        assert_eq!(report.verdict, Verdict::MissingSegment, "{report:#?}");
        assert_eq!(first(&report).seq, Some(first_seq), "{report:#?}");
    }
}

#[test]
fn what_was_durable_cannot_be_cut_off() {
    let closed = Closed::new();
    let newest = closed.segments().pop().unwrap();
    let bytes = fs::read(&newest).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let kept = bytes.len() - lines.last().unwrap().len();
    for cut in [kept, kept + 40, 0] {
        fs::write(&newest, &bytes[..cut]).unwrap();
        let report = closed.verify();
        assert_eq!(
            report.verdict,
            Verdict::Truncated,
            "cut at {cut}: {report:#?}"
        );
        assert_eq!(
            first(&report).offset,
            Some(cut.min(kept) as u64),
            "{report:#?}"
        );
    }
    fs::remove_file(&newest).unwrap();
    assert_eq!(closed.verify().exit, 1);
}

#[test]
fn nothing_checked_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_path_buf(), dir.path().join("missing")] {
        let report = verify(&path, &Options::default()).unwrap();
        assert_eq!((report.verdict, report.exit), (Verdict::NothingChecked, 2));
    }
}

#[test]
fn a_store_that_cannot_be_read_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    write_store(dir.path(), 0);
    let store = only_store(dir.path());
    let loops = dir.path().join("loop-0123456789abcdef");
    std::os::unix::fs::symlink(&loops, &loops).unwrap();
    let report = verify(dir.path(), &Options::default()).unwrap();
    assert_eq!(report.exit, 3, "{report:#?}");
    let segment = &segments(&store, "audit")[0];
    let edited = fs::read_to_string(segment)
        .unwrap()
        .replacen("step/", "stop/", 1);
    fs::remove_file(segment).unwrap();
    fs::write(segment, edited).unwrap();
    let report = verify(dir.path(), &Options::default()).unwrap();
    assert_eq!(
        (report.exit, report.verdict),
        (1, Verdict::Edit),
        "{report:#?}"
    );
}
