//! Stores that lived in all the ways a store may live, none of which is tampering: `verify` says so of each, while
//! it is written and afterwards. `LIVES` says how many, 60 if it does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use compliance_log::{
    ComplianceLog, DirAnchor, Seal, audit_event,
    clock::{Clock as _, Timestamp},
    test_util::{Effect, Fault, Faults, ManualClock, within_sync},
    verify::{Options, Verdict, verify},
};

use crate::{
    seal_check::root_keys,
    support::{segments, stores},
};

#[audit_event(name = "step.done", target = "step/{number}")]
struct Step {
    number: u64,
    #[audit(internal)]
    padding: String,
}

#[audit_event(name = "page.shown", category = "app")]
struct PageShown {
    number: u64,
}

/// A service, its machine's clock and disk.
struct Life {
    random: fastrand::Rng,
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    faults: Faults,
    log: Option<ComplianceLog>,
    is_anchored: bool,
    number: u64,
    /// What callers were given.
    checkpoints: Vec<String>,
    /// What happened, in order.
    told: String,
    kinds: BTreeSet<&'static str>,
    checks: u64,
    false_alarms: Vec<String>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        fs::create_dir(folder.path().join("stores")).unwrap();
        fs::create_dir(folder.path().join("anchor")).unwrap();
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let mut life = Self {
            is_anchored: random.bool(),
            random,
            folder,
            clock: Arc::new(ManualClock::new(now)),
            faults: Faults::new(),
            log: None,
            number: 0,
            checkpoints: Vec::new(),
            told: format!("seed {seed}:"),
            kinds: BTreeSet::new(),
            checks: 0,
            false_alarms: Vec::new(),
        };
        life.start();
        life
    }

    fn stores(&self) -> PathBuf {
        self.folder.path().join("stores")
    }

    fn anchor(&self) -> PathBuf {
        self.folder.path().join("anchor")
    }

    fn start(&mut self) {
        // Seals unasked too, or only when it is asked to.
        let every = [Duration::from_millis(100), Duration::from_secs(60)];
        let second = Duration::from_secs(1);
        let seal = Seal::default()
            .every(every[self.random.usize(..2)])
            .heartbeat(second * 60)
            .epoch(second * 300)
            .anchor_every(second);
        let seal = if self.is_anchored {
            seal.anchor(DirAnchor::new(self.anchor()))
        } else {
            seal
        };
        let builder = ComplianceLog::builder("svc")
            .env("test")
            .instance("one")
            .dir(self.stores())
            .clock(Arc::<ManualClock>::clone(&self.clock))
            .segment_bytes_max(64 * 1024)
            .sync_after(Duration::from_secs(3_600))
            .seal(seal);
        self.log = Some(self.faults.under(builder).open().unwrap());
    }

    fn log(&self) -> &ComplianceLog {
        self.log.as_ref().unwrap()
    }

    fn emit(&mut self, bytes: usize) {
        self.number += 1;
        let step = Step {
            number: self.number,
            padding: "x".repeat(bytes),
        };
        let page = PageShown {
            number: self.number,
        };
        // A disk that fails may refuse them.
        drop(within_sync(self.log(), || (step.emit(), page.emit())));
    }

    fn commit(&mut self) {
        self.number += 1;
        let step = Step {
            number: self.number,
            padding: String::new(),
        };
        drop(within_sync(self.log(), || step.commit().wait()));
    }

    fn checkpoint(&mut self) {
        if let Ok(note) = self.log().checkpoint()
            && !note.is_empty()
        {
            self.checkpoints.push(note);
        }
    }

    fn stop(&mut self) {
        if let Some(log) = self.log.take() {
            drop(log.shutdown());
        }
    }

    fn effect(&mut self) -> Effect {
        [Effect::None, Effect::Half, Effect::Whole][self.random.usize(..3)]
    }

    /// The next thing that happens.
    fn turn(&mut self) {
        let turn = self.random.u8(..100);
        let name = match turn {
            0..20 => "commit",
            20..35 => "emit",
            35..50 => "seal",
            50..58 => "time goes on",
            58..62 => "the machine sleeps",
            62..66 => "much is written",
            66..70 => "a sync fails",
            70..74 => "a call fails",
            74..78 => "the disk is mended",
            78..84 => "stop and start",
            84..88 => "the power fails",
            88..93 => "the process is killed",
            _ => "live check",
        };
        write!(self.told, " {name};").unwrap();
        match name {
            "commit" => self.commit(),
            "emit" => {
                let bytes = self.random.usize(..4_000);
                self.emit(bytes);
            }
            "seal" => self.checkpoint(),
            "time goes on" => self
                .clock
                .advance(Duration::from_secs(self.random.u64(1..60))),
            "the machine sleeps" => {
                let seconds = self.random.u64(60..4_000);
                self.clock.advance(Duration::from_secs(seconds));
                self.kinds.insert("slept");
            }
            "much is written" => (0..20).for_each(|_| self.emit(4_000)),
            "a sync fails" => {
                let count = self.random.u64(1..4);
                self.faults.set(Fault::Sync { count });
                self.emit(100);
                self.commit();
                self.kinds.insert("a sync failed");
            }
            "a call fails" => {
                let (number, effect) = (self.random.u64(..40), self.effect());
                self.faults.set(Fault::Call { number, effect });
                self.kinds.insert("a call failed");
            }
            "the disk is mended" => self.faults.clear(),
            "stop and start" => {
                self.stop();
                self.check("stopped", None);
                self.start();
                self.kinds.insert("restarted");
            }
            "the power fails" => {
                let random = &mut self.random;
                self.faults.power_off(|most| random.u64(..=most)).unwrap();
                self.stop();
                self.check("without power", None);
                self.faults = Faults::new();
                self.start();
                self.kinds.insert("lost power");
            }
            "the process is killed" => {
                let (number, effect) = (self.random.u64(..60), self.effect());
                self.faults.set(Fault::End { number, effect });
                for _ in 0..self.random.usize(1..6) {
                    self.emit(100);
                    self.checkpoint();
                }
                self.faults.set(Fault::Off);
                self.stop();
                self.check("killed", None);
                self.faults = Faults::new();
                self.start();
                self.kinds.insert("killed at a call");
            }
            _ => self.live(),
        }
    }

    /// A check while it is written. Whoever expects it to be fresh has it sealed just before.
    fn live(&mut self) {
        self.faults.clear();
        self.commit();
        self.checkpoint();
        let micros = u64::try_from(self.clock.now().as_micros()).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        self.emit(100);
        self.check("live", Some(now));
        self.kinds.insert("checked live");
    }

    fn options(&self) -> Options {
        let options = root_keys(&self.stores());
        let options = self.checkpoints.iter().fold(options, |options, note| {
            options
                .trusted_checkpoint("a caller's", note.as_bytes())
                .unwrap()
        });
        let anchored = files_below(&self.anchor());
        anchored.iter().fold(options, |options, note| {
            let bytes = fs::read(note).unwrap();
            options.anchored_checkpoint("the anchor", &bytes)
        })
    }

    fn check(&mut self, when: &str, live: Option<SystemTime>) {
        if stores(&self.stores()).is_empty() {
            return;
        }
        self.checks += 1;
        let report = verify(&self.stores(), &self.options()).unwrap();
        let mut wrong: Vec<String> = Vec::new();
        let mut look = |verdict: Verdict, what: String| {
            let fine = match when {
                "at the end" => verdict == Verdict::Ok,
                _ => matches!(verdict, Verdict::Ok | Verdict::Torn),
            };
            if !fine {
                wrong.push(what);
            }
        };
        for store in &report.stores {
            look(store.verdict, format!("{store:#?}"));
        }
        for finding in &report.findings {
            look(finding.verdict, format!("{finding:#?}"));
        }
        if let Some(now) = live
            && let Some(newest) = self.log().store()
        {
            // Older incarnations have no writer that runs.
            let report = verify(newest, &root_keys(&self.stores()).live(now)).unwrap();
            look(report.verdict, format!("live: {report:#?}"));
        }
        let wrong = wrong
            .into_iter()
            .map(|what| format!("{} {when}: {what}", self.told));
        self.false_alarms.extend(wrong);
    }

    /// What its stores show of it.
    fn look_back(&mut self) {
        self.kinds.insert(if self.is_anchored {
            "anchored"
        } else {
            "not anchored"
        });
        let all = stores(&self.stores());
        if all.len() > 1 {
            self.kinds.insert("several incarnations");
        }
        for store in all {
            for (channel, kind) in [("audit", "rotated"), ("catalog", "catalog rotated")] {
                let segments = segments(&store, channel);
                if segments.len() > 1 {
                    self.kinds.insert(kind);
                }
                for segment in segments {
                    let text = fs::read_to_string(segment).unwrap();
                    if text.contains(r#""supersedes":"#) {
                        self.kinds.insert("superseded");
                    }
                    if text.contains(r#""event":"chain.recovery""#) {
                        self.kinds.insert("recovered");
                    }
                    if text.contains(r#""reason":"time""#) && channel == "catalog" {
                        self.kinds.insert("keys changed in time");
                    }
                }
            }
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(folder).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "note"))
        .collect()
}

