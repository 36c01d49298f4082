//! A store's files, as a person with a file manager and an editor has them.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

pub(crate) const AUDIT: &str = "streams/audit";
pub(crate) const APP: &str = "streams/app";
pub(crate) const CATALOG: &str = "streams/catalog";
pub(crate) const EPOCHS: &str = "seal/epochs";
pub(crate) const CERT: &str = "seal/cert";

/// The files of a folder whose names end so, in order.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.to_str().unwrap().ends_with(end));
    files.sort();
    files
}

/// The n-th segment of a stream; from the end where `n` is negative.
pub(crate) fn segment(store: &Path, folder: &str, n: isize) -> PathBuf {
    nth(files(&store.join(folder), ".jsonl"), n)
}

pub(crate) fn checkpoints(store: &Path, n: isize) -> PathBuf {
    nth(files(&store.join(CATALOG), ".ckpt"), n)
}

fn nth(files: Vec<PathBuf>, n: isize) -> PathBuf {
    let at = if n < 0 {
        files.len() - n.unsigned_abs()
    } else {
        n.unsigned_abs()
    };
    files.into_iter().nth(at).unwrap()
}

/// Lines without their ends.
pub(crate) fn lines(file: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(file).unwrap();
    let mut lines: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    assert_eq!(
        lines.pop(),
        Some(Vec::new()),
        "{} ends in a line",
        file.display()
    );
    lines
}

pub(crate) fn save(file: &Path, lines: &[Vec<u8>]) {
    let mut bytes = lines.join(&b'\n');
    if !lines.is_empty() {
        bytes.push(b'\n');
    }
    put(file, &bytes);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's files need not survive a crash"
)]
pub(crate) fn put(file: &Path, bytes: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

pub(crate) fn add(file: &Path, bytes: &[u8]) {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    let open = options.open(file).or_else(|_| {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        options.open(file)
    });
    open.unwrap().write_all(bytes).unwrap();
}

/// Cuts bytes off the end.
pub(crate) fn shorten(file: &Path, by: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes.truncate(bytes.len() - by);
    put(file, &bytes);
}

pub(crate) fn flip(file: &Path, bit: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    put(file, &bytes);
}

/// The notes of a file, each with its empty line.
pub(crate) fn notes(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let parts: Vec<&str> = text.split("\n\n").collect();
    let pairs = parts.chunks_exact(2);
    pairs
        .map(|pair| format!("{}\n\n{}\n\n", pair[0], pair[1]))
        .collect()
}

/// A line of a note's text.
pub(crate) fn note_line(note: &str, n: usize) -> &str {
    note.lines().nth(n).unwrap()
}

pub(crate) fn save_notes(file: &Path, notes: &[String]) {
    put(file, notes.concat().as_bytes());
}

pub(crate) fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy_all(&entry.path(), &to);
        } else {
            put(&to, &fs::read(entry.path()).unwrap());
        }
    }
}

pub(crate) fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

/// Where line `n` starts.
pub(crate) fn line_start(lines: &[Vec<u8>], n: usize) -> usize {
    lines[..n].iter().map(|line| line.len() + 1).sum()
}
