//! Writes at a steady rate for as long as it is told, while the disk fails now and then.
//!
//! `soak [--seconds S] [--rate N] [--dir DIR]`; 120 seconds and 20,000 events a second without. Prints
//! memory and open files over time. Ends with 1 if they grow, if what was offered is not what was
//! stored, refused and counted as lost, or if the store does not verify.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use compliance_log::{
    ComplianceLog, audit_event,
    test_util::{Effect, Fault, Faults, within_sync},
    verify::{Options, Verdict, verify},
};
use serde_json::Value;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[audit_event(name = "soak.ticked", target = "soak/{number}")]
struct Ticked {
    number: u64,
    #[audit(internal)]
    note: &'static str,
}

const NOTE: &str = "the quick brown fox jumps over the lazy dog, again and again, in every season";
const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
/// Memory may grow by so much after the first quarter: what a full queue and its batches take.
const GROWTH_KIB_MAX: u64 = 16 * 1024;

struct Arguments {
    seconds: u64,
    rate: u64,
    dir: Option<PathBuf>,
}

/// What became of the events.
#[derive(Debug, Default)]
struct Sums {
    offered: u64,
    refused: u64,
    stored: u64,
    lost: u64,
}

/// What the process held at one moment.
#[derive(Clone, Copy)]
struct Held {
    rss_kib: u64,
    files: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("soak: {error}");
            ExitCode::from(1)
        }
    }
}

fn run() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let temporary = tempfile::tempdir()?;
    let own = temporary.path().join("stores");
    let dir = arguments.dir.as_deref().unwrap_or(&own);
    let faults = Faults::new();
    let builder = ComplianceLog::builder("soak")
        .env("example")
        .instance("one");
    let builder = builder.dir(dir).segment_bytes_max(SEGMENT_BYTES);
    let log = faults.under(builder).open()?;

    let mut sums = Sums::default();
    let held = write(&log, &faults, &arguments, &mut sums)?;
    faults.clear();
    // What it cannot store it counts, and the sums below must show it.
    if let Err(error) = log.shutdown() {
        anstream::println!("shutdown: {error}");
    }
    read(dir, &mut sums)?;
    anstream::println!("{sums:?}");
    let report = verify(dir, &Options::default())?;
    anstream::println!("verify: {}", report.verdict);
    if sums.offered != sums.refused + sums.stored + sums.lost {
        return Err("offered is not refused + stored + lost".into());
    }
    if report.verdict != Verdict::Ok {
        return Err(format!("{report:#?}").into());
    }
    flat(&held)
}

/// Offers events until the time is over; gives what was held at the end of each second.
fn write(
    log: &ComplianceLog,
    faults: &Faults,
    arguments: &Arguments,
    sums: &mut Sums,
) -> Result<Vec<Held>, Failure> {
    let mut held = Vec::new();
    let started = Instant::now();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for second in 0..arguments.seconds {
        // Every fifth second the disk fails in some way, and is whole again in the next.
        match (second % 5, chance.below(3)) {
            (3, 0) => faults.set(Fault::Sync { count: 1 }),
            (3, 1) => faults.set(Fault::NoSpace),
            (3, _) => faults.set(Fault::Call {
                number: chance.below(40),
                effect: Effect::Half,
            }),
            _ => faults.clear(),
        }
        for slice in 0..100 {
            let due = Duration::from_millis(second * 1000 + slice * 10);
            if let Some(early) = due.checked_sub(started.elapsed()) {
                std::thread::sleep(early);
            }
            within_sync(log, || {
                for _ in 0..arguments.rate / 100 {
                    let number = sums.offered;
                    sums.offered += 1;
                    let ticked = Ticked { number, note: NOTE };
                    sums.refused += u64::from(ticked.emit().is_err());
                }
            });
        }
        let now = Held::now()?;
        if second % 10 == 9 || second + 1 == arguments.seconds {
            anstream::println!(
                "{:>5} s  {:>9} offered  {:>7} KiB  {:>3} files",
                second + 1,
                sums.offered,
                now.rss_kib,
                now.files
            );
        }
        held.push(now);
    }
    Ok(held)
}

/// Counts what is stored, and what the log says is lost. A record stands twice where a segment
/// supersedes another, and counts once.
fn read(dir: &Path, sums: &mut Sums) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for store in fs::read_dir(dir)? {
        let records = store?.path().join("streams/audit");
        // Keys lie beside the stores.
        if !records.is_dir() {
            continue;
        }
        for segment in fs::read_dir(records)? {
            let path = segment?.path();
            if path
                .extension()
                .is_none_or(|extension| extension != "jsonl")
            {
                continue;
            }
            for line in BufReader::new(File::open(path)?).lines() {
                let line = line?;
                let seq = line.split_once(r#""seq":"#).map(|(_, rest)| rest);
                let seq = seq
                    .and_then(|rest| rest.split_once(','))
                    .map(|(seq, _)| seq);
                let seq: u64 = seq.ok_or("a record has no seq")?.parse()?;
                if seen.insert(seq) {
                    count(&line, sums)?;
                }
            }
        }
    }
    Ok(())
}

fn count(line: &str, sums: &mut Sums) -> Result<(), Failure> {
    if line.contains(r#","event":"soak.ticked","#) {
        sums.stored += 1;
    } else if line.contains(r#","event":"log.gap","#) {
        let gap: Value = serde_json::from_str(line)?;
        let lost = gap["data"]["lost"].as_array().into_iter().flatten();
        sums.lost += lost
            .filter(|lost| lost["event"] == "soak.ticked")
            .filter_map(|lost| lost["count"].as_u64())
            .sum::<u64>();
    }
    Ok(())
}

/// Holds the last quarter of the time against the first.
fn flat(held: &[Held]) -> Result<(), Failure> {
    let quarter = (held.len() / 4).max(1);
    let most = |held: &[Held]| {
        let rss = held.iter().map(|held| held.rss_kib).max().unwrap_or(0);
        let files = held.iter().map(|held| held.files).max().unwrap_or(0);
        (rss, files)
    };
    let (rss_before, files_before) = most(&held[..quarter]);
    let (rss_after, files_after) = most(&held[held.len() - quarter..]);
    anstream::println!(
        "first quarter: at most {rss_before} KiB, {files_before} files; last: {rss_after} KiB, {files_after} files"
    );
    if rss_after > rss_before + GROWTH_KIB_MAX || files_after > files_before + 1 {
        return Err("memory or open files grew".into());
    }
    Ok(())
}

impl Held {
    fn now() -> Result<Self, Failure> {
        let status = fs::read_to_string("/proc/self/status")?;
        let rss_kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
            .ok_or("/proc/self/status has no VmRSS")?
            .parse()?;
        let files = fs::read_dir("/proc/self/fd")?.count();
        Ok(Self { rss_kib, files })
    }
}

/// xorshift64: the faults need no more than to differ.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            seconds: 120,
            rate: 20_000,
            dir: None,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or(format!("{word} needs a value"))?;
            let number = || value.parse().map_err(|error| format!("{value:?}: {error}"));
            match word.as_str() {
                "--seconds" => arguments.seconds = number()?,
                "--rate" => arguments.rate = number()?,
                "--dir" => arguments.dir = Some(value.into()),
                _ => {
                    return Err(format!(
                        "unknown argument {word}; usage: soak [--seconds S] [--rate N] [--dir DIR]"
                    ));
                }
            }
        }
        Ok(arguments)
    }
}
