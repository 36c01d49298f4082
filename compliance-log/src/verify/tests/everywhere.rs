//! Every line, every byte, every moment.

use super::{SECOND, clean, lines_of};
use crate::{
    layout::STREAMS,
    verify::{
        Options, Verdict,
        fixture::{CHANNEL, FIRST, Stream, line},
        parallel::scan_all,
        plan::Plan,
        scan::{Chunk, Range, Scan},
        seal::Facts,
        stitch::Stitch,
        verify,
        window::Buffer,
    },
};
use std::{fs, io::Write as _, os::unix::fs::FileExt as _, path::Path};
use tempfile::TempDir;

/// Asserts that the first finding is `verdict` at line `number`, from 0, of `file`.
#[track_caller]
fn first_is(stream: &Stream, verdict: Verdict, file: &str, number: usize, what: &str) {
    let checked = stream.verify();
    let finding = &checked.findings()[0];
    let offset: usize = lines_of(&stream.files[file])
        .iter()
        .take(number)
        .map(Vec::len)
        .sum();
    assert_eq!(
        checked.verdict(),
        verdict,
        "{what} {:#?}",
        checked.findings()
    );
    assert_eq!(finding.verdict, verdict, "{what} {:#?}", checked.findings());
    assert_eq!(finding.file, Some(format!("{STREAMS}/{CHANNEL}/{file}")));
    assert_eq!(finding.line, Some(number as u64 + 1), "{what}");
    assert_eq!(finding.offset, Some(offset as u64), "{what}");
}

#[test]
fn each_tampering_is_named_at_every_line_of_every_file() {
    let stream = clean();
    for name in [FIRST, SECOND] {
        let lines = lines_of(&stream.files[name]);
        let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            let mut tampered = stream.clone();
            *tampered.file(name) = lines.concat();
            tampered
        };
        let last = lines.len() - 1;
        for at in 0..lines.len() {
            let edited = with(&|lines| lines[at][100] ^= 1);
            first_is(&edited, Verdict::Edit, name, at, &format!("edit {at}"));

            let deleted = with(&|lines| drop(lines.remove(at)));
            let verdict = if name == SECOND && at == last {
                Verdict::Truncated
            } else {
                Verdict::Delete
            };
            first_is(&deleted, verdict, name, at, &format!("delete {at}"));

            for to in 0..=lines.len() {
                let what = format!("copy {at} to {to}");
                let copied = with(&|lines| lines.insert(to, lines[at].clone()));
                // Next to the original, which of the two is the copy cannot be told.
                let to = if to == at { at + 1 } else { to };
                first_is(&copied, Verdict::Duplicate, name, to, &what);
            }
            if at < last {
                let swapped = with(&|lines| lines.swap(at, at + 1));
                first_is(&swapped, Verdict::Reorder, name, at, &format!("swap {at}"));
            }
        }
    }
}

#[test]
fn a_store_that_is_being_written_is_never_accused() {
    let store = TempDir::new().unwrap();
    let folder = store.path().join(STREAMS).join(CHANNEL);
    let mut stream = Stream::new();
    stream.write(store.path());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for step in 0..400_u64 {
                stream.records(1 + step % 5);
                if step % 7 == 3 {
                    stream.rotate();
                    stream.records(1);
                }
                if step % 11 == 5 {
                    stream.supersede();
                }
                // As a writer does: append, then say that it is durable.
                for (name, bytes) in &stream.files {
                    append(&folder.join(name), bytes);
                }
                stream.sync();
                stream.write_head(store.path());
            }
        });
        let mut rounds = 0;
        while !writer.is_finished() || rounds == 0 {
            let report = verify(store.path(), &Options::default()).unwrap();
            let findings = &report.stores[0].findings;
            assert!(
                matches!(report.verdict, Verdict::Ok | Verdict::Torn),
                "{findings:#?}"
            );
            rounds += 1;
        }
        println!("verified {rounds} times while writing");
    });
    let report = verify(store.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
}

/// Writes what the file lacks, in two halves.
fn append(path: &Path, bytes: &[u8]) {
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    let there = usize::try_from(file.metadata().unwrap().len()).unwrap();
    let missing = &bytes[there.min(bytes.len())..];
    let (one, two) = missing.split_at(missing.len() / 2);
    for half in [one, two] {
        (&file).write_all(half).unwrap();
    }
}

/// One bit of each byte; all eight where `FLIP_ALL_BITS` is set.
#[test]
fn long_a_flipped_bit_in_any_byte_of_a_closed_segment_is_found() {
    const STEP: u64 = 2_048;
    let mut stream = Stream::new();
    while stream.first().len() < 64 << 10 {
        stream.records(1);
    }
    stream.rotate();
    stream.sync();
    let store = TempDir::new().unwrap();
    stream.write(store.path());
    let path = store.path().join(STREAMS).join(CHANNEL).join(FIRST);
    let clean = stream.first().clone();
    let opening = line(&clean, 0).end;
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();

    // What `verify` does, except that only the parts around the flipped byte are checked again.
    let mut buffer = Buffer::new();
    let plan = Plan::new(store.path(), CHANNEL, None, &mut buffer).unwrap();
    let scan = Scan {
        stream: plan.stream.as_deref(),
        watch: plan.slot.map(|slot| slot.last_seq),
        sizes: None,
        facts: Facts::None,
    };
    let mut parts = Vec::new();
    scan_all(&plan.segments, scan, STEP, 1, |segment, range, chunk| {
        parts.push((segment, range, chunk));
        Ok(())
    })
    .unwrap();
    // A line belongs to the part in which it starts, and its newline ends the search of the next.
    let outcome = |parts: &[(usize, Range, Chunk)]| {
        let mut stitch = Stitch::new(&plan);
        for (segment, _, chunk) in parts {
            stitch.chunk(*segment, chunk.clone()).unwrap();
        }
        stitch.finish(None).unwrap()
    };
    assert_eq!(outcome(&parts).worst, None);

    let all_bits = std::env::var_os("FLIP_ALL_BITS").is_some();
    let (mut random, mut tried, mut missed) = (0x9e37_79b9_u32, 0, 0);
    let flips = clean.iter().enumerate().flat_map(|(at, byte)| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let one = random % 8;
        let bits = if all_bits { 0..8 } else { one..one + 1 };
        bits.map(move |bit| (at, byte, bit))
    });
    for (at, byte, bit) in flips {
        let flipped = byte ^ (1 << bit);
        file.write_all_at(&[flipped], at as u64).unwrap();
        let (worst, findings) = if at < opening {
            let report = verify(store.path(), &Options::default()).unwrap();
            let store = report.stores.into_iter().next().unwrap();
            (Some(store.verdict), store.findings)
        } else {
            let mut parts = parts.clone();
            let near = at as u64 / STEP;
            for (segment, range, chunk) in &mut parts {
                if *segment == 0
                    && (near.saturating_sub(1)..=near + 1).contains(&(range.start / STEP))
                {
                    *chunk = scan.chunk(&file, *range, &mut buffer).unwrap();
                }
            }
            let outcome = outcome(&parts);
            (outcome.worst, outcome.findings)
        };
        let here = findings.iter().any(|finding| {
            let from = finding.offset.unwrap();
            finding.segment == Some(0)
                && (from..=from + finding.length.unwrap()).contains(&(at as u64))
        });
        tried += 1;
        missed += u32::from(worst.is_none_or(|worst| worst.exit() != 1) || !here);
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
    println!("tried {tried}, missed {missed}");
    assert_eq!(missed, 0);
}
