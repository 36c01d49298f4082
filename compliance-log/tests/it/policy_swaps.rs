//! Policies that are swapped while several threads log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Barrier,
    thread,
    time::Duration,
};

use compliance_log::{
    ComplianceLog, Health, OnFailure, Policy, audit_event,
    event::Category,
    test_util::within_sync,
    verify::{Options, Verdict, verify},
};
use serde_json::Value;

use crate::{
    policy::{assert_told, with_rule},
    support::{only_store, records},
};

const LOGGERS: u64 = 4;
const ROUNDS: u64 = 16;
/// Records of each logger in each round.
const RECORDS: u64 = 6;

#[audit_event(name = "plan.swapped", target = "plan")]
struct Swapped {
    number: u64,
    #[audit(internal)]
    text: String,
}

#[audit_event(name = "plan.noted", category = "app", target = "plan")]
struct Noted {
    number: u64,
    #[audit(internal)]
    text: String,
}

/// What is logged under a number: of these texts each policy leaves others alone.
fn text(number: u64) -> String {
    match number % 5 {
        0 => format!("a tiger-{number} in the night"),
        1 => format!("a lion-{number} beside a tiger-{number}"),
        2 => format!("password=hunter{number}, and a lion-{number}"),
        3 => format!("run --card-cvv 1{} of tiger-{number}", number % 90 + 10),
        _ => format!("nothing to see but {number}"),
    }
}

/// One that knows nothing but lions.
fn lions() -> String {
    "version = 1\n[[value]]\nid = \"lion\"\ndescription = \"\"\naction = \"drop\"\nliterals = [\"lion\"]\n\
     pattern = \"lion-[0-9]+\"\nmatch = [\"lion-1\"]\npass = [\"tiger\"]\n"
        .to_owned()
}

fn open(dir: &Path) -> ComplianceLog {
    ComplianceLog::builder("svc")
        .env("test")
        .dir(dir)
        .open()
        .unwrap()
}

/// Runs the loggers beside the swappers, all of which begin each round at once.
fn race(log: &ComplianceLog, swappers: &[&(dyn Fn(u64) + Sync)]) {
    let begin = Barrier::new(usize::try_from(LOGGERS).unwrap() + swappers.len());
    let begin = &begin;
    thread::scope(|threads| {
        for swap in swappers {
            threads.spawn(move || {
                for round in 0..ROUNDS {
                    begin.wait();
                    swap(round);
                }
            });
        }
        for logger in 0..LOGGERS {
            threads.spawn(move || {
                for round in 0..ROUNDS {
                    begin.wait();
                    (0..RECORDS)
                        .for_each(|turn| keep(log, (round * LOGGERS + logger) * RECORDS + turn));
                }
            });
        }
    });
}

/// Logs in both streams; of the first every other record is waited for.
fn keep(log: &ComplianceLog, number: u64) {
    let kept = Swapped {
        number,
        text: text(number),
    };
    within_sync(log, || {
        Noted {
            number,
            text: text(number),
        }
        .emit()
        .unwrap();
        if number.is_multiple_of(2) {
            kept.commit().wait().map(drop).unwrap();
        } else {
            kept.emit().unwrap();
        }
    });
}

/// Nothing is lost, and each record holds what the policy that it names leaves, in both streams.
fn assert_redacted_as_named(dir: &Path) {
    for channel in ["audit", "app"] {
        assert_as_named(dir, channel, LOGGERS * ROUNDS * RECORDS);
    }
    assert_told(dir);
}

