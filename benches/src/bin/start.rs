//! How long a start takes on a sealed store whose writer was killed: it reads the newest segment and what was
//! written since the last seal, however many records there are before.
//!
//! `start [RECORDS]`, 10,000,000 unless said otherwise; `--short` is 20,000.

#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use compliance_log::{ComplianceLog, Seal, test_util::within_sync};
use compliance_log_benches::{booking, in_request};

fn open(dir: &Path) -> ComplianceLog {
    ComplianceLog::builder("bench")
        .env("bench")
        .instance("one")
        .dir(dir)
        .max_bytes(u64::MAX)
        .seal(Seal::default())
        .open()
        .expect("a log")
}

fn emit(number: u64) {
    while booking(number).emit().is_err() {
        std::thread::yield_now();
    }
}

/// Writes so many records, says so, and goes on until it is killed.
fn write(dir: &Path, records: u64) -> ! {
    let log = open(dir);
    within_sync(&log, || {
        in_request(|| -> ! {
            (0..records).for_each(emit);
            log.flush().expect("stored");
            let mut out = std::io::stdout();
            out.write_all(b"written\n").expect("the parent reads");
            out.flush().expect("the parent reads");
            loop {
                emit(0);
            }
        })
    })
}

/// Has a process write, and kills it in the middle.
fn killed(dir: &Path, records: u64) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .arg("--write")
        .arg(dir)
        .arg(records.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a writer");
    let out = child.stdout.take().expect("its output");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("its word");
    child.kill().expect("it is killed");
    child.wait().expect("it ended");
}

/// What there is of the audit stream.
struct Segments {
    count: usize,
    bytes: u64,
    /// Of them in the newest segment.
    newest: u64,
    /// Of them behind the newest sealed head, as the catalog tells of it.
    unsealed: u64,
}

fn segments(dir: &Path) -> Segments {
    let stores = fs::read_dir(dir).expect("a folder");
    let store = stores
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.join("streams").is_dir())
        .expect("a store");
    let bytes = |path: &PathBuf| fs::metadata(path).expect("its length").len();
    let files = files(&store.join("streams/audit"));
    let catalog = files_text(&store.join("streams/catalog"));
    let head = catalog.lines().rfind(|line| {
        line.contains(r#""event":"seal.head""#) && line.contains(r#"/audit","size""#)
    });
    let head = head.expect("a head");
    let after = |key: &str| {
        let (_, rest) = head.rsplit_once(key).expect("it says so");
        rest.split(['"', '}']).next().expect("a value").to_owned()
    };
    let (segment, sealed) = (after(r#""segment":""#), after(r#""bytes":"#));
    let sealed: u64 = sealed.parse().expect("a number");
    let since = files.iter().skip_while(|path| !path.ends_with(&segment));
    Segments {
        count: files.len(),
        bytes: files.iter().map(bytes).sum(),
        newest: files.last().map_or(0, bytes),
        unsealed: since.map(bytes).sum::<u64>() - sealed,
    }
}

/// The segments in a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "jsonl"))
        .collect();
    files.sort();
    files
}

fn files_text(folder: &Path) -> String {
    let texts = files(folder).into_iter().map(fs::read_to_string);
    texts.map(|text| text.expect("its text")).collect()
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, dir, records] = &words[..]
        && word == "--write"
    {
        write(Path::new(dir), records.parse().expect("a number"));
    }
    let records: u64 = match words.first().map(String::as_str) {
        None => 10_000_000,
        Some("--short") => 20_000,
        Some(records) => records.parse().expect("a number of records"),
    };
    for records in [records / 20, records] {
        let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
        let dir = dir.path().join("stores");
        killed(&dir, records);
        let found = segments(&dir);
        let started = Instant::now();
        let log = open(&dir);
        let took = started.elapsed();
        log.shutdown().expect("nothing lost");
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{records} records, {} MB in {} segments; started in {:.1} ms, bounded by {} KB in the newest segment and {} KB since the last seal",
            found.bytes / 1_000_000,
            found.count,
            took.as_secs_f64() * 1e3,
            found.newest / 1_000,
            found.unsealed / 1_000,
        )
        .unwrap_or(());
    }
}
