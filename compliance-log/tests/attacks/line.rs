//! Lines as any writer makes them, by the rules of the format alone.

use compliance_log::chain::{Digest, SUFFIX_BYTES, StreamId};
use sha2::{Digest as _, Sha256};

/// The hash of a record.
pub(crate) fn record_hash(prev: &Digest, body: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"compliance-log/v1/record\0");
    hasher.update(prev.as_bytes());
    hasher.update(body);
    Digest::new(hasher.finalize().into())
}

/// A line without its end.
pub(crate) fn link(prev: &Digest, body: &[u8]) -> (Vec<u8>, Digest) {
    let hash = record_hash(prev, body);
    let mut line = body.to_vec();
    line.extend_from_slice(format!(r#","prev_hash":"{prev}","hash":"{hash}"}}"#).as_bytes());
    (line, hash)
}

/// What is hashed of a record.
pub(crate) fn body(id: &StreamId, seq: u64, time: &str, event: &str, data: &str) -> Vec<u8> {
    format!(
        r#"{{"v":1,"stream":"{id}","seq":{seq},"timestamp":"{time}","category":"security","level":"INFO","event":"{event}","event_version":1,"data":{data}"#
    )
    .into_bytes()
}

fn digest_at(line: &[u8], at: usize) -> Digest {
    std::str::from_utf8(&line[at..at + 64])
        .unwrap()
        .parse()
        .unwrap()
}

pub(crate) fn prev_of(line: &[u8]) -> Digest {
    digest_at(line, line.len() - SUFFIX_BYTES + 14)
}

pub(crate) fn hash_of(line: &[u8]) -> Digest {
    digest_at(line, line.len() - 66)
}

/// What any owner of a file can do: compute the links anew, from this line on.
pub(crate) fn relink(lines: &mut [Vec<u8>], from: usize) {
    let mut prev = match from {
        0 => prev_of(&lines[0]),
        from => hash_of(&lines[from - 1]),
    };
    for line in &mut lines[from..] {
        let body = line.len() - SUFFIX_BYTES;
        (*line, prev) = link(&prev, &line[..body]);
    }
}

/// A text of a line between two marks.
pub(crate) fn between<'l>(line: &'l [u8], before: &str, after: &str) -> Option<&'l str> {
    let line = std::str::from_utf8(line).ok()?;
    let (_, rest) = line.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

pub(crate) fn event_of(line: &[u8]) -> &str {
    between(line, r#""event":""#, "\"").unwrap()
}

pub(crate) fn seq_of(line: &[u8]) -> u64 {
    between(line, r#""seq":"#, ",").unwrap().parse().unwrap()
}
