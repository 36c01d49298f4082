//! That one record is in a store, for somebody who sees nothing else of it.
//!
//! A proof is the text of <https://c2sp.org/tlog-proof>, and its file ends in `.tlog-proof`:
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64 of {"record": line, "path": [base64, …], "head": line}>
//! index <sequence of the head>
//! <base64, one line for each hash from the head to the catalog's root>
//!
//! <checkpoint of the catalog, with the signatures of the log and of witnesses>
//! ```
//!
//! `head` is the line of a `seal.head` record in the catalog, which states size and root of a stream's
//! tree; `path` leads from the record to that root. So whoever holds a proof learns one line, how long
//! the stream was, and hashes that tell nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    lines::Lines,
    merkle::{InclusionProof, TreeHash},
    note::{Note, VerifierKey, decode, encode},
    origin::Origin,
    policy::{Cosigned, WitnessPolicy},
    statement::Checkpoint,
    unique,
};
use crate::{
    chain::{self, StreamId, check_line},
    error::{Error, ErrorKind},
};

/// How the name of a proof's file ends.
pub const SUFFIX: &str = ".tlog-proof";

/// What is larger is not read: two lines of 64 KiB, each spelled as widely as JSON and Base64 can.
pub const BYTES_MAX: usize = 1 << 20;

const MAGIC: &str = "c2sp.org/tlog-proof@v1";
const CATALOG: &str = "catalog";
const HEAD: &str = "seal.head";
/// A tree has no more levels.
const PATH_MAX: usize = 63;

/// A proof, of which nothing is checked yet; displays as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    record: Box<str>,
    path: Vec<TreeHash>,
    head: Box<str>,
    index: u64,
    head_path: Vec<TreeHash>,
    checkpoint: Note,
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shown<'p> {
    /// The store.
    pub origin: Origin,
    /// The record's stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub seq: u64,
    /// What it is a record of.
    pub event: String,
    /// The line as it is stored, without its end.
    pub record: &'p str,
    /// Records of the stream when it was sealed.
    pub stream_size: u64,
    /// Records of the catalog at the checkpoint.
    pub size: u64,
    /// The witnesses that cosigned the checkpoint, of those that the policy names. Without a policy there
    /// are none, and the proof is as good as the secrecy of the log key ever since.
    pub cosigned: Vec<Cosigned>,
}

/// What is not a part of the format of others.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    record: String,
    path: Vec<String>,
    head: String,
}

#[derive(Deserialize)]
struct Named {
    event: String,
}

#[derive(Deserialize)]
struct Head {
    event: String,
    data: HeadData,
}

#[derive(Deserialize)]
struct HeadData {
    of: String,
    size: u64,
    root: String,
}

impl Proof {
    /// Puts a proof together: a record's line and its way to the root that the line of a `seal.head`
    /// states, that one's way to the root of the catalog, and the checkpoint with all signatures. Lines are
    /// without their ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for lines that are not UTF-8, or a proof that would be too large to be read.
    pub fn new(
        record: &[u8],
        path: &InclusionProof,
        head: &[u8],
        head_path: &InclusionProof,
        checkpoint: Note,
    ) -> Result<Self, Error> {
        let text = |line: &[u8]| {
            let text = std::str::from_utf8(line).ok();
            text.map(Into::into)
                .ok_or_else(|| refuse("a record is not UTF-8"))
        };
        let proof = Self {
            record: text(record)?,
            path: path.path().to_vec(),
            head: text(head)?,
            index: head_path.index(),
            head_path: head_path.path().to_vec(),
            checkpoint,
        };
        if proof.to_string().len() > BYTES_MAX {
            return Err(too_large());
        }
        Ok(proof)
    }

