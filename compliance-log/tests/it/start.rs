//! A service starts whatever its log finds, and the log says what that was.

use std::{fmt::Write as _, fs, path::Path, process::Command, sync::Arc, time::Duration};

use compliance_log::{
    CommitErrorKind, ComplianceLog, ErrorKind, Health, StartFailure, audit_event,
    clock::Timestamp,
    test_util::{Fault, Faults, ManualClock, capture_with, within_sync},
};

use crate::support::{events, only_store, records, records_of, segments, stores, wait_until};

#[audit_event(name = "probe.sent", target = "probe")]
struct Probe {}

fn builder(dir: &Path) -> compliance_log::Builder {
    ComplianceLog::builder("svc")
        .env("test")
        .instance("one")
        .dir(dir)
}

/// One record, and the log closed again.
fn use_once(dir: &Path) {
    let log = builder(dir).open().unwrap();
    within_sync(&log, || Probe {}.commit().wait()).unwrap();
    log.shutdown().unwrap();
}

#[test]
fn an_unknown_configuration_key_is_a_warning_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.toml");
    let stores = dir.path().join("stores");
    fs::write(
        &file,
        format!("service = \"svc\"\nenv = \"test\"\nsurprise = 1\ndir = {stores:?}\n"),
    )
    .unwrap();
    let log = ComplianceLog::from_file(&file).open().unwrap();
    assert_eq!(log.health(), Health::Ready);
    log.shutdown().unwrap();
    let records = records(&stores, "audit");
    assert_eq!(records[2]["event"], "log.started");
    assert_eq!(records[2]["level"], "WARN");
    assert!(
        records[2]["data"]["warnings"][0]
            .as_str()
            .unwrap()
            .contains("`surprise`"),
        "{}",
        records[2]
    );
}

#[test]
fn a_configuration_file_that_is_no_toml_leaves_the_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.toml");
    fs::write(&file, "service = [").unwrap();
    let log = builder(&dir.path().join("stores"))
        .config_file(&file)
        .open()
        .unwrap();
    log.shutdown().unwrap();
    let records = records(&dir.path().join("stores"), "audit");
    let warning = records[2]["data"]["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("log.toml") && warning.contains("line 1"),
        "{warning}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_starts_degraded_and_heals() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = dir.path().join("stores");
    fs::write(&in_the_way, "a file").unwrap();
    let log = builder(&in_the_way).open().unwrap();
    assert_eq!(log.health(), Health::Degraded);
    let refused = within_sync(&log, || Probe {}.commit().wait()).unwrap_err();
    assert_eq!(refused.kind(), CommitErrorKind::Unavailable);
    assert_eq!(
        within_sync(&log, || Probe {}.emit()).unwrap_err().kind(),
        CommitErrorKind::Unavailable
    );
    assert_eq!(fs::read_to_string(&in_the_way).unwrap(), "a file");

    fs::remove_file(&in_the_way).unwrap();
    wait_until("the store opens", || log.health() == Health::Ready);
    within_sync(&log, || Probe {}.commit().wait()).unwrap();
    log.shutdown().unwrap();
    assert_eq!(
        events(&records(&in_the_way, "audit")),
        [
            "chain.genesis",
            "policy.changed",
            "log.started",
            "probe.sent",
            "log.stopped"
        ]
    );
}

#[test]
fn a_start_can_be_made_to_refuse() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = builder(&file)
        .on_start_failure(StartFailure::Refuse)
        .open()
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Io);
    assert!(
        refused.to_string().contains(file.to_str().unwrap()),
        "{refused}"
    );
}

#[test]
fn a_name_that_is_not_allowed_is_the_one_thing_that_fails() {
    let refused = ComplianceLog::builder("a/b").open().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Name);
    assert!(refused.to_string().contains("letters, digits"), "{refused}");
}

