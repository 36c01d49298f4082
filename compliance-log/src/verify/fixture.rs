//! Stores as a writer leaves them, built in memory so that tests can tamper before they write.

use std::{collections::BTreeMap, fs, ops::Range, path::Path};

use tempfile::TempDir;

use super::{Finding, Options, Report, StreamReport, Verdict, verify};
use crate::{
    chain::{Digest, Head, StreamId},
    layout::{HEAD, STREAMS, Slot, segment_name, superseded_name},
};

pub(super) const CHANNEL: &str = "audit";
pub(super) const FIRST: &str = "00000000000000000000.jsonl";

fn stream_id(incarnation: &str, channel: &str) -> StreamId {
    StreamId::new("svc", "host-1", incarnation, channel).unwrap()
}

/// The files of one stream's folder, and the writer's state.
#[derive(Clone)]
pub(super) struct Stream {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) channel: String,
    id: StreamId,
    head: Head,
    current: u64,
    number: u64,
    slots: Vec<Slot>,
    superseded: u32,
    /// What the header that is still owed will name.
    supersedes: (String, u64),
}

impl Stream {
    /// With its genesis, synced.
    pub(super) fn new() -> Self {
        Self::of("0123456789abcdef", CHANNEL)
    }

    pub(super) fn of(incarnation: &str, channel: &str) -> Self {
        let id = stream_id(incarnation, channel);
        let mut stream = Self {
            files: BTreeMap::new(),
            channel: channel.to_owned(),
            head: Head::after(&id, 0, id.genesis_prev()),
            id,
            current: 0,
            number: 0,
            slots: Vec::new(),
            superseded: 0,
            supersedes: (String::new(), 0),
        };
        stream.files.insert(FIRST.to_owned(), Vec::new());
        stream.append(&structural("chain.genesis", r#"{"format":1}"#));
        stream.sync();
        stream
    }

    /// A closed segment of `records` records and a newest one of the same size.
    pub(super) fn two_segments(records: u64) -> Self {
        let mut stream = Self::new();
        stream.records(records);
        stream.rotate();
        stream.records(records);
        stream.sync();
        stream
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.head.next_seq()
    }

    pub(super) fn genesis_link(&self) -> Digest {
        self.id.genesis_prev()
    }

    pub(super) fn head(&self) -> Head {
        self.head.clone()
    }

    pub(super) fn append(&mut self, body: &[u8]) {
        let file = self.files.get_mut(&segment_name(self.current)).unwrap();
        self.head.link(body, file);
    }

    pub(super) fn records(&mut self, count: u64) {
        for _ in 0..count {
            let body = record(self.head.next_seq());
            self.append(&body);
        }
    }

    /// Now everything is durable.
    pub(super) fn sync(&mut self) {
        let slot = Slot {
            segment: self.current,
            last_seq: self.head.next_seq() - 1,
            offset: self.current_bytes(),
            hash: self.head.last(),
        };
        self.slots.push(slot);
    }

    pub(super) fn rotate(&mut self) {
        let records = self.head.next_seq() - self.current;
        self.append(&structural(
            "segment.footer",
            &format!(r#"{{"records":{records},"reason":"size"}}"#),
        ));
        self.sync();
        let previous = segment_name(self.current);
        let bytes = self.current_bytes();
        self.current = self.head.next_seq();
        self.number += 1;
        self.files.insert(segment_name(self.current), Vec::new());
        let data = format!(
            r#"{{"number":{},"previous":"{previous}","bytes":{bytes}}}"#,
            self.number
        );
        self.append(&structural("segment.header", &data));
    }

    /// A sync failed: what was written since the last good one goes into a new file.
    pub(super) fn supersede(&mut self) {
        self.restate();
        self.supersede_header();
    }

    /// The first half of it: a crash here leaves the new file without its header.
    pub(super) fn restate(&mut self) {
        let slot = self.slots.last().copied().unwrap();
        let old = segment_name(self.current);
        let offset = if slot.segment == self.current {
            slot.offset
        } else {
            0
        };
        let bytes = self.files[&old][usize::try_from(offset).unwrap()..].to_vec();
        if offset == 0 {
            self.superseded += 1;
            let file = self.files.remove(&old).unwrap();
            self.files
                .insert(superseded_name(&old, self.superseded), file);
        } else {
            self.current = slot.last_seq + 1;
        }
        self.files.insert(segment_name(self.current), bytes);
        self.supersedes = (old, offset);
    }

    pub(super) fn supersede_header(&mut self) {
        let (old, offset) = self.supersedes.clone();
        self.number += 1;
        let data = format!(
            r#"{{"number":{},"previous":"{old}","bytes":{offset},"supersedes":{{"segment":"{old}","offset":{offset}}}}}"#,
            self.number
        );
        self.append(&structural("segment.header", &data));
    }

    fn current_bytes(&self) -> u64 {
        self.files[&segment_name(self.current)].len() as u64
    }

    pub(super) fn current_name(&self) -> String {
        segment_name(self.current)
    }

    pub(super) fn file(&mut self, name: &str) -> &mut Vec<u8> {
        self.files.get_mut(name).unwrap()
    }

    pub(super) fn first(&mut self) -> &mut Vec<u8> {
        self.file(FIRST)
    }

    pub(super) fn newest(&mut self) -> &mut Vec<u8> {
        let name = self.current_name();
        self.file(&name)
    }

    pub(super) fn durable(&self) -> Slot {
        self.slots.last().copied().unwrap()
    }

    /// As if this had been synced and the head file written.
    pub(super) fn set_durable(&mut self, slot: Slot) {
        self.slots.push(slot);
    }

    /// Writes the folder.
    pub(super) fn write(&self, store: &Path) {
        self.write_as(store, &self.channel);
    }

    pub(super) fn write_as(&self, store: &Path, channel: &str) {
        let folder = store.join(STREAMS).join(channel);
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &self.files {
            put(&folder.join(name), bytes);
        }
        self.write_head_in(&folder);
    }

    pub(super) fn write_head(&self, store: &Path) {
        self.write_head_in(&store.join(STREAMS).join(&self.channel));
    }

    fn write_head_in(&self, folder: &Path) {
        let mut head = Vec::new();
        for slot in self.slots.iter().rev().take(2) {
            head.extend_from_slice(&slot.encode());
        }
        if !head.is_empty() {
            put(&folder.join(HEAD), &head);
        }
    }

    /// A head file that is `slots` behind: it may lag, never lead.
    pub(super) fn lag(&mut self, slots: usize) {
        let kept = self.slots.len().saturating_sub(slots);
        self.slots.truncate(kept);
    }

    /// Without a head file: nothing is known to be durable.
    pub(super) fn forget_head(&mut self) {
        self.slots.clear();
    }

    pub(super) fn verify(&self) -> Checked {
        self.verify_with(&Options::default())
    }

    pub(super) fn verify_with(&self, options: &Options) -> Checked {
        let store = TempDir::new().unwrap();
        self.write(store.path());
        Checked::new(verify(store.path(), options).unwrap())
    }

    /// A record of this stream with hashes of its own: what a forger makes.
    pub(super) fn forge(&self, seq: u64, prev: Digest) -> Vec<u8> {
        let mut line = Vec::new();
        Head::after(&self.id, seq, prev).link(&body("forged.event", seq), &mut line);
        line
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's files need not survive a crash"
)]
pub(super) fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

pub(super) fn record(seq: u64) -> Vec<u8> {
    body("thing.happened", seq)
}

fn body(event: &str, seq: u64) -> Vec<u8> {
    format!(
        r#""timestamp":"2026-01-02T03:04:05.000006Z","category":"audit","level":"INFO","event":"{event}","event_version":1,"data":{{"number":{seq},"note":"{}"}}"#,
        "x".repeat(usize::try_from(seq % 40).unwrap())
    )
    .into_bytes()
}

pub(super) fn structural(event: &str, data: &str) -> Vec<u8> {
    format!(
        r#""timestamp":"2026-01-02T03:04:05.000006Z","category":"security","level":"INFO","event":"{event}","event_version":1,"data":{data}"#
    )
    .into_bytes()
}

/// Where line `number`, from 0, stands in `file`, newline included.
pub(super) fn line(file: &[u8], number: usize) -> Range<usize> {
    let mut start = 0;
    for _ in 0..number {
        start += file[start..].iter().position(|b| *b == b'\n').unwrap() + 1;
    }
    let bytes = file[start..].iter().position(|b| *b == b'\n').unwrap() + 1;
    start..start + bytes
}

/// The report on one store with one stream.
pub(super) struct Checked {
    pub(super) report: Report,
}

impl Checked {
    fn new(report: Report) -> Self {
        Self { report }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.report.verdict
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.report.stores[0].findings
    }

    pub(super) fn stream(&self) -> &StreamReport {
        &self.report.stores[0].streams[0]
    }

    /// The only finding there is.
    #[track_caller]
    pub(super) fn only(&self) -> &Finding {
        assert_eq!(self.findings().len(), 1, "{:#?}", self.findings());
        &self.findings()[0]
    }

    /// Asserts the only finding: verdict, sequence, line from 1, and bytes.
    #[track_caller]
    pub(super) fn names(
        &self,
        verdict: Verdict,
        file: &str,
        seq: u64,
        line: u64,
        bytes: Range<usize>,
    ) -> &Finding {
        let finding = self.only();
        let seen = (
            finding.verdict,
            finding.file.as_deref().unwrap(),
            finding.seq,
            finding.line.unwrap(),
            finding.offset.unwrap()..finding.offset.unwrap() + finding.length.unwrap(),
        );
        let file = format!("{STREAMS}/{CHANNEL}/{file}");
        let wanted = (
            verdict,
            &*file,
            Some(seq),
            line,
            bytes.start as u64..bytes.end as u64,
        );
        assert_eq!(seen, wanted, "{finding:#?}");
        assert_eq!(self.verdict(), verdict);
        finding
    }

    #[track_caller]
    pub(super) fn is_ok(&self) {
        assert_eq!(self.verdict(), Verdict::Ok, "{:#?}", self.findings());
        assert_eq!(self.report.exit, 0);
    }
}
