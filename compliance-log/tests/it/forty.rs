//! Forty services get a bad configuration, policy file, folder or clock, and every one starts.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use compliance_log::{
    Builder, ComplianceLog, Health, audit_event,
    clock::{Clock, Timestamp},
    test_util::{Fault, Faults, within_sync},
    verify::{Options, verify},
};

#[audit_event(name = "probe.sent", target = "probe")]
struct Probe {}

/// What is wrong for one service.
#[derive(Clone, Copy)]
enum Wrong {
    /// The configuration file has these bytes.
    Config(&'static [u8]),
    /// The policy's file has these bytes.
    Policy(&'static [u8]),
    /// Something is wrong with one of its files, or the folder of its stores, by this hand.
    Place(Place, fn(&Path)),
    /// Every file-system call fails so.
    Disk(Fault),
    /// Every store that is there already was left so.
    Left(fn(&Path)),
    /// What the clock says, call by call, in microseconds.
    Clock(fn(i64) -> i64),
}

#[derive(Clone, Copy)]
enum Place {
    Config,
    Policy,
    Stores,
}

/// How its operators learn of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    /// By a warning, at once and in `log.started`.
    Warned,
    /// By its health, and why.
    Degraded,
    /// By a record of the log.
    Recorded,
    /// There is nothing to tell: it is taken as it is.
    Fine,
}

const FORTY: [(&str, Wrong, Told); 40] = [
    ("an empty configuration", Wrong::Config(b""), Told::Fine),
    ("no TOML", Wrong::Config(b"service = ["), Told::Warned),
    ("binary", Wrong::Config(b"\x00\xff\xfe\x01"), Told::Warned),
    ("a key nobody knows", Wrong::Config(b"servce = 'x'"), Told::Warned),
    ("a number as text", Wrong::Config(b"queue_bytes_max = 'all'"), Told::Warned),
    ("a negative size", Wrong::Config(b"segment_bytes_max = -1"), Told::Warned),
    ("a size of nothing", Wrong::Config(b"queue_bytes_max = 0\nmax_bytes = 0\nsegment_bytes_max = 0\nsync_after_ms = 0"), Told::Fine),
    ("a size beyond all", Wrong::Config(b"queue_bytes_max = 9223372036854775807\nsegment_age_max_s = 9223372036854775807"), Told::Fine),
    ("a name with a slash", Wrong::Config(b"env = 'a/b'\ninstance = '../..'"), Told::Warned),
    ("a level that is none", Wrong::Config(b"app_level = 'loud'"), Told::Warned),
    ("audit records that may be dropped", Wrong::Config(b"[on_failure]\naudit = 'drop_and_count'"), Told::Warned),
    ("a volume that is none", Wrong::Config(b"[volume]\n'probe.sent' = 'some'"), Told::Warned),
    ("a configuration that is a folder", Wrong::Place(Place::Config, folder), Told::Warned),
    ("a configuration that is not there", Wrong::Place(Place::Config, nothing), Told::Warned),
    ("an empty policy", Wrong::Policy(b""), Told::Warned),
    ("a policy that is no TOML", Wrong::Policy(b"[[value"), Told::Warned),
    ("a policy of a later version", Wrong::Policy(b"version = 2"), Told::Warned),
    ("a policy that is binary", Wrong::Policy(b"version = 1\n\xff"), Told::Warned),
    ("a pattern that is none", Wrong::Policy(b"version = 1\n[[value]]\nid = 'a'\ndescription = ''\naction = 'drop'\nliterals = ['ab']\npattern = '('\nmatch = []\npass = []"), Told::Warned),
    ("an example that does not hold", Wrong::Policy(b"version = 1\n[[value]]\nid = 'a'\ndescription = ''\naction = 'drop'\nliterals = ['ab']\npattern = 'ab'\nmatch = ['x']\npass = []"), Told::Warned),
    ("a policy that is not there", Wrong::Place(Place::Policy, nothing), Told::Warned),
    ("a policy that is a folder", Wrong::Place(Place::Policy, folder), Told::Warned),
    ("a policy that is a socket", Wrong::Place(Place::Policy, socket), Told::Warned),
    ("a policy behind a loop of links", Wrong::Place(Place::Policy, looped), Told::Warned),
    ("a file in the place of the folder", Wrong::Place(Place::Stores, file), Told::Degraded),
    ("a folder behind a loop of links", Wrong::Place(Place::Stores, looped), Told::Degraded),
    ("a folder behind a link to nothing", Wrong::Place(Place::Stores, dangling), Told::Degraded),
    ("a socket in the place of the folder", Wrong::Place(Place::Stores, socket), Told::Degraded),
    ("a full disk", Wrong::Disk(Fault::NoSpace), Told::Degraded),
    ("a disk that does not sync", Wrong::Disk(Fault::Sync { count: u64::MAX }), Told::Degraded),
    ("an edited store", Wrong::Left(edited), Told::Recorded),
    ("a store of a later format", Wrong::Left(newer), Told::Recorded),
    ("a store without its streams", Wrong::Left(emptied), Told::Recorded),
    ("a torn last record", Wrong::Left(torn), Told::Recorded),
    ("a head that is noise", Wrong::Left(noise), Told::Recorded),
    ("a clock before 1970", Wrong::Clock(|_| -1), Told::Fine),
    ("a clock beyond year 9999", Wrong::Clock(|_| i64::MAX), Told::Fine),
    ("a clock before year 1", Wrong::Clock(|_| i64::MIN), Told::Fine),
    ("a clock that runs back", Wrong::Clock(|call| 1_800_000_000_000_000 - call * 60_000_000), Told::Recorded),
    ("a clock that jumps to and fro", Wrong::Clock(|call| (call % 2) * 3_600_000_000 * 24 * 365), Told::Recorded),
];

fn nothing(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn folder(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
}

fn file(path: &Path) {
    fs::write(path, "a file").unwrap();
}

fn socket(path: &Path) {
    drop(fs::remove_file(path));
    // The name stays when it is closed.
    drop(UnixListener::bind(path).unwrap());
}

fn looped(path: &Path) {
    drop(fs::remove_file(path));
    symlink(path, path).unwrap();
}

fn dangling(path: &Path) {
    let nowhere = path.with_extension("nowhere").join("at/all");
    symlink(nowhere, path).unwrap();
}

fn segment(store: &Path) -> PathBuf {
    crate::support::segments(store, "audit").remove(0)
}

fn edited(store: &Path) {
    let path = segment(store);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("probe.sent", "probe.lost")).unwrap();
}

fn newer(store: &Path) {
    let path = segment(store);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("{\"v\":1,", "{\"v\":2,", 1)).unwrap();
}

