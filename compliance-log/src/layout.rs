//! Names on disk and the head file's bytes: what a store looks like from outside.
//!
//! Pure: no I/O. One place, so that whoever writes a store and whoever reads it cannot differ.

#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

use std::path::{Path, PathBuf};

use crate::{chain::Digest, event::Channel};

/// A store has this before its name until it is whole.
pub(crate) const UNFINISHED: &str = ".new-";
/// The folder in a store that holds one folder per channel.
pub(crate) const STREAMS: &str = "streams";
/// In a stream's folder: how far it was durable when last written.
pub(crate) const HEAD: &str = "head";
/// In a store: held locked by its writer.
pub(crate) const LOCK: &str = "lock";
/// In a store: what shows that it is the writer's.
pub(crate) const SEAL: &str = "seal";
/// In `seal`: the certificate of the store's keys, and of the issuer's.
pub(crate) const CERTIFICATE: &str = "cert";
/// In `seal`: one note for each key after the first.
pub(crate) const EPOCHS: &str = "epochs";
/// The channel of the stream whose tree is signed.
pub(crate) const CATALOG: &str = "catalog";
/// In a store: the policy documents, by their SHA-256.
pub(crate) const POLICIES: &str = "policies";

const SEGMENT_SUFFIX: &str = ".jsonl";
const CHECKPOINTS_SUFFIX: &str = ".ckpt";
pub(crate) const KEYS_SUFFIX: &str = ".keys";
const ROOT_KEY_SUFFIX: &str = ".root.vkey";
const RECEIPTS_SUFFIX: &str = ".receipts";
const RECEIPT_SUFFIX: &str = ".receipt";
const NOTE_SUFFIX: &str = ".note";
const OTHER_SUFFIX: &str = ".other";
const TORN: &str = ".torn-";
const SUPERSEDED: &str = ".superseded-";
const SEQ_DIGITS: usize = 20;

/// A file in a stream's folder, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Records from this sequence on.
    Segment(u64),
    /// The head file.
    Head,
    /// The checkpoints of the catalog's segment that starts with this sequence.
    Checkpoints(u64),
    /// Bytes that recovery cut off a segment, or off its checkpoints.
    Torn,
    /// A segment none of whose bytes were durable, set aside for one that restates them.
    Superseded,
    /// Nothing of ours.
    Other,
}

/// The folder of a channel's stream.
pub(crate) fn stream_dir(store: &Path, channel: Channel) -> PathBuf {
    store.join(STREAMS).join(channel.as_str())
}

/// The file in `policies` that holds the document of this digest.
pub(crate) fn policy_name(digest: Digest) -> String {
    format!("{digest}.toml")
}

/// The file that holds the records from `first_seq` on.
pub(crate) fn segment_name(first_seq: u64) -> String {
    format!("{first_seq:020}{SEGMENT_SUFFIX}")
}

/// The file that holds the checkpoints of the catalog's segment from `first_seq` on.
pub(crate) fn checkpoints_name(first_seq: u64) -> String {
    format!("{first_seq:020}{CHECKPOINTS_SUFFIX}")
}

/// The folder beside a sealed store that holds its keys.
pub(crate) fn keys_dir(store: &Path) -> PathBuf {
    with_suffix(store, KEYS_SUFFIX)
}

/// The folder beside a sealed store in which what carries its checkpoints away leaves receipts.
pub(crate) fn receipts_dir(store: &Path) -> PathBuf {
    with_suffix(store, RECEIPTS_SUFFIX)
}

/// The anchor and the size of the checkpoint that the name of a receipt states.
pub(crate) fn receipt_place(name: &str) -> Option<(&str, u64)> {
    let (anchor, size) = name.strip_suffix(RECEIPT_SUFFIX)?.rsplit_once('-')?;
    Some((anchor, numbered(size, "")?))
}

/// The file in which an anchor's folder keeps the checkpoint of a size.
pub(crate) fn anchored_name(size: u64) -> String {
    format!("{size:020}{NOTE_SUFFIX}")
}

/// The size that the name of such a file states.
pub(crate) fn anchored_size(name: &str) -> Option<u64> {
    numbered(name, NOTE_SUFFIX)
}

/// The file beside it that keeps another checkpoint of the same size.
pub(crate) fn other_anchored_name(size: u64, note: Digest) -> String {
    let note = note.to_string();
    let beginning = note.get(..16).unwrap_or_default();
    format!("{size:020}.{beginning}{OTHER_SUFFIX}")
}

/// The size that the name of such a file states.
pub(crate) fn other_anchored_size(name: &str) -> Option<u64> {
    let (size, _) = name.strip_suffix(OTHER_SUFFIX)?.split_once('.')?;
    numbered(size, "")
}