#[test]
fn a_second_writer_gets_a_store_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let first = builder(dir.path()).open().unwrap();
    let second = builder(dir.path()).open().unwrap();
    for log in [&first, &second] {
        within_sync(log, || Probe {}.commit().wait()).unwrap();
    }
    assert_ne!(first.store(), second.store());
    let store = second.store().unwrap().to_path_buf();
    first.shutdown().unwrap();
    second.shutdown().unwrap();
    assert_eq!(stores(dir.path()).len(), 2);
    let genesis = records_of(&store, "audit").remove(0);
    assert_eq!(genesis["data"]["why"], "locked");
    assert!(genesis["data"].get("continues").is_none());
}

#[test]
fn a_clock_before_the_last_record_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let at = |micros| Arc::new(ManualClock::new(Timestamp::from_micros(micros)));
    let later = 1_800_000_000_000_000;
    builder(dir.path())
        .clock(at(later))
        .open()
        .unwrap()
        .shutdown()
        .unwrap();
    builder(dir.path())
        .clock(at(later - 5_000_000))
        .open()
        .unwrap()
        .shutdown()
        .unwrap();
    let records = records(dir.path(), "audit");
    let stepped = records
        .iter()
        .find(|record| record["event"] == "clock.stepped")
        .unwrap();
    assert_eq!(stepped["data"]["delta_ms"], -5000);
    assert_eq!(
        stepped["seq"].as_u64().unwrap(),
        5,
        "after the second log.started"
    );
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    use_once(dir.path());
    let old = only_store(dir.path());
    let segment = &segments(&old, "audit")[0];
    let newer = fs::read_to_string(segment)
        .unwrap()
        .replacen("{\"v\":1,", "{\"v\":2,", 1);
    fs::write(segment, &newer).unwrap();
    use_once(dir.path());
    assert_eq!(fs::read_to_string(segment).unwrap(), newer);
    let new = stores(dir.path())
        .into_iter()
        .find(|store| *store != old)
        .unwrap();
    let lines = records_of(&new, "audit");
    assert_eq!(lines[0]["data"]["why"], "newer_format");
    assert_eq!(lines[2]["event"], "log.started");
    assert_eq!(lines[2]["level"], "WARN");
    assert_eq!(
        lines[2]["data"]["passed_over"],
        old.file_name().unwrap().to_str().unwrap()
    );
}

#[test]
fn a_damaged_store_is_left_alone_and_continued_by_another() {
    let dir = tempfile::tempdir().unwrap();
    use_once(dir.path());
    let old = only_store(dir.path());
    let segment = &segments(&old, "audit")[0];
    let edited = fs::read_to_string(segment)
        .unwrap()
        .replace("probe.sent", "probe.lost");
    fs::write(segment, &edited).unwrap();
    use_once(dir.path());
    assert_eq!(fs::read_to_string(segment).unwrap(), edited);
    let new = stores(dir.path())
        .into_iter()
        .find(|store| *store != old)
        .unwrap();
    let lines = records_of(&new, "audit");
    assert_eq!(lines[0]["data"]["why"], "damaged");
    assert_eq!(
        lines[0]["data"]["continues"]["seq"], 2,
        "the last record before the edited one"
    );
    assert!(
        lines[2]["data"]["detail"]
            .as_str()
            .unwrap()
            .contains(segment.to_str().unwrap())
    );
}

