//! What a sealed store states of itself, checked from the root key down; the roots by the tree over the
//! hashes that stand in its lines.

use std::{fs, path::Path};

use compliance_log::{
    seal::{
        merkle::{Frontier, TreeHash},
        note::{NoteFile, VerifierKey},
        statement::{Certificates, Checkpoint, EpochNote, Signed},
    },
    verify::Options,
};

use crate::support::{only_store, whole_records};

/// A verification by the root keys that were kept beside `dir`.
pub(crate) fn root_keys(dir: &Path) -> Options {
    roots(dir)
        .into_iter()
        .fold(Options::default(), Options::root_key)
}

/// None where no store was begun; a writer that was killed leaves half a line.
fn roots(dir: &Path) -> Vec<VerifierKey> {
    let roots = fs::read_to_string(format!("{}.root.vkey", dir.display()));
    let roots = roots.unwrap_or_default();
    let whole = roots
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'));
    whole.map(|line| line.parse().unwrap()).collect()
}

/// Checks the one store under `dir`, and counts its checkpoints.
pub(crate) fn check(dir: &Path) -> usize {
    check_store(dir, &only_store(dir))
}

/// Checks a store under `dir`. What a crash left at the end of a file of notes is none.
pub(crate) fn check_store(dir: &Path, store: &Path) -> usize {
    let certificates = Certificates::parse(&fs::read(store.join("seal/cert")).unwrap()).unwrap();
    let certificate = certificates.check(&roots(dir)).unwrap();
    let mut keys = vec![(0, certificate.epoch0.clone())];
    let epochs = fs::read(store.join("seal/epochs")).unwrap();
    for (_, note) in NoteFile::split(&epochs).notes {
        let note = Signed::<EpochNote>::parse(note).unwrap();
        note.check(&keys.last().unwrap().1).unwrap();
        let note = note.statement();
        keys.push((note.size, note.key.clone()));
    }
    let roots = |channel: &str| -> Vec<TreeHash> {
        let mut frontier = Frontier::new();
        let mut roots = vec![frontier.root()];
        for record in whole_records(store, channel) {
            let hash = record["hash"].as_str().unwrap().parse().unwrap();
            frontier.append(TreeHash::leaf(&hash));
            roots.push(frontier.root());
        }
        roots
    };
    let catalog = roots("catalog");
    let mut checkpoints = 0;
    let mut names: Vec<_> = fs::read_dir(store.join("streams/catalog"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "ckpt"))
        .collect();
    names.sort();
    for name in names {
        let bytes = fs::read(name).unwrap();
        for (_, note) in NoteFile::split(&bytes).notes {
            let checkpoint = Signed::<Checkpoint>::parse(note).unwrap();
            checkpoint.check(&certificate.log).unwrap();
            let epoch = usize::try_from(checkpoint.epoch()).unwrap();
            checkpoint.check(&keys[epoch].1).unwrap();
            let Checkpoint { size, root, .. } = checkpoint.statement();
            assert!(keys[epoch].0 <= *size);
            assert!(keys.get(epoch + 1).is_none_or(|(end, _)| size <= end));
            assert_eq!(catalog[usize::try_from(*size).unwrap()], *root);
            checkpoints += 1;
        }
    }
    let facts = whole_records(store, "catalog");
    for channel in ["audit", "app"] {
        let roots = roots(channel);
        for fact in &facts {
            let data = &fact["data"];
            if data["of"].as_str().is_some_and(|of| of.ends_with(channel))
                && let (Some(size), Some(root)) = (data["size"].as_u64(), data["root"].as_str())
            {
                let known = &roots[usize::try_from(size).unwrap()];
                assert_eq!(known.to_string(), root, "{fact}");
            }
        }
    }
    checkpoints
}