    /// Reads a proof; [`check`](Self::check) says whether it shows anything.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for what is no such text.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BYTES_MAX {
            return Err(too_large());
        }
        let text = std::str::from_utf8(bytes).ok();
        let text = text.ok_or_else(|| refuse("it is not UTF-8"))?;
        let (front, note) = text
            .split_once("\n\n")
            .ok_or_else(|| refuse("there is no empty line before the checkpoint"))?;
        let mut lines = front.split('\n');
        if lines.next() != Some(MAGIC) {
            return Err(refuse(format!("its first line is not {MAGIC}")));
        }
        let extra = labelled(lines.next(), "extra ")?;
        let index = Lines::of(
            "index of a proof",
            &[labelled(lines.next(), "index ")?, "\n"].concat(),
        )
        .number()?;
        let extra = decode(extra).map_err(|error| error.context("extra of a proof"))?;
        let extra: Extra = std::str::from_utf8(&extra)
            .ok()
            .and_then(|json| unique::read(json).ok())
            .ok_or_else(|| refuse("extra is no JSON object of record, path and head"))?;
        Ok(Self {
            path: path(extra.path.iter().map(String::as_str))?,
            record: extra.record.into(),
            head: extra.head.into(),
            index,
            head_path: path(lines)?,
            checkpoint: Note::parse(note.as_bytes())?,
        })
    }

    /// Checks that the record is in the store of `log_key`, and what a policy asks of witnesses.
    ///
    /// It is accepted if both lines are whole; if `head` is the `seal.head` of the record's stream and
    /// stands in the same store's catalog where it says; if the paths lead from the record to the root that
    /// it states, and from it to the root of the checkpoint; and if the log, and the quorum of the policy,
    /// signed that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`], saying what does not hold.
    pub fn check(
        &self,
        log_key: &VerifierKey,
        policy: Option<&WitnessPolicy>,
    ) -> Result<Shown<'_>, Error> {
        let record = whole("record", &self.record)?;
        let head = whole("head", &self.head)?;
        let stated: Head = unique::read(&self.head)
            .map_err(|error| refuse(format!("the head is no seal.head: {error}")))?;
        if stated.event != HEAD {
            return Err(refuse(format!("the head is a record of {}", stated.event)));
        }
        let HeadData { of, size, root } = stated.data;
        if of != record.stream {
            return Err(refuse(format!(
                "the head is of {of}, the record of {}",
                record.stream
            )));
        }
        let root = root
            .parse()
            .map_err(|error: Error| error.context("root of the head"))?;
        InclusionProof::from_parts(record.seq, size, self.path.clone())
            .check(TreeHash::leaf(&record.hash), root)
            .map_err(|error| error.context("the record in its stream"))?;

        let checkpoint = Checkpoint::from_text(self.checkpoint.text())?;
        self.checkpoint.check(log_key)?;
        if log_key.name().as_str() != checkpoint.origin.as_str() {
            return Err(refuse(format!(
                "the checkpoint is of {}, the log key of {}",
                checkpoint.origin,
                log_key.name()
            )));
        }
        InclusionProof::from_parts(self.index, checkpoint.size, self.head_path.clone())
            .check(TreeHash::leaf(&head.hash), checkpoint.root)
            .map_err(|error| error.context("the head in the catalog"))?;

        // No writer signs such a catalog. Without these, whoever has one log key could show records of
        // another store.
        let stream: StreamId = record.stream.parse()?;
        let [.., channel] = stream.parts();
        if *record.stream != *stream_of(&checkpoint.origin, channel) {
            return Err(refuse(format!(
                "{stream} is no stream of {}",
                checkpoint.origin
            )));
        }
        if *head.stream != *stream_of(&checkpoint.origin, CATALOG) || head.seq != self.index {
            return Err(refuse("the head stands elsewhere than it says"));
        }
        let cosigned = policy.map(|policy| policy.check(log_key, &self.checkpoint));
        let Named { event } = unique::read(&self.record)
            .map_err(|error| refuse(format!("the record has no event: {error}")))?;
        Ok(Shown {
            origin: checkpoint.origin,
            stream,
            seq: record.seq,
            event,
            record: &self.record,
            stream_size: size,
            size: checkpoint.size,
            cosigned: cosigned.transpose()?.unwrap_or_default(),
        })
    }

    /// The checkpoint with its signatures.
    pub fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |path: &[TreeHash]| -> Vec<String> {
            path.iter().map(|hash| encode(hash.as_bytes())).collect()
        };
        let extra = Extra {
            record: self.record.clone().into(),
            path: text(&self.path),
            head: self.head.clone().into(),
        };
        let Ok(extra) = serde_json::to_vec(&extra) else {
            return Err(fmt::Error); // Text always becomes JSON.
        };
        writeln!(f, "{MAGIC}\nextra {}\nindex {}", encode(&extra), self.index)?;
        for hash in text(&self.head_path) {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

fn stream_of(origin: &Origin, channel: &str) -> String {
    let [_, service, instance, incarnation] = origin.parts();
    format!("{service}/{instance}/{incarnation}/{channel}")
}

fn whole<'l>(what: &str, line: &'l str) -> Result<chain::Line<'l>, Error> {
    check_line(line.as_bytes())
        .map_err(|fault| refuse(format!("the line of the {what} is not whole: {fault:?}")))
}

fn labelled<'t>(line: Option<&'t str>, label: &str) -> Result<&'t str, Error> {
    line.and_then(|line| line.strip_prefix(label))
        .ok_or_else(|| refuse(format!("there is no line {label:?} where it should be")))
}

fn path<'t>(lines: impl Iterator<Item = &'t str>) -> Result<Vec<TreeHash>, Error> {
    let mut path = Vec::new();
    for line in lines {
        if path.len() == PATH_MAX {
            return Err(refuse(format!("a path has at most {PATH_MAX} hashes")));
        }
        let hash = decode(line)?.try_into().ok().map(TreeHash::new);
        path.push(hash.ok_or_else(|| refuse("a hash has 32 bytes"))?);
    }
    Ok(path)
}

fn too_large() -> Error {
    refuse("a proof has at most a million bytes")
}

fn refuse(text: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Seal, format!("proof: {text}"))
}
