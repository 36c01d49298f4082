//! Every attack, seen by four verifiers: with the root key alone, with a checkpoint that an auditor kept,
//! with what a witness has seen, and by one who expects the writer to run.

use std::{fmt::Write as _, fs, path::Path};

use compliance_log::{
    chain::StreamId,
    seal::statement::{Revocation, Revoked, Role, Signed},
    verify::{Report, Verdict},
};

use super::{
    files::{
        APP, AUDIT, CATALOG, CERT, EPOCHS, add, checkpoints, copy_all, files, flip, line_start,
        lines, name, note_line, notes, put, save, save_notes, segment, shorten,
    },
    keys::key,
    line::{between, body, event_of, hash_of, link, relink, seq_of},
    reference::{self, Case},
    world::{Extra, SERVICE, With, World},
    writer::{Birth, Keys, Writer, bounds, cut, sizes},
};

struct Row {
    name: &'static str,
    /// With the root key, a trusted checkpoint, a witness, and live.
    expected: [Verdict; 4],
    attack: fn(&mut World, &Path) -> Extra,
}

use Verdict::{
    BadSignature, Delete, Duplicate, Edit, Expired, Fork, Gap, Insert, MissingSegment,
    NothingChecked, Ok, Reorder, Rollback, Splice, Stale, Torn, Truncated, Unsealed,
};

const fn all(verdict: Verdict) -> [Verdict; 4] {
    [verdict; 4]
}

/// Changes lines of a segment; `change` gives the first line that is not as it was.
fn on_lines(
    store: &Path,
    folder: &str,
    n: isize,
    change: impl FnOnce(&mut Vec<Vec<u8>>) -> usize,
) -> Extra {
    let file = segment(store, folder, n);
    let before = lines(&file);
    let mut after = before.clone();
    let at = change(&mut after);
    save(&file, &after);
    Extra {
        struck: Some((format!("{folder}/{}", name(&file)), line_start(&before, at))),
        ..Extra::default()
    }
}

fn no_place(store: &Path, change: impl FnOnce(&Path)) -> Extra {
    change(store);
    Extra::default()
}

/// Where the n-th booking stands, from 0.
fn booking(lines: &[Vec<u8>], n: usize) -> usize {
    let bookings = lines.iter().enumerate();
    let mut bookings = bookings.filter(|(_, line)| event_of(line) == "booking.created");
    bookings.nth(n).unwrap().0
}

