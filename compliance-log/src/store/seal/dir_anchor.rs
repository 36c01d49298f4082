//! A folder on another volume that keeps checkpoints.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    chain::Digest,
    layout,
    seal::{
        Anchor, Origin,
        note::Note,
        statement::{Checkpoint, Signed},
    },
    store::{
        durable,
        fs::{Access, Fs, RealFs, read_whole},
    },
};

/// An [anchor](Anchor) that is a folder: a mount of another machine, or one that another account owns.
///
/// Each checkpoint is a file of its own, `<dir>/<SHA-256 of the origin>/<size, 20 digits>.note`, that is made
/// once and never opened for writing again. The folder has to be there; those of origins are made in it. A
/// second checkpoint of a size that is there already, which shows that two writers sign, lies beside it as
/// `<size>.<beginning of its SHA-256>.other`.
///
/// Only the newest file is needed. Older ones may be removed, and should be before there are 100,000: the
/// folder is listed for each checkpoint.
///
/// A folder on the volume of the stores is warned of: whoever can restore that volume restores both.
#[derive(Clone, Debug)]
pub struct DirAnchor {
    name: String,
    dir: PathBuf,
    fs: Arc<dyn Fs>,
    seen: Arc<Mutex<Option<Seen>>>,
}

/// What is there of an origin, as far as this log knows: all else was put there by somebody else.
#[derive(Debug)]
struct Seen {
    origin: Origin,
    /// The largest size when this was looked at first, or what is not looked at any more.
    base: u64,
    /// Sizes above it.
    sizes: BTreeSet<u64>,
    /// Second checkpoints of a size.
    others: BTreeSet<String>,
}

/// So many sizes are remembered; then half of them.
const SIZES_MAX: usize = 1024;

/// So many files that are no checkpoints are passed over in search of the newest that is one.
const PASSED_MAX: usize = 16;
/// A longer file is none of ours.
const BYTES_MAX: u64 = 64 * 1024;

impl DirAnchor {
    /// A folder; its name among the anchors is its path.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self::on(Arc::new(RealFs), dir.into())
    }

    pub(crate) fn on(fs: Arc<dyn Fs>, dir: PathBuf) -> Self {
        Self {
            name: dir.display().to_string(),
            dir,
            fs,
            seen: Arc::default(),
        }
    }

    /// Does something with what is known of an origin; `names` are there when that is asked first.
    fn seen<T>(&self, origin: &Origin, names: &[String], act: impl FnOnce(&mut Seen) -> T) -> T {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |seen: &mut Seen| seen.origin == *origin;
        if !seen.as_mut().is_some_and(is_known) {
            *seen = None;
        }
        act(seen.get_or_insert_with(|| Seen {
            origin: origin.clone(),
            base: sizes(names).max().unwrap_or(0),
            sizes: BTreeSet::new(),
            others: others(names).map(str::to_owned).collect(),
        }))
    }

    /// The names of a folder, sorted; none if nothing was kept of its origin yet.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        match self.fs.list(folder) {
            // An anchor that is not mounted is not an empty one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.fs.list(&self.dir)?;
                Ok(Vec::new())
            }
            names => names,
        }
    }

    /// A checkpoint of another size than its name says, or half of one, is none.
    fn checkpoint(&self, path: &Path, size: u64) -> io::Result<Option<Vec<u8>>> {
        let note = self.note(path)?;
        let checkpoint = Note::parse(&note).and_then(|note| Checkpoint::from_text(note.text()));
        let is_one = checkpoint.is_ok_and(|checkpoint| checkpoint.size == size);
        Ok(is_one.then_some(note))
    }

    /// Keeps what shows that there is another history.
    fn keep_other(&self, origin: &Origin, folder: &Path, size: u64, note: &[u8]) -> io::Result<()> {
        let name = layout::other_anchored_name(size, Digest::of(note));
        self.seen(origin, &[], |seen| seen.others.insert(name.clone()));
        match durable::write_new(&*self.fs, &folder.join(name), note) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn folder(&self, origin: &Origin) -> (String, PathBuf) {
        let name = Digest::of(origin.as_str().as_bytes()).to_string();
        let path = self.dir.join(&name);
        (name, path)
    }

    fn note(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.fs.open(path, Access::Read)?;
        if file.len()? > BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        read_whole(&*file)
    }
}

