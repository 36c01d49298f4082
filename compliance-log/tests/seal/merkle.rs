use compliance_log::{
    ErrorKind,
    chain::Digest,
    seal::merkle::{ConsistencyProof, Frontier, InclusionProof, SIZE_MAX, TreeHash},
};
use proptest::prelude::*;

use crate::naive;

fn records(n: usize) -> Vec<Digest> {
    (0..n).map(|i| Digest::of(&i.to_be_bytes())).collect()
}

fn leaves(n: usize) -> Vec<TreeHash> {
    records(n).iter().map(TreeHash::leaf).collect()
}

fn plain(hashes: &[TreeHash]) -> Vec<naive::Hash> {
    hashes.iter().map(|hash| *hash.as_bytes()).collect()
}

fn frontier(leaves: &[TreeHash]) -> Frontier {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier
}

fn inclusion(index: usize, leaves: &[TreeHash]) -> InclusionProof {
    let mut builder = InclusionProof::builder(index as u64, leaves.len() as u64).unwrap();
    for leaf in leaves {
        builder.push(*leaf);
    }
    builder.finish().unwrap()
}

fn consistency(old: usize, leaves: &[TreeHash]) -> ConsistencyProof {
    let then = frontier(&leaves[..old]);
    let mut builder = ConsistencyProof::builder(&then, leaves.len() as u64).unwrap();
    for leaf in &leaves[old..] {
        builder.push(*leaf);
    }
    builder.finish().unwrap()
}

/// Whatever was before the first leaf that is read.
#[test]
fn a_proof_needs_the_leaves_after_a_known_tree_alone() {
    let all = leaves(40);
    for n in 1..=all.len() {
        for index in 0..n {
            let whole = inclusion(index, &all[..n]);
            for known in 0..=index {
                let before = frontier(&all[..known]);
                let mut builder =
                    InclusionProof::builder_after(&before, index as u64, n as u64).unwrap();
                all[known..n].iter().for_each(|leaf| builder.push(*leaf));
                assert_eq!(
                    builder.finish().unwrap(),
                    whole,
                    "{index} of {n} after {known}"
                );
            }
            let before = frontier(&all[..=index]);
            InclusionProof::builder_after(&before, index as u64, n as u64).unwrap_err();
        }
    }
}

/// Each size, index and older size up to 70 against the definition: all shapes of seven levels.
#[test]
fn every_tree_and_proof_is_that_of_the_definition() {
    let all = leaves(70);
    for n in 0..=all.len() {
        let leaves = &all[..n];
        let root = frontier(leaves).root();
        assert_eq!(*root.as_bytes(), naive::root(&plain(leaves)), "root of {n}");
        for index in 0..n {
            let proof = inclusion(index, leaves);
            let expected = naive::inclusion(index, &plain(leaves));
            assert_eq!(plain(proof.path()), expected, "leaf {index} of {n}");
            proof.check(leaves[index], root).unwrap();
        }
        for old in 1..=n {
            let proof = consistency(old, leaves);
            let expected = naive::consistency(old, &plain(leaves));
            assert_eq!(plain(proof.path()), expected, "{old} to {n}");
            proof.check(frontier(&leaves[..old]).root(), root).unwrap();
        }
    }
}

#[test]
fn a_leaf_is_made_of_a_record_s_hash() {
    let record = Digest::of(b"a record");
    let leaf = TreeHash::leaf(&record);
    assert_eq!(*leaf.as_bytes(), naive::leaf(record.as_bytes()));
    assert_eq!(Frontier::new().root(), TreeHash::EMPTY);
    assert_eq!(*TreeHash::EMPTY.as_bytes(), naive::root(&[]));
}

fn a_tree() -> impl Strategy<Value = Vec<TreeHash>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(TreeHash::new), 1..200)
}

