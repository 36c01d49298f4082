//! No bit of what is sealed, or of the seal itself, can change unseen. `FLIP_ALL_BITS=1` tries all of
//! them; otherwise one of each byte.

use std::{
    fs,
    num::NonZero,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use compliance_log::verify::{Options, Verdict, verify};

use super::{
    files::{AUDIT, CATALOG, CERT, EPOCHS, checkpoints, copy_all, line_start, lines, put, segment},
    world::Small,
};

fn options(small: &Small) -> Options {
    Options::default()
        .root_key(small.root.clone())
        .threads(NonZero::<usize>::MIN)
}

/// Which bits of a byte are tried.
fn bits(byte: usize) -> Range<usize> {
    match std::env::var_os("FLIP_ALL_BITS") {
        Some(_) => 0..8,
        None => byte % 8..byte % 8 + 1,
    }
}

/// Flips bits of the file that `of` names, in copies of a store.
fn none_passes(small: &Small, of: impl Fn(&Path) -> PathBuf + Sync) {
    let workers = 2;
    let tried = AtomicU64::new(0);
    thread::scope(|scope| {
        for worker in 0..workers {
            let (small, of, tried) = (&small, &of, &tried);
            scope.spawn(move || {
                let copy = small.base.path().join(format!("copy-{worker}"));
                copy_all(&small.store, &copy);
                let file = of(&copy);
                let good = fs::read(&file).unwrap();
                let options = options(small);
                assert_eq!(verify(&copy, &options).unwrap().verdict, Verdict::Ok);
                let open = fs::OpenOptions::new().write(true).open(&file).unwrap();
                for byte in (worker..good.len()).step_by(workers) {
                    for bit in bits(byte) {
                        let flipped = [good[byte] ^ 1 << bit];
                        open.write_all_at(&flipped, byte as u64).unwrap();
                        let report = verify(&copy, &options).unwrap();
                        let exit = report.exit;
                        assert!(
                            matches!(exit, 1 | 4),
                            "bit {bit} of byte {byte}: exit {exit}"
                        );
                        tried.fetch_add(1, Ordering::Relaxed);
                    }
                    open.write_all_at(&good[byte..=byte], byte as u64).unwrap();
                }
            });
        }
    });
    println!("{tried:?} bits, none passes");
}

/// Flips a bit in every second line of a file at once, and each is to be named: the lines between show that it is
/// not another one that is found.
fn each_is_named(small: &Small, file: &Path) {
    let good = fs::read(file).unwrap();
    let all = lines(file);
    let starts: Vec<usize> = (0..all.len()).map(|n| line_start(&all, n)).collect();
    // With its end.
    let longest = all.iter().map(Vec::len).max().unwrap() + 1;
    let options = options(small);
    let mut tried = 0;
    for (at, odd) in (0..longest).flat_map(|at| [(at, 0), (at, 1)]) {
        for bit in bits(at) {
            let every_second = starts.iter().zip(&all).skip(odd).step_by(2);
            let struck = every_second.filter(|(_, line)| at <= line.len());
            let struck: Vec<usize> = struck.map(|(start, _)| start + at).collect();
            if struck.is_empty() {
                continue;
            }
            let mut bad = good.clone();
            for byte in &struck {
                bad[*byte] ^= 1 << bit;
            }
            put(file, &bad);
            let report = verify(&small.store, &options).unwrap();
            let findings = &report.stores[0].findings;
            for byte in &struck {
                let named = findings.iter().any(|finding| {
                    let from = finding.offset.unwrap_or(u64::MAX);
                    let to = from.saturating_add(finding.length.unwrap_or(0));
                    finding.verdict.exit() != 0 && (from..to).contains(&(*byte as u64))
                });
                assert!(named, "bit {bit} of byte {byte}: {findings:#?}");
            }
            tried += struck.len();
        }
    }
    println!("{tried} bits, each named");
}

#[test]
fn long_no_bit_of_a_segment() {
    none_passes(&Small::new(), |store| segment(store, AUDIT, 0));
}

#[test]
fn long_no_bit_of_a_segment_of_the_catalog() {
    none_passes(&Small::new(), |store| segment(store, CATALOG, 0));
}

#[test]
fn long_no_bit_of_a_closed_file_of_checkpoints() {
    none_passes(&Small::new(), |store| checkpoints(store, 0));
}

#[test]
fn long_no_bit_of_the_newest_file_of_checkpoints() {
    none_passes(&Small::new(), |store| checkpoints(store, -1));
}

#[test]
fn long_no_bit_of_the_epoch_notes() {
    none_passes(&Small::new(), |store| store.join(EPOCHS));
}

#[test]
fn no_bit_of_the_certificate() {
    none_passes(&Small::new(), |store| store.join(CERT));
}

/// Stores that the library wrote.
#[test]
fn long_no_bit_of_a_closed_segment_of_a_service() {
    let small = Small::filled();
    let file = segment(&small.store, AUDIT, 0);
    assert!(fs::metadata(&file).unwrap().len() > 60 * 1024);
    each_is_named(&small, &file);
}

#[test]
fn long_no_bit_of_the_catalog_of_a_service() {
    let small = Small::served();
    each_is_named(&small, &segment(&small.store, CATALOG, 0));
}

#[test]
fn long_no_bit_of_the_checkpoints_of_a_service() {
    none_passes(&Small::served(), |store| checkpoints(store, 0));
}

#[test]
fn long_no_bit_of_the_epoch_notes_and_the_certificate_of_a_service() {
    let small = Small::served();
    none_passes(&small, |store| store.join(EPOCHS));
    none_passes(&small, |store| store.join(CERT));
}