/// The file beside the folder of the stores that holds the root keys of those that are rooted in
/// themselves.
pub(crate) fn root_key_file(dir: &Path) -> PathBuf {
    with_suffix(dir, ROOT_KEY_SUFFIX)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Where recovery moves what it cuts off `segment` at `offset`. A second one at the same place has
/// `attempt` 2, and so on.
pub(crate) fn torn_name(segment: &str, offset: u64, attempt: u32) -> String {
    if attempt < 2 {
        return format!("{segment}{TORN}{offset}");
    }
    format!("{segment}{TORN}{offset}-{attempt}")
}

/// The name that `segment` gets when another one restates it from its first byte; `n` from 1.
pub(crate) fn superseded_name(segment: &str, n: u32) -> String {
    format!("{segment}{SUPERSEDED}{n}")
}

/// What a name in a stream's folder stands for.
pub(crate) fn file_kind(name: &str) -> FileKind {
    if name == HEAD {
        return FileKind::Head;
    }
    if let Some(first_seq) = segment_seq(name) {
        return FileKind::Segment(first_seq);
    }
    if let Some(first_seq) = numbered(name, CHECKPOINTS_SUFFIX) {
        return FileKind::Checkpoints(first_seq);
    }
    let of = |suffix: &str, mark: &str| {
        name.split_once(mark)
            .is_some_and(|(file, rest)| numbered(file, suffix).is_some() && !rest.is_empty())
    };
    let of_segment = |mark: &str| of(SEGMENT_SUFFIX, mark);
    if of_segment(TORN) || of(CHECKPOINTS_SUFFIX, TORN) {
        FileKind::Torn
    } else if of_segment(SUPERSEDED) {
        FileKind::Superseded
    } else {
        FileKind::Other
    }
}

/// Whether a file beside the epoch notes holds bytes that recovery cut off them.
pub(crate) fn is_torn_epochs(name: &str) -> bool {
    let rest = name.strip_prefix(EPOCHS);
    rest.is_some_and(|rest| rest.starts_with(TORN))
}

/// The first sequence of the segment that a torn file was cut off, and where.
pub(crate) fn torn_place(name: &str) -> Option<(u64, u64)> {
    let (segment, rest) = name.split_once(TORN)?;
    let offset = rest.split('-').next()?.parse().ok()?;
    Some((segment_seq(segment)?, offset))
}

/// The first sequence that the name of a segment states.
pub(crate) fn segment_seq(name: &str) -> Option<u64> {
    numbered(name, SEGMENT_SUFFIX)
}

fn numbered(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?;
    if digits.len() != SEQ_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Bytes of one slot of the head file.
pub(crate) const SLOT_BYTES: usize = 64;
/// Bytes of a head file: two slots, written alternately, so that one is whole at any moment.
pub(crate) const HEAD_BYTES: usize = 2 * SLOT_BYTES;

/// How far a stream was durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The first sequence of the segment, as in its name.
    pub(crate) segment: u64,
    /// The last durable record.
    pub(crate) last_seq: u64,
    /// The first byte of the segment after that record.
    pub(crate) offset: u64,
    /// That record's hash.
    pub(crate) hash: Digest,
}

impl Slot {
    /// The slot as it stands on disk: segment, last sequence and offset big-endian, the hash, and
    /// the first 8 bytes of the SHA-256 of these 56.
    pub(crate) fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        let (fields, check) = bytes.split_at_mut(56);
        let numbers = [self.segment, self.last_seq, self.offset];
        let parts = numbers.map(u64::to_be_bytes);
        let written = parts.as_flattened().iter().chain(self.hash.as_bytes());
        for (to, from) in fields.iter_mut().zip(written) {
            *to = *from;
        }
        for (to, from) in check.iter_mut().zip(Digest::of(fields).as_bytes()) {
            *to = *from;
        }
        bytes
    }

    /// Reads one slot; `None` unless its checksum fits.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SLOT_BYTES] = bytes.try_into().ok()?;
        let (fields, check) = bytes.split_at(56);
        if !Digest::of(fields).as_bytes().starts_with(check) {
            return None;
        }
        let (segment, rest) = fields.split_first_chunk::<8>()?;
        let (last_seq, rest) = rest.split_first_chunk::<8>()?;
        let (offset, hash) = rest.split_first_chunk::<8>()?;
        Some(Self {
            segment: u64::from_be_bytes(*segment),
            last_seq: u64::from_be_bytes(*last_seq),
            offset: u64::from_be_bytes(*offset),
            hash: Digest::new(hash.try_into().ok()?),
        })
    }

    /// The newer of a head file's two slots; `None` if neither is whole.
    pub(crate) fn newest(head: &[u8]) -> Option<Self> {
        let (slots, _) = head.as_chunks::<SLOT_BYTES>();
        slots
            .iter()
            .take(2)
            .filter_map(|slot| Self::decode(slot))
            .max_by_key(|slot| (slot.last_seq, slot.segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(last_seq: u64) -> Slot {
        Slot {
            segment: 3,
            last_seq,
            offset: 1 << 40,
            hash: Digest::of(b"x"),
        }
    }

    #[test]
    fn names_are_told_apart() {
        let name = segment_name(42);
        assert_eq!(name, "00000000000000000042.jsonl");
        assert_eq!(file_kind(&name), FileKind::Segment(42));
        assert_eq!(file_kind(HEAD), FileKind::Head);
        assert_eq!(file_kind(&torn_name(&name, 7, 1)), FileKind::Torn);
        assert_eq!(
            torn_name(&name, 7, 2),
            "00000000000000000042.jsonl.torn-7-2"
        );
        assert_eq!(file_kind(&superseded_name(&name, 1)), FileKind::Superseded);
        for other in ["42.jsonl", "notes.txt", "a.jsonl.torn-1", ""] {
            assert_eq!(file_kind(other), FileKind::Other);
        }
    }

    #[test]
    fn a_slot_survives_the_disk_and_a_flipped_bit_does_not() {
        let bytes = slot(9).encode();
        assert_eq!(bytes[..8], 3_u64.to_be_bytes());
        assert_eq!(bytes[8..16], 9_u64.to_be_bytes());
        assert_eq!(Slot::decode(&bytes), Some(slot(9)));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Slot::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn the_newest_whole_slot_counts() {
        let head = [slot(9).encode(), slot(10).encode()].concat();
        assert_eq!(head.len(), HEAD_BYTES);
        assert_eq!(Slot::newest(&head), Some(slot(10)));
        let mut torn = head.clone();
        torn[70] ^= 1;
        assert_eq!(Slot::newest(&torn), Some(slot(9)));
        assert_eq!(Slot::newest(&head[..64]), Some(slot(9)));
        assert_eq!(Slot::newest(&[]), None);
    }
}
