//! A small writer of sealed stores. It makes the same files as the real one, with keys and a clock that
//! the test holds, and it does what a thief tells it.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use compliance_log::{
    chain::{Digest, StreamId},
    seal::{
        Origin,
        merkle::{Frontier, TreeHash},
        note::SigningKey,
        statement::{Certificate, Certificates, Checkpoint, EpochNote, Role, Signed},
    },
};
use sha2::{Digest as _, Sha256};

use super::{
    files::{APP, AUDIT, CATALOG, CERT, EPOCHS, add, files, name, note_line, notes, put, shorten},
    keys::{ALGORITHM, key},
    line::{between, body, event_of, hash_of, link, seq_of},
};

pub(crate) const HEARTBEAT_S: u64 = 60;
/// When each history begins.
pub(crate) const FIRST_SECOND: u64 = 1_767_225_600;

/// Seconds since the history began, shared by all who live in it.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    /// As the machine's uptime has it.
    seconds: Rc<Cell<u64>>,
    /// How far the wall clock was set back.
    back: Rc<Cell<u64>>,
}

impl Clock {
    /// Another one, which stands where this one does.
    pub(crate) fn again(&self) -> Self {
        Self {
            seconds: Rc::new(Cell::new(self.seconds.get())),
            back: Rc::new(Cell::new(self.back.get())),
        }
    }

    pub(crate) fn tick(&self, seconds: u64) {
        self.seconds.set(self.seconds.get() + seconds);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.back.set(seconds);
    }

    pub(crate) fn now(&self) -> std::time::SystemTime {
        let now = FIRST_SECOND + self.seconds.get() - self.back.get();
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now)
    }

    pub(crate) fn text(&self) -> String {
        jiff::Timestamp::try_from(self.now()).unwrap().to_string()
    }
}

/// What a writer keeps to itself, as it lies in the file of its keys.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) origin: Origin,
    log: Arc<SigningKey>,
    pub(crate) epoch: u64,
    key: Arc<SigningKey>,
}

impl Keys {
    /// Reads the file of the library's writer.
    pub(crate) fn load(folder: &Path) -> Self {
        let signer = fs::read(folder.join("signer.json")).unwrap();
        let signer: serde_json::Value = serde_json::from_slice(&signer).unwrap();
        let key = |name: &str| {
            let key = SigningKey::from_skey(signer[name].as_str().unwrap()).unwrap();
            Arc::new(key)
        };
        Self {
            origin: signer["origin"].as_str().unwrap().parse().unwrap(),
            log: key("log"),
            epoch: signer["epoch"].as_u64().unwrap(),
            key: key("key"),
        }
    }

    pub(crate) fn log_key(&self) -> &SigningKey {
        &self.log
    }

    pub(crate) fn epoch_key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn incarnation(&self) -> &str {
        self.origin.parts()[3]
    }
}

struct Stream {
    id: StreamId,
    folder: PathBuf,
    seq: u64,
    last: Digest,
    tree: Frontier,
    /// First sequence, number and bytes of the newest segment.
    segment: u64,
    number: u64,
    bytes: u64,
}

impl Stream {
    fn new(store: &Path, id: StreamId) -> Self {
        Self {
            folder: store.join("streams").join(id.parts()[3]),
            seq: 0,
            last: id.genesis_prev(),
            id,
            tree: Frontier::new(),
            segment: 0,
            number: 0,
            bytes: 0,
        }
    }

