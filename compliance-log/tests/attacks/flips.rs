//! No bit of what is sealed, or of the seal itself, can change unseen. `FLIP_ALL_BITS=1` tries all of
//! them; otherwise one of each byte.

use std::{fs, num::NonZero, path::Path, thread};

use compliance_log::verify::{Options, Verdict, verify};

use super::{
    files::{AUDIT, CATALOG, CERT, EPOCHS, checkpoints, copy_all, flip, segment},
    world::Small,
};

fn options(small: &Small) -> Options {
    Options::default()
        .root_key(small.root.verifier().clone())
        .threads(NonZero::<usize>::MIN)
}

/// Flips bits of the file that `of` names in a copy of the store.
fn none_passes(of: impl Fn(&Path) -> std::path::PathBuf + Sync) {
    let small = Small::new();
    let all = std::env::var_os("FLIP_ALL_BITS").is_some();
    let workers = 2;
    thread::scope(|scope| {
        for worker in 0..workers {
            let (small, of) = (&small, &of);
            scope.spawn(move || {
                let copy = small.base.path().join(format!("copy-{worker}"));
                copy_all(&small.store, &copy);
                let file = of(&copy);
                let bytes = fs::read(&file).unwrap().len();
                let options = options(small);
                assert_eq!(verify(&copy, &options).unwrap().verdict, Verdict::Ok);
                for byte in (worker..bytes).step_by(workers) {
                    let bits = if all { 0..8 } else { byte % 8..byte % 8 + 1 };
                    for bit in bits {
                        flip(&file, byte * 8 + bit);
                        let report = verify(&copy, &options).unwrap();
                        let exit = report.exit;
                        assert!(
                            matches!(exit, 1 | 4),
                            "bit {bit} of byte {byte}: exit {exit}"
                        );
                        flip(&file, byte * 8 + bit);
                    }
                }
            });
        }
    });
}

#[test]
fn long_no_bit_of_a_segment() {
    none_passes(|store| segment(store, AUDIT, 0));
}

#[test]
fn long_no_bit_of_a_segment_of_the_catalog() {
    none_passes(|store| segment(store, CATALOG, 0));
}

#[test]
fn long_no_bit_of_a_closed_file_of_checkpoints() {
    none_passes(|store| checkpoints(store, 0));
}

#[test]
fn long_no_bit_of_the_newest_file_of_checkpoints() {
    none_passes(|store| checkpoints(store, -1));
}

#[test]
fn long_no_bit_of_the_epoch_notes() {
    none_passes(|store| store.join(EPOCHS));
}

#[test]
fn no_bit_of_the_certificate() {
    none_passes(|store| store.join(CERT));
}