#[test]
fn a_segment_ends_by_size_and_by_age() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(
        1_800_000_000_000_000,
    )));
    let log = builder(dir.path())
        .clock(Arc::<ManualClock>::clone(&clock))
        .segment_bytes_max(64 * 1024)
        .segment_age_max(Duration::from_secs(60))
        .open()
        .unwrap();
    let commit = || within_sync(&log, || Probe {}.commit().wait()).unwrap();
    for _ in 0..200 {
        commit();
    }
    clock.advance(Duration::from_secs(61));
    commit();
    log.shutdown().unwrap();
    let records = records(dir.path(), "audit");
    let seqs: Vec<u64> = records
        .iter()
        .map(|record| record["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, (0..records.len() as u64).collect::<Vec<_>>());
    let reasons: Vec<&str> = records
        .iter()
        .filter(|record| record["event"] == "segment.footer")
        .map(|record| record["data"]["reason"].as_str().unwrap())
        .collect();
    assert!(
        reasons.contains(&"size") && reasons.last() == Some(&"time"),
        "{reasons:?}"
    );
    assert_eq!(
        segments(&only_store(dir.path()), "audit").len(),
        reasons.len() + 1
    );
}

#[test]
fn a_name_in_a_file_that_is_not_allowed_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.toml");
    let stores = dir.path().join("stores");
    let text =
        format!("service = \"svc\"\nenv = \"te/st\"\napp_level = \"WARN\"\ndir = {stores:?}\n");
    fs::write(&file, text).unwrap();
    let log = ComplianceLog::from_file(&file)
        .stdout(false)
        .open()
        .unwrap();
    assert!(log.warnings()[0].contains("`env`"), "{:?}", log.warnings());
    log.shutdown().unwrap();
    assert_eq!(records(&stores, "audit")[0]["env"], "dev");
}

#[test]
fn on_a_developers_machine_lines_are_shown_as_they_are_stored() {
    let printed = |env: &str, stdout: Option<bool>| {
        let dir = tempfile::tempdir().unwrap();
        let (log, captured) = capture_with(|builder| {
            let builder = builder.env(env).dir(dir.path());
            match stdout {
                Some(stdout) => builder.stdout(stdout),
                None => builder,
            }
        });
        log.shutdown().unwrap();
        let stored: String = ["audit", "app"]
            .iter()
            .flat_map(|channel| segments(&only_store(dir.path()), channel))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let shown = captured.text();
        assert!(shown.lines().all(|line| stored.contains(line)), "{shown}");
        shown.lines().count() == stored.lines().count()
    };
    assert!(printed("dev", None));
    assert!(!printed("dev", Some(false)));
    assert!(!printed("prod", None));
    assert!(printed("prod", Some(true)));
}

#[test]
fn a_file_that_cannot_be_read_stores_nothing_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::from_file(dir.path().join("missing.toml"))
        .open()
        .unwrap();
    assert_eq!(log.store(), None);
    assert!(
        log.warnings()[0].contains("missing.toml"),
        "{:?}",
        log.warnings()
    );
    log.shutdown().unwrap();
}

#[test]
fn a_degraded_log_says_why_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    faults.set(Fault::NoSpace);
    let log = faults.under(builder(dir.path())).open().unwrap();
    let why = log.failure().unwrap();
    assert!(why.contains(dir.path().to_str().unwrap()), "{why}");
    let refused = within_sync(&log, || Probe {}.commit().wait()).unwrap_err();
    assert!(refused.to_string().contains(&*why), "{refused}");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "no unfinished store piles up"
    );
    faults.clear();
    wait_until("the store opens", || log.health() == Health::Ready);
    assert_eq!(log.failure(), None);
    log.shutdown().unwrap();
}

