use std::{
    fs, io,
    path::{Path, PathBuf},
};

use compliance_log::seal::note::Signature;

use super::store::SealedStore;
use crate::{
    durable::{self, Access},
    failure::Failure,
    small_file,
};

const TAG: &str = "compliance-log/v1/receipt";
const WITNESS: &str = "witness";
const SUFFIX: &str = ".receipt";
const SIZE_DIGITS: usize = 20;

/// The folder beside a store in which it finds what anchors answered, `<store>.receipts`.
#[derive(Debug)]
pub(crate) struct Receipts {
    folder: PathBuf,
}

/// That a witness cosigned a checkpoint. Its file is `<anchor>-<size, 20 digits>.receipt`, with five lines:
/// `compliance-log/v1/receipt`, the anchor, `witness`, the size, and the cosignature.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) anchor: String,
    pub(crate) size: u64,
    pub(crate) cosignature: Signature,
}

impl Receipts {
    /// Those of a store.
    pub(crate) fn of(store: &SealedStore) -> Self {
        let mut name = store.path().file_name().unwrap_or_default().to_owned();
        name.push(".receipts");
        Self::in_folder(&store.path().with_file_name(name))
    }

    /// Those in a folder, which need not be there.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Leaves one, and says where.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written.
    pub(crate) fn leave(&self, receipt: &Receipt) -> Result<PathBuf, Failure> {
        let Receipt {
            anchor,
            size,
            cosignature,
        } = receipt;
        let path = self.folder.join(format!("{anchor}-{size:020}{SUFFIX}"));
        let text = format!("{TAG}\n{anchor}\n{WITNESS}\n{size}\n{cosignature}\n");
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            durable::replace(&path, text.as_bytes(), Access::Everybody).map_err(io::Error::from)
        });
        match written {
            Ok(()) => Ok(path),
            Err(error) => Err(Failure::new(
                format!("cannot write {}: {error}", path.display()),
                "the witness cosigned; give write access to this folder, and run it again",
            )),
        }
    }

    /// The largest size that an anchor acknowledged, of receipts that lie here still.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read.
    pub(crate) fn largest(&self, anchor: &str) -> Result<Option<u64>, Failure> {
        let of_anchor = self.names()?.into_iter();
        let of_anchor = of_anchor.filter(|(found, ..)| found == anchor);
        Ok(of_anchor.map(|(_, size, _)| size).max())
    }

    /// All of witnesses.
    ///
    /// # Errors
    ///
    /// A folder or file that cannot be read, or a file that is no receipt.
    pub(crate) fn all(&self) -> Result<Vec<Receipt>, Failure> {
        let mut receipts = Vec::new();
        for (_, _, path) in self.names()? {
            let hint = "move what is no receipt out of this folder";
            let text = small_file::text(&path, hint)?;
            match parse(&text) {
                Ok(receipt) => receipts.extend(receipt),
                Err(reason) => {
                    let text = format!("{} is no receipt: {reason}", path.display());
                    return Err(Failure::new(text, hint));
                }
            }
        }
        Ok(receipts)
    }

    /// Anchor, size and path of each file that is named as a receipt.
    fn names(&self) -> Result<Vec<(String, u64, PathBuf)>, Failure> {
        let unread = |error| Failure::io("read folder", &self.folder, error);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unread)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(unread)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let Some((anchor, size)) = place(&name) {
                names.push((anchor, size, path));
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

fn place(name: &str) -> Option<(String, u64)> {
    let (anchor, digits) = name.strip_suffix(SUFFIX)?.rsplit_once('-')?;
    if digits.len() != SIZE_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((anchor.to_owned(), digits.parse().ok()?))
}

/// `None` for one of another kind.
fn parse(text: &str) -> Result<Option<Receipt>, String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let [TAG, anchor, kind, size, receipt, ""] = lines[..] else {
        return Err("it has not the five lines of one".to_owned());
    };
    if kind != WITNESS {
        return Ok(None);
    }
    Ok(Some(Receipt {
        anchor: anchor.to_owned(),
        size: size.parse().map_err(|error| format!("{size:?}: {error}"))?,
        cosignature: receipt
            .parse()
            .map_err(|error: compliance_log::Error| error.to_string())?,
    }))
}
