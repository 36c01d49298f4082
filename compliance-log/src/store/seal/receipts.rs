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

/// A file that is called as a receipt of an anchor for a size.
#[derive(Debug)]
pub(super) struct Dropped {
    pub(super) path: PathBuf,
    pub(super) anchor: String,
    pub(super) size: u64,
}

/// That an anchor keeps a checkpoint, as such a file says it.
#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) kind: String,
    pub(super) text: String,
}

/// What lies in the folder of receipts, the smallest sizes of each anchor first.
pub(super) fn dropped(fs: &dyn Fs, store: &Path) -> io::Result<Vec<Dropped>> {
    let folder = layout::receipts_dir(store);
    if fs.seen(&folder)?.is_none() {
        return Ok(Vec::new());
    }
    let dropped = |name: String| {
        // Half of one has another name until it is whole.
        let (anchor, size) = layout::receipt_place(&name)?;
        Some(Dropped {
            path: folder.join(&name),
            anchor: anchor.to_owned(),
            size,
        })
    };
    Ok(fs.list(&folder)?.into_iter().filter_map(dropped).collect())
}

/// Five lines, and nothing that the name does not say too: the tag, the anchor, its kind, the size, and what
/// the anchor answered. `None` if it is anything else.
pub(super) fn read(fs: &dyn Fs, dropped: &Dropped) -> Option<Receipt> {
    let Dropped { path, anchor, size } = dropped;
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
    (fits && is_word(anchor, 64) && is_word(kind, 16) && is_receipt).then(|| Receipt {
        kind: kind.to_owned(),
        text: receipt.to_owned(),
    })
}