proptest! {
    #[test]
    fn proofs_hold_for_what_they_were_made_for_and_nothing_else(
        leaves in a_tree(),
        at in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let index = at.index(leaves.len());
        let root = frontier(&leaves).root();
        let size = leaves.len() as u64;
        prop_assert_eq!(*root.as_bytes(), naive::root(&plain(&leaves)));

        let proof = inclusion(index, &leaves);
        prop_assert_eq!(plain(proof.path()), naive::inclusion(index, &plain(&leaves)));
        prop_assert!(proof.check(leaves[index], root).is_ok());
        prop_assert!(proof.check(flip(leaves[index], bit), root).is_err());
        prop_assert!(proof.check(leaves[index], flip(root, bit)).is_err());
        for path in spoilt(proof.path(), bit) {
            let proof = InclusionProof::from_parts(index as u64, size, path);
            prop_assert!(proof.check(leaves[index], root).is_err());
        }

        let old = index + 1;
        let then = frontier(&leaves[..old]).root();
        let proof = consistency(old, &leaves);
        prop_assert_eq!(plain(proof.path()), naive::consistency(old, &plain(&leaves)));
        prop_assert!(proof.check(then, root).is_ok());
        prop_assert!(proof.check(flip(then, bit), root).is_err());
        prop_assert!(proof.check(then, flip(root, bit)).is_err());
        for path in spoilt(proof.path(), bit) {
            let proof = ConsistencyProof::from_parts(old as u64, size, path);
            prop_assert!(proof.check(then, root).is_err());
        }
    }

    #[test]
    fn a_frontier_goes_on_from_its_own_hex(leaves in a_tree(), at in any::<prop::sample::Index>()) {
        let (before, after) = leaves.split_at(at.index(leaves.len()));
        let then = frontier(before);
        let mut resumed = Frontier::from_hex(then.size(), &then.to_hex()).unwrap();
        prop_assert_eq!(&resumed, &then);
        for leaf in after {
            resumed.append(*leaf);
        }
        prop_assert_eq!(&resumed, &frontier(&leaves));
        prop_assert_eq!(resumed.root(), frontier(&leaves).root());
    }

    #[test]
    fn no_numbers_and_no_path_make_a_check_panic(
        (index, size) in (any::<u64>(), any::<u64>()),
        path in prop::collection::vec(any::<[u8; 32]>().prop_map(TreeHash::new), 0..130),
    ) {
        let leaf = TreeHash::EMPTY;
        let proof = InclusionProof::from_parts(index, size, path.clone());
        prop_assert!(proof.check(leaf, leaf).is_err());
        let proof = ConsistencyProof::from_parts(index, size, path);
        prop_assert!(proof.check(leaf, TreeHash::new([7; 32])).is_err());
    }
}

fn flip(hash: TreeHash, bit: prop::sample::Index) -> TreeHash {
    let mut bytes = *hash.as_bytes();
    let bit = bit.index(256);
    bytes[bit / 8] ^= 1 << (bit % 8);
    TreeHash::new(bytes)
}

/// The path with one bit changed in each hash, one hash left out, and one too many at either end.
fn spoilt(path: &[TreeHash], bit: prop::sample::Index) -> Vec<Vec<TreeHash>> {
    let mut spoilt = vec![
        [&[TreeHash::EMPTY], path].concat(),
        [path, &[TreeHash::EMPTY]].concat(),
    ];
    for at in 0..path.len() {
        let mut flipped = path.to_vec();
        flipped[at] = flip(flipped[at], bit);
        let mut shorter = path.to_vec();
        shorter.remove(at);
        spoilt.extend([flipped, shorter]);
    }
    spoilt
}

#[test]
fn a_frontier_has_as_many_roots_as_its_size_has_subtrees() {
    let roots = leaves(3);
    assert!(Frontier::from_parts(7, &roots).is_ok());
    assert!(Frontier::from_parts(6, &roots).is_err());
    assert!(Frontier::from_parts(0, &roots).is_err());
    let many = vec![TreeHash::EMPTY; 64];
    assert!(Frontier::from_parts(u64::MAX, &many).is_err());
    let largest = Frontier::from_parts(SIZE_MAX, &many[..63]).unwrap();
    assert_eq!(largest.roots().count(), 63);

    let upper = roots[0].to_string().to_uppercase();
    for wrong in [upper.as_str(), "", &roots[0].to_string()[1..]] {
        let error = Frontier::from_hex(1, &[wrong]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
    }
}

#[test]
fn what_cannot_be_proved_has_no_proof() {
    let all = leaves(9);
    assert!(InclusionProof::builder(9, 9).is_err());
    assert!(InclusionProof::builder(0, 0).is_err());
    assert!(InclusionProof::builder(0, u64::MAX).is_err());
    assert!(ConsistencyProof::builder(&Frontier::new(), 9).is_err());
    assert!(ConsistencyProof::builder(&frontier(&all), 8).is_err());

    let mut too_few = InclusionProof::builder(2, 9).unwrap();
    for leaf in &all[..8] {
        too_few.push(*leaf);
    }
    assert!(too_few.finish().is_err());
    let mut too_few = ConsistencyProof::builder(&frontier(&all[..5]), 9).unwrap();
    for leaf in &all[5..8] {
        too_few.push(*leaf);
    }
    assert!(too_few.finish().is_err());

    let mut beyond = InclusionProof::builder(2, 8).unwrap();
    for leaf in &all {
        beyond.push(*leaf);
    }
    let root = frontier(&all[..8]).root();
    beyond.finish().unwrap().check(all[2], root).unwrap();
}
