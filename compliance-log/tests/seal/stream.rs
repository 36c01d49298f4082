//! Streams of records that are hashed here, not by the code under test.

use compliance_log::{
    chain::Digest,
    seal::{
        Origin,
        merkle::{Frontier, InclusionProof, TreeHash},
    },
};
use sha2::{Digest as _, Sha256};

/// Lines without their ends, and their hashes.
pub(crate) struct Stream {
    pub(crate) id: String,
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) hashes: Vec<Digest>,
}

impl Stream {
    pub(crate) fn new(origin: &Origin, channel: &str) -> Self {
        let [_, service, instance, incarnation] = origin.parts();
        Self {
            id: format!("{service}/{instance}/{incarnation}/{channel}"),
            lines: Vec::new(),
            hashes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, fields: &str) {
        let body = format!(
            r#"{{"v":1,"stream":"{}","seq":{},{fields}"#,
            self.id,
            self.lines.len()
        );
        let prev = self.hashes.last().copied().unwrap_or(Digest::new([0; 32]));
        let hasher = Sha256::new_with_prefix(b"compliance-log/v1/record\0");
        let hasher = hasher.chain_update(prev.as_bytes()).chain_update(&body);
        let hash = Digest::new(hasher.finalize().into());
        let line = format!(r#"{body},"prev_hash":"{prev}","hash":"{hash}"}}"#);
        self.lines.push(line.into_bytes());
        self.hashes.push(hash);
    }

    /// That a head's facts are in the catalog.
    pub(crate) fn add_head(&mut self, of: &Self) {
        let (size, root) = (of.lines.len(), of.root());
        self.add(&format!(
            r#""event":"seal.head","data":{{"up":7,"of":"{}","size":{size},"root":"{root}","segment":"00000000000000000000.jsonl","bytes":9}}"#,
            of.id
        ));
    }

    pub(crate) fn size(&self) -> u64 {
        self.lines.len() as u64
    }

    pub(crate) fn root(&self) -> TreeHash {
        let mut tree = Frontier::new();
        self.leaves().for_each(|leaf| tree.append(leaf));
        tree.root()
    }

    pub(crate) fn inclusion(&self, index: u64) -> InclusionProof {
        let mut proof = InclusionProof::builder(index, self.size()).unwrap();
        self.leaves().for_each(|leaf| proof.push(leaf));
        proof.finish().unwrap()
    }

    fn leaves(&self) -> impl Iterator<Item = TreeHash> {
        self.hashes.iter().map(TreeHash::leaf)
    }
}