impl Anchor for DirAnchor {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "dir"
    }

    /// What somebody else put there meanwhile comes before what this log did, since it is what has to be
    /// known. What a crash left of a file is no checkpoint, and is passed over.
    fn newest(&self, origin: &Origin) -> io::Result<Option<Vec<u8>>> {
        let (_, folder) = self.folder(origin);
        let names = self.names(&folder)?;
        let foreign = self.seen(origin, &names, |seen| seen.foreign(&names));
        let newest = sizes(&names)
            .rev()
            .map(|size| (size, layout::anchored_name(size)));
        for (size, name) in foreign.into_iter().chain(newest.take(PASSED_MAX)) {
            if let Some(note) = self.checkpoint(&folder.join(&name), size)? {
                self.seen(origin, &names, |seen| seen.add(size, name));
                return Ok(Some(note));
            }
        }
        Ok(None)
    }

    /// `mkdir`, `fsync` of its parent, once; `open(O_CREAT | O_EXCL)`, `write`, `fdatasync`, `fsync` of the
    /// folder. What an earlier try left of the same note is completed.
    fn keep(&self, checkpoint: &Signed<Checkpoint>) -> io::Result<Option<String>> {
        let Checkpoint { origin, size, .. } = checkpoint.statement();
        let (of_origin, folder) = self.folder(origin);
        let name = layout::anchored_name(*size);
        let path = folder.join(&name);
        match self.fs.create_dir(&folder) {
            Ok(()) => self.fs.sync_dir(&self.dir)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let note = checkpoint.to_string();
        let receipt = Some(format!("{of_origin}/{name}"));
        let is_new = self.fs.seen(&path)?.is_none();
        if is_new {
            // However far it comes, it is ours.
            self.seen(origin, &[], |seen| seen.add(*size, name.clone()));
        }
        match durable::write_new(&*self.fs, &path, note.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => return written.map(|_file| receipt),
        }
        let kept = self.note(&path)?;
        let Some(rest) = note.as_bytes().strip_prefix(&kept[..]) else {
            self.keep_other(origin, &folder, *size, note.as_bytes())?;
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{of_origin}/{name} is another checkpoint"),
            ));
        };
        if !rest.is_empty() {
            self.fs.open(&path, Access::Append)?.append(rest)?;
        }
        // Whether it had been synced is not known.
        self.fs.open(&path, Access::Append)?.sync_data()?;
        self.fs.sync_dir(&folder)?;
        Ok(receipt)
    }

    fn warning(&self, stores: &Path) -> Option<String> {
        let device = |path: &Path| {
            let seen = |path: &Path| self.fs.seen(path).ok().flatten();
            path.ancestors().find_map(seen).map(|seen| seen.id.0)
        };
        // A link leads somewhere else.
        let dir = self.dir.canonicalize().unwrap_or_else(|_| self.dir.clone());
        (device(&dir)? == device(stores)?).then(|| {
            format!(
                "anchor {}: it is on the volume of the stores, and is changed or rolled back together with them",
                self.name
            )
        })
    }
}

impl Seen {
    /// What is there that is not known, the newest first.
    fn foreign(&self, names: &[String]) -> Vec<(u64, String)> {
        let is_new = |size: &u64| *size > self.base && !self.sizes.contains(size);
        let new = sizes(names).filter(is_new);
        let new = new.map(|size| (size, layout::anchored_name(size)));
        let other = |name: &str| Some((layout::other_anchored_size(name)?, name.to_owned()));
        let others = others(names).filter(|name| !self.others.contains(*name));
        let mut foreign: Vec<(u64, String)> = new.chain(others.filter_map(other)).collect();
        foreign.sort_by(|one, other| other.cmp(one));
        foreign
    }

