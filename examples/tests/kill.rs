//! Kills a writer at random moments: what it acknowledged is there, and the next one goes on.
//!
//! `KILL_ROUNDS` sets the number of rounds, 50 without it.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use compliance_log::verify::{Options, Verdict, verify};
use serde_json::Value;

#[test]
fn long_acknowledged_records_survive_kill_9() {
    let rounds: u32 = std::env::var("KILL_ROUNDS").map_or(50, |rounds| rounds.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut acked: BTreeMap<(String, u64), String> = BTreeMap::new();
    let mut random = Random(u64::from(std::process::id()) | 1);
    let mut torn_rounds = 0;
    for round in 0..rounds {
        // Early moments too: the store is being made, or the last one recovered.
        let moment =
            Duration::from_micros(random.below(if round % 3 == 0 { 15_000 } else { 120_000 }));
        acked.extend(run_and_kill(dir.path(), moment));
        let report = verify(dir.path(), &Options::default()).unwrap();
        if report.verdict == Verdict::NothingChecked && acked.is_empty() {
            continue;
        }
        assert!(
            matches!(report.verdict, Verdict::Ok | Verdict::Torn),
            "round {round}: {report:#?}"
        );
        torn_rounds += u32::from(report.verdict == Verdict::Torn);
    }
    // One last start recovers what the last kill left, and ends in peace.
    finish(dir.path());
    let report = verify(dir.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");

    let store = only_store(dir.path());
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
    println!(
        "{rounds} kills: {} acknowledged, {} stored, 0 lost; {torn_rounds} times torn, {} torn files kept, \
         {} chain.recovery, {} log.unclean_stop",
        acked.len(),
        records.len(),
        kept.len(),
        count("chain.recovery"),
        count("log.unclean_stop"),
    );
    assert!(
        !acked.is_empty(),
        "nothing was acknowledged, so nothing was tried"
    );
    assert!(count("chain.recovery") > 0 && count("log.unclean_stop") > 0);
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

/// Starts a writer, kills it after `moment`, and gives what it acknowledged until then.
fn run_and_kill(dir: &Path, moment: Duration) -> Vec<((String, u64), String)> {
    let mut child = writer(dir, u64::MAX).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    // Reading goes on while it writes, or a full pipe would stop it.
    let reading = std::thread::spawn(move || {
        BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .collect()
    });
    let until = Instant::now() + moment;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let lines: Vec<String> = reading.join().unwrap();
    lines.iter().filter_map(|line| acknowledged(line)).collect()
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
    stores.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    assert_eq!(
        stores.len(),
        1,
        "every start continues the same store: {stores:?}"
    );
    stores.remove(0)
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
