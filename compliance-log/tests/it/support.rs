//! What the tests share: reading back what a log wrote, and waiting for a condition.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The records of a channel of the one store under `dir`, over all its segments.
pub(crate) fn records(dir: &Path, channel: &str) -> Vec<Value> {
    records_of(&only_store(dir), channel)
}

/// The records of a channel of a store, over all its segments.
pub(crate) fn records_of(store: &Path, channel: &str) -> Vec<Value> {
    let lines = texts(store, channel);
    lines
        .iter()
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// The lines of a channel: of each segment as many as there are before the next one begins. What that one
/// restates may be anything in a file that a disk could not keep.
fn texts(store: &Path, channel: &str) -> Vec<Vec<u8>> {
    let paths = segments(store, channel);
    let first =
        |path: &Path| -> usize { path.file_stem().unwrap().to_str().unwrap().parse().unwrap() };
    let counts = paths
        .windows(2)
        .map(|pair| first(&pair[1]) - first(&pair[0]))
        .chain([usize::MAX]);
    let mut texts = Vec::new();
    for (path, count) in paths.iter().zip(counts) {
        let bytes = fs::read(path).unwrap();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(count);
        texts.extend(lines.map(<[u8]>::to_vec));
    }
    texts
}

/// As [`records_of`], up to the first line that a crash left.
pub(crate) fn whole_records(store: &Path, channel: &str) -> Vec<Value> {
    texts(store, channel)
        .iter()
        .map_while(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// The records of a channel of the one store under `dir` while it is written: half a line at its end is
/// none yet.
pub(crate) fn records_so_far(dir: &Path, channel: &str) -> Vec<Value> {
    let paths = segments(&only_store(dir), channel);
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| {
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            let lines = whole
                .lines()
                .map(|line| serde_json::from_str(line).unwrap());
            lines.collect::<Vec<Value>>()
        })
        .collect()
}

/// The records of one file.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The events of these records, in order.
pub(crate) fn events(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record["event"].as_str().unwrap())
        .collect()
}

/// The stores under `dir`, in the order of their names.
pub(crate) fn stores(dir: &Path) -> Vec<PathBuf> {
    let mut stores: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let is_whole = |path: &Path| {
        !path
            .file_name()
            .unwrap()
            .as_encoded_bytes()
            .starts_with(b".")
    };
    stores.retain(|path| path.join("streams").is_dir() && is_whole(path));
    stores.sort();
    stores
}

/// The one store under `dir`.
pub(crate) fn only_store(dir: &Path) -> PathBuf {
    let stores = stores(dir);
    assert_eq!(stores.len(), 1, "{stores:?}");
    stores.into_iter().next().unwrap()
}

/// The segments of a stream, in order.
pub(crate) fn segments(store: &Path, channel: &str) -> Vec<PathBuf> {
    let mut paths = files(store, channel);
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "jsonl")
    });
    paths
}

/// The files in a stream's folder, in the order of their names.
pub(crate) fn files(store: &Path, channel: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(store.join("streams").join(channel))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// Waits until `met`, at most 20 seconds.
pub(crate) fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !met() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}
