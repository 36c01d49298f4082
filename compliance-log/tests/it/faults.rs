//! Whatever single call of the file system fails, in every form: nothing that was acknowledged is
//! lost, nothing that was refused is stored, nobody waits for ever, and `verify` never cries wolf.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path, sync::mpsc, time::Duration};

use compliance_log::{
    Commit, CommitErrorKind, ComplianceLog, Seal, audit_event,
    test_util::{Effect, Fault, Faults, within_sync},
    verify::{Options, Verdict, verify},
};
use proptest::prelude::*;

use crate::{
    seal_check::{check_store, root_keys},
    support::{segments, stores, whole_records},
};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
    #[audit(internal)]
    padding: String,
}

impl Step {
    fn new(number: u64, bytes: usize) -> Self {
        Self {
            number,
            padding: "x".repeat(bytes),
        }
    }
}

/// Whether a store is sealed.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    Sealed,
}

impl Kind {
    fn open(self, dir: &Path, faults: &Faults) -> ComplianceLog {
        let builder = ComplianceLog::builder("svc")
            .env("test")
            .instance("one")
            .segment_bytes_max(64 * 1024)
            .sync_after(Duration::from_secs(3600));
        let builder = match self {
            Self::Plain => builder,
            // Only when it is asked to.
            Self::Sealed => builder.seal(Seal::default().every(Duration::from_secs(60))),
        };
        faults.under(builder.dir(dir)).open().unwrap()
    }

    /// Makes a checkpoint, where there is one to be made.
    fn checkpoint(self, log: &ComplianceLog) {
        if let Self::Sealed = self {
            // An error is one of the disk's.
            drop(log.checkpoint());
        }
    }

    /// What nobody but the log and the disk did is not taken for tampering.
    fn assert_untampered(self, dir: &Path, what: &str) {
        match self {
            Self::Plain => assert_untampered(dir, what, &Options::default()),
            Self::Sealed => assert_untampered(dir, what, &root_keys(dir)),
        }
        if let Self::Plain = self {
            return;
        }
        for store in stores(dir) {
            check_store(dir, &store);
            let why = whole_records(&store, "audit")
                .iter()
                .find(|record| record["event"] == "log.started")
                .and_then(|started| Some(started["data"]["why"].as_str()?.to_owned()));
            let calm = ["first", "unreadable", "locked"];
            assert!(
                why.as_deref().is_none_or(|why| calm.contains(&why)),
                "{what}: {why:?}"
            );
        }
    }
}

/// What callers were told of their records.
#[derive(Default)]
struct Told {
    next: u64,
    acknowledged: BTreeSet<u64>,
    refused: BTreeSet<u64>,
}

impl Told {
    fn commit(&mut self, log: &ComplianceLog) {
        let number = self.number();
        let commit: Commit = within_sync(log, || Step::new(number, 10).commit());
        self.answered(number, commit.wait().map_err(|error| error.kind()).err());
    }