#[test]
fn a_pipe_or_folder_in_the_place_of_a_file_holds_up_no_start() {
    for (name, pipe) in [
        ("head", true),
        ("00000000000000000099.jsonl", true),
        ("head", false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        use_once(dir.path());
        let path = only_store(dir.path()).join("streams/audit").join(name);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        if pipe {
            let made = Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
        } else {
            fs::create_dir(&path).unwrap();
        }
        use_once(dir.path());
        assert_eq!(stores(dir.path()).len(), 2, "{name}: another store goes on");
        compliance_log::verify::verify(dir.path(), &compliance_log::verify::Options::default())
            .unwrap();
    }
}

#[test]
fn absurd_settings_and_secrets_in_them_are_bounded_and_cleaned() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.toml");
    let stores = dir.path().join("stores");
    let secret = format!("gh{}", "p_0123456789abcdefghijABCDEFGHIJ012345");
    let mut text = format!(
        "service = \"svc\"\nenv = \"test\"\ndir = {stores:?}\nqueue_bytes_max = {}\nsync_after_ms = {secret:?}\n",
        i64::MAX
    );
    for number in 0..3000 {
        writeln!(text, "surprise_{number} = 1").unwrap();
    }
    fs::write(&file, text).unwrap();
    let cluster = format!("{secret} {}", "c".repeat(100_000));
    let log = ComplianceLog::from_file(&file)
        .cluster(cluster)
        .open()
        .unwrap();
    within_sync(&log, || Probe {}.commit().wait()).unwrap();
    log.shutdown().unwrap();
    let report =
        compliance_log::verify::verify(&stores, &compliance_log::verify::Options::default())
            .unwrap();
    assert_eq!(report.exit, 0, "{report:#?}");
    for path in segments(&only_store(&stores), "audit") {
        assert!(!fs::read_to_string(path).unwrap().contains(&secret));
    }
    let started = records(&stores, "audit").remove(2);
    assert_eq!(started["data"]["warnings"][32], "and 2970 more");
}

#[test]
fn a_store_without_its_lock_file_has_one_writer_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let first = builder(dir.path()).open().unwrap();
    fs::remove_file(first.store().unwrap().join("lock")).unwrap();
    let second = builder(dir.path()).open().unwrap();
    assert_ne!(first.store(), second.store());
    first.shutdown().unwrap();
    second.shutdown().unwrap();
}

#[test]
fn nothing_is_written_through_a_link_and_a_missing_stream_is_no_end() {
    let dir = tempfile::tempdir().unwrap();
    use_once(dir.path());
    let precious = dir.path().join("precious");
    fs::write(&precious, "not ours").unwrap();
    let head = only_store(dir.path()).join("streams/audit/head");
    fs::remove_file(&head).unwrap();
    std::os::unix::fs::symlink(&precious, &head).unwrap();
    use_once(dir.path());
    assert_eq!(fs::read_to_string(&precious).unwrap(), "not ours");
    assert_eq!(stores(dir.path()).len(), 2);

    let dir = tempfile::tempdir().unwrap();
    use_once(dir.path());
    fs::remove_dir_all(only_store(dir.path()).join("streams/app")).unwrap();
    use_once(dir.path());
    assert_eq!(stores(dir.path()).len(), 2);
}

#[test]
fn a_configuration_that_is_a_pipe_or_has_no_end_holds_up_no_start() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe.toml");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let endless = dir.path().join("endless.toml");
    std::os::unix::fs::symlink("/dev/zero", &endless).unwrap();
    for file in [pipe, endless] {
        let log = builder(&dir.path().join("stores")).config_file(&file);
        let log = log.open().unwrap();
        let warnings = log.warnings().concat();
        assert!(warnings.contains("it is not a file"), "{warnings}");
        log.shutdown().unwrap();
    }
}

#[test]
fn a_folder_without_a_name_is_none() {
    let log = ComplianceLog::builder("svc").env("test").dir("");
    let log = log.open().unwrap();
    assert_eq!(log.store(), None);
    assert!(log.warnings()[0].starts_with("no `dir` is set"));
    log.shutdown().unwrap();
}

#[test]
fn nobody_who_reads_the_warnings_is_no_reason_not_to_start() {
    const CHILD: &str = "COMPLIANCE_LOG_TEST_CHILD";
    if let Some(stores) = std::env::var_os(CHILD) {
        let log = builder(Path::new(&stores)).config_file("missing.toml");
        log.open().unwrap().shutdown().unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let test = "start::nobody_who_reads_the_warnings_is_no_reason_not_to_start";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(CHILD, dir.path())
        .stderr(full.unwrap())
        .status()
        .unwrap();
    assert!(child.success());
    only_store(dir.path());
}
