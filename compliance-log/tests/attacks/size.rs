//! How work grows with the store.

use compliance_log::verify::{Options, Verdict, verify};
use rustix::time::{ClockId, clock_gettime};

use super::{
    keys::key,
    world::honest,
    writer::{Clock, Writer},
};

/// The CPU that it takes this process to check a store of so many checkpoints, every tenth with an epoch note:
/// the least of three, in nanoseconds. Other processes add nothing to it.
fn cpu_of(checkpoints: u64) -> i128 {
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
    let check = |_| {
        let began = cpu();
        assert_eq!(verify(&store, &options).unwrap().verdict, Verdict::Ok);
        cpu() - began
    };
    (0..3).map(check).min().unwrap()
}

fn cpu() -> i128 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

#[test]
fn long_four_times_the_checkpoints_take_about_four_times_the_cpu() {
    let (one, four) = (cpu_of(1_500), cpu_of(6_000));
    println!("{one} ns, then {four} ns");
    // With room for a busy machine; if it were quadratic it would be sixteen times.
    assert!(four < one * 10, "{one} ns, then {four} ns");
}
