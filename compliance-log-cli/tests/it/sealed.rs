//! Sealed stores, whose records are hashed here and whose trees are those of RFC 6962 section 2.1.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    rc::Rc,
};

use compliance_log::seal::{
    Origin,
    merkle::{Frontier, TreeHash},
    note::{Algorithm, KeyName, Note, SigningKey},
    statement::{Certificate, Certificates, Checkpoint, IssuerCertificate, Role, Signed},
};

use crate::store::{INCARNATION, Stream, rewrite};

pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::generate(name.parse().unwrap(), Algorithm::Ed25519).unwrap()
}

fn named(name: KeyName) -> SigningKey {
    SigningKey::generate(name, Algorithm::Ed25519).unwrap()
}

/// The keys of a store. They do not ratchet: who signs is not what these tests are about.
pub(crate) struct Keys {
    pub(crate) origin: Origin,
    pub(crate) log: SigningKey,
    pub(crate) epoch0: SigningKey,
}

impl Keys {
    pub(crate) fn new(instance: &str) -> Self {
        let origin = Origin::new("log.example", "booking-api", instance, INCARNATION).unwrap();
        Self {
            log: named(origin.log_key()),
            epoch0: named(origin.epoch_key(0)),
            origin,
        }
    }

    pub(crate) fn certificate(&self) -> Certificate {
        let (log, epoch0) = (self.log.verifier().clone(), self.epoch0.verifier().clone());
        Certificate::new(Role::Store, self.origin.clone(), log, epoch0).unwrap()
    }

    /// The bytes of `seal/cert`.
    pub(crate) fn certified_by(&self, root: &SigningKey) -> String {
        let signed = Signed::sign(self.certificate(), &[root]).unwrap();
        Certificates::new(signed, None).unwrap().to_file()
    }

    /// The same, by an issuer that the root certified.
    pub(crate) fn certified_through(&self, issuer: &SigningKey, root: &SigningKey) -> String {
        let signed = Signed::sign(self.certificate(), &[issuer]).unwrap();
        let prefix = "log.example/booking-api/".parse().unwrap();
        let issuer = IssuerCertificate::new(prefix, issuer.verifier().clone());
        let issuer = Signed::sign(issuer, &[root]).unwrap();
        Certificates::new(signed, Some(issuer)).unwrap().to_file()
    }

    pub(crate) fn checkpoint(&self, leaves: &[TreeHash]) -> Signed<Checkpoint> {
        let size = leaves.len() as u64;
        let checkpoint = Checkpoint::new(self.origin.clone(), size, frontier(leaves).root());
        checkpoint.sign(&self.log, &self.epoch0).unwrap()
    }

    pub(crate) fn note(&self, leaves: &[TreeHash]) -> Note {
        Note::parse(self.checkpoint(leaves).to_string().as_bytes()).unwrap()
    }
}

pub(crate) fn frontier(leaves: &[TreeHash]) -> Frontier {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier
}

/// The leaf of each record of a stream.
pub(crate) fn leaves(stream: &Stream) -> Vec<TreeHash> {
    let hash = |line: &Vec<u8>| {
        let hex = &line[line.len() - 67..line.len() - 3];
        TreeHash::leaf(&std::str::from_utf8(hex).unwrap().parse().unwrap())
    };
    stream.lines.iter().map(hash).collect()
}

/// A sealed store of instance `host-1` on disk, as its writer leaves it.
pub(crate) struct Sealed {
    pub(crate) path: PathBuf,
    pub(crate) keys: Rc<Keys>,
    pub(crate) root: Rc<SigningKey>,
    pub(crate) audit: Stream,
    pub(crate) catalog: Stream,
}

impl Sealed {
    pub(crate) fn new(dir: &Path) -> Self {
        let (keys, root) = (Keys::new("host-1"), key("log.example/root"));
        Self::of_keys(dir, Rc::new(keys), Rc::new(root))
    }