    fn emit(&mut self, log: &ComplianceLog, bytes: usize) {
        let number = self.number();
        if within_sync(log, || Step::new(number, bytes).emit()).is_err() {
            self.refused.insert(number);
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn answered(&mut self, number: u64, refused: Option<CommitErrorKind>) {
        match refused {
            None => drop(self.acknowledged.insert(number)),
            Some(CommitErrorKind::Unknown) => (),
            Some(_) => drop(self.refused.insert(number)),
        }
    }

    /// Holds what the store has against what callers were told.
    fn check(&self, dir: &Path) {
        let stored = stored(dir);
        let lost: Vec<_> = self.acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let both: Vec<_> = self.refused.intersection(&stored).collect();
        assert!(both.is_empty(), "refused and stored: {both:?}");
    }
}

/// The numbers of the steps that the stores under `dir` hold.
fn stored(dir: &Path) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    for store in stores(dir) {
        for segment in segments(&store, "audit") {
            let text = fs::read_to_string(segment).unwrap();
            numbers.extend(text.lines().filter_map(|line| {
                let record: serde_json::Value = serde_json::from_str(line).ok()?;
                record["data"]["number"].as_u64()
            }));
        }
    }
    numbers
}

/// Everything that a store does: it is opened, appended to, synced, rotated, closed, and recovered
/// after a crash that left half a line.
fn live(kind: Kind, dir: &Path, faults: &Faults, told: &mut Told) {
    let log = kind.open(dir, faults);
    told.commit(&log);
    told.emit(&log, 10);
    kind.checkpoint(&log);
    for _ in 0..20 {
        told.emit(&log, 4000);
    }
    told.commit(&log);
    kind.checkpoint(&log);
    told.emit(&log, 10);
    // An error is what the calls were told already.
    drop(log.shutdown());
    if let [store, ..] = &stores(dir)[..]
        && let Some(newest) = segments(store, "audit").last()
    {
        let mut file = fs::OpenOptions::new().append(true).open(newest);
        if let Ok(file) = &mut file {
            file.write_all(b"{\"v\":1,\"stream\":").unwrap();
        }
    }
    let log = kind.open(dir, faults);
    told.commit(&log);
    told.emit(&log, 10);
    drop(log.shutdown());
}

fn assert_untampered(dir: &Path, what: &str, options: &Options) {
    if stores(dir).is_empty() {
        return;
    }
    let report = verify(dir, options).unwrap();
    for store in &report.stores {
        assert!(
            matches!(store.verdict, Verdict::Ok | Verdict::Torn),
            "{what}: {store:#?}"
        );
    }
}

/// A folder on no medium, where there is one: what a disk does is what the faults say, and not its time.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// Runs one life with one fault, and a second one without.
fn survive(kind: Kind, fault: Option<Fault>) -> u64 {
    let (done, waits) = mpsc::channel();
    let life = std::thread::spawn(move || {
        let dirs = in_memory();
        let dir = dirs.path().join("stores");
        fs::create_dir(&dir).unwrap();
        let faults = Faults::new();
        if let Some(fault) = fault {
            faults.set(fault);
        }
        let mut told = Told::default();
        live(kind, &dir, &faults, &mut told);
        let calls = faults.calls();
        kind.assert_untampered(&dir, "before the next start");

        faults.clear();
        let log = kind.open(&dir, &faults);
        told.commit(&log);
        log.shutdown().unwrap();
        assert!(told.acknowledged.contains(&told.next), "the log is mended");
        told.check(&dir);
        kind.assert_untampered(&dir, "after the next start");
        done.send(calls).unwrap();
    });
    let calls = waits.recv_timeout(Duration::from_secs(60));
    assert!(
        calls.is_ok() || life.is_finished(),
        "somebody waits for ever: {fault:?}"
    );
    assert!(life.join().is_ok(), "{fault:?}");
    calls.unwrap()
}

/// Runs `lives` on as many threads as help where most of the time goes into waiting for the disk.
fn on_threads(kind: Kind, lives: Vec<Fault>) {
    let next = std::sync::Mutex::new(lives.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(fault) = { next.lock().unwrap().next() } {
                    survive(kind, Some(fault));
                }
            });
        }
    });
}

#[test]
fn long_any_call_may_fail_in_any_form() {
    println!("{} fault points", any_call_may_fail(Kind::Plain));
}

#[test]
fn long_any_call_may_fail_in_any_form_under_a_sealed_store() {
    println!("{} fault points", any_call_may_fail(Kind::Sealed));
}

/// How many points there were.
fn any_call_may_fail(kind: Kind) -> usize {
    let calls = survive(kind, None);
    let lives: Vec<Fault> = [Effect::None, Effect::Half, Effect::Whole]
        .into_iter()
        .flat_map(|effect| (0..calls).map(move |number| Fault::Call { number, effect }))
        .collect();
    let points = lives.len();
    on_threads(kind, lives);
    points
}

#[test]
fn long_a_sealed_store_goes_on_wherever_its_writer_was_killed() {
    let calls = survive(Kind::Sealed, None);
    let ends: Vec<Fault> = [Effect::None, Effect::Half, Effect::Whole]
        .into_iter()
        .flat_map(|effect| (0..calls).map(move |number| Fault::End { number, effect }))
        .collect();
    println!("{calls} calls, {} ends", ends.len());
    let next = std::sync::Mutex::new(ends.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(end) = { next.lock().unwrap().next() } {
                    outlive(end);
                }
            });
        }
    });
}

