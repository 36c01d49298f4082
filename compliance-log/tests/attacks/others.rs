//! What other logs let pass, by their own issue lists: each of it tried here.

use std::fs;

use compliance_log::{
    seal::{merkle::TreeHash, statement::Checkpoint},
    verify::{Report, Verdict, verify},
};

use super::{
    files::{
        AUDIT, CATALOG, EPOCHS, add, checkpoints, copy_all, files, lines, name, notes, save,
        save_notes, segment,
    },
    line::{between, event_of, relink},
    world::{Extra, With, World},
    writer::{bounds, sizes},
};

fn check(world: &World, store: &std::path::Path) -> Report {
    world.verify(store, With::Root, &Extra::default())
}

/// A journal with several closed catalog segments.
fn many_catalog_segments() -> (World, std::path::PathBuf) {
    let mut world = World::new();
    let copy = world.copy();
    let mut writer = world.open(&copy, world.keys.clone(), "honest");
    for _ in 0..3 {
        world.rounds(&mut writer, 2, None, false);
        writer.rotate_catalog();
    }
    world.rounds(&mut writer, 2, None, false);
    writer.crash();
    assert_eq!(check(&world, &copy).verdict, Verdict::Ok);
    (world, copy)
}

#[test]
fn two_digests_in_a_row_removed() {
    let (world, copy) = many_catalog_segments();
    fs::remove_file(checkpoints(&copy, 2)).unwrap();
    fs::remove_file(checkpoints(&copy, 1)).unwrap();
    let report = check(&world, &copy);
    assert_eq!(report.verdict, Verdict::MissingSegment);
    assert_eq!(report.stores[0].findings.len(), 2);
}

#[test]
fn two_segments_of_the_catalog_in_a_row_removed() {
    let (world, copy) = many_catalog_segments();
    fs::remove_file(segment(&copy, CATALOG, 2)).unwrap();
    fs::remove_file(segment(&copy, CATALOG, 1)).unwrap();
    assert_eq!(check(&world, &copy).verdict, Verdict::MissingSegment);
}

#[test]
fn a_second_compressed_member_behind_a_closed_file() {
    let world = World::new();
    let copy = world.copy();
    let file = segment(&copy, AUDIT, 0);
    let before = fs::read(&file).unwrap().len();
    add(&file, b"\x1f\x8b\x08\x00forged\n");
    let report = check(&world, &copy);
    assert_eq!(report.verdict, Verdict::Edit);
    assert_eq!(report.stores[0].findings[0].offset, Some(before as u64));
}

#[test]
fn a_closed_file_written_anew_whose_successor_links_to_the_old_one() {
    let world = World::new();
    let copy = world.copy();
    let file = segment(&copy, AUDIT, 0);
    let mut all = lines(&file);
    let line = String::from_utf8(all[3].clone()).unwrap();
    all[3] = line
        .replace("booking.created", "booking.deleted")
        .into_bytes();
    relink(&mut all, 3);
    save(&file, &all);
    let report = check(&world, &copy);
    assert_eq!(report.verdict, Verdict::Edit);
    let finding = &report.stores[0].findings[0];
    // The tree tells where, and not only that the files do not fit together.
    let (from, to) = (finding.offset.unwrap(), finding.length.unwrap());
    let at = super::files::line_start(&all, 3) as u64;
    assert!((from..from + to).contains(&at), "{finding:?}");
    assert!(
        finding.detail.contains("not what was sealed"),
        "{finding:?}"
    );
}

#[test]
fn a_copy_that_was_moved_and_renamed_is_still_good() {
    let world = World::new();
    let moved = world.base.path().join("restored/2026/q1");
    copy_all(&world.store, &moved);
    assert_eq!(check(&world, &moved).verdict, Verdict::Ok);
}

/// At the size at which an epoch ends both keys may sign, beyond it only the next one.
#[test]
fn the_edge_of_a_key_change() {
    let mut world = World::new();
    let copy = world.copy();
    let mut writer = world.open(&copy, world.keys.clone(), "honest");
    let old = writer.keys.clone();
    writer.seal();
    writer.ratchet("time");
    let new = writer.keys.clone();
    writer.sign_as(&new, 0);
    writer.fact("seal.heartbeat", "");
    writer.sign();
    let edge = *bounds(&copy).last().unwrap();
    assert!(sizes(&copy).contains(&edge));
    assert_eq!(check(&world, &copy).verdict, Verdict::Ok);

    writer.fact("seal.heartbeat", "");
    writer.sign_as(&old, 0);
    let report = check(&world, &copy);
    assert_eq!(report.verdict, Verdict::BadSignature);
    let finding = &report.stores[0].findings[0];
    assert!(
        finding.detail.contains("signs from size"),
        "{}",
        finding.detail
    );
    world.keys = writer.crash();
}