/// All numbers below `end` are there, each with what the policy leaves that it names, as that is kept in the
/// store.
fn assert_as_named(dir: &Path, channel: &str, end: u64) {
    let policies: BTreeMap<String, Policy> = fs::read_dir(only_store(dir).join("policies"))
        .unwrap()
        .map(|file| Policy::parse(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap())
        .map(|policy| (policy.short().to_owned(), policy))
        .collect();
    let mut numbers = BTreeSet::new();
    for record in records(dir, channel) {
        let Some(number) = record["data"]["number"].as_u64() else {
            continue;
        };
        assert!(numbers.insert(number), "twice: {record}");
        let policy = &policies[record["policy"].as_str().unwrap()];
        let raw = text(number);
        let redacted = policy.redact_text(&raw);
        let left = redacted
            .as_ref()
            .map_or(raw.as_str(), |redacted| &redacted.text);
        assert_eq!(record["data"]["text"], left, "{record}");
        let rules = redacted.iter().flat_map(|redacted| &redacted.findings);
        let rules: Vec<&str> = rules.map(|finding| finding.rule.as_str()).collect();
        let told = record["redactions"].as_array().into_iter().flatten();
        let told: Vec<&str> = told.filter_map(|one| one["rule"].as_str()).collect();
        assert_eq!(told, rules, "{record}");
    }
    assert_eq!(numbers, (0..end).collect(), "{channel}");
    let report = verify(dir, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
}

/// The digests of the policies that the chain tells of, in its order, without that of the start.
fn told(dir: &Path) -> Vec<String> {
    let digest = |record: &Value| record["data"]["sha256"].as_str().map(str::to_owned);
    let changes = records(dir, "audit")
        .into_iter()
        .filter(|record| record["event"] == "policy.changed");
    changes
        .skip(1)
        .map(|record| digest(&record).unwrap())
        .collect()
}

#[test]
fn each_swap_is_told_once_and_in_order_whoever_logs_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let good = [
        with_rule("one"),
        lions(),
        with_rule("two"),
        Policy::builtin().document().to_owned(),
    ];
    let good = good.map(|document| Policy::parse(&document).unwrap());
    let broken = with_rule("three").replace("tiger-[0-9]+", "tiger-[0-9");
    let of = |round: u64| &good[usize::try_from(round).unwrap() % good.len()];
    race(
        &log,
        &[&|round| {
            let first = log.set_policy(of(round).clone());
            Policy::parse(&broken).unwrap_err();
            // The same once more, of its own document, changes nothing.
            log.set_policy(Policy::parse(of(round).document()).unwrap())
                .wait()
                .unwrap();
            let second = log.set_policy(of(round + 1).clone());
            first.wait().unwrap();
            if round % 2 == 0 {
                second.wait().unwrap();
            }
        }],
    );
    log.shutdown().unwrap();

    let mut set: Vec<_> = (0..ROUNDS)
        .flat_map(|round| [of(round), of(round + 1)])
        .map(|policy| policy.digest().to_string())
        .collect();
    set.dedup();
    assert_eq!(told(dir.path()), set);
    assert_redacted_as_named(dir.path());
}

#[test]
fn swaps_by_two_threads_are_each_told_in_the_order_of_each() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let parse = |document: String| Policy::parse(&document).unwrap();
    let ours = [with_rule("one"), with_rule("two")].map(parse);
    let theirs = [with_rule("three"), lions()].map(parse);
    let swap = |policies: &[Policy; 2]| {
        for policy in policies {
            let receipt = log.set_policy(policy.clone()).wait().unwrap();
            assert!(receipt.seq() > 0);
        }
    };
    race(&log, &[&|_| swap(&ours), &|_| swap(&theirs)]);
    log.shutdown().unwrap();

    let told = told(dir.path());
    assert_eq!(told.len(), usize::try_from(4 * ROUNDS).unwrap());
    for [first, second] in [ours, theirs] {
        let [first, second] = [first, second].map(|policy| policy.digest().to_string());
        let of_one: Vec<&String> = told
            .iter()
            .filter(|one| **one == first || **one == second)
            .collect();
        assert!(
            of_one.chunks(2).all(|pair| pair == [&first, &second]),
            "{of_one:?}"
        );
    }
    assert_redacted_as_named(dir.path());
}

#[test]
fn a_commit_that_waits_for_the_store_is_as_the_policy_left_it_that_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let stores = dir.path().join("stores");
    fs::write(&stores, "in the way").unwrap();
    let deadline = Duration::from_secs(60);
    let builder = ComplianceLog::builder("svc").env("test").dir(&stores);
    let builder = builder.on_failure(Category::Audit, OnFailure::Block { deadline });
    let log = builder.open().unwrap();
    assert_ne!(log.health(), Health::Ready);
    let policies = [with_rule("one"), lions()].map(|document| Policy::parse(&document).unwrap());
    let mut commits = Vec::new();
    for (policy, number) in policies.iter().cycle().zip(0..8) {
        let kept = Swapped {
            number,
            text: text(number),
        };
        commits.push(within_sync(&log, || kept.commit()));
        log.set_policy(policy.clone()).wait().unwrap_err();
    }
    fs::remove_file(&stores).unwrap();
    for commit in commits {
        commit.wait().unwrap();
    }
    log.shutdown().unwrap();
    assert_as_named(&stores, "audit", 8);
}
