use compliance_log::seal::{
    Submission,
    merkle::{ConsistencyProof, Frontier, TreeHash},
    note::Note,
    statement::{Checkpoint, Statement as _},
};
use proptest::prelude::*;

use crate::keys::{ALGORITHMS, named, origin};

fn leaves() -> impl Iterator<Item = TreeHash> {
    (0..=u8::MAX).map(|n| TreeHash::new([n; 32]))
}

fn tree(size: usize) -> Frontier {
    let mut tree = Frontier::new();
    leaves().take(size).for_each(|leaf| tree.append(leaf));
    tree
}

fn note(size: usize) -> Note {
    let text = Checkpoint::new(origin(), size as u64, tree(size).root()).to_text();
    let mut note = Note::unsigned(&text).unwrap();
    note.sign(&named(origin().log_key(), ALGORITHMS[0]))
        .unwrap();
    note
}

fn submission(old: usize, new: usize) -> Submission {
    if old == 0 {
        return Submission::new(None, note(new)).unwrap();
    }
    let mut proof = ConsistencyProof::builder(&tree(old), new as u64).unwrap();
    leaves()
        .take(new)
        .skip(old)
        .for_each(|leaf| proof.push(leaf));
    Submission::new(Some(&proof.finish().unwrap()), note(new)).unwrap()
}

#[test]
fn a_submission_survives_its_text_and_continues_one_tree() {
    for (old, new) in [(0, 0), (0, 7), (1, 2), (3, 7), (7, 7), (8, 13), (100, 201)] {
        let text = submission(old, new).to_string();
        let read = Submission::parse(text.as_bytes()).unwrap();
        assert_eq!(read.to_string(), text);
        assert_eq!(
            (read.old_size(), read.checkpoint().size),
            (old as u64, new as u64)
        );
        read.check(tree(old).root()).unwrap();
        if old > 0 {
            read.check(tree(old + 1).root()).unwrap_err();
        }
    }
}

#[test]
fn from_nothing_nothing_is_proved() {
    let text = submission(0, 7).to_string();
    let with_hash = text.replacen("old 0\n", &format!("old 0\n{}=\n", "A".repeat(43)), 1);
    let error = Submission::parse(with_hash.as_bytes())
        .unwrap()
        .check(TreeHash::EMPTY)
        .unwrap_err();
    assert!(error.to_string().contains("from the empty tree"), "{error}");

    let text = Checkpoint::new(origin(), 0, TreeHash::new([1; 32])).to_text();
    let mut wrong = Note::unsigned(&text).unwrap();
    wrong
        .sign(&named(origin().log_key(), ALGORITHMS[0]))
        .unwrap();
    Submission::new(None, wrong)
        .unwrap()
        .check(TreeHash::EMPTY)
        .unwrap_err();
}

#[test]
fn texts_that_are_no_submission_are_refused() {
    let good = submission(3, 7).to_string();
    let line = format!("\n{}=", "A".repeat(43));
    for (text, named) in [
        (String::new(), "empty line"),
        (good.replacen("old ", "Old ", 1), "`old <size>`"),
        (good.replacen("old 3", "old 03", 1), "no number"),
        (good.replacen("old 3", "old +3", 1), "no number"),
        (
            good.replacen("old 3", &format!("old 3{}", line.repeat(64)), 1),
            "63 hashes",
        ),
        (good.replacen("old 3", "old 3\nAAAA", 1), "32 bytes"),
        (good.replacen("old 3", "old 3\nAAA", 1), "base64"),
        (good.replacen("\n7\n", "\n7\nmore\n", 1), ""),
        (" ".repeat(Submission::BYTES_MAX + 1), "64 KiB"),
    ] {
        let error = Submission::parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(named), "{named}: {error}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), old in any::<u64>()) {
        let mut bytes = submission(3, 7).to_string().replacen("old 3", &format!("old {old}"), 1).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Submission::parse(&bytes) && read.old_size() != 3 {
            prop_assert!(read.check(tree(3).root()).is_err());
        }
    }
}