/// A value that was edited behind a root that fits: the root is of no use to who does not read the data.
#[test]
fn a_byte_behind_consistent_roots() {
    let world = World::new();
    let copy = world.copy();
    let file = segment(&copy, AUDIT, 1);
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes
        .windows(9)
        .position(|nine| nine == br#""bytes":1"#)
        .unwrap()
        + 8;
    bytes[at] = b'7';
    super::files::put(&file, &bytes);
    let report = check(&world, &copy);
    assert_eq!(report.verdict, Verdict::Edit);
    let finding = &report.stores[0].findings[0];
    assert_eq!(
        finding.file.as_deref(),
        Some(&*format!("{AUDIT}/{}", name(&file)))
    );
    let from = finding.offset.unwrap();
    assert!((from..from + finding.length.unwrap()).contains(&(at as u64)));
}

/// The writer goes on into a file that has no name any more.
#[test]
fn a_file_removed_while_it_is_open() {
    use std::io::Write as _;

    let world = World::new();
    let copy = world.copy();
    let mut writer = world.open(&copy, world.keys.clone(), "honest");
    let path = segment(&copy, AUDIT, -1);
    let mut open = fs::OpenOptions::new().append(true).open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    open.write_all(b"into nowhere\n").unwrap();
    world.clock.tick(20);
    writer.fact("seal.heartbeat", "");
    writer.sign();
    assert_eq!(check(&world, &copy).verdict, Verdict::Truncated);
}

#[test]
fn an_epoch_note_that_is_swapped_with_the_next() {
    let world = World::new();
    let copy = world.copy();
    let mut all = notes(&copy.join(EPOCHS));
    all.swap(1, 2);
    save_notes(&copy.join(EPOCHS), &all);
    assert_eq!(check(&world, &copy).verdict, Verdict::BadSignature);
}

/// Whoever has the keys shows one history here and another one there, and both got into the store.
#[test]
fn two_checkpoints_of_one_size() {
    let world = World::new();
    let copy = world.copy();
    let newest = sizes(&copy).pop().unwrap();
    let other = Checkpoint::new(world.keys.origin.clone(), newest, TreeHash::EMPTY);
    let other = other.sign(world.keys.log_key(), world.keys.epoch_key());
    add(
        &checkpoints(&copy, -1),
        other.unwrap().to_block().as_bytes(),
    );
    assert_eq!(check(&world, &copy).verdict, Verdict::Fork);
}

/// Keys that ran twice wrote two roots of one size of a stream into the catalog.
#[test]
fn two_roots_of_one_size_of_a_stream() {
    let world = World::new();
    let copy = world.copy();
    let mut writer = world.open(&copy, world.keys.clone(), "honest");
    writer.seal();
    let facts = lines(&segment(&copy, CATALOG, -1));
    let head = facts.iter().rfind(|fact| event_of(fact) == "seal.head");
    let text = |before: &str, after: &str| between(head.unwrap(), before, after).unwrap();
    let (of, size) = (text(r#""of":""#, "\""), text(r#""size":"#, ","));
    let root = TreeHash::EMPTY;
    let head = format!(
        r#","of":"{of}","size":{size},"root":"{root}","segment":"00000000000000000000.jsonl","bytes":1"#
    );
    writer.fact("seal.head", &head);
    writer.sign();
    writer.crash();
    assert_eq!(check(&world, &copy).verdict, Verdict::Fork);
}

#[test]
fn a_checkpoint_moved_behind_a_later_one() {
    let world = World::new();
    let copy = world.copy();
    let file = checkpoints(&copy, -1);
    let mut all = notes(&file);
    let count = all.len();
    all.swap(count - 2, count - 3);
    save_notes(&file, &all);
    assert_eq!(check(&world, &copy).verdict, Verdict::Reorder);
}

/// The hot end alone, without its ledger: its beginning cannot be told from a removed one.
#[test]
fn a_beginning_that_is_gone_needs_a_reason_for_each_file() {
    let world = World::new();
    let copy = world.copy();
    fs::remove_file(segment(&copy, CATALOG, 0)).unwrap();
    fs::remove_file(checkpoints(&copy, 0)).unwrap();
    let report = check(&world, &copy);
    assert_eq!(report.verdict, Verdict::MissingSegment);
    assert_eq!(report.exit, 1);
    assert_eq!(files(&copy.join(CATALOG), ".jsonl").len(), 1);
    assert_eq!(
        verify(&copy, &world.options(With::Root, &Extra::default())).unwrap(),
        report
    );
}

/// A file that restates what could not be synced: the tree goes on through it.
#[test]
fn a_superseding_file_is_sealed_like_any_other() {
    let mut world = World::new();
    let copy = world.copy();
    let mut writer = world.open(&copy, world.keys.clone(), "honest");
    writer.seal();
    world.rounds(&mut writer, 1, None, false);
    for _ in 0..3 {
        writer.emit("audit", "booking.created", r#"{"bytes":1}"#);
    }
    writer.supersede("audit", 3);
    world.rounds(&mut writer, 2, None, false);
    writer.rotate("audit");
    world.rounds(&mut writer, 2, None, false);
    writer.crash();
    assert_eq!(check(&world, &copy).verdict, Verdict::Ok);

    let file = segment(&copy, AUDIT, -2);
    let mut all = lines(&file);
    let text = String::from_utf8(all[1].clone()).unwrap();
    all[1] = text.replace(r#""bytes":1"#, r#""bytes":2"#).into_bytes();
    relink(&mut all, 1);
    save(&file, &all);
    let report = check(&world, &copy);
    assert_eq!(report.verdict, Verdict::Edit);
    assert!(
        report.stores[0].findings[0]
            .detail
            .contains("not what was sealed")
    );
}
