use std::fmt;

use super::{
    lines::Lines,
    merkle::{ConsistencyProof, TreeHash},
    note::{Note, encode},
    statement::Checkpoint,
};
use crate::error::{Error, ErrorKind};

/// What a witness is sent: a checkpoint, and that it continues the one that the witness cosigned before.
/// Displays as the body of `add-checkpoint` of <https://c2sp.org/tlog-witness>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    old: u64,
    path: Vec<TreeHash>,
    note: Note,
    checkpoint: Checkpoint,
}

impl Submission {
    /// What is larger is not read: 64 lines, and a checkpoint with some signatures.
    pub const BYTES_MAX: usize = 64 << 10;
    /// As the specification bounds it.
    const PATH_MAX: usize = 63;

    /// Submits a checkpoint; `proof` leads to it from the witness' one, and is missing if it has none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] or [`ErrorKind::Name`] for a note that is no checkpoint, and a proof that leads to
    /// another size.
    pub fn new(proof: Option<&ConsistencyProof>, note: Note) -> Result<Self, Error> {
        let checkpoint = Checkpoint::from_text(note.text())?;
        if proof.is_some_and(|proof| proof.new_size() != checkpoint.size) {
            return Err(refuse("its proof leads to another size"));
        }
        Ok(Self {
            old: proof.map_or(0, ConsistencyProof::old_size),
            path: proof.map_or_else(Vec::new, |proof| proof.path().to_vec()),
            note,
            checkpoint,
        })
    }

    /// Reads a body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] or [`ErrorKind::Name`] for what is none.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        if body.len() > Self::BYTES_MAX {
            return Err(refuse("it has more than 64 KiB"));
        }
        let text = std::str::from_utf8(body).ok();
        let (front, note) = text
            .and_then(|text| text.split_once("\n\n"))
            .ok_or_else(|| refuse("there is no empty line before the checkpoint"))?;
        let (old, proof) = front.split_once('\n').unwrap_or((front, ""));
        let old = old
            .strip_prefix("old ")
            .ok_or_else(|| refuse("its first line is not `old <size>`"))?;
        let old = Lines::of("old size", &[old, "\n"].concat()).number()?;
        let proof = [proof, "\n"].concat();
        let mut lines = Lines::of("proof", &proof);
        let mut path = Vec::new();
        for _ in front.split('\n').skip(1) {
            if path.len() == Self::PATH_MAX {
                return Err(refuse("a proof has at most 63 hashes"));
            }
            path.push(lines.root()?);
        }
        let note = Note::parse(note.as_bytes())?;
        Ok(Self {
            old,
            path,
            checkpoint: Checkpoint::from_text(note.text())?,
            note,
        })
    }

    /// Checks that the checkpoint continues the tree of the old size, which has this root. From nothing
    /// there is nothing to prove, and nothing may stand there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if it is not shown.
    pub fn check(&self, old_root: TreeHash) -> Result<(), Error> {
        let Checkpoint { size, root, .. } = self.checkpoint;
        if self.old > 0 {
            return ConsistencyProof::from_parts(self.old, size, self.path.clone())
                .check(old_root, root);
        }
        if self.path.is_empty() && (size > 0 || root == TreeHash::EMPTY) {
            return Ok(());
        }
        Err(refuse("a proof from the empty tree is empty"))
    }

    /// Records of the catalog at the checkpoint that the witness is said to have; 0 if it has none.
    pub fn old_size(&self) -> u64 {
        self.old
    }

    /// The checkpoint, as good as its signatures.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint with its signatures.
    pub fn note(&self) -> &Note {
        &self.note
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.path {
            writeln!(f, "{}", encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

fn refuse(text: &str) -> Error {
    Error::new(ErrorKind::Seal, format!("submission: {text}"))
}
