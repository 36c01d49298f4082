//! How work grows with the store.

use std::time::{Duration, Instant};

use compliance_log::verify::{Options, Verdict, verify};

use super::{
    keys::key,
    world::honest,
    writer::{Clock, Writer},
};

/// Checks a store of so many checkpoints, every tenth with an epoch note.
fn time_of(checkpoints: u64) -> Duration {
    let base = tempfile::TempDir::new().unwrap();
    let store = base.path().join("store");
    let root = key("acme.example/root", "root");
    let birth = honest(&root);
    let clock = Clock::default();
    let mut writer = Writer::create(&store, &clock, "honest", &birth);
    for n in 0..checkpoints {
        clock.tick(10);
        writer.seal();
        if n % 10 == 0 {
            writer.ratchet("time");
        }
        if n % 1_000 == 999 {
            writer.rotate_catalog();
        }
    }
    let options = Options::default().root_key(root.verifier().clone());
    let began = Instant::now();
    assert_eq!(verify(&store, &options).unwrap().verdict, Verdict::Ok);
    began.elapsed()
}

#[test]
fn long_twice_the_checkpoints_take_about_twice_the_time() {
    let (one, four) = (time_of(1_500), time_of(6_000));
    // Four times the work, with room for a busy machine; if it were quadratic it would be sixteen.
    assert!(four < one * 10, "{one:?}, then {four:?}");
}
