//! Real volumes that really fail: full, read-only, unable to write back. What was offered is stored,
//! refused or told of as lost, each exactly once, and `verify` names nothing else.
//!
//! They mount file systems of their own, so they need root, `mount`, `mkfs.ext4`, `chattr` and loop
//! devices. Without these a test says on standard error what is missing, and checks nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use compliance_log::{
    CommitErrorKind, ComplianceLog, Health, audit_event,
    test_util::within_sync,
    verify::{Options, Verdict, verify},
};
use serde_json::Value;

use crate::support::{only_store, records_of, segments, stores, wait_until};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
    #[audit(internal)]
    padding: String,
}

#[audit_event(name = "cache.hit", category = "app")]
struct Note {
    number: u64,
    #[audit(internal)]
    padding: String,
}

/// A file system that is unmounted when it is dropped.
struct Mounted {
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &["-l", &self.path.display().to_string()]).unwrap_or(());
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {}", arguments.join(" "), why.trim()))
}

fn mount(arguments: &[&str]) -> Result<Mounted, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("volume");
    fs::create_dir(&path).unwrap();
    let at = path.display().to_string();
    run("mount", &[arguments, &[&at]].concat())?;
    Ok(Mounted { path, _dir: dir })
}

fn tmpfs(size: &str) -> Result<Mounted, String> {
    mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
}

/// An ext4 of so many bytes in a file that takes what is written to it and no more.
fn ext4(image: &Path, bytes: u64) -> Result<Mounted, String> {
    fs::File::create(image)
        .and_then(|file| file.set_len(bytes))
        .unwrap();
    let image = image.display().to_string();
    let lazy = "lazy_itable_init=1,nodiscard";
    // Of blocks as large as pages: with smaller ones Linux 6.18 loses, with a page that cannot be written
    // back, what was synced before in other blocks of it.
    run(
        "mkfs.ext4",
        &["-q", "-b", "4096", "-O", "^has_journal", "-E", lazy, &image],
    )?;
    mount(&["-o", "loop,nodelalloc,dioread_lock", &image])
}

/// What a test needs, or a word of why it checks nothing here.
macro_rules! needed {
    ($made:expr) => {
        match $made {
            Ok(made) => made,
            Err(why) => {
                eprintln!("NOT CHECKED, this needs root and real volumes: {why}");
                return;
            }
        }
    };
}

fn open(dir: &Path) -> ComplianceLog {
    ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir)
        .segment_bytes_max(256 * 1024)
        .open()
        .unwrap()
}

/// What was offered, and what was said of it.
#[derive(Default)]
struct Offered {
    steps: u64,
    notes: u64,
    acknowledged: BTreeMap<u64, u64>,
    refused: BTreeSet<u64>,
    unknown: BTreeSet<u64>,
}

impl Offered {
    fn step(&mut self, log: &ComplianceLog) -> bool {
        let number = self.steps;
        self.steps += 1;
        let padding = "x".repeat(8000);
        match within_sync(log, || Step { number, padding }.commit().wait()) {
            Ok(receipt) => {
                self.acknowledged.insert(number, receipt.seq());
                return true;
            }
            Err(error) if error.kind() == CommitErrorKind::Unknown => self.unknown.insert(number),
            Err(_) => self.refused.insert(number),
        };
        false
    }

    fn note(&mut self, log: &ComplianceLog) {
        let number = self.notes;
        self.notes += 1;
        let padding = "x".repeat(4000);
        within_sync(log, || Note { number, padding }.emit()).unwrap();
    }

    /// Until a step is refused, `more` turns beyond that, so that others are refused too.
    fn until_refused(&mut self, log: &ComplianceLog, more: u32) {
        let before = self.steps;
        while self.step(log) {
            self.note(log);
            assert!(self.steps < before + 10_000, "nothing was refused");
        }
        for _ in 0..more {
            self.step(log);
            self.note(log);
        }
        assert_eq!(log.health(), Health::Degraded);
    }

    fn until_stored(&mut self, log: &ComplianceLog) {
        // Each second the log takes it that it can write, until it could not.
        wait_until("it is mended", || {
            log.health() == Health::Ready && self.step(log)
        });
        self.note(log);
    }

