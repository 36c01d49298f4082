use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use compliance_log::{
    chain::Digest,
    seal::note::{Algorithm, CosigningKey, SigningKey},
};

use super::known::Known;
use crate::{
    durable::{self, Access, UNFINISHED, Unwritten},
    failure::Failure,
    private_key,
};

const LOCK: &str = "lock";
const KEY: &str = "key";
const ORIGINS: &str = "origins";
const NAME: &str = "witness.invalid";

/// The folder of a witness, locked for as long as this lives:
///
/// ```text
/// lock            held by the process
/// key             the skey, 0600
/// origins/<SHA-256 of the origin, hex>     certificate, and newest cosigned checkpoint
/// ```
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) key: CosigningKey,
    origins: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens it, or makes it with a key of this name; and reads what is known of each store, by the SHA-256 of
    /// its origin.
    ///
    /// # Errors
    ///
    /// A folder that another process uses, that is damaged, or has a key of another name.
    pub(super) fn open(
        dir: &Path,
        name: Option<&str>,
    ) -> Result<(Self, BTreeMap<Digest, Known>), Failure> {
        let origins = dir.join(ORIGINS);
        for folder in [dir, &origins] {
            durable::folder(folder).map_err(|error| cannot("make", folder, &error))?;
        }
        let lock = lock(dir)?;
        let known = read_known(&origins)?;
        let key = key(dir, name, known.is_empty())?;
        check_ours(&known, &key, dir)?;
        let folder = Self {
            key,
            origins,
            _lock: lock,
        };
        Ok((folder, known))
    }

    /// Replaces the file of a store, durably. One caller at a time for each store.
    pub(super) fn write(&self, origin: Digest, known: &Known) -> Result<(), Unwritten> {
        let path = self.origins.join(origin.to_string());
        durable::replace(&path, known.to_file().as_bytes(), Access::Everybody)
    }
}

fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join(LOCK);
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    let lock = options
        .open(&path)
        .map_err(|error| cannot("open", &path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            format!("another process runs the witness in {}", dir.display()),
            "two of them could cosign two histories: stop the other one, or give another folder",
        )),
        Err(TryLockError::Error(error)) => Err(cannot("lock", &path, &error)),
    }
}

fn read_known(origins: &Path) -> Result<BTreeMap<Digest, Known>, Failure> {
    let unread = |error| cannot("read", origins, &error);
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(origins).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(UNFINISHED) {
            continue; // What a crash left; the next write of this file replaces it.
        }
        let bytes = fs::read(&path).map_err(|error| cannot("read", &path, &error))?;
        let known = Known::parse(&bytes).and_then(|known| {
            let origin = &known.certificates.store().statement().origin;
            let at = Digest::of(origin.as_str().as_bytes());
            if at.to_string() == name {
                Ok((at, known))
            } else {
                Err(format!("it is of {origin}, which has another name"))
            }
        });
        let (at, known) = known.map_err(|reason| {
            Failure::new(
                format!("{} is damaged: {reason}", path.display()),
                "this witness cannot know what it cosigned: begin another one in another folder, with a new key",
            )
        })?;
        all.insert(at, known);
    }
    Ok(all)
}

/// The key of the folder; a new one only where there is nothing that another key cosigned.
fn key(dir: &Path, name: Option<&str>, is_new: bool) -> Result<CosigningKey, Failure> {
    let path = dir.join(KEY);
    if !path.exists() {
        if !is_new {
            return Err(Failure::new(
                format!(
                    "{} is missing, but there are stores that it cosigned",
                    path.display()
                ),
                "put the key back, or begin another witness in another folder",
            ));
        }
        let key = name
            .unwrap_or(NAME)
            .parse()
            .and_then(|name| SigningKey::generate(name, Algorithm::Ed25519));
        let key = key.map_err(|error| {
            Failure::new(
                error.to_string(),
                "give a name such as `witness.example/w1`",
            )
        })?;
        private_key::create(&path, &key)?;
    }
    let key = private_key::read(&path)?;
    let found = key.verifier().name().as_str().to_owned();
    if let Some(name) = name
        && name != found
    {
        return Err(Failure::new(
            format!("the key in {} is named {found}, not {name}", dir.display()),
            "leave --name out, or give another folder",
        ));
    }
    CosigningKey::new(key).map_err(|error| Failure::new(error.to_string(), "give another folder"))
}

/// Another key of the same name would be believed by those who know its vkey alone.
fn check_ours(
    known: &BTreeMap<Digest, Known>,
    key: &CosigningKey,
    dir: &Path,
) -> Result<(), Failure> {
    for newest in known.values().filter_map(|known| known.newest.as_ref()) {
        if !matches!(key.witness().cosigned(&newest.note), Ok(Some(_))) {
            let origin = &newest.checkpoint.origin;
            let text = format!("the key in {} did not cosign {origin}", dir.display());
            let hint = "put back the key that did, or begin another witness in another folder";
            return Err(Failure::new(text, hint));
        }
    }
    Ok(())
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot {what} {}: {error}", path.display()),
        "a witness needs a folder of its own that it can write",
    )
}