    /// Another store with the same keys, as a clone of the machine would write it.
    pub(crate) fn cloned(&self, dir: &Path) -> Self {
        Self::of_keys(dir, Rc::clone(&self.keys), Rc::clone(&self.root))
    }

    fn of_keys(dir: &Path, keys: Rc<Keys>, root: Rc<SigningKey>) -> Self {
        let genesis = format!(
            r#"{{"format":1,"sealed":true,"origin":"{}","alg":"ed25519","seal_ms":10000,"heartbeat_s":300,"epoch_s":300,"log":"{}","epoch0":"{}","machine_id":"m"}}"#,
            keys.origin,
            keys.log.verifier(),
            keys.epoch0.verifier()
        );
        let sealed = r#"{"format":1,"sealed":true}"#;
        let mut store = Self {
            path: dir.join(format!("host-1-{INCARNATION}")),
            audit: Stream::with_genesis(dir, "host-1", "audit", sealed),
            catalog: Stream::with_genesis(dir, "host-1", "catalog", &genesis),
            keys,
            root,
        };
        fs::create_dir(store.path.join("seal")).unwrap();
        let opened = format!(r#"{{"up":0,"of":"{}"}}"#, store.audit.id);
        store.fact("stream.open", &opened);
        store.seal();
        store
    }

    pub(crate) fn certify(&self) {
        let certificate = self.keys.certified_by(&self.root);
        rewrite(&self.path.join("seal/cert"), certificate.as_bytes());
    }

    pub(crate) fn fact(&mut self, event: &str, data: &str) {
        let fields = self.catalog.structural(event, data);
        self.catalog.add(&fields);
    }

    pub(crate) fn book(&mut self, count: usize) {
        for n in 0..count {
            self.audit.booking("acme", &format!(r#"{{"n":{n}}}"#));
        }
    }

    /// States the tree of the data, and signs that of the catalog.
    pub(crate) fn seal(&mut self) {
        self.state_head();
        self.sign();
    }

    fn state_head(&mut self) {
        let leaves = leaves(&self.audit);
        let (size, root) = (leaves.len(), frontier(&leaves).root());
        let head = format!(
            r#"{{"up":5,"of":"{}","size":{size},"root":"{root}","segment":"00000000000000000000.jsonl","bytes":9}}"#,
            self.audit.id
        );
        self.fact("seal.head", &head);
    }

    pub(crate) fn sign(&self) {
        let block = self.keys.checkpoint(&leaves(&self.catalog)).to_block();
        let path = self.catalog.file.with_extension("ckpt");
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(block.as_bytes()).unwrap();
    }

    /// Closes the segment of the catalog and begins the next, in which everything is stated again.
    pub(crate) fn rotate_catalog(&mut self) {
        self.fact("segment.footer", r#"{"records":1,"reason":"size"}"#);
        self.sign();
        let frontier = frontier(&leaves(&self.catalog)).to_hex();
        let frontier = serde_json::to_string(&frontier).unwrap();
        let header = format!(r#"{{"number":1,"previous":"x","bytes":1,"frontier":{frontier}}}"#);
        self.catalog.file = self.catalog.segment_path(self.catalog.next_seq());
        self.fact("segment.header", &header);
        let opened = format!(r#"{{"up":9,"of":"{}"}}"#, self.audit.id);
        self.fact("stream.open", &opened);
        self.seal();
    }

    /// The same for the audit stream.
    pub(crate) fn rotate_audit(&mut self) {
        let footer = r#"{"records":1,"reason":"size"}"#;
        self.audit
            .add(&self.audit.structural("segment.footer", footer));
        let frontier = frontier(&leaves(&self.audit)).to_hex();
        let frontier = serde_json::to_string(&frontier).unwrap();
        let header = format!(r#"{{"number":1,"previous":"x","bytes":1,"frontier":{frontier}}}"#);
        self.audit.file = self.audit.segment_path(self.audit.next_seq());
        self.audit
            .add(&self.audit.structural("segment.header", &header));
    }
}