    /// As it stands in its files.
    fn load(store: &Path, id: StreamId) -> Self {
        let mut stream = Self::new(store, id);
        for (number, file) in files(&stream.folder, ".jsonl").iter().enumerate() {
            stream.segment = name(file)[..20].parse().unwrap();
            stream.number = number as u64;
            let bytes = fs::read(file).unwrap();
            stream.bytes = bytes.len() as u64;
            for line in bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                stream.seq = seq_of(line);
                stream.grow(hash_of(line));
            }
        }
        stream
    }

    fn grow(&mut self, hash: Digest) {
        self.last = hash;
        self.tree.append(TreeHash::leaf(&hash));
        self.seq += 1;
    }

    fn name(&self) -> String {
        format!("{:020}.jsonl", self.segment)
    }

    fn file(&self) -> PathBuf {
        self.folder.join(self.name())
    }

    fn append(&mut self, time: &str, event: &str, data: &str) {
        let body = body(&self.id, self.seq, time, event, data);
        let (mut line, hash) = link(&self.last, &body);
        line.push(b'\n');
        self.bytes += line.len() as u64;
        add(&self.file(), &line);
        self.grow(hash);
    }

    /// Footer, and header of the next segment. `between` may do something before the latter.
    fn close_segment(&mut self, time: &str) {
        let records = self.seq - self.segment + 1;
        self.append(
            time,
            "segment.footer",
            &format!(r#"{{"records":{records},"reason":"size"}}"#),
        );
    }

    fn next_segment(&mut self, time: &str, ckpt: Option<String>) {
        let (previous, bytes) = (self.name(), self.bytes);
        let frontier = self.tree.to_hex().join("\",\"");
        let frontier = if frontier.is_empty() {
            frontier
        } else {
            format!("\"{frontier}\"")
        };
        let ckpt = ckpt.map_or_else(String::new, |ckpt| format!(r#","ckpt_sha256":"{ckpt}""#));
        self.number += 1;
        self.segment = self.seq;
        self.bytes = 0;
        let number = self.number;
        let data = format!(
            r#"{{"number":{number},"previous":"{previous}","bytes":{bytes},"frontier":[{frontier}]{ckpt}}}"#
        );
        self.append(time, "segment.header", &data);
    }
}

/// A store that is written.
pub(crate) struct Writer {
    pub(crate) dir: PathBuf,
    clock: Clock,
    pub(crate) lineage: String,
    pub(crate) keys: Keys,
    started: u64,
    streams: BTreeMap<&'static str, Stream>,
    catalog: Stream,
    /// What is sealed of each stream.
    heads: BTreeMap<&'static str, u64>,
    /// The newest checkpoint.
    pub(crate) newest: Option<Signed<Checkpoint>>,
    /// Whether a checkpoint is signed at all.
    pub(crate) numb: bool,
}

/// What a new store is to be.
pub(crate) struct Birth<'b> {
    pub(crate) service: &'b str,
    pub(crate) incarnation: &'b str,
    pub(crate) role: Role,
    /// `None`: the issuer was not reached.
    pub(crate) root: Option<&'b SigningKey>,
    pub(crate) continues: Option<(Origin, u64, TreeHash)>,
}

impl Writer {
    pub(crate) fn create(dir: &Path, clock: &Clock, lineage: &str, birth: &Birth<'_>) -> Self {
        let (service, incarnation) = (birth.service, birth.incarnation);
        let origin = Origin::new("acme.example", service, "i1", incarnation).unwrap();
        let keys = Keys {
            log: Arc::new(key(origin.log_key().as_str(), lineage)),
            epoch: 0,
            key: Arc::new(key(origin.epoch_key(0).as_str(), lineage)),
            origin,
        };
        let mut writer = Self::new(dir, clock, lineage, keys);
        if let Some(root) = birth.root {
            put(
                &dir.join(CERT),
                writer.certificates(birth.role, root).to_file().as_bytes(),
            );
        }
        let continues =
            birth
                .continues
                .as_ref()
                .map_or_else(String::new, |(origin, size, root)| {
                    format!(r#","continues":{{"origin":"{origin}","size":{size},"root":"{root}"}}"#)
                });
        let time = clock.text();
        let data = format!(
            r#"{{"format":1,"sealed":true,"origin":"{}","alg":"{}","seal_ms":20000,"heartbeat_s":{HEARTBEAT_S},"epoch_s":300,"log":"{}","epoch0":"{}","machine_id":"m1"{continues}}}"#,
            writer.keys.origin,
            ALGORITHM.as_str(),
            writer.keys.log.verifier(),
            writer.keys.key.verifier(),
        );
        writer.catalog.append(&time, "chain.genesis", &data);
        for channel in ["app", "audit"] {
            let of = writer.streams[channel].id.to_string();
            writer.fact("stream.open", &format!(r#","of":"{of}""#));
        }
        for stream in writer.streams.values_mut() {
            stream.append(&time, "chain.genesis", r#"{"format":1,"sealed":true}"#);
        }
        writer.start(false);
        writer
    }

    /// Goes on with a store, as after a crash or a stop.
    pub(crate) fn open(dir: &Path, clock: &Clock, lineage: &str, keys: Keys) -> Self {
        Self::recover(dir, &keys);
        let mut writer = Self::new(dir, clock, lineage, keys);
        let catalog = writer.catalog.id.clone();
        writer.catalog = Stream::load(dir, catalog);
        let newest = super::files::lines(&writer.catalog.file());
        if event_of(newest.last().unwrap()) == "segment.footer" {
            // The crash was within the rotation.
            writer.begin_catalog_segment();
        }
        for stream in writer.streams.values_mut() {
            let Some(file) = files(&stream.folder, ".jsonl").pop() else {
                continue;
            };
            let bytes = fs::read(&file).unwrap();
            let whole = bytes
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            if whole < bytes.len() {
                let torn = format!("{}.torn-{whole}", name(&file));
                put(&stream.folder.join(torn), &bytes[whole..]);
                shorten(&file, bytes.len() - whole);
            }
            *stream = Stream::load(dir, stream.id.clone());
            if whole < bytes.len() {
                stream.append(&clock.text(), "chain.recovery", r#"{"torn":{}}"#);
            }
        }
        writer.start(true);
        writer
    }

    /// The catalog above the newest checkpoint is set aside.
    fn recover(dir: &Path, keys: &Keys) {
        let folder = dir.join(CATALOG);
        let sizes = files(&folder, ".ckpt")
            .into_iter()
            .flat_map(|file| notes(&file))
            .map(|note| {
                assert_eq!(note_line(&note, 0), keys.origin.as_str());
                note_line(&note, 1).parse::<u64>().unwrap()
            });
        let size = sizes.max().unwrap();
        for file in files(&folder, ".jsonl") {
            let mut kept = Vec::new();
            for line in fs::read(&file)
                .unwrap()
                .split_inclusive(|byte| *byte == b'\n')
            {
                if line.ends_with(b"\n") && seq_of(line) < size {
                    kept.extend_from_slice(line);
                }
            }
            if kept.is_empty() {
                fs::remove_file(&file).unwrap();
            } else if kept.len() < fs::read(&file).unwrap().len() {
                put(&file, &kept);
            }
        }
    }

    fn new(dir: &Path, clock: &Clock, lineage: &str, keys: Keys) -> Self {
        let [_, service, instance, incarnation] = keys.origin.parts();
        let id = |channel: &str| StreamId::new(service, instance, incarnation, channel).unwrap();
        let streams = ["app", "audit"].map(|channel| (channel, Stream::new(dir, id(channel))));
        Self {
            dir: dir.to_owned(),
            clock: clock.clone(),
            lineage: lineage.to_owned(),
            started: clock.seconds.get(),
            streams: streams.into(),
            catalog: Stream::new(dir, id("catalog")),
            heads: BTreeMap::new(),
            newest: None,
            numb: false,
            keys,
        }
    }

    fn start(&mut self, resumed: bool) {
        self.started = self.clock.seconds.get();
        let data = format!(r#","pid":1,"boot_id":"b1","resumed":{resumed}"#);
        self.fact("log.started", &data);
        self.seal();
        self.ratchet("start");
    }

    pub(crate) fn certificates(&self, role: Role, root: &SigningKey) -> Certificates {
        let log = self.keys.log.verifier().clone();
        let epoch0 = key(self.keys.origin.epoch_key(0).as_str(), &self.lineage);
        let origin = self.keys.origin.clone();
        let certificate = Certificate::new(role, origin, log, epoch0.verifier().clone()).unwrap();
        Certificates::new(Signed::sign(certificate, &[root]).unwrap(), None).unwrap()
    }

    /// A record in the catalog; `data` begins with a comma.
    pub(crate) fn fact(&mut self, event: &str, data: &str) {
        let up = (self.clock.seconds.get() - self.started) * 1_000;
        let data = format!(r#"{{"up":{up}{data}}}"#);
        self.catalog.append(&self.clock.text(), event, &data);
    }

    pub(crate) fn emit(&mut self, channel: &str, event: &str, data: &str) {
        let time = self.clock.text();
        self.streams
            .get_mut(channel)
            .unwrap()
            .append(&time, event, data);
    }

    /// Heads of what grew, then a checkpoint.
    pub(crate) fn seal(&mut self) {
        self.heads_where(|sealed, size| size > sealed);
        self.sign();
    }

    fn heads_where(&mut self, wanted: impl Fn(u64, u64) -> bool) {
        let mut heads = Vec::new();
        for (channel, stream) in &self.streams {
            let sealed = self.heads.get(channel).copied().unwrap_or(0);
            if stream.seq > 0 && wanted(sealed, stream.seq) {
                heads.push(format!(
                    r#","of":"{}","size":{},"root":"{}","segment":"{}","bytes":{}"#,
                    stream.id,
                    stream.seq,
                    stream.tree.root(),
                    stream.name(),
                    stream.bytes
                ));
                self.heads.insert(channel, stream.seq);
            }
        }
        if heads.is_empty() {
            self.fact("seal.heartbeat", "");
        }
        for head in heads {
            self.fact("seal.head", &head);
        }
    }

    fn checkpoints_file(&self) -> PathBuf {
        self.catalog.file().with_extension("ckpt")
    }

    pub(crate) fn sign(&mut self) {
        if self.numb {
            return;
        }
        let (size, root) = (self.catalog.seq, self.catalog.tree.root());
        let checkpoint = Checkpoint::new(self.keys.origin.clone(), size, root);
        let signed = checkpoint.sign(&*self.keys.log, &*self.keys.key).unwrap();
        add(&self.checkpoints_file(), signed.to_block().as_bytes());
        self.newest = Some(signed);
    }

    /// Signs with these keys, as if that size were larger by `more`.
    pub(crate) fn sign_as(&self, keys: &Keys, more: u64) {
        let (size, root) = (self.catalog.seq + more, self.catalog.tree.root());
        let checkpoint = Checkpoint::new(keys.origin.clone(), size, root);
        let signed = checkpoint.sign(&*keys.log, &*keys.key).unwrap();
        add(&self.checkpoints_file(), signed.to_block().as_bytes());
    }

    /// The next key signs from here on.
    pub(crate) fn ratchet(&mut self, reason: &str) {
        let newest = self.newest.as_ref().unwrap().statement().clone();
        let epoch = self.keys.epoch + 1;
        let next = key(self.keys.origin.epoch_key(epoch).as_str(), &self.lineage);
        let note = EpochNote::new(
            self.keys.origin.clone(),
            newest.size,
            newest.root,
            next.verifier().clone(),
        );
        let signed = Signed::sign(note.unwrap(), &[&*self.keys.key]).unwrap();
        add(&self.dir.join(EPOCHS), signed.to_block().as_bytes());
        let vkey = next.verifier().to_string();
        self.keys.epoch = epoch;
        self.keys.key = Arc::new(next);
        self.fact(
            "seal.epoch",
            &format!(r#","epoch":{epoch},"key":"{vkey}","reason":"{reason}""#),
        );
    }

    pub(crate) fn rotate(&mut self, channel: &str) {
        let time = self.clock.text();
        let stream = self.streams.get_mut(channel).unwrap();
        stream.close_segment(&time);
        let data = format!(
            r#","of":"{}","file":"{}","bytes":{},"hash":"{}","size":{},"root":"{}""#,
            stream.id,
            stream.name(),
            stream.bytes,
            stream.last,
            stream.seq,
            stream.tree.root()
        );
        stream.next_segment(&time, None);
        self.fact("segment.sealed", &data);
    }

    /// A sync failed: the last `count` lines go into a new file, and do not count in the old one.
    pub(crate) fn supersede(&mut self, channel: &str, count: usize) {
        let time = self.clock.text();
        let stream = self.streams.get_mut(channel).unwrap();
        let (old, lines) = (stream.name(), super::files::lines(&stream.file()));
        let (kept, restated) = lines.split_at(lines.len() - count);
        let offset: usize = kept.iter().map(|line| line.len() + 1).sum();
        let mut tree = Frontier::new();
        for line in files(&stream.folder, ".jsonl")
            .iter()
            .flat_map(|file| super::files::lines(file))
            .take(usize::try_from(stream.seq).unwrap() - count)
        {
            tree.append(TreeHash::leaf(&hash_of(&line)));
        }
        stream.segment = tree.size();
        stream.number += 1;
        super::files::save(&stream.file(), restated);
        stream.bytes = fs::metadata(stream.file()).unwrap().len();
        let frontier = tree.to_hex().join("\",\"");
        let number = stream.number;
        let data = format!(
            r#"{{"number":{number},"previous":"{old}","bytes":{offset},"supersedes":{{"segment":"{old}","offset":{offset}}},"frontier":["{frontier}"]}}"#
        );
        stream.append(&time, "segment.header", &data);
    }

    pub(crate) fn rotate_catalog(&mut self) {
        self.seal();
        let time = self.clock.text();
        self.catalog.close_segment(&time);
        self.sign();
        self.begin_catalog_segment();
        self.ratchet("rotate");
        for channel in ["app", "audit"] {
            let of = self.streams[channel].id.to_string();
            self.fact("stream.open", &format!(r#","of":"{of}""#));
        }
        self.heads_where(|_, _| true);
    }

    fn begin_catalog_segment(&mut self) {
        let ckpt = Sha256::digest(fs::read(self.checkpoints_file()).unwrap());
        let ckpt = Digest::new(ckpt.into()).to_string();
        self.catalog.next_segment(&self.clock.text(), Some(ckpt));
        put(&self.checkpoints_file(), b"");
    }

    /// A clean stop.
    pub(crate) fn close(mut self) -> Keys {
        self.fact("log.stopped", r#","reason":"shutdown""#);
        self.seal();
        self.ratchet("close");
        self.seal();
        self.keys
    }

    pub(crate) fn crash(self) -> Keys {
        self.keys
    }
}

/// Takes the whole store back to its own checkpoint of this size: streams, catalog, checkpoints, epochs.
pub(crate) fn cut(store: &Path, size: u64) {
    let mut heads = BTreeMap::new();
    keep_lines(store, CATALOG, |line| {
        let keep = seq_of(line) < size;
        if keep && event_of(line) == "seal.head" {
            let of = between(line, r#""of":""#, "\"").unwrap().to_owned();
            let size = between(line, r#""size":"#, ",").unwrap();
            heads.insert(of, size.parse::<u64>().unwrap());
        }
        keep
    });
    for file in files(&store.join(CATALOG), ".ckpt") {
        keep_notes(&file, 1, size);
        if fs::read(&file).unwrap().is_empty() {
            fs::remove_file(file).unwrap();
        }
    }
    keep_notes(&store.join(EPOCHS), 3, size);
    for (of, size) in heads {
        let folder = if of.ends_with("audit") { AUDIT } else { APP };
        keep_lines(store, folder, |line| seq_of(line) < size);
        // Not signed: who can cut the stream can remove what says that it was longer.
        drop(fs::remove_file(store.join(folder).join("head")));
    }
}

fn keep_lines(store: &Path, folder: &str, mut keep: impl FnMut(&[u8]) -> bool) {
    for file in files(&store.join(folder), ".jsonl") {
        let mut lines = super::files::lines(&file);
        lines.retain(|line| keep(line));
        if lines.is_empty() {
            fs::remove_file(file).unwrap();
        } else {
            super::files::save(&file, &lines);
        }
    }
}

fn keep_notes(file: &Path, line: usize, size: u64) {
    let mut kept = notes(file);
    kept.retain(|note| note_line(note, line).parse::<u64>().unwrap() <= size);
    super::files::save_notes(file, &kept);
}

/// The sizes of a store's checkpoints.
pub(crate) fn sizes(store: &Path) -> Vec<u64> {
    let notes = files(&store.join(CATALOG), ".ckpt")
        .into_iter()
        .flat_map(|file| notes(&file));
    let mut sizes: Vec<u64> = notes
        .map(|note| note_line(&note, 1).parse().unwrap())
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// The sizes at which epochs begin.
pub(crate) fn bounds(store: &Path) -> Vec<u64> {
    let notes = notes(&store.join(EPOCHS));
    notes
        .iter()
        .map(|note| note_line(note, 3).parse().unwrap())
        .collect()
}
