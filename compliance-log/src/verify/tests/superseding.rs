//! Files that restate what could not be synced.

use super::{SECOND, clean};
use crate::verify::{
    Verdict,
    fixture::{Stream, line, structural},
};

/// Records since the last sync, which then fails.
fn unsynced() -> Stream {
    let mut stream = clean();
    stream.records(4);
    stream
}

#[test]
fn a_superseded_file_counts_up_to_the_offset() {
    let mut stream = unsynced();
    let old = stream.current_name();
    stream.supersede();
    stream.records(3);
    stream.sync();
    stream.verify().is_ok();
    // What stands behind the offset is ignored, whatever it is.
    let offset = line(stream.file(&old), 11).start;
    stream.file(&old)[offset..].fill(b'x');
    stream.verify().is_ok();
    stream.file(&old).truncate(offset);
    let checked = stream.verify();
    checked.is_ok();
    assert_eq!(checked.stream().records, 31);
    // Before the offset nothing is.
    stream.file(&old)[offset - 100] ^= 1;
    assert_eq!(stream.verify().verdict(), Verdict::Edit);
}

#[test]
fn superseding_may_happen_again_and_from_the_first_byte() {
    let mut stream = unsynced();
    stream.supersede();
    stream.records(2);
    stream.supersede();
    stream.verify().is_ok();
    stream.records(2);
    stream.supersede();
    stream.records(2);
    stream.sync();
    stream.verify().is_ok();
    stream.records(2);
    stream.supersede();
    stream.rotate();
    stream.records(1);
    stream.sync();
    stream.verify().is_ok();

    // A footer whose sync failed is restated too.
    let mut stream = clean();
    stream.records(1);
    stream.append(&structural(
        "segment.footer",
        r#"{"records":12,"reason":"size"}"#,
    ));
    stream.supersede();
    stream.records(1);
    stream.rotate();
    stream.verify().is_ok();

    let mut genesis = Stream::new();
    genesis.forget_head();
    genesis.records(3);
    genesis.set_durable(crate::layout::Slot {
        segment: 99,
        ..clean().durable()
    });
    genesis.supersede();
    genesis.forget_head();
    genesis.verify().is_ok();
}

#[test]
fn an_edit_in_a_superseding_file_is_an_edit() {
    let mut stream = unsynced();
    stream.supersede();
    stream.records(3);
    stream.rotate();
    stream.sync();
    for number in 0..8 {
        let mut edited = stream.clone();
        let name = "00000000000000000023.jsonl";
        let at = line(edited.file(name), number);
        edited.file(name)[at.start + 90] ^= 1;
        let checked = edited.verify();
        assert_eq!(checked.verdict(), Verdict::Edit, "{number}");
    }
}

#[test]
fn a_superseding_file_without_its_header_is_torn_and_the_old_one_counts() {
    let mut stream = unsynced();
    stream.restate();
    let name = stream.current_name();
    let whole = stream.newest().len();
    let mut header = stream.clone();
    header.supersede_header();
    let full = header.newest().len();
    for cut in [0, 1, 100, whole / 2, whole, whole + 1, full - 1] {
        let mut cut_short = header.clone();
        cut_short.newest().truncate(cut);
        let checked = cut_short.verify();
        let finding = checked.names(Verdict::Torn, &name, 23, 1, 0..cut);
        assert_eq!(finding.segment, Some(23));
        assert_eq!(checked.stream().last, Some(26));
    }
    header.verify().is_ok();
    // Damage below the bound in the file that counts is still tampering.
    let mut edited = stream.clone();
    edited.file(SECOND)[100] ^= 1;
    assert_eq!(edited.verify().verdict(), Verdict::Edit);
    // And so is a file that was durable and has lost its header.
    let mut durable = header;
    durable.sync();
    durable.newest().truncate(whole);
    assert_eq!(durable.verify().report.exit, 1);
}