    fn add(&mut self, size: u64, name: String) {
        if layout::other_anchored_size(&name).is_some() {
            self.others.insert(name);
        } else if size > self.base {
            self.sizes.insert(size);
        }
        if self.sizes.len() > SIZES_MAX {
            let middle = self.sizes.iter().nth(SIZES_MAX / 2).copied();
            self.base = middle.unwrap_or(self.base);
            self.sizes.retain(|size| Some(*size) > middle);
        }
    }
}

fn sizes(names: &[String]) -> impl DoubleEndedIterator<Item = u64> {
    names.iter().filter_map(|name| layout::anchored_size(name))
}

fn others(names: &[String]) -> impl Iterator<Item = &str> {
    let names = names.iter().map(String::as_str);
    names.filter(|name| layout::other_anchored_size(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{
        merkle::TreeHash,
        note::{Algorithm, SigningKey},
    };

    fn signs() -> impl Fn(u64, &[u8]) -> Signed<Checkpoint> {
        let origin: Origin = "log.example/s/i/0123456789abcdef".parse().unwrap();
        let key = |name| SigningKey::generate(name, Algorithm::Ed25519).unwrap();
        let (log, epoch) = (key(origin.log_key()), key(origin.epoch_key(0)));
        move |size, tree| {
            let root = TreeHash::leaf(&Digest::of(tree));
            let checkpoint = Checkpoint::new(origin.clone(), size, root);
            checkpoint.sign(&log, &epoch).unwrap()
        }
    }

    #[test]
    fn the_newest_whole_one_is_read_and_none_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let (anchor, sign) = (DirAnchor::new(dir.path()), signs());
        let (nine, ten) = (sign(9, b"x"), sign(10, b"x"));
        let origin = &nine.statement().origin;
        assert_eq!(anchor.newest(origin).unwrap(), None);
        anchor.keep(&nine).unwrap();
        let receipt = anchor.keep(&ten).unwrap().unwrap();
        assert_eq!(anchor.keep(&ten).unwrap().unwrap(), receipt);
        let newest = || anchor.newest(origin).unwrap();
        assert_eq!(newest(), Some(ten.to_string().into_bytes()));

        let other = anchor.keep(&sign(10, b"y")).unwrap_err();
        assert_eq!(other.kind(), io::ErrorKind::AlreadyExists);
        // It is there all the same, for whoever looks: here the one who knows of it, there another one.
        assert_eq!(newest(), Some(ten.to_string().into_bytes()));
        let elsewhere = DirAnchor::new(dir.path());
        elsewhere.newest(origin).unwrap();
        let third = sign(10, b"z");
        anchor.keep(&third).unwrap_err();
        let found = elsewhere.newest(origin).unwrap();
        assert_eq!(found, Some(third.to_string().into_bytes()));

        // Half of one, as a crash or a full disk leaves it.
        let path = dir.path().join(&receipt);
        #[expect(clippy::disallowed_methods, reason = "it need not last")]
        std::fs::write(&path, &ten.to_string().as_bytes()[..40]).unwrap();
        assert_eq!(newest(), Some(nine.to_string().into_bytes()));
        anchor.keep(&ten).unwrap();
        assert_eq!(newest(), Some(ten.to_string().into_bytes()));
    }

    #[test]
    fn what_is_not_mounted_is_not_empty() {
        let dir = tempfile::tempdir().unwrap();
        let anchor = DirAnchor::new(dir.path().join("gone"));
        let checkpoint = signs()(1, b"x");
        assert!(anchor.newest(&checkpoint.statement().origin).is_err());
        assert!(anchor.keep(&checkpoint).is_err());
    }
}
