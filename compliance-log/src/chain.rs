//! The hash chain: how a record is linked to the one before, and how a line is checked.
//!
//! Pure: no I/O, no clock. `docs/FORMAT.md` states the same in words.

use std::{fmt, str::FromStr, sync::LazyLock};

use memchr::memmem;

use crate::{
    error::{Error, ErrorKind},
    sha256::{Sha256, sha256},
};

const RECORD_TAG: &[u8] = b"compliance-log/v1/record\0";
const GENESIS_TAG: &[u8] = b"compliance-log/v1/genesis\0";
const OPENING: &[u8] = b"{\"v\":1,\"stream\":\"";
const SEQ_KEY: &[u8] = b"\",\"seq\":";
const PREV_KEY: &[u8] = b",\"prev_hash\":\"";
const HASH_KEY: &[u8] = b"\",\"hash\":\"";
const CLOSING: &[u8] = b"\"}";

/// Bytes from `,"prev_hash":"` to `"}`: the links, the same number on every line.
pub const SUFFIX_BYTES: usize = PREV_KEY.len() + 64 + HASH_KEY.len() + 64 + CLOSING.len();

/// A line of a file, with its newline, is never longer.
pub const LINE_BYTES_MAX: usize = 65_535;

/// The most that the chain adds to a body: opening, stream id, sequence, links and newline.
pub(crate) const FRAME_BYTES_MAX: usize =
    OPENING.len() + STREAM_ID_BYTES_MAX + SEQ_KEY.len() + 20 + 1 + SUFFIX_BYTES + 1;

const NAME_BYTES_MAX: usize = 64;
const STREAM_ID_BYTES_MAX: usize = 2 * NAME_BYTES_MAX + 16 + 8 + 3;

/// A SHA-256 digest; displays as 64 lower hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// A digest from its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(&[bytes]))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits.
    pub(crate) fn hex(&self) -> [u8; 64] {
        let mut hex = [0; 64];
        // 64 bytes hold 32 in hex, so this cannot fail.
        if faster_hex::hex_encode(&self.0, &mut hex).is_err() {
            hex = [b'0'; 64];
        }
        hex
    }

    /// Reads 64 lower hex digits and nothing else: a second spelling would hide a change.
    fn from_hex(hex: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        let lower = faster_hex::CheckCase::Lower;
        let canonical =
            hex.len() == 64 && faster_hex::hex_decode_with_case(hex, &mut bytes, lower).is_ok();
        canonical.then_some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_hex(text.as_bytes())
            .ok_or_else(|| Error::new(ErrorKind::Damaged, "a digest has 64 lower hex digits"))
    }
}

/// Checks a service, instance or environment name: `[A-Za-z0-9._-]{1,64}`.
///
/// # Errors
///
/// [`ErrorKind::Name`], saying what the name is for and what is allowed.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Name,
        format!(
            "{what} {name:?} is not allowed: use 1 to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores"
        ),
    ))
}

/// Names a stream: `service/instance/incarnation/channel`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Box<str>);

impl StreamId {
    /// Puts the four names together.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] for a name outside `[A-Za-z0-9._-]{1,64}` or an incarnation that is not
    /// 16 lower hex digits.
    pub fn new(
        service: &str,
        instance: &str,
        incarnation: &str,
        channel: &str,
    ) -> Result<Self, Error> {
        check_name("service", service)?;
        check_name("instance", instance)?;
        check_name("channel", channel)?;
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if incarnation.len() != 16 || !incarnation.bytes().all(hex) {
            return Err(Error::new(
                ErrorKind::Name,
                "an incarnation has 16 lower hex digits",
            ));
        }
        Ok(Self(
            format!("{service}/{instance}/{incarnation}/{channel}").into(),
        ))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Service, instance, incarnation, channel.
    pub fn parts(&self) -> [&str; 4] {
        let mut parts = self.0.split('/');
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    /// The `prev_hash` of this stream's first record. Lengths, never separators, keep the four
    /// names apart.
    pub fn genesis_prev(&self) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(GENESIS_TAG);
        for part in self.parts() {
            hasher.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hasher.update(part);
        }
        Digest(hasher.finish())
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StreamId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        let [service, instance, incarnation, channel] = parts[..] else {
            return Err(Error::new(
                ErrorKind::Name,
                "a stream id has four names between slashes",
            ));
        };
        Self::new(service, instance, incarnation, channel)
    }
}

/// The writer's end of a stream: what the next record will be linked to.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// `{"v":1,"stream":"…","seq":`
    opening: Box<[u8]>,
    next_seq: u64,
    last: Digest,
}

/// A record with its place in the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linked {
    pub(crate) seq: u64,
    pub(crate) hash: Digest,
}

