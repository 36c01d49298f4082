//! What a report says beside its verdict.

use compliance_log::verify::{Authenticity, Options, Verdict, verify};

use super::{
    files::{checkpoints, notes},
    world::{Extra, With, World},
};

#[test]
fn a_report_says_what_the_seal_covers() {
    let world = World::new();
    let report = world.verify(&world.store, With::Trusted, &Extra::default());
    assert_eq!((report.verdict, report.exit), (Verdict::Ok, 0));
    let json = serde_json::to_value(&report).unwrap();
    let store = &json["stores"][0];
    assert_eq!(store["verdict"], "OK");
    assert_eq!(store["sealed"], true);
    assert_eq!(store["origin"], world.keys.origin.as_str());
    assert_eq!(store["authenticity"], "checked");
    assert_eq!(store["epochs"], world.keys.epoch);
    let newest = notes(&checkpoints(&world.store, -1)).pop().unwrap();
    let printed = store["newest_checkpoint"].as_str().unwrap();
    assert_eq!(format!("{printed}\n"), newest);
    assert_eq!(
        store["sealed_size"].to_string(),
        newest.lines().nth(1).unwrap()
    );
    assert_eq!(store["exposure_window_s"], 60);
    let names: Vec<&str> = store["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| {
            stream["stream"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(names, ["app", "audit", "catalog"]);
    assert_eq!(store["streams"][1]["unsealed"], 0);

    // The checkpoint in it is good for the next run.
    let next = Options::default().trusted_checkpoint("the last report", printed.as_bytes());
    assert_eq!(
        verify(&world.store, &next.unwrap()).unwrap().verdict,
        Verdict::Ok
    );
}

#[test]
fn without_a_root_key_a_report_says_that_authenticity_was_not_checked() {
    let world = World::new();
    let report = verify(&world.store, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    let seal = report.stores[0].seal.as_ref().unwrap();
    assert_eq!(seal.authenticity, Authenticity::NotChecked);
    assert!(seal.not_checked[0].contains("no root key was given"));
}

#[test]
fn records_that_no_checkpoint_covers_are_counted_and_fine() {
    let mut world = World::new();
    let copy = world.copy();
    let mut writer = world.open(&copy, world.keys.clone(), "honest");
    writer.seal();
    writer.emit("audit", "thing.happened", "{}");
    writer.emit("audit", "thing.happened", "{}");
    writer.fact("seal.heartbeat", "");
    world.keys = writer.crash();
    let report = world.verify(&copy, With::Live, &Extra::default());
    assert_eq!(report.verdict, Verdict::Ok);
    let unsealed: Vec<_> = report.stores[0]
        .streams
        .iter()
        .map(|s| s.unsealed)
        .collect();
    assert_eq!(unsealed, [Some(0), Some(2), Some(1)]);
}

#[test]
fn all_signatures_can_be_checked() {
    let world = World::new();
    let options = world
        .options(With::Root, &Extra::default())
        .all_signatures();
    assert_eq!(verify(&world.store, &options).unwrap().verdict, Verdict::Ok);
}

#[test]
fn later_islands_are_still_listed() {
    let world = World::new();
    let copy = world.copy();
    super::files::flip(&super::files::segment(&copy, super::files::AUDIT, 0), 9_000);
    let report = world.verify(&copy, With::Root, &Extra::default());
    assert_eq!(report.verdict, Verdict::Edit);
    let audit = &report.stores[0].streams[1];
    assert!(audit.islands.len() >= 3, "{:?}", audit.islands);
}

/// Behind a finding the tree is taken up again at the next file, so that a second change is found too.
#[test]
fn a_second_change_in_a_later_file_is_found_by_its_root() {
    use super::{
        files::{AUDIT, flip, lines, save, segment},
        line::relink,
    };

    let world = World::new();
    let copy = world.copy();
    flip(&segment(&copy, AUDIT, 0), 9_000);
    let file = segment(&copy, AUDIT, -1);
    let mut all = lines(&file);
    let text = String::from_utf8(all[2].clone()).unwrap();
    all[2] = text
        .replace("booking.created", "booking.deleted")
        .into_bytes();
    relink(&mut all, 2);
    save(&file, &all);
    let report = world.verify(&copy, With::Root, &Extra::default());
    let findings = &report.stores[0].findings;
    let by_root = findings
        .iter()
        .find(|f| f.detail.contains("not what was sealed"));
    assert_eq!(by_root.unwrap().segment, Some(super::line::seq_of(&all[0])));
}
