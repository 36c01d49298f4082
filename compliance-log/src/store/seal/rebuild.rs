//! The tree of a stream, from the frontier in a segment's header and the hashes after it.

use std::path::Path;

use serde::Deserialize;

use crate::{
    chain::{Digest, StreamId},
    error::{Error, ErrorKind},
    layout::{self, FileKind},
    lifecycle::{Ended, name},
    seal::merkle::{Frontier, TreeHash},
    store::{
        fs::{Access, Fs},
        recover::says,
        scan::{Expected, scan},
    },
};

/// A stream's tree, and the segments on the way that ended at or after the sealed size.
#[derive(Debug)]
pub(in crate::store) struct Rebuilt {
    pub(super) frontier: Frontier,
    pub(super) ended: Vec<Ended>,
}

#[derive(Deserialize)]
struct Header {
    data: HeaderData,
}

#[derive(Deserialize)]
struct HeaderData {
    frontier: Option<Vec<String>>,
}

/// Grows the tree of a stream, from the segment on in which the sealed size lies. On the way it must have the
/// root that was sealed.
///
/// # Errors
///
/// [`ErrorKind::Damaged`] if it has another one or ends before: what was sealed was changed. Nothing is
/// believed of a header that no sealed root confirms.
pub(super) fn rebuild(
    fs: &dyn Fs,
    dir: &Path,
    id: &StreamId,
    sealed: (u64, TreeHash),
) -> Result<Rebuilt, Error> {
    let failed = |error| Error::io(format!("cannot read {}", dir.display()), error);
    let (sealed_size, sealed_root) = sealed;
    let firsts = segments(fs, dir)?;
    let from = firsts.partition_point(|first| *first < sealed_size);
    let from = from.saturating_sub(1);
    let mut tree: Option<Frontier> = None;
    let mut ended = Vec::new();
    let mut confirmed = sealed_size == 0;
    for (at, first) in firsts.iter().copied().enumerate().skip(from) {
        let file_name = layout::segment_name(first);
        let path = dir.join(&file_name);
        let file = fs.open(&path, Access::Read).map_err(failed)?;
        let len = file.len().map_err(failed)?;
        let until = firsts.get(at.saturating_add(1)).copied();
        let (mut hashes, mut header) = (Vec::new(), None::<Vec<u8>>);
        let mut end = 0;
        scan(
            &*file,
            len,
            id,
            Expected::from(first),
            None,
            |start, line, record| {
                if header.is_none() && says(line, name::HEADER) {
                    header = Some(line.to_vec());
                }
                if until.is_none_or(|until| record.seq < until) {
                    hashes.push(record.hash);
                    end = start.saturating_add(line.len() as u64).saturating_add(1);
                }
            },
        )
        .map_err(failed)?;
        let mut frontier = match tree.take() {
            Some(tree) if tree.size() == first => tree,
            Some(_) => return Err(changed(&path, "records before it are missing")),
            None if first == 0 => Frontier::new(),
            None => header_frontier(first, header.as_deref())
                .ok_or_else(|| changed(&path, "its header states no frontier"))?,
        };
        confirmed |= frontier.size() == sealed_size && frontier.root() == sealed_root;
        let mut last = None::<Digest>;
        for hash in &hashes {
            frontier.append(TreeHash::leaf(hash));
            last = Some(*hash);
            confirmed |= frontier.size() == sealed_size && frontier.root() == sealed_root;
        }
        if until.is_some()
            && frontier.size() >= sealed_size
            && let Some(hash) = last
        {
            ended.push(Ended {
                file: file_name,
                bytes: end,
                hash,
                size: frontier.size(),
                root: frontier.root(),
            });
        }
        tree = Some(frontier);
    }
    let frontier = tree.unwrap_or_default();
    if !confirmed {
        let text = format!("the first {sealed_size} records are not those that were sealed");
        return Err(changed(dir, &text));
    }
    Ok(Rebuilt { frontier, ended })
}

/// With which record the oldest segment begins that is here. Of the tree of fewer records nothing can be
/// said.
pub(super) fn oldest(fs: &dyn Fs, dir: &Path) -> Result<u64, Error> {
    let firsts = segments(fs, dir)?;
    Ok(firsts.first().copied().unwrap_or(0))
}

/// The first sequences of a stream's segments, in order.
fn segments(fs: &dyn Fs, dir: &Path) -> Result<Vec<u64>, Error> {
    let failed = |error| Error::io(format!("cannot read {}", dir.display()), error);
    let names = fs.list(dir).map_err(failed)?;
    let first = |name: &String| match layout::file_kind(name) {
        FileKind::Segment(first) => Some(first),
        _ => None,
    };
    Ok(names.iter().filter_map(first).collect())
}

fn header_frontier(first: u64, header: Option<&[u8]>) -> Option<Frontier> {
    let header: Header = serde_json::from_slice(header?).ok()?;
    Frontier::from_hex(first, &header.data.frontier?).ok()
}

fn changed(path: &Path, text: &str) -> Error {
    Error::new(ErrorKind::Damaged, format!("{}: {text}", path.display()))
}
