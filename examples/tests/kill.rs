//! Kills a writer at random moments: what it acknowledged is there, and the next one goes on.
//!
//! `KILL_ROUNDS` sets the number of rounds, 300 without it. Segments end every few hundred records, and
//! every third kill comes while a store is made or recovered.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use compliance_log::verify::{Options, Report, Verdict, verify};
use serde_json::Value;

/// Rounds that one store lives through; verifying it after each takes longer as it grows.
const ROUNDS_OF_A_STORE: u32 = 150;

#[test]
fn long_acknowledged_records_survive_kill_9() {
    let rounds: u32 = std::env::var("KILL_ROUNDS").map_or(300, |rounds| rounds.parse().unwrap());
    let mut random = Random(u64::from(std::process::id()) | 1);
    let mut total = Tally::default();
    let mut left = rounds;
    while left > 0 {
        let rounds = left.min(ROUNDS_OF_A_STORE);
        total.add(&survive(rounds, &mut random));
        left -= rounds;
    }
    println!(
        "{rounds} kills: {} acknowledged, {} stored in {} segments, 0 lost; {} times torn, {} writes split by the kill, \
         {} torn files kept, {} chain.recovery, {} log.unclean_stop",
        total.acknowledged,
        total.stored,
        total.segments,
        total.torn_tails,
        total.split_writes,
        total.torn_files,
        total.recoveries,
        total.unclean_stops,
    );
    assert!(
        total.acknowledged > 0,
        "nothing was acknowledged, so nothing was tried"
    );
    assert!(total.recoveries > 0 && total.unclean_stops > 0);
}

/// What was seen.
#[derive(Default)]
struct Tally {
    acknowledged: usize,
    stored: usize,
    segments: usize,
    torn_tails: usize,
    /// Writes of which a kill left the first pages.
    split_writes: usize,
    torn_files: usize,
    recoveries: usize,
    unclean_stops: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.stored += other.stored;
        self.segments += other.segments;
        self.torn_tails += other.torn_tails;
        self.split_writes += other.split_writes;
        self.torn_files += other.torn_files;
        self.recoveries += other.recoveries;
        self.unclean_stops += other.unclean_stops;
    }
}

/// The kernel looks for a deadly signal between the pages of a write.
fn ends_with_a_page(report: &Report) -> bool {
    let findings = report.stores.iter().flat_map(|store| &store.findings);
    let mut torn = findings.filter(|finding| finding.verdict == Verdict::Torn);
    torn.all(|finding| {
        let end = finding
            .offset
            .zip(finding.length)
            .map(|(at, bytes)| at + bytes);
        end.is_some_and(|end| end.is_multiple_of(PAGE_BYTES))
    })
}

/// The smallest page that any system has.
const PAGE_BYTES: u64 = 4096;

