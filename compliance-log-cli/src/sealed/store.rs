use std::{
    fs, io,
    path::{Path, PathBuf},
};

use compliance_log::seal::{
    Origin, Submission,
    merkle::{ConsistencyProof, Frontier, TreeHash},
    note::{Note, VerifierKey},
    statement::{Certificate, Certificates, Checkpoint, Signed},
};

use super::{blocks, records::Records};
use crate::{failure::Failure, small_file};

const CATALOG: &str = "catalog";
const CHECKPOINTS: &str = ".ckpt";
const HINT: &str = "`compliance-log verify` says what is wrong with the store";

/// A store with a catalog. Checkpoints are read first, then the catalog, then the streams: the writer writes
/// in the other order, so that what is read last holds what was read before.
#[derive(Debug)]
pub(crate) struct SealedStore {
    path: PathBuf,
}

impl SealedStore {
    /// Looks at a store.
    ///
    /// # Errors
    ///
    /// What is no store, or not sealed.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let path = fs::canonicalize(path).map_err(|error| Failure::io("open", path, error))?;
        let store = Self { path };
        if store.catalog().is_dir() {
            return Ok(store);
        }
        let is_store = store.path.join("streams").is_dir();
        let (what, hint) = if is_store {
            (
                "is a store, but not sealed",
                "sealing is turned on where the service configures its log",
            )
        } else {
            (
                "is no store",
                "give one store, a folder that has `streams/catalog` in it",
            )
        };
        Err(Failure::new(
            format!("{} {what}", store.path.display()),
            hint,
        ))
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the catalog.
    pub(crate) fn catalog(&self) -> PathBuf {
        self.stream(CATALOG)
    }

    /// The folder of a stream.
    pub(crate) fn stream(&self, channel: &str) -> PathBuf {
        self.path.join("streams").join(channel)
    }

    /// The bytes of `seal/cert`; `None` for a store that nobody certified yet.
    ///
    /// # Errors
    ///
    /// A file that cannot be read.
    pub(crate) fn certificate_file(&self) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path.join("seal").join("cert");
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(small_file::read(&path, HINT)?.to_vec()))
    }

    /// The certificates of the store. Whether to trust them is another question.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or holds something else.
    pub(crate) fn certificates(&self) -> Result<Option<Certificates>, Failure> {
        let file = self.certificate_file()?;
        let read = file.map(|file| Certificates::parse(&file)).transpose();
        read.map_err(|error| {
            let path = self.path.join("seal").join("cert");
            Failure::new(format!("{}: {error}", path.display()), HINT)
        })
    }

    /// The log key: of the certificate, or, where there is none, as the first record of the catalog states
    /// it.
    ///
    /// # Errors
    ///
    /// A store that states none.
    pub(crate) fn log_key(&self) -> Result<VerifierKey, Failure> {
        if let Some(certificates) = self.certificates()? {
            return Ok(certificates.store().statement().log.clone());
        }
        Ok(self.genesis()?.log)
    }

    /// Its origin: of the certificate, or, where there is none, as the first record of the catalog states it.
    ///
    /// # Errors
    ///
    /// A store that states none.
    pub(crate) fn origin(&self) -> Result<Origin, Failure> {
        if let Some(certificates) = self.certificates()? {
            return Ok(certificates.store().statement().origin.clone());
        }
        Ok(self.genesis()?.origin)
    }

    /// What the first record of the catalog says of the store's keys.
    ///
    /// # Errors
    ///
    /// A catalog whose first segment is not there, or does not say it.
    pub(crate) fn genesis(&self) -> Result<Certificate, Failure> {
        super::genesis::read(&self.catalog())
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    ///
    /// Files that cannot be read, or hold something else.
    pub(crate) fn newest(&self) -> Result<Option<Signed<Checkpoint>>, Failure> {
        for path in self.checkpoint_files()?.iter().rev() {
            let note = blocks::last(path).map_err(|error| Failure::io("read", path, error))?;
            if let Some(note) = note {
                return read(path, &note).map(Some);
            }
        }
        Ok(None)
    }

    /// The note of the newest epoch; `None` before the first ended.
    ///
    /// # Errors
    ///
    /// A file that cannot be read.
    pub(crate) fn newest_epoch(&self) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path.join("seal").join("epochs");
        match blocks::last(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            note => note.map_err(|error| Failure::io("read", &path, error)),
        }
    }

    /// The newest checkpoint that `wanted` accepts by its size.
    ///
    /// # Errors
    ///
    /// As for [`newest`](Self::newest).
    pub(crate) fn newest_of(
        &self,
        wanted: impl Fn(u64) -> bool,
    ) -> Result<Option<Signed<Checkpoint>>, Failure> {
        for path in self.checkpoint_files()?.iter().rev() {
            let mut found = None;
            blocks::each(path, |note| {
                // The second line is the size; only a note that is wanted is read.
                let text = String::from_utf8_lossy(note);
                let size = text.lines().nth(1).and_then(|size| size.parse().ok());
                if size.is_some_and(&wanted) {
                    found = Some(note.to_vec());
                }
                true
            })
            .map_err(|error| Failure::io("read", path, error))?;
            if let Some(note) = found {
                return read(path, &note).map(Some);
            }
        }
        Ok(None)
    }

    /// Proves to a witness that has the first `old` records of the catalog that a checkpoint continues
    /// them. Reads from the segment on that holds record `old`.
    ///
    /// # Errors
    ///
    /// A catalog that does not lead to the checkpoint.
    pub(crate) fn submission(
        &self,
        old: u64,
        signed: &Signed<Checkpoint>,
    ) -> Result<Submission, Failure> {
        let failed = |error: compliance_log::Error| Failure::new(error.to_string(), HINT);
        let Checkpoint { size, root, .. } = *signed.statement();
        let note = Note::parse(signed.to_string().as_bytes()).map_err(failed)?;
        if old == 0 {
            return Submission::new(None, note).map_err(failed);
        }
        let (mut tree, mut records) = Records::from(&self.catalog(), old)?;
        while tree.size() < old {
            tree.append(records.expect()?.leaf);
        }
        let mut proof = ConsistencyProof::builder(&tree, size).map_err(failed)?;
        while tree.size() < size {
            let leaf = records.expect()?.leaf;
            tree.append(leaf);
            proof.push(leaf);
        }
        self.check_root(&tree, root)?;
        let proof = proof.finish().map_err(failed)?;
        Submission::new(Some(&proof), note).map_err(failed)
    }

    /// Checks that the records lead to the root that a checkpoint states.
    ///
    /// # Errors
    ///
    /// If they do not.
    pub(crate) fn check_root(&self, tree: &Frontier, root: TreeHash) -> Result<(), Failure> {
        if tree.root() == root {
            return Ok(());
        }
        let catalog = self.catalog();
        let text = format!(
            "the {} records of {} are not those of its checkpoint",
            tree.size(),
            catalog.display()
        );
        Err(Failure::new(text, HINT))
    }

    /// The files of checkpoints, oldest first.
    fn checkpoint_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let catalog = self.catalog();
        let unread = |error| Failure::io("read folder", &catalog, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&catalog).map_err(unread)? {
            let path = entry.map_err(unread)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let digits = name.strip_suffix(CHECKPOINTS).unwrap_or_default();
            if digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                files.push(path);
            }
        }
        files.sort_unstable();
        Ok(files)
    }
}

fn read(path: &Path, note: &[u8]) -> Result<Signed<Checkpoint>, Failure> {
    Signed::parse(note).map_err(|error| Failure::new(format!("{}: {error}", path.display()), HINT))
}