    /// Each step is stored, refused or unknown, each note stored or told of as lost.
    fn check(&self, dir: &Path) {
        let records = |channel: &str| -> Vec<Value> {
            stores(dir)
                .iter()
                .flat_map(|store| records_of(store, channel))
                .collect()
        };
        let numbers = |channel: &str, event: &str| -> BTreeSet<u64> {
            records(channel)
                .iter()
                .filter(|record| record["event"] == event)
                .map(|record| record["data"]["number"].as_u64().unwrap())
                .collect()
        };
        let stored = numbers("audit", "step.done");
        let acknowledged: BTreeSet<u64> = self.acknowledged.keys().copied().collect();
        assert!(acknowledged.is_subset(&stored), "acknowledged and lost");
        assert!(stored.is_disjoint(&self.refused), "refused and stored");
        let unsure = self.unknown.difference(&stored).count();
        assert_eq!(
            stored.len() + self.refused.len() + unsure,
            usize::try_from(self.steps).unwrap()
        );
        let lost: u64 = records("app")
            .iter()
            .filter(|record| record["event"] == "log.gap")
            .flat_map(|record| record["data"]["lost"].as_array().unwrap().clone())
            .filter(|row| row["event"] == "cache.hit")
            .map(|row| row["count"].as_u64().unwrap())
            .sum();
        let kept = numbers("app", "cache.hit").len() as u64;
        assert_eq!(kept + lost, self.notes);
        let report = verify(dir, &Options::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
    }
}

#[test]
fn what_ends_with_the_pod_is_said_at_start() {
    let memory = needed!(tmpfs("4m"));
    let images = tempfile::tempdir().unwrap();
    let disk = needed!(ext4(&images.path().join("image"), 10 << 20));
    for (volume, kind, warned) in [(&memory, "tmpfs", 1), (&disk, "block", 0)] {
        let dir = volume.path.join("not/yet/there");
        let builder = ComplianceLog::builder("svc").env("prod").dir(&dir);
        let log = builder.open().unwrap();
        assert_eq!(log.warnings().len(), warned, "{:?}", log.warnings());
        log.shutdown().unwrap();
        let records = records_of(&only_store(&dir), "audit");
        assert_eq!(records[0]["data"]["volume"], kind);
        let started = records
            .iter()
            .find(|record| record["event"] == "log.started")
            .unwrap();
        assert_eq!(started["data"]["volume"], kind);
        let said = started["data"]["warnings"][0].as_str().unwrap_or_default();
        assert_eq!(said.contains("ends with the pod"), warned == 1, "{said}");
    }
}

/// Something else has taken space of the volume, and gives it back once the log has filled the rest;
/// and again.
fn fill_and_free(volume: &Path) {
    let dir = volume.join("audit");
    let ballast = ["first", "second"].map(|name| volume.join(name));
    for path in &ballast {
        fs::write(path, vec![7; 1 << 20]).unwrap();
        fs::File::open(path)
            .and_then(|file| file.sync_all())
            .unwrap();
    }
    let log = open(&dir);
    let mut offered = Offered::default();
    for path in &ballast {
        for _ in 0..20 {
            offered.step(&log);
            offered.note(&log);
        }
        offered.until_refused(&log, 20);
        fs::remove_file(path).unwrap();
        offered.until_stored(&log);
    }
    log.shutdown().unwrap();
    assert!(!offered.refused.is_empty());
    offered.check(&dir);
}

#[test]
fn a_tmpfs_that_is_filled_and_freed() {
    let volume = needed!(tmpfs("4m"));
    fill_and_free(&volume.path);
}

#[test]
fn an_ext4_that_is_filled_and_freed() {
    let images = tempfile::tempdir().unwrap();
    let volume = needed!(ext4(&images.path().join("image"), 10 << 20));
    fill_and_free(&volume.path);
}

#[test]
fn a_disk_that_takes_bytes_and_cannot_write_them_back() {
    let images = needed!(tmpfs("4m"));
    let volume = needed!(ext4(&images.path.join("image"), 64 << 20));
    let dir = volume.path.join("audit");
    let log = open(&dir);
    let mut offered = Offered::default();
    // The image grows until its own volume is full: then it is `fdatasync` that fails, and no write.
    while offered.step(&log) {
        assert!(offered.steps < 10_000, "no sync failed");
    }
    assert!(!offered.unknown.is_empty(), "a sync failed");
    let at = images.path.display().to_string();
    run("mount", &["-o", "remount,size=80m", &at]).unwrap();
    offered.until_stored(&log);
    for _ in 0..20 {
        offered.step(&log);
    }
    log.shutdown().unwrap();
    let superseding = segments(&only_store(&dir), "audit")
        .iter()
        .filter(|path| {
            let bytes = fs::read(path).unwrap();
            memchr::memmem::find(&bytes, b"\"supersedes\":{").is_some()
        })
        .count();
    assert!(
        superseding > 0,
        "other segments restate what was not synced"
    );
    offered.check(&dir);
}

#[test]
fn a_folder_in_which_nothing_can_be_made() {
    struct Thawed(String);
    impl Drop for Thawed {
        fn drop(&mut self) {
            run("chattr", &["-i", &self.0]).unwrap_or(());
        }
    }

    let images = tempfile::tempdir().unwrap();
    let volume = needed!(ext4(&images.path().join("image"), 32 << 20));
    let dir = volume.path.join("audit");
    let log = open(&dir);
    let mut offered = Offered::default();
    offered.step(&log);
    let folder = only_store(&dir).join("streams/audit").display().to_string();
    needed!(run("chattr", &["+i", &folder]));
    let thawed = Thawed(folder);
    // The open file still takes records; the next one cannot be made.
    offered.until_refused(&log, 20);
    assert!(offered.acknowledged.len() > 10);
    drop(thawed);
    offered.until_stored(&log);
    log.shutdown().unwrap();
    assert!(segments(&only_store(&dir), "audit").len() > 1);
    offered.check(&dir);
}

#[test]
fn a_volume_that_becomes_read_only() {
    let volume = needed!(tmpfs("8m"));
    let dir = volume.path.join("audit");
    let at = volume.path.display().to_string();
    fs::create_dir(&dir).unwrap();
    needed!(run("mount", &["-o", "remount,ro", &at]));
    let log = open(&dir);
    assert_eq!(log.health(), Health::Degraded, "it starts all the same");
    let why = log.failure().unwrap();
    assert!(why.contains("cannot create a store"), "{why}");
    let mut offered = Offered::default();
    for _ in 0..10 {
        assert!(!offered.step(&log));
        offered.note(&log);
    }
    run("mount", &["-o", "remount,rw", &at]).unwrap();
    offered.until_stored(&log);
    log.shutdown().unwrap();
    offered.check(&dir);
}

#[test]
fn under_load_a_removed_file_costs_what_is_named_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir.path())
        .sync_after(Duration::from_secs(3600))
        .open()
        .unwrap();
    let mut offered = Offered::default();
    for number in 0..300 {
        if number == 150 {
            let active = segments(&only_store(dir.path()), "audit").pop().unwrap();
            fs::remove_file(active).unwrap();
        }
        assert!(offered.step(&log));
    }
    log.shutdown().unwrap();
    let records = records_of(&only_store(dir.path()), "audit");
    let told: Vec<&Value> = records
        .iter()
        .filter(|record| record["event"] == "security.file_replaced")
        .map(|record| &record["data"])
        .collect();
    let [told] = told[..] else {
        panic!("told once: {told:?}")
    };
    let named = told["first_seq"].as_u64().unwrap()..=told["last_seq"].as_u64().unwrap();
    let stored: BTreeSet<u64> = records
        .iter()
        .map(|record| record["seq"].as_u64().unwrap())
        .collect();
    for (number, seq) in &offered.acknowledged {
        assert_ne!(
            stored.contains(seq),
            named.contains(seq),
            "step {number} is stored or named"
        );
        assert_eq!(named.contains(seq), *number < 150, "step {number}");
    }
    let report = verify(dir.path(), &Options::default()).unwrap();
    let findings: Vec<Verdict> = report.stores[0]
        .findings
        .iter()
        .map(|found| found.verdict)
        .collect();
    assert_eq!(findings, [Verdict::MissingSegment], "{report:#?}");
}
