//! Stores that an earlier build wrote stay readable for ever. Nothing here writes them anew.

use std::path::{Path, PathBuf};

use compliance_log::verify::{Options, Verdict, verify};

use crate::support::{files, lines, only_store, records, segments};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn check(name: &str, audit: u64, app: u64, last_hash: &str) -> Vec<serde_json::Value> {
    let report = verify(&golden(name), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
    let counts: Vec<u64> = report.stores[0]
        .streams
        .iter()
        .map(|stream| stream.records)
        .collect();
    assert_eq!(counts, [app, audit], "app, then audit");
    let records = records(&golden(name), "audit");
    assert_eq!(records.last().unwrap()["hash"], last_hash);
    records
}

#[test]
fn a_store_that_was_rotated_continued_and_recovered() {
    let records = check(
        "rotated",
        143,
        13,
        "bba181539a24d368c046b7fb91a8127f8414a703b206668d6dd793f9f8387239",
    );
    let recovery = records
        .iter()
        .find(|record| record["event"] == "chain.recovery")
        .unwrap();
    let torn = recovery["data"]["torn"]["file"].as_str().unwrap();
    let kept = files(&only_store(&golden("rotated")), "audit");
    assert!(kept.iter().any(|path| path.ends_with(torn)), "{kept:?}");
    let genesis = &records[0]["data"];
    assert_eq!(
        (
            &genesis["cluster"],
            &genesis["region"],
            &genesis["service_version"]
        ),
        (&"c1".into(), &"r1".into(), &"1.2.3".into())
    );
}

#[test]
fn a_store_whose_segment_was_superseded() {
    let store = only_store(&golden("superseded"));
    let records = check(
        "superseded",
        41,
        7,
        "e489df7356a7dac17d8ae20e7bcb7ce80ba4e9719f456363b576ef05d948ff8f",
    );
    assert_eq!(
        files(&store, "audit").len(),
        3,
        "two segments and the head file"
    );
    let [old, new] = [0, 1].map(|at| lines(&segments(&store, "audit")[at]));
    let first = |records: &[serde_json::Value]| records[0]["seq"].as_u64().unwrap();
    assert!(
        first(&new) < old.len() as u64,
        "the second segment goes back"
    );
    let seqs: Vec<u64> = records
        .iter()
        .map(|record| record["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, (0..41).collect::<Vec<_>>());
    assert!(
        records
            .iter()
            .any(|record| record["data"]["supersedes"].is_object())
    );
}