/// One store that is killed again and again.
fn survive(rounds: u32, random: &mut Random) -> Tally {
    let dirs = tempfile::tempdir().unwrap();
    let dir = &dirs.path().join("stores");
    fs::create_dir(dir).unwrap();
    let mut acked: BTreeMap<(String, u64), String> = BTreeMap::new();
    let (mut torn_tails, mut split_writes, mut still_torn) = (0, 0, false);
    for round in 0..rounds {
        let moment = match round % 3 {
            // While the store is being made, or the last kill is being recovered from.
            0 => Moment::AfterStart(Duration::from_micros(random.below(30_000))),
            _ => Moment::AfterFirstAnswer(Duration::from_micros(random.below(80_000))),
        };
        acked.extend(run_and_kill(dir, moment));
        // A power cut splits a write anywhere; a kill only between pages, and rarely.
        let power_cut = round % 5 == 4 && tear(dir, random);
        let report = verify(dir, &Options::default()).unwrap();
        if report.verdict == Verdict::NothingChecked && acked.is_empty() {
            continue;
        }
        // A kill that comes before recovery leaves the tail as it was.
        let torn = report.verdict == Verdict::Torn;
        assert!(
            torn || report.verdict == Verdict::Ok,
            "round {round}: {report:#?}"
        );
        assert!(
            torn || !power_cut,
            "round {round}: the torn tail went unseen"
        );
        if torn && !power_cut && !still_torn {
            assert!(ends_with_a_page(&report), "round {round}: {report:#?}");
            split_writes += 1;
        }
        torn_tails += usize::from(power_cut && !still_torn);
        still_torn = torn;
    }
    // One last start recovers what the last kill left, and ends in peace.
    finish(dir);
    let report = verify(dir, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");

    let store = only_store(dir);
    let records = records(&store);
    let seqs: Vec<u64> = records
        .iter()
        .map(|record| record["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(
        seqs,
        (0..seqs.len() as u64).collect::<Vec<_>>(),
        "seq goes on without a gap"
    );
    for ((stream, seq), hash) in &acked {
        let record = &records[usize::try_from(*seq).unwrap()];
        assert_eq!(record["stream"], **stream);
        assert_eq!(record["hash"], **hash, "{record}");
    }
    let count = |event: &str| {
        records
            .iter()
            .filter(|record| record["event"] == event)
            .count()
    };
    let kept = torn_files(&store);
    for file in &kept {
        let name = file.file_name().unwrap().to_str().unwrap();
        let told = records
            .iter()
            .any(|record| record["data"]["torn"]["file"] == name);
        assert!(told, "no chain.recovery tells of {name}");
    }
    // A kill between copying a tail and cutting it off makes the next start copy it again.
    assert!(
        kept.len() >= torn_tails,
        "each torn tail is kept in a file of its own"
    );
    Tally {
        acknowledged: acked.len(),
        stored: records.len(),
        segments: files(&store).len() - kept.len(),
        torn_tails,
        split_writes,
        torn_files: kept.len(),
        recoveries: count("chain.recovery"),
        unclean_stops: count("log.unclean_stop"),
    }
}

fn writer(dir: &Path, events: u64) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acked_writer"));
    command.args(["--writers", "4", "--segment-bytes", "131072"]);
    command
        .arg("--dir")
        .arg(dir)
        .arg("--events")
        .arg(events.to_string());
    command.stdout(Stdio::piped());
    command
}

#[derive(Clone, Copy)]
enum Moment {
    AfterStart(Duration),
    AfterFirstAnswer(Duration),
}

/// Starts a writer, kills it at a moment, and gives what it acknowledged until then.
fn run_and_kill(dir: &Path, moment: Moment) -> Vec<((String, u64), String)> {
    let mut child = writer(dir, u64::MAX).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    // Reading goes on while it writes, or a full pipe would stop it.
    let (send, lines) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .for_each(|line| send.send(line).unwrap());
    });
    let mut first = None;
    let wait = match moment {
        Moment::AfterStart(wait) => wait,
        Moment::AfterFirstAnswer(wait) => {
            first = Some(lines.recv_timeout(Duration::from_secs(60)).unwrap());
            wait
        }
    };
    let until = Instant::now() + wait;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap();
    first
        .into_iter()
        .chain(lines)
        .filter_map(|line| acknowledged(&line))
        .collect()
}

/// Appends the beginning of a record to the newest segment. Says whether there was one.
fn tear(dir: &Path, random: &mut Random) -> bool {
    let stores = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let Some(store) = stores.into_iter().find(|path| is_store(path)) else {
        return false;
    };
    let newest = files(&store)
        .into_iter()
        .rfind(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let Some(newest) = newest else { return false };
    let record =
        br#"{"v":1,"stream":"acked-writer/one/0123456789abcdef/audit","seq":7,"timestamp":"2026"#;
    let length = 1 + usize::try_from(random.below(record.len() as u64 - 1)).unwrap();
    let Ok(mut file) = fs::OpenOptions::new().append(true).open(newest) else {
        return false;
    };
    file.write_all(&record[..length]).unwrap();
    true
}

/// `acked <stream> <seq> <hash>`; the last line may be cut by the kill.
fn acknowledged(line: &str) -> Option<((String, u64), String)> {
    let mut words = line.strip_prefix("acked ")?.split(' ');
    let (stream, seq, hash) = (words.next()?, words.next()?, words.next()?);
    (hash.len() == 64).then(|| ((stream.to_owned(), seq.parse().unwrap()), hash.to_owned()))
}

fn finish(dir: &Path) {
    let status = writer(dir, 1).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
}

fn only_store(dir: &Path) -> PathBuf {
    let mut stores: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    stores.retain(|path| is_store(path));
    assert_eq!(
        stores.len(),
        1,
        "every start continues the same store: {stores:?}"
    );
    stores.remove(0)
}

/// One whose making was cut short has a dot before its name; keys lie beside it.
fn is_store(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    !name.starts_with('.') && path.join("streams").is_dir()
}

fn files(store: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(store.join("streams/audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn records(store: &Path) -> Vec<Value> {
    let segments = files(store)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"));
    segments
        .flat_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect::<Vec<Value>>()
        })
        .collect()
}

fn torn_files(store: &Path) -> Vec<PathBuf> {
    files(store)
        .into_iter()
        .filter(|path| path.to_str().unwrap().contains(".torn-"))
        .collect()
}

/// xorshift64: the moments need no more than to differ.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