fn emptied(store: &Path) {
    fs::remove_dir_all(store.join("streams")).unwrap();
}

fn torn(store: &Path) {
    let path = segment(store);
    let text = fs::read_to_string(&path).unwrap();
    let half = text.lines().last().unwrap()[..40].to_owned();
    fs::write(&path, text + &half).unwrap();
}

fn noise(store: &Path) {
    fs::write(store.join("streams/audit/head"), vec![7; 200]).unwrap();
}

/// Says what a function says of the number of the call.
#[derive(Debug)]
struct OddClock {
    calls: AtomicI64,
    says: fn(i64) -> i64,
    start: Instant,
}

impl Clock for OddClock {
    fn now(&self) -> Timestamp {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_micros((self.says)(call))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// One service: its files, and how it opens its log.
struct Service {
    dir: tempfile::TempDir,
}

impl Service {
    fn new() -> Self {
        let service = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(service.path(Place::Config), "").unwrap();
        let policy = compliance_log::Policy::builtin();
        fs::write(service.path(Place::Policy), policy.document()).unwrap();
        service
    }

    fn path(&self, place: Place) -> PathBuf {
        self.dir.path().join(match place {
            Place::Config => "log.toml",
            Place::Policy => "redaction.toml",
            Place::Stores => "stores",
        })
    }

    fn builder(&self) -> Builder {
        ComplianceLog::builder("svc")
            .env("test")
            .instance("one")
            .dir(self.path(Place::Stores))
            .policy_file(self.path(Place::Policy))
            .config_file(self.path(Place::Config))
    }

    /// What went on before, and then the damage.
    fn prepare(&self, wrong: Wrong) -> Builder {
        match wrong {
            Wrong::Config(text) => fs::write(self.path(Place::Config), text).unwrap(),
            Wrong::Policy(text) => fs::write(self.path(Place::Policy), text).unwrap(),
            Wrong::Place(place, hand) => hand(&self.path(place)),
            Wrong::Disk(fault) => {
                let faults = Faults::new();
                faults.set(fault);
                return faults.under(self.builder());
            }
            Wrong::Left(hand) => {
                let log = self.builder().open().unwrap();
                within_sync(&log, || Probe {}.commit().wait()).unwrap();
                log.shutdown().unwrap();
                hand(&crate::support::only_store(&self.path(Place::Stores)));
            }
            Wrong::Clock(says) => {
                return self.builder().clock(Arc::new(OddClock {
                    calls: AtomicI64::new(0),
                    says,
                    start: Instant::now(),
                }));
            }
        }
        self.builder()
    }

    /// Events that stand in some store of the service.
    fn recorded(&self) -> Vec<(String, String)> {
        let stores = crate::support::stores(&self.path(Place::Stores));
        let records = stores
            .iter()
            .filter(|store| !crate::support::segments(store, "audit").is_empty())
            .flat_map(|store| crate::support::records_of(store, "audit"));
        records
            .map(|record| {
                let event = record["event"].as_str().unwrap().to_owned();
                (event, record["data"].to_string())
            })
            .collect()
    }
}

#[test]
fn forty_services_start_whatever_they_find() {
    let mut degraded = 0;
    for (what, wrong, told) in FORTY {
        let service = Service::new();
        let builder = service.prepare(wrong);
        let since = Instant::now();
        let log = builder
            .open()
            .unwrap_or_else(|error| panic!("{what}: it did not start: {error}"));
        assert!(
            since.elapsed() < Duration::from_secs(5),
            "{what}: it was held up"
        );

        let answer = within_sync(&log, || Probe {}.commit().wait());
        let (health, why) = (log.health(), log.failure());
        assert_eq!(
            answer.is_ok(),
            health == Health::Ready,
            "{what}: {answer:?}"
        );
        assert_eq!(
            told == Told::Degraded,
            health == Health::Degraded,
            "{what}: {why:?}"
        );
        assert_eq!(
            told == Told::Warned,
            !log.warnings().is_empty(),
            "{what}: {:?}",
            log.warnings()
        );
        let ended = log.shutdown();
        if health == Health::Degraded {
            degraded += 1;
            let why = why.unwrap();
            assert!(why.len() > 20, "{what}: {why}");
            continue;
        }
        ended.unwrap_or_else(|error| panic!("{what}: {error}"));
        let recorded = service.recorded();
        let hints = ["passed_over", "clock.stepped", "chain.recovery", "warnings"];
        let hinted = recorded.iter().any(|(event, data)| {
            hints
                .iter()
                .any(|hint| event == hint || data.contains(hint))
        });
        assert_eq!(
            hinted,
            matches!(told, Told::Recorded | Told::Warned),
            "{what}: {recorded:#?}"
        );
        if !matches!(wrong, Wrong::Left(_)) {
            let report = verify(&service.path(Place::Stores), &Options::default()).unwrap();
            assert_eq!(report.exit, 0, "{what}: {report:#?}");
        }
    }
    println!("40 services, 0 failed to start, {degraded} started degraded");
}
