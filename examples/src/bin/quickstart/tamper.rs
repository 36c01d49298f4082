//! A change to a copy of the store, as somebody with an editor would make it.

use std::{fs, path::Path};

use compliance_log::verify::Finding;

use crate::Failure;

/// What was changed, and in which record.
pub(crate) struct Change {
    pub(crate) file: String,
    pub(crate) at: usize,
    pub(crate) before: char,
    pub(crate) after: char,
    pub(crate) seq: u64,
    /// Where the record starts.
    pub(crate) start: u64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing of ours would alter a segment"
)]
/// Copies the store and turns `2` seats of the last booking into `3`.
pub(crate) fn alter_one_byte(store: &Path, copy: &Path) -> Result<Change, Failure> {
    copy_folder(store, copy)?;
    let folder = copy.join("streams").join("audit");
    let mut names: Vec<_> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    for name in names.into_iter().rev() {
        let path = folder.join(&name);
        let mut bytes = fs::read(&path)?;
        let Some(found) = rfind(&bytes, b"\"seats\":2") else {
            continue;
        };
        let at = found + b"\"seats\":".len();
        let start = rfind(&bytes[..at], b"\n{\"v\":").map_or(0, |newline| newline + 1);
        let line = bytes[start..]
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let seq = serde_json::from_slice::<serde_json::Value>(line)?["seq"]
            .as_u64()
            .ok_or("no seq")?;
        bytes[at] = b'3';
        fs::remove_file(&path)?;
        fs::write(&path, bytes)?;
        let file = name.to_string_lossy().into_owned();
        return Ok(Change {
            file,
            at,
            before: '2',
            after: '3',
            seq,
            start: u64::try_from(start)?,
        });
    }
    Err("no booking is in the store".into())
}

fn rfind(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).rposition(|window| window == what)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A finding in one line.
pub(crate) fn describe(finding: &Finding) -> String {
    format!(
        "{} {} seq {} line {} byte {} length {}: {}",
        finding.verdict.as_str(),
        finding.file.as_deref().unwrap_or("-"),
        finding.seq.unwrap_or_default(),
        finding.line.unwrap_or_default(),
        finding.offset.unwrap_or_default(),
        finding.length.unwrap_or_default(),
        finding.detail,
    )
}