fn live_by(seed: u64) -> Life {
    let mut life = Life::new(seed);
    for _ in 0..life.random.usize(3..30) {
        life.turn();
    }
    life.stop();
    life.check("stopped at last", None);
    // The last start and stop are clean ones.
    life.faults = Faults::new();
    life.start();
    life.commit();
    life.stop();
    life.check("at the end", None);
    life.kinds.insert("clean stop");
    life.look_back();
    life
}

#[test]
fn long_no_life_without_tampering_raises_an_alarm() {
    let lives = std::env::var("LIVES").ok().map(|lives| lives.parse());
    let lives: u64 = lives.map_or(60, |lives| lives.unwrap());
    let (next, checks) = (AtomicU64::new(0), AtomicU64::new(0));
    let alarms = Mutex::new(Vec::new());
    let kinds = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= lives {
                return;
            }
            let life = live_by(seed);
            checks.fetch_add(life.checks, Ordering::Relaxed);
            alarms.lock().unwrap().extend(life.false_alarms);
            for kind in life.kinds {
                *kinds.lock().unwrap().entry(kind).or_insert(0_u64) += 1;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let (alarms, kinds) = (alarms.into_inner().unwrap(), kinds.into_inner().unwrap());
    println!(
        "{lives} lives, {checks:?} checks, {} false alarms; of the lives:",
        alarms.len()
    );
    for (kind, lives) in &kinds {
        println!("{lives:6} {kind}");
    }
    let some: Vec<_> = alarms.iter().take(3).collect();
    assert!(
        alarms.is_empty(),
        "{} false alarms, such as {}",
        alarms.len(),
        some.iter()
            .map(|alarm| &***alarm)
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(kinds.len() >= 10, "{kinds:?}");
}
