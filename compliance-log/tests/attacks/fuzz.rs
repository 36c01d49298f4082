//! Whatever somebody writes who can compute hashes but not sign: always a verdict, and always this one.

use std::fs;

use compliance_log::{chain::SUFFIX_BYTES, verify::verify};

use super::{
    files::{APP, AUDIT, CATALOG, files, lines, put, save, segment},
    line::relink,
    world::{Extra, With, World},
};

#[test]
fn long_random_edits_hashed_anew_are_always_found() {
    let world = World::new();
    let copy = world.copy();
    let options = world.options(With::Root, &Extra::default());
    let targets = [
        segment(&copy, AUDIT, 0),
        segment(&copy, AUDIT, -1),
        segment(&copy, APP, 0),
        segment(&copy, CATALOG, 0),
        segment(&copy, CATALOG, -1),
    ];
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..300 {
        let file = &targets[random.usize(..targets.len())];
        let good = fs::read(file).unwrap();
        let mut all = lines(file);
        let at = random.usize(1..all.len() - 4);
        let body = all[at].len() - SUFFIX_BYTES;
        let before = all[at].clone();
        for _ in 0..[1, 1, 2, 40][random.usize(..4)] {
            let byte = random.usize(..body);
            let with = b"\"{}[]:,0123456789abcxyz\\ ";
            all[at][byte] = with[random.usize(..with.len())];
        }
        if all[at] == before {
            continue;
        }
        relink(&mut all, at);
        save(file, &all);
        let report = verify(&copy, &options).unwrap();
        assert_eq!(
            report.exit,
            1,
            "round {round}, line {at} of {}",
            file.display()
        );
        put(file, &good);
    }
}

/// Bytes of any kind, anywhere in the store: a verdict, never a panic and no success.
#[test]
fn long_random_bytes_anywhere_never_pass_and_never_panic() {
    let world = World::new();
    let copy = world.copy();
    let options = world.options(With::Trusted, &Extra::default());
    let mut targets = Vec::new();
    for folder in [AUDIT, APP, CATALOG, "seal"] {
        targets.extend(files(&copy.join(folder), ""));
    }
    // What recovery set aside is no evidence of anything.
    targets.retain(|file| !file.to_str().unwrap().contains(".torn-"));
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..300 {
        let file = &targets[random.usize(..targets.len())];
        let good = fs::read(file).unwrap();
        let mut bad = good.clone();
        let from = random.usize(..bad.len());
        let to = bad.len().min(from + random.usize(1..600));
        match random.u8(..4) {
            0 => drop(bad.drain(from..to)),
            1 => bad[from..to].fill_with(|| random.u8(..)),
            2 => {
                let copied = bad[from..to].to_vec();
                let at = random.usize(..bad.len());
                bad.splice(at..at, copied);
            }
            _ => bad[from..to].reverse(),
        }
        if bad == good {
            continue;
        }
        put(file, &bad);
        let report = verify(&copy, &options).unwrap();
        let torn = [1, 4].contains(&report.exit);
        assert!(
            torn,
            "round {round}: {} bytes {from}..{to}: {:?}",
            file.display(),
            report.verdict
        );
        put(file, &good);
    }
}