/// The writer ends in a call, and another one goes on with what is there.
fn outlive(end: Fault) {
    let dirs = in_memory();
    let dir = dirs.path().join("stores");
    fs::create_dir(&dir).unwrap();
    let faults = Faults::new();
    faults.set(end);
    let mut told = Told::default();
    live(Kind::Sealed, &dir, &faults, &mut told);
    let before = stores(&dir).len();
    Kind::Sealed.assert_untampered(&dir, &format!("{end:?}: killed"));
    let log = Kind::Sealed.open(&dir, &Faults::new());
    told.commit(&log);
    log.shutdown().unwrap();
    told.check(&dir);
    Kind::Sealed.assert_untampered(&dir, &format!("{end:?}: begun again"));
    assert!(before <= 1, "{end:?}");
    assert_eq!(stores(&dir).len(), 1, "{end:?}: it is gone on with");
}

/// One turn of a life under faults and losses of power.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Commit,
    Checkpoint,
    Emit { bytes: u16 },
    Fault { number: u8, effect: Effect },
    Mend,
    Stop,
    PowerOff { seed: u64 },
}

fn turn() -> impl Strategy<Value = Turn> {
    let effect = prop_oneof![Just(Effect::None), Just(Effect::Half), Just(Effect::Whole)];
    prop_oneof![
        6 => Just(Turn::Commit),
        3 => Just(Turn::Checkpoint),
        6 => (1_u16..4000).prop_map(|bytes| Turn::Emit { bytes }),
        2 => (0_u8..40, effect).prop_map(|(number, effect)| Turn::Fault { number, effect }),
        1 => Just(Turn::Mend),
        1 => Just(Turn::Stop),
        2 => any::<u64>().prop_map(|seed| Turn::PowerOff { seed }),
    ]
}

/// The next number of a series that looks like chance (xorshift).
fn chance(seed: &mut u64) -> u64 {
    *seed |= 1;
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn live_by(kind: Kind, turns: &[Turn]) {
    let dirs = in_memory();
    let dir = &dirs.path().join("stores");
    fs::create_dir(dir).unwrap();
    let mut faults = Faults::new();
    let mut told = Told::default();
    let mut log = kind.open(dir, &faults);
    for turn in turns {
        match *turn {
            Turn::Commit => told.commit(&log),
            Turn::Checkpoint => kind.checkpoint(&log),
            Turn::Emit { bytes } => told.emit(&log, bytes.into()),
            Turn::Fault { number, effect } => faults.set(Fault::Call {
                number: number.into(),
                effect,
            }),
            Turn::Mend => faults.clear(),
            Turn::Stop => {
                drop(log.shutdown());
                kind.assert_untampered(dir, "stopped");
                log = kind.open(dir, &faults);
            }
            Turn::PowerOff { mut seed } => {
                let keep = |most: u64| chance(&mut seed) % (most + 1);
                faults.power_off(keep).unwrap();
                // Its last words find no disk.
                drop(log.shutdown());
                kind.assert_untampered(dir, "without power");
                faults = Faults::new();
                log = kind.open(dir, &faults);
                log.flush().unwrap();
                told.check(dir);
            }
        }
    }
    drop(log.shutdown());
    let log = kind.open(dir, &Faults::new());
    told.commit(&log);
    log.shutdown().unwrap();
    told.check(dir);
    kind.assert_untampered(dir, "at the end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The store against a list of what was acknowledged.
    #[test]
    fn long_acknowledged_records_outlive_faults_and_losses_of_power(turns in prop::collection::vec(turn(), 1..40)) {
        live_by(Kind::Plain, &turns);
    }

    #[test]
    fn long_sealed_stores_outlive_faults_and_losses_of_power(turns in prop::collection::vec(turn(), 1..40)) {
        live_by(Kind::Sealed, &turns);
    }
}
