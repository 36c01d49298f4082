//! Writes stores as a service would, byte by byte.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

pub(crate) const INCARNATION: &str = "00112233445566ff";

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Replaces a file, as a tamperer does.
pub(crate) fn rewrite(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}

/// Moves a file or folder, as an operator does.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing of a test has to survive"
)]
pub(crate) fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

fn append(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// One stream and its end.
pub(crate) struct Stream {
    pub(crate) id: String,
    pub(crate) folder: PathBuf,
    pub(crate) file: PathBuf,
    pub(crate) lines: Vec<Vec<u8>>,
    prev: [u8; 32],
}

impl Stream {
    /// In a new store of instance `host-1`.
    pub(crate) fn create(dir: &Path, channel: &str) -> Self {
        Self::of_instance(dir, "host-1", channel)
    }

    pub(crate) fn of_instance(dir: &Path, instance: &str, channel: &str) -> Self {
        Self::with_genesis(dir, instance, channel, r#"{"format":1,"sealed":false}"#)
    }

    pub(crate) fn with_genesis(dir: &Path, instance: &str, channel: &str, data: &str) -> Self {
        let names = ["booking-api", instance, INCARNATION, channel];
        let mut hasher = Sha256::new_with_prefix(b"compliance-log/v1/genesis\0");
        for name in names {
            hasher.update(u32::try_from(name.len()).unwrap().to_be_bytes());
            hasher.update(name);
        }
        let folder = dir
            .join(format!("{instance}-{INCARNATION}"))
            .join("streams")
            .join(channel);
        fs::create_dir_all(&folder).unwrap();
        let mut stream = Self {
            id: names.join("/"),
            file: folder.join("00000000000000000000.jsonl"),
            folder,
            lines: Vec::new(),
            prev: hasher.finalize().into(),
        };
        stream.add(&stream.structural("chain.genesis", data));
        stream
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.lines.len() as u64
    }

    pub(crate) fn structural(&self, event: &str, data: &str) -> String {
        let seq = self.next_seq();
        let category = if self.id.ends_with("/app") {
            "app"
        } else {
            "security"
        };
        format!(
            r#""timestamp":"2026-11-24T03:20:{seq:02}.000000Z","category":"{category}","level":"INFO","event":"{event}","service_name":"booking-api","env":"prod","data":{data},"policy":"5e1c0d7a""#
        )
    }

    /// A line with right hashes; `fields` begins after `seq`.
    pub(crate) fn line(&self, seq: u64, prev: [u8; 32], fields: &str) -> (Vec<u8>, [u8; 32]) {
        let body = format!(r#"{{"v":1,"stream":"{}","seq":{seq},{fields}"#, self.id);
        let mut hasher = Sha256::new_with_prefix(b"compliance-log/v1/record\0");
        hasher.update(prev);
        hasher.update(&body);
        let hash: [u8; 32] = hasher.finalize().into();
        let line = format!(
            "{body},\"prev_hash\":\"{}\",\"hash\":\"{}\"}}\n",
            hex(&prev),
            hex(&hash)
        );
        (line.into_bytes(), hash)
    }

    pub(crate) fn add(&mut self, fields: &str) {
        let (line, hash) = self.line(self.next_seq(), self.prev, fields);
        append(&self.file, &line);
        self.lines.push(line);
        self.prev = hash;
    }

    pub(crate) fn booking(&mut self, tenant: &str, data: &str) {
        let seq = self.next_seq();
        self.add(&format!(
            r#""timestamp":"2026-11-24T03:20:{seq:02}.000000Z","category":"audit","level":"INFO","event":"booking.created","event_version":1,"outcome":"success","service_name":"booking-api","env":"prod","tenant_id":"{tenant}","user_id":"u-81","target_resource":"booking/b-{seq}","data":{data},"policy":"5e1c0d7a""#
        ));
    }

    pub(crate) fn bookings(mut self, count: u64) -> Self {
        for _ in 0..count {
            let data = format!(r#"{{"n":{}}}"#, self.next_seq());
            self.booking("acme", &data);
        }
        self
    }

    pub(crate) fn segment_path(&self, first_seq: u64) -> PathBuf {
        self.folder.join(format!("{first_seq:020}.jsonl"))
    }

    pub(crate) fn rotate(mut self) -> Self {
        self.footer_and_header();
        self
    }

    pub(crate) fn footer_and_header(&mut self) {
        self.add(&self.structural("segment.footer", r#"{"records":1,"reason":"size"}"#));
        let previous = self.file.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::metadata(&self.file).unwrap().len();
        self.file = self.segment_path(self.next_seq());
        let data = format!(r#"{{"number":1,"previous":"{previous}","bytes":{bytes}}}"#);
        self.add(&self.structural("segment.header", &data));
    }

    /// Restates everything from `first` on in a new file, as after a failed sync. `first` is not
    /// the first record of the file.
    pub(crate) fn supersede(&mut self, first: usize) -> PathBuf {
        let old = self.file.clone();
        let restated: usize = self.lines[first..].iter().map(Vec::len).sum();
        let offset = fs::metadata(&old).unwrap().len() - restated as u64;
        self.file = self.segment_path(first as u64);
        append(&self.file, &self.lines[first..].concat());
        let name = old.file_name().unwrap().to_str().unwrap();
        let data =
            format!(r#"{{"number":1,"supersedes":{{"segment":"{name}","offset":{offset}}}}}"#);
        self.add(&self.structural("segment.header", &data));
        old
    }

    /// Writes the head file as after a sync.
    pub(crate) fn sync(self) -> Self {
        let name = self.file.file_stem().unwrap().to_str().unwrap();
        let segment: u64 = name.parse().unwrap();
        let size = fs::metadata(&self.file).unwrap().len();
        let mut slot = Vec::new();
        for number in [segment, self.next_seq() - 1, size] {
            slot.extend_from_slice(&number.to_be_bytes());
        }
        slot.extend_from_slice(&self.prev);
        let check: [u8; 32] = Sha256::digest(&slot).into();
        slot.extend_from_slice(&check[..8]);
        rewrite(&self.folder.join("head"), &slot);
        self
    }

    /// Lets `change` work on the lines of the newest file.
    pub(crate) fn tamper(&self, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let bytes = fs::read(&self.file).unwrap();
        let mut lines = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        change(&mut lines);
        rewrite(&self.file, &lines.concat());
    }
}