impl Head {
    /// The end of a stream whose last record is `next_seq - 1` with hash `last`; an empty one has
    /// `next_seq` 0 and its `genesis_prev`.
    pub(crate) fn after(stream: &StreamId, next_seq: u64, last: Digest) -> Self {
        let opening = [OPENING, stream.as_str().as_bytes(), SEQ_KEY]
            .concat()
            .into();
        Self {
            opening,
            next_seq,
            last,
        }
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(crate) fn last(&self) -> Digest {
        self.last
    }

    /// Appends one line to `out`. `body` starts with a key and has no closing brace; its bytes are
    /// copied, never encoded again.
    pub(crate) fn link(&mut self, body: &[u8], out: &mut Vec<u8>) -> Linked {
        let start = out.len();
        out.reserve(self.opening.len() + 21 + body.len() + SUFFIX_BYTES + 1);
        out.extend_from_slice(&self.opening);
        push_decimal(out, self.next_seq);
        out.push(b',');
        out.extend_from_slice(body);

        let hash = Digest(sha256(&[RECORD_TAG, &self.last.0, &out[start..]]));

        out.extend_from_slice(PREV_KEY);
        out.extend_from_slice(&self.last.hex());
        out.extend_from_slice(HASH_KEY);
        out.extend_from_slice(&hash.hex());
        out.extend_from_slice(CLOSING);
        out.push(b'\n');

        let linked = Linked {
            seq: self.next_seq,
            hash,
        };
        self.next_seq += 1;
        self.last = hash;
        linked
    }
}

/// Appends a number in decimal, without a formatter: it is on every caller's path.
pub(crate) fn push_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A line whose own hash is right. Whether it fits its neighbours is another question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line<'l> {
    /// The stream id that it claims.
    pub stream: &'l str,
    /// Its place in the stream.
    pub seq: u64,
    /// The hash of the record before it.
    pub prev: Digest,
    /// Its own hash.
    pub hash: Digest,
    /// The bytes that were hashed: the line without its links.
    pub body: &'l [u8],
}

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineFault {
    /// No bytes at all.
    Empty,
    /// More than [`LINE_BYTES_MAX`].
    TooLong,
    /// A control character at this byte of the line.
    Control(usize),
    /// It does not start as a record of this format does.
    Opening,
    /// A record of another format version.
    Version(u64),
    /// It does not end in the two links.
    Links,
    /// The links stand in it twice.
    SecondLinks,
    /// Everything is in place, but the hash is of other bytes.
    Hash,
}

/// Checks one line, without its newline, by itself.
///
/// # Errors
///
/// [`LineFault`], the first thing that is wrong.
pub fn check_line(line: &[u8]) -> Result<Line<'_>, LineFault> {
    if line.is_empty() {
        return Err(LineFault::Empty);
    }
    if line.len() >= LINE_BYTES_MAX {
        return Err(LineFault::TooLong);
    }
    let (stream, seq) = claimed_place(line)?;
    if has_control(line) {
        let at = line.iter().position(|byte| *byte < 0x20);
        return Err(LineFault::Control(at.unwrap_or(0)));
    }
    let (body, prev, hash) = split_links(line).ok_or(LineFault::Links)?;
    if SECOND_LINKS.find(body).is_some() {
        return Err(LineFault::SecondLinks);
    }
    if hash.0 != sha256(&[RECORD_TAG, &prev.0, body]) {
        return Err(LineFault::Hash);
    }
    Ok(Line {
        stream,
        seq,
        prev,
        hash,
        body,
    })
}

/// The key of the first link; a body has no such key.
static SECOND_LINKS: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(&PREV_KEY[1..]));

/// Looks at all bytes before it decides, so that the compiler can use vectors.
fn has_control(line: &[u8]) -> bool {
    line.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < 0x20
}

/// The stream and sequence that a line claims, right or not.
///
/// # Errors
///
/// [`LineFault::Opening`] or [`LineFault::Version`].
pub fn claimed_place(line: &[u8]) -> Result<(&str, u64), LineFault> {
    let Some(rest) = line.strip_prefix(OPENING) else {
        return Err(other_version(line).map_or(LineFault::Opening, LineFault::Version));
    };
    let parse = || {
        let end = memchr::memchr(b'"', &rest[..rest.len().min(STREAM_ID_BYTES_MAX + 1)])?;
        let (stream, rest) = rest.split_at_checked(end)?;
        let stream = std::str::from_utf8(stream).ok()?;
        let rest = rest.strip_prefix(SEQ_KEY)?;
        let digits = rest
            .iter()
            .take(21)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (number, rest) = rest.split_at_checked(digits)?;
        rest.strip_prefix(b",")?;
        Some((stream, canonical_decimal(number)?))
    };
    parse().ok_or(LineFault::Opening)
}

