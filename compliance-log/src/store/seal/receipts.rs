//! Receipts that whoever carries checkpoints away leaves beside the store.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    layout,
    seal::note::Signature,
    store::fs::{Access, Fs, read_whole},
};

const TAG: &str = "compliance-log/v1/receipt";
const WITNESS: &str = "witness";
/// A longer file is no receipt.
const BYTES_MAX: u64 = 16 * 1024;
/// So many are taken at a time.
const TAKEN_MAX: usize = 64;

/// That an anchor keeps a checkpoint, as a file says it.
#[derive(Debug)]
pub(super) struct Dropped {
    pub(super) path: PathBuf,
    pub(super) anchor: String,
    pub(super) kind: String,
    pub(super) size: u64,
    pub(super) receipt: String,
}

/// What lies in the folder of receipts.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) dropped: Vec<Dropped>,
    /// Files that are none; they stay where they are.
    pub(super) malformed: usize,
}

/// Reads them, the smallest sizes of each anchor first.
pub(super) fn dropped(fs: &dyn Fs, store: &Path) -> io::Result<Found> {
    let folder = layout::receipts_dir(store);
    let mut found = Found::default();
    if fs.seen(&folder)?.is_none() {
        return Ok(found);
    }
    for name in fs.list(&folder)? {
        let Some((anchor, size)) = layout::receipt_place(&name) else {
            // Half of one has another name until it is whole.
            continue;
        };
        if found.dropped.len() >= TAKEN_MAX {
            break;
        }
        let path = folder.join(&name);
        match parse(fs, &path, anchor, size) {
            Some(dropped) => found.dropped.push(dropped),
            None => found.malformed += 1,
        }
    }
    Ok(found)
}

/// Five lines, and nothing that the name does not say too: the tag, the anchor, its kind, the size, and what
/// the anchor answered.
fn parse(fs: &dyn Fs, path: &Path, anchor: &str, size: u64) -> Option<Dropped> {
    let file = fs.open(path, Access::Read).ok()?;
    if file.len().ok()? > BYTES_MAX {
        return None;
    }
    let text = String::from_utf8(read_whole(&*file).ok()?).ok()?;
    let lines: Vec<&str> = text.split('\n').collect();
    let [TAG, said, kind, said_size, receipt, ""] = lines[..] else {
        return None;
    };
    let is_word = |text: &str, max: usize| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !text.is_empty() && text.len() <= max && text.bytes().all(allowed)
    };
    let is_signature = || receipt.parse::<Signature>().is_ok();
    let is_text = receipt
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let is_receipt = if kind == WITNESS {
        is_signature()
    } else {
        is_text
    };
    let fits = said == anchor && said_size == size.to_string();
    (fits && is_word(anchor, 64) && is_word(kind, 16) && is_receipt).then(|| Dropped {
        path: path.to_path_buf(),
        anchor: anchor.to_owned(),
        kind: kind.to_owned(),
        size,
        receipt: receipt.to_owned(),
    })
}