fn edited(line: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(line).unwrap();
    let text = text.replace("booking.created", "booking.deleted");
    text.replace(r#""bytes":1"#, r#""bytes":2"#).into_bytes()
}

/// A line with its links as they would be behind `before`.
fn after(before: &[u8], line: &[u8]) -> Vec<u8> {
    let mut two = [before.to_vec(), line.to_vec()];
    relink(&mut two, 1);
    two[1].clone()
}

fn rewrite(lines: &mut [Vec<u8>]) -> usize {
    let changed = lines.iter().position(|line| edited(line) != *line);
    for line in lines.iter_mut() {
        *line = edited(line);
    }
    relink(lines, 1);
    changed.unwrap()
}

/// The machine's state is stolen: back to `size`, and on from there with the stolen keys.
fn thief(world: &mut World, store: &Path, keys: Keys, size: u64) {
    cut(store, size);
    let mut writer = world.open(store, keys, "thief");
    world.rounds(&mut writer, 12, None, false);
    writer.crash();
}

fn last_before(sizes: &[u64], size: u64) -> u64 {
    sizes
        .iter()
        .copied()
        .filter(|one| *one < size)
        .max()
        .unwrap()
}

fn drop_epoch(store: &Path, n: usize) {
    let mut kept = notes(&store.join(EPOCHS));
    kept.remove(n);
    save_notes(&store.join(EPOCHS), &kept);
}

/// What removes a segment whose time is over: a record in the operators' ledger, then the file goes.
pub(crate) fn expire(world: &mut World, store: &Path, root: &str, catalog_too: bool) -> Extra {
    let ledger = world.base.path().join("ledger/ops-fedcba9876543210");
    let root = key("acme.example/root", root);
    let birth = Birth {
        service: "compliance-log",
        incarnation: "fedcba9876543210",
        role: Role::Ops,
        root: Some(&root),
        continues: None,
    };
    let mut writer = Writer::create(&ledger, &world.clock, "ops", &birth);
    let facts = files(&store.join(CATALOG), ".jsonl")
        .into_iter()
        .flat_map(|file| lines(&file));
    let sealed = facts
        .into_iter()
        .find(|line| event_of(line) == "segment.sealed")
        .unwrap();
    let text = |key: &str| {
        between(&sealed, &format!(r#""{key}":""#), "\"")
            .unwrap()
            .to_owned()
    };
    let size = between(&sealed, r#""size":"#, ",").unwrap().to_owned();
    let mut gone = vec![(text("of"), AUDIT, text("file"), size, text("root"))];
    if catalog_too {
        let begins = seq_of(&lines(&segment(store, CATALOG, 1))[0]);
        let notes = notes(&store.join(EPOCHS));
        let note = notes
            .iter()
            .find(|note| note_line(note, 3) == begins.to_string())
            .unwrap();
        let root = data_encoding::BASE64
            .decode(note_line(note, 4).as_bytes())
            .unwrap();
        let root = data_encoding::HEXLOWER.encode(&root);
        let of = text("of").replace("audit", "catalog");
        let file = name(&segment(store, CATALOG, 0)).to_owned();
        gone.push((of, CATALOG, file, begins.to_string(), root));
    }
    let origin = &world.keys.origin;
    for (of, folder, file, size, root) in gone {
        let until = world.clock.text();
        let data = format!(
            r#"{{"origin":"{origin}","of":"{of}","file":"{file}","size":{size},"root":"{root}","until":"{until}"}}"#
        );
        writer.emit("audit", "segment.expired", &data);
        let file = store.join(folder).join(file);
        fs::remove_file(&file).unwrap();
        if folder == CATALOG {
            fs::remove_file(file.with_extension("ckpt")).unwrap();
        }
    }
    writer.seal();
    writer.crash();
    Extra {
        ledger: Some(world.base.path().join("ledger")),
        ..Extra::default()
    }
}

const ROWS: &[Row] = &[
    Row {
        name: "control: untouched",
        expected: all(Ok),
        attack: |_, _| Extra::default(),
    },
    Row {
        name: "record edited",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                let at = booking(lines, 2);
                lines[at] = edited(&lines[at]);
                at
            })
        },
    },
    Row {
        name: "record edited, its hash computed anew",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                let at = booking(lines, 2);
                lines[at] = after(&lines[at - 1], &edited(&lines[at]));
                at
            })
        },
    },
    Row {
        name: "record edited, all later hashes computed anew (newest segment)",
        expected: all(Edit),
        attack: |_, d| on_lines(d, AUDIT, -1, |lines| rewrite(lines)),
    },
    Row {
        name: "record edited with a key that stands there twice, hashes computed anew",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, AUDIT, -1, |lines| {
                let at = booking(lines, 1);
                let text = String::from_utf8(lines[at].clone()).unwrap();
                let twice = r#""bytes":2,"bytes":1"#;
                lines[at] = text.replace(r#""bytes":1"#, twice).into_bytes();
                relink(lines, at);
                at
            })
        },
    },
    Row {
        name: "record given to another tenant, all later hashes computed anew",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, AUDIT, -1, |lines| {
                let at = booking(lines, 1);
                let text = String::from_utf8(lines[at].clone()).unwrap();
                let text = match between(&lines[at], r#""tenant_id":""#, "\"") {
                    Some(tenant) => text.replace(&format!(r#""{tenant}""#), r#""other""#),
                    None => text.replace(r#","data":"#, r#","tenant_id":"other","data":"#),
                };
                assert_ne!(text.as_bytes(), lines[at]);
                lines[at] = text.into_bytes();
                relink(lines, at);
                at
            })
        },
    },
    Row {
        name: "all streams written anew, all hashes computed anew, seal kept",
        expected: all(Edit),
        attack: |_, d| {
            for folder in [AUDIT, APP, CATALOG] {
                write_anew(&d.join(folder));
            }
            Extra::default()
        },
    },
    Row {
        name: "record deleted",
        expected: all(Delete),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                lines.remove(4);
                4
            })
        },
    },
    Row {
        name: "record inserted, well formed",
        expected: all(Insert),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                let at = booking(lines, 3);
                let forged = after(&lines[at - 1], &edited(&lines[at]));
                lines.insert(at, forged);
                at
            })
        },
    },
    Row {
        name: "two records swapped",
        expected: all(Reorder),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                lines.swap(4, 5);
                4
            })
        },
    },
    Row {
        name: "record duplicated",
        expected: all(Duplicate),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                lines.insert(4, lines[3].clone());
                4
            })
        },
    },
    Row {
        name: "record of another stream spliced in",
        expected: all(Splice),
        attack: |_, d| {
            let other = lines(&segment(d, APP, 0))[3].clone();
            on_lines(d, AUDIT, 0, |lines| {
                lines[3] = other;
                3
            })
        },
    },
    Row {
        name: "CRLF line ends",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                for line in lines.iter_mut() {
                    line.push(b'\r');
                }
                0
            })
        },
    },
    Row {
        name: "byte order mark and blank line",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                lines[0].splice(0..0, *b"\xef\xbb\xbf");
                lines.insert(3, Vec::new());
                0
            })
        },
    },
    Row {
        name: "zeros in a sealed range",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, AUDIT, 0, |lines| {
                lines[5].fill(0);
                5
            })
        },
    },
    Row {
        name: "stream cut at a line's end",
        expected: all(Truncated),
        attack: |_, d| {
            on_lines(d, AUDIT, -1, |lines| {
                lines.truncate(lines.len() - 3);
                lines.len()
            })
        },
    },
    Row {
        name: "stream cut within a line, head file made to fit",
        expected: all(Truncated),
        attack: |_, d| {
            no_place(d, |d| {
                shorten(&segment(d, AUDIT, -1), 700);
                put(&d.join(AUDIT).join("head"), b"{}\n");
            })
        },
    },
    Row {
        name: "everything cut back, checkpoints and epochs too",
        expected: [Ok, Rollback, Rollback, Stale],
        attack: |_, d| {
            no_place(d, |d| {
                let newest = *bounds(d).last().unwrap();
                cut(d, last_before(&sizes(d), newest));
            })
        },
    },
    Row {
        name: "taken back to the last clean stop",
        expected: [Ok, Rollback, Rollback, Stale],
        attack: |world, d| {
            let stopped = world.stopped;
            no_place(d, |d| {
                let stop = bounds(d)[stopped];
                let behind = sizes(d).into_iter().find(|size| *size > stop).unwrap();
                cut(d, behind);
            })
        },
    },
    Row {
        name: "segment removed from the middle",
        expected: all(MissingSegment),
        attack: |_, d| no_place(d, |d| fs::remove_file(segment(d, AUDIT, 1)).unwrap()),
    },
    Row {
        name: "first segment removed",
        expected: all(MissingSegment),
        attack: |_, d| no_place(d, |d| fs::remove_file(segment(d, AUDIT, 0)).unwrap()),
    },
    Row {
        name: "newest segment removed",
        expected: all(Truncated),
        attack: |_, d| no_place(d, |d| fs::remove_file(segment(d, AUDIT, -1)).unwrap()),
    },
    Row {
        name: "two segments in a row removed, the newest too",
        expected: all(MissingSegment),
        attack: |_, d| {
            no_place(d, |d| {
                fs::remove_file(segment(d, AUDIT, -1)).unwrap();
                fs::remove_file(segment(d, AUDIT, -1)).unwrap();
            })
        },
    },
    Row {
        name: "a whole stream removed",
        expected: all(MissingSegment),
        attack: |_, d| no_place(d, |d| fs::remove_dir_all(d.join(APP)).unwrap()),
    },
    Row {
        name: "catalog cut, checkpoints kept",
        expected: all(Truncated),
        attack: |_, d| {
            on_lines(d, CATALOG, -1, |lines| {
                lines.truncate(lines.len() - 4);
                lines.len()
            })
        },
    },
    Row {
        name: "newest segment of the catalog removed",
        expected: all(Truncated),
        attack: |_, d| no_place(d, |d| fs::remove_file(segment(d, CATALOG, -1)).unwrap()),
    },
    Row {
        name: "record of the catalog edited, all later hashes computed anew",
        expected: all(Edit),
        attack: |_, d| {
            on_lines(d, CATALOG, -1, |lines| {
                let at = lines
                    .iter()
                    .position(|line| event_of(line) == "seal.head")
                    .unwrap();
                let line = String::from_utf8(lines[at].clone()).unwrap();
                lines[at] = line.replace(r#""bytes":"#, r#""bytes":1"#).into_bytes();
                relink(lines, at);
                at
            })
        },
    },
    Row {
        name: "all checkpoints removed",
        expected: [Unsealed, Rollback, Rollback, Unsealed],
        attack: |_, d| {
            no_place(d, |d| {
                for file in files(&d.join(CATALOG), ".ckpt") {
                    fs::remove_file(file).unwrap();
                }
            })
        },
    },
    Row {
        name: "newest file of checkpoints removed",
        expected: [Truncated, Rollback, Rollback, Truncated],
        attack: |_, d| no_place(d, |d| fs::remove_file(checkpoints(d, -1)).unwrap()),
    },
    Row {
        name: "seal stripped off, catalog kept",
        expected: [Unsealed, Rollback, Rollback, Unsealed],
        attack: |_, d| {
            no_place(d, |d| {
                fs::remove_dir_all(d.join("seal")).unwrap();
                for file in files(&d.join(CATALOG), ".ckpt") {
                    fs::remove_file(file).unwrap();
                }
            })
        },
    },
    Row {
        name: "seal stripped off, catalog too (unsealed copy)",
        expected: [Unsealed, Rollback, Rollback, Unsealed],
        attack: |_, d| {
            no_place(d, |d| {
                fs::remove_dir_all(d.join("seal")).unwrap();
                fs::remove_dir_all(d.join(CATALOG)).unwrap();
            })
        },
    },
    Row {
        name: "one bit of a checkpoint",
        expected: all(BadSignature),
        attack: |_, d| {
            let file = checkpoints(d, 0);
            flip(&file, 900 * 8);
            no_place(d, |_| ())
        },
    },
    Row {
        name: "epoch left out (its note removed)",
        expected: all(BadSignature),
        attack: |_, d| no_place(d, |d| drop_epoch(d, 2)),
    },
    Row {
        name: "folder of a stream renamed",
        expected: all(Splice),
        attack: |_, d| {
            no_place(d, |d| {
                fs::remove_dir_all(d.join(APP)).unwrap();
                copy_all(&d.join(AUDIT), &d.join(APP));
                fs::remove_dir_all(d.join(AUDIT)).unwrap();
            })
        },
    },
    Row {
        name: "stream planted",
        expected: all(Unsealed),
        attack: |world, d| no_place(d, |d| plant(world, d)),
    },
    Row {
        name: "checkpoint of another store pasted",
        expected: all(Splice),
        attack: |world, d| {
            let other = world.base.path().join("other");
            let root = key("acme.example/root", "root");
            world.other(&other, &root, "00000000000000aa");
            let pasted = notes(&checkpoints(&other, -1)).pop().unwrap();
            add(&checkpoints(d, -1), pasted.as_bytes());
            Extra::default()
        },
    },
    Row {
        name: "segment of a store of the same names moved in",
        expected: all(Splice),
        attack: |world, d| {
            let other = world.base.path().join("other");
            let root = key("acme.example/root", "root");
            world.other(&other, &root, "00000000000000aa");
            let moved = fs::read(segment(&other, AUDIT, 0)).unwrap();
            put(&segment(d, AUDIT, 0), &moved);
            Extra::default()
        },
    },
    Row {
        name: "whole store replaced by one under the attacker's own root",
        expected: all(BadSignature),
        attack: |world, d| {
            fs::remove_dir_all(d).unwrap();
            let incarnation = world.keys.incarnation().to_owned();
            world.other(d, &key("acme.example/root", "attacker"), &incarnation);
            Extra::default()
        },
    },
    Row {
        name: "whole store replaced by a fresh one under the same root",
        expected: [Ok, Rollback, Rollback, Ok],
        attack: |world, d| {
            fs::remove_dir_all(d).unwrap();
            let root = key("acme.example/root", "root");
            world.other(d, &root, "00000000000000aa");
            Extra::default()
        },
    },
    Row {
        name: "machine taken back to a snapshot, keys too, writer goes on",
        expected: [Ok, Fork, Fork, Ok],
        attack: |world, d| {
            fs::remove_dir_all(d).unwrap();
            copy_all(&world.snapshot.clone(), d);
            let mut writer = world.open(d, world.snapshot_keys.clone(), "snapshot");
            world.rounds(&mut writer, 30, None, false);
            writer.crash();
            Extra::default()
        },
    },
    Row {
        name: "clone: a second machine runs the same keys",
        expected: [Ok, Ok, Fork, Ok],
        attack: |world, d| {
            let mut clone = world.open(d, world.keys.clone(), "clone");
            world.rounds(&mut clone, 12, None, false);
            clone.crash();
            let store = world.store.clone();
            let mut original = world.open(&store, world.keys.clone(), "honest");
            world.rounds(&mut original, 4, None, true);
            original.crash();
            Extra::default()
        },
    },
    Row {
        name: "clone shown to the witness first",
        expected: [Ok, Fork, Fork, Ok],
        attack: |world, d| {
            let mut original = world.open(d, world.keys.clone(), "honest");
            world.rounds(&mut original, 3, None, false);
            let keys = original.crash();
            let store = world.store.clone();
            let mut clone = world.open(&store, world.keys.clone(), "clone");
            world.rounds(&mut clone, 2, None, true);
            world.trusted = clone.newest.as_ref().unwrap().to_string();
            clone.crash();
            let mut original = world.open(d, keys, "honest again");
            world.rounds(&mut original, 6, None, false);
            original.crash();
            Extra::default()
        },
    },
    Row {
        name: "state stolen: a past epoch written anew, sealed with today's key",
        expected: all(BadSignature),
        attack: |world, d| {
            let size = bounds(d)[1];
            thief(world, d, world.keys.clone(), size);
            Extra::default()
        },
    },
    Row {
        name: "state stolen: a past epoch written anew, epoch notes kept",
        expected: all(BadSignature),
        attack: |world, d| {
            let size = bounds(d)[1];
            let kept = fs::read(d.join(EPOCHS)).unwrap();
            cut(d, size);
            put(&d.join(EPOCHS), &kept);
            let mut writer = world.open(d, world.keys.clone(), "thief");
            world.rounds(&mut writer, 12, None, false);
            writer.crash();
            Extra::default()
        },
    },
    Row {
        name: "state stolen: only what is younger than the last ratchet written anew",
        expected: [Ok, Fork, Fork, Ok],
        attack: |world, d| {
            let size = *bounds(d).last().unwrap();
            thief(world, d, world.keys.clone(), size);
            Extra::default()
        },
    },
    Row {
        name: "state stolen long ago: all since that epoch written anew now",
        expected: [Ok, Rollback, Rollback, Ok],
        attack: |world, d| {
            let keys = world.snapshot_keys.clone();
            let began = usize::try_from(keys.epoch).unwrap() - 1;
            let size = bounds(d)[began];
            thief(world, d, keys, size);
            Extra::default()
        },
    },
    Row {
        name: "state stolen: only what is younger than the last anchor written anew",
        expected: all(Ok),
        attack: |world, d| {
            let sizes = sizes(d);
            thief(world, d, world.keys.clone(), sizes[sizes.len() - 3]);
            Extra::default()
        },
    },
    Row {
        name: "heartbeats removed from the catalog",
        expected: all(Delete),
        attack: |_, d| {
            on_lines(d, CATALOG, -1, |lines| {
                lines.drain(5..8);
                5
            })
        },
    },
    Row {
        name: "one whole checkpoint removed from a closed file",
        expected: all(BadSignature),
        attack: |_, d| {
            let file = checkpoints(d, 0);
            let mut kept = notes(&file);
            kept.remove(2);
            save_notes(&file, &kept);
            Extra {
                struck: Some((format!("{CATALOG}/{}", name(&file)), 0)),
                ..Extra::default()
            }
        },
    },
    Row {
        name: "well-formed record appended after a clean stop",
        expected: all(Unsealed),
        attack: |world, d| {
            world.open(d, world.keys.clone(), "honest").close();
            let file = segment(d, AUDIT, -1);
            let last = lines(&file).pop().unwrap();
            let id = stream(world, "audit");
            let body = body(
                &id,
                seq_of(&last) + 1,
                &world.clock.text(),
                "thing.forged",
                "{}",
            );
            let (mut line, _) = link(&hash_of(&last), &body);
            line.push(b'\n');
            add(&file, &line);
            Extra::default()
        },
    },
    Row {
        name: "heartbeats suppressed by who holds the keys (10 min)",
        expected: all(Gap),
        attack: |world, d| {
            let mut writer = world.open(d, world.keys.clone(), "honest");
            world.clock.tick(600);
            world.rounds(&mut writer, 2, None, false);
            writer.crash();
            Extra::default()
        },
    },
    Row {
        name: "control: the wall clock was set back by a day",
        expected: all(Ok),
        attack: |world, d| {
            world.clock.set_back(86_400);
            let mut writer = world.open(d, world.keys.clone(), "honest");
            world.rounds(&mut writer, 3, None, false);
            writer.crash();
            Extra::default()
        },
    },
    Row {
        name: "control: segment expired, tombstone of the operators' key",
        expected: all(Expired),
        attack: |world, d| expire(world, d, "root", false),
    },
    Row {
        name: "control: only the hot end is left, beginning of the catalog gone too",
        expected: all(Expired),
        attack: |world, d| expire(world, d, "root", true),
    },
    Row {
        name: "tombstone forged under another root",
        expected: all(BadSignature),
        attack: |world, d| expire(world, d, "attacker", false),
    },
    Row {
        name: "tombstone forged in the store's own catalog",
        expected: all(MissingSegment),
        attack: |world, d| {
            let mut writer = world.open(d, world.keys.clone(), "honest");
            let file = segment(d, AUDIT, 0);
            let of = stream(world, "audit");
            let data = format!(r#","of":"{of}","file":"{}""#, name(&file));
            writer.fact("segment.expired", &data);
            writer.seal();
            writer.crash();
            fs::remove_file(file).unwrap();
            Extra::default()
        },
    },
    Row {
        name: "old version of a stream's files put back",
        expected: all(Truncated),
        attack: |world, d| {
            fs::remove_dir_all(d.join(AUDIT)).unwrap();
            copy_all(&world.snapshot.join(AUDIT), &d.join(AUDIT));
            Extra::default()
        },
    },
    Row {
        name: "log key revoked below the present size",
        expected: all(BadSignature),
        attack: |world, d| {
            let log = world.keys.log_key().verifier().clone();
            let of = Revoked::Origin(world.keys.origin.clone());
            let revocation = Revocation::new(log, of, sizes(d)[3], None);
            Extra {
                revocations: vec![Signed::sign(revocation, &[&world.root]).unwrap()],
                ..Extra::default()
            }
        },
    },
    Row {
        name: "control: torn end (a crash, not recovered yet)",
        expected: all(Torn),
        attack: |_, d| no_place(d, |d| add(&segment(d, AUDIT, -1), br#"{"v":1,"stre"#)),
    },
    Row {
        name: "certificate removed",
        expected: all(Verdict::Uncertified),
        attack: |_, d| no_place(d, |d| fs::remove_file(d.join(CERT)).unwrap()),
    },
    Row {
        name: "everything removed",
        expected: [NothingChecked, Rollback, Rollback, NothingChecked],
        attack: |_, d| {
            no_place(d, |d| {
                fs::remove_dir_all(d).unwrap();
                fs::create_dir_all(d).unwrap();
            })
        },
    },
];

/// The whole stream with other records, each file linked to the one before it.
fn write_anew(folder: &Path) {
    let mut before: Option<Vec<u8>> = None;
    for file in files(folder, ".jsonl") {
        let mut all = lines(&file);
        let own = usize::from(before.is_some());
        if let Some(before) = before.take() {
            all.insert(0, before);
        }
        for line in &mut all[own..] {
            *line = edited(line);
        }
        relink(&mut all, 1);
        before = all.last().cloned();
        save(&file, &all[own..]);
    }
}

/// The id of a stream of the store.
fn stream(world: &World, channel: &str) -> StreamId {
    let incarnation = world.keys.incarnation();
    StreamId::new(SERVICE, "i1", incarnation, channel).unwrap()
}

/// A stream beside the others, of well-formed records under its own name.
fn plant(world: &World, store: &Path) {
    let id = stream(world, "admin");
    let genesis = id.genesis_prev();
    let body = body(
        &id,
        0,
        "2026-01-01T00:00:00Z",
        "chain.genesis",
        r#"{"format":1,"sealed":true}"#,
    );
    let (mut line, _) = link(&genesis, &body);
    line.push(b'\n');
    put(
        &store.join("streams/admin/00000000000000000000.jsonl"),
        &line,
    );
}

/// What the verifiers said to one row.
struct Seen {
    row: &'static Row,
    reports: [Report; 4],
    case: Case,
    struck: Option<(String, usize)>,
}

impl Seen {
    fn verdicts(&self) -> [Verdict; 4] {
        self.reports.each_ref().map(|report| report.verdict)
    }

    /// What is not as it should be.
    fn wrong(&self) -> String {
        let (row, mut wrong) = (self.row, String::new());
        let reports = || With::ALL.iter().zip(&self.reports);
        if self.verdicts() != row.expected {
            writeln!(wrong, "{}: expected {:?}", row.name, row.expected).unwrap();
            for (with, report) in reports() {
                writeln!(wrong, "  {with:?} {:#?}", findings(report)).unwrap();
            }
        }
        for (with, report) in reports() {
            if let Some((file, offset)) = &self.struck
                && !names_place(report, row.expected[0], file, *offset as u64)
            {
                let found = findings(report);
                let name = row.name;
                writeln!(
                    wrong,
                    "{name}: {with:?} does not name {file}+{offset}: {found:#?}"
                )
                .unwrap();
            }
            assert_eq!(report.exit, report.verdict.exit(), "{}", row.name);
        }
        wrong
    }
}

/// Attacks copies of a history, one for each row, and keeps what is left of them under `kept`.
fn attacked(history: &World, kept: &Path) -> Vec<Seen> {
    let attack = |(n, row): (usize, &'static Row)| {
        let mut world = history.again();
        let copy = world.copy();
        let extra = (row.attack)(&mut world, &copy);
        let reports = With::ALL.map(|with| world.verify(&copy, with, &extra));
        let case = Case::keep(&kept.join(n.to_string()), &world, &copy, &extra);
        Seen {
            row,
            reports,
            case,
            struck: extra.struck,
        }
    };
    ROWS.iter().enumerate().map(attack).collect()
}

fn every_attack(history: &World) {
    let kept = tempfile::TempDir::new().unwrap();
    let all = attacked(history, kept.path());
    let cases: Vec<&Case> = all.iter().map(|seen| &seen.case).collect();
    let theirs = reference::verdicts(&cases);
    let mut table = format!(
        "{:76} {:16} {:16} {:16} live\n",
        "", "root", "+ trusted", "+ witness"
    );
    let mut wrong = String::new();
    for (n, seen) in all.iter().enumerate() {
        write!(table, "{:76}", seen.row.name).unwrap();
        for verdict in seen.verdicts() {
            write!(table, " {:16}", verdict.as_str()).unwrap();
        }
        writeln!(table).unwrap();
        wrong.push_str(&seen.wrong());
        if let Some(theirs) = &theirs {
            let differs = reference::differs(seen.row.name, seen.verdicts(), &theirs[n]);
            wrong.push_str(&differs.unwrap_or_default());
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn long_every_attack_gets_its_verdict_from_each_verifier() {
    every_attack(&World::new());
}

/// The same on what the library's own writer left.
#[test]
fn long_every_attack_on_a_store_of_a_service_gets_its_verdict_too() {
    every_attack(&World::served());
}

fn findings(report: &Report) -> Vec<&compliance_log::verify::Finding> {
    let of_stores = report.stores.iter().flat_map(|store| &store.findings);
    report.findings.iter().chain(of_stores).take(3).collect()
}

/// Whether a finding of this kind covers the byte.
fn names_place(report: &Report, verdict: Verdict, file: &str, offset: u64) -> bool {
    let of_stores = report.stores.iter().flat_map(|store| &store.findings);
    of_stores.into_iter().any(|finding| {
        let from = finding.offset.unwrap_or(0);
        let to = finding.length.map_or(u64::MAX, |length| from + length);
        finding.verdict == verdict
            && finding.file.as_deref() == Some(file)
            && (from..=to).contains(&offset)
    })
}
