//! A folder on another volume that keeps checkpoints.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::note_log::read;
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
        fs::{Access, Fs, RealFs},
    },
};

/// An [anchor](Anchor) that is a folder: a mount of another machine, or one that another account owns.
///
/// Each checkpoint is a file of its own, `<dir>/<SHA-256 of the origin>/<size, 20 digits>.note`, that is made
/// once and never opened for writing again. The folder has to be there; those of origins are made in it.
///
/// A folder on the volume of the stores is warned of: whoever can restore that volume restores both.
#[derive(Clone, Debug)]
pub struct DirAnchor {
    name: String,
    dir: PathBuf,
    fs: Arc<dyn Fs>,
}

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
        read(&*file)
    }
}

impl Anchor for DirAnchor {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "dir"
    }

    /// What a crash left of a file is no checkpoint, and is passed over.
    fn newest(&self, origin: &Origin) -> io::Result<Option<Vec<u8>>> {
        let (_, folder) = self.folder(origin);
        let names = match self.fs.list(&folder) {
            // An anchor that is not mounted is not an empty one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.fs.list(&self.dir)?;
                return Ok(None);
            }
            names => names?,
        };
        let sizes = names.iter().rev().filter_map(|name| {
            let size = layout::anchored_size(name)?;
            Some((size, folder.join(name)))
        });
        for (size, path) in sizes.take(PASSED_MAX) {
            let note = self.note(&path)?;
            let checkpoint =
                Note::parse(&note).and_then(|note| Checkpoint::from_text(note.text()));
            if checkpoint.is_ok_and(|checkpoint| checkpoint.size == size) {
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
        match durable::write_new(&*self.fs, &path, note.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => return written.map(|_file| receipt),
        }
        let kept = self.note(&path)?;
        let Some(rest) = note.as_bytes().strip_prefix(&kept[..]) else {
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
        assert_eq!(newest(), Some(ten.to_string().into_bytes()));

        // Half of one, as a crash or a full disk leaves it.
        let path = dir.path().join(&receipt);
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