/// Reads the line of a record whose text was taken out: both links stand as they were, so its own hash, which
/// is that of the text, cannot be checked. `None` for any other line.
pub fn expunged_line(line: &[u8]) -> Option<Line<'_>> {
    let (stream, seq) = claimed_place(line).ok()?;
    let (body, prev, hash) = split_links(line)?;
    let opening = expunged_opening(stream, seq);
    let reference = body.strip_prefix(opening.as_bytes())?.strip_suffix(b"\"")?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
    (!reference.is_empty() && reference.iter().all(plain)).then_some(Line {
        stream,
        seq,
        prev,
        hash,
        body,
    })
}

/// The line that takes the place of a record: without its text, with a reference to the record of the
/// operators' ledger that says why.
pub fn expunge_line(line: &Line<'_>, ledger: &StreamId, seq: u64) -> Vec<u8> {
    let opening = expunged_opening(line.stream, line.seq);
    let Line { prev, hash, .. } = line;
    format!(r#"{opening}{ledger}/{seq}","prev_hash":"{prev}","hash":"{hash}"}}"#).into_bytes()
}

fn expunged_opening(stream: &str, seq: u64) -> String {
    format!(r#"{{"v":1,"stream":"{stream}","seq":{seq},"event":"record.expunged","ref":""#)
}

/// The links that a line claims, right or not: body, `prev_hash`, `hash`.
pub(crate) fn split_links(line: &[u8]) -> Option<(&[u8], Digest, Digest)> {
    let (body, suffix) = line.split_at_checked(line.len().checked_sub(SUFFIX_BYTES)?)?;
    let rest = suffix.strip_prefix(PREV_KEY)?;
    let (prev, rest) = rest.split_at_checked(64)?;
    let rest = rest.strip_prefix(HASH_KEY)?;
    let (hash, rest) = rest.split_at_checked(64)?;
    if rest != CLOSING {
        return None;
    }
    Some((body, Digest::from_hex(prev)?, Digest::from_hex(hash)?))
}

fn other_version(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"v\":")?;
    let digits = rest
        .iter()
        .take(20)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    rest.get(digits).filter(|byte| **byte == b',')?;
    canonical_decimal(rest.get(..digits)?).filter(|version| *version != 1)
}

/// A number without sign or leading zeros: one spelling each.
fn canonical_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamId {
        StreamId::new("svc", "host-1", "0123456789abcdef", "audit").unwrap()
    }

    const _: () = assert!(FRAME_BYTES_MAX < 400, "most of a line is its body");

    #[test]
    fn the_suffix_has_154_bytes() {
        assert_eq!(SUFFIX_BYTES, 154);
    }

    #[test]
    fn a_linked_line_checks_and_links_to_the_one_before() {
        let mut head = Head::after(&stream(), 0, stream().genesis_prev());
        let mut out = Vec::new();
        head.link(b"\"event\":\"a\"", &mut out);
        head.link(b"\"event\":\"b\"", &mut out);
        let lines: Vec<Line<'_>> = out
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| check_line(line).unwrap())
            .collect();
        assert_eq!(lines[0].prev, stream().genesis_prev());
        assert_eq!((lines[1].seq, lines[1].prev), (1, lines[0].hash));
        assert_eq!(lines[1].stream, stream().as_str());
    }

    #[test]
    fn every_flipped_bit_of_a_line_is_seen() {
        let mut out = Vec::new();
        Head::after(&stream(), 0, stream().genesis_prev())
            .link(b"\"event\":\"a\",\"n\":1", &mut out);
        out.pop();
        for bit in 0..out.len() * 8 {
            let mut line = out.clone();
            line[bit / 8] ^= 1 << (bit % 8);
            assert!(
                check_line(&line).is_err(),
                "bit {bit} of {}",
                String::from_utf8_lossy(&line)
            );
        }
    }

    #[test]
    fn lengths_keep_names_apart() {
        let one = StreamId::new("a.b", "c", "0123456789abcdef", "audit").unwrap();
        let two = StreamId::new("a", "b.c", "0123456789abcdef", "audit").unwrap();
        assert_ne!(one.genesis_prev(), two.genesis_prev());
        assert!(StreamId::new("a/b", "c", "0123456789abcdef", "audit").is_err());
    }

    #[test]
    fn another_version_is_named() {
        assert_eq!(
            check_line(b"{\"v\":2,\"stream\":\"x\"}"),
            Err(LineFault::Version(2))
        );
        assert_eq!(
            check_line(b"{\"v\":01,\"stream\":\"x\"}"),
            Err(LineFault::Opening)
        );
        assert_eq!(check_line(b""), Err(LineFault::Empty));
    }
}
