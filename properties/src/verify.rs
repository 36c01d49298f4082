use std::{
    collections::BTreeMap,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
};

use arbitrary::{Result, Unstructured};
use compliance_log::{
    chain::{Digest, StreamId, check_line},
    verify::{Options, Report, Verdict, verify as judge},
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Files are built in so many steps: more of them find nothing else.
const STEPS_MAX: usize = 60;

/// Of a line that is said again, so much at most.
const AGAIN_BYTES_MAX: usize = 2048;

/// What a body may consist of.
const PARTS: [&str; 12] = [
    "\"event\":\"chain.genesis\"",
    "\"event\":\"segment.header\"",
    "\"event\":\"segment.footer\"",
    "\"event\":\"chain.recovery\"",
    "\"event\":\"log\"",
    "\"data\":{\"format\":1,\"incarnation\":\"0123456789abcdef\",\"channel\":\"audit\"}",
    "\"data\":{\"number\":1,\"previous\":\"00000000000000000000.jsonl\",\"bytes\":400}",
    "\"data\":{\"number\":2,\"previous\":\"00000000000000000000.jsonl\",\"bytes\":9,\"supersedes\":{\"segment\":\"00000000000000000000.jsonl\",\"offset\":300}}",
    "\"data\":{\"records\":2,\"reason\":\"size\"}",
    "\"data\":{\"adopted_from\":1,\"adopted_to\":2,\"torn\":{\"file\":\"x\",\"offset\":0,\"bytes\":1,\"sha256\":\"\"}}",
    "\"timestamp\":\"2026-11-24T10:15:30.123456Z\"",
    "\"prev_hash\":\"\",\"hash\":\"\"",
];

/// What a name of a file may be.
const NAMES: [&str; 8] = [
    "00000000000000000000.jsonl",
    "00000000000000000001.jsonl",
    "00000000000000000002.jsonl",
    "00000000000000000003.jsonl",
    "18446744073709551615.jsonl",
    "00000000000000000000.jsonl.superseded-1",
    "00000000000000000001.jsonl.torn-7",
    "head",
];

/// Whatever stands in the files of a store, there is a verdict, the same for any number of threads, and
/// it is `Ok` only where each line of each segment is a record, unless another segment supersedes it.
pub fn verify(input: &[u8]) {
    let dir = tempfile::tempdir_in(memory()).unwrap();
    // The bytes end where they end: what was built until then is judged.
    let files = files(&mut Unstructured::new(input)).unwrap_or_default();
    let folder = dir.path().join("one-0123456789abcdef/streams/audit");
    fs::create_dir_all(&folder).unwrap();
    // Of two files of one name the last is there.
    let files: BTreeMap<_, _> = files.into_iter().collect();
    for (name, bytes) in &files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let one = report(&dir, 1);
    let strip = |report: &Report| format!("{:?} {:?}", report.verdict, report.stores);
    assert_eq!(strip(&one), strip(&report(&dir, 3)));
    let supersede = |bytes: &Vec<u8>| bytes.windows(10).any(|part| part == b"supersedes");
    if one.verdict == Verdict::Ok && !files.values().any(supersede) {
        for (name, bytes) in files.iter().filter(|(name, _)| is_segment(name)) {
            for line in bytes.split(|byte| *byte == b'\n').rev().skip(1) {
                assert!(check_line(line).is_ok(), "{name}: {}", line.escape_ascii());
            }
        }
    }
}

fn is_segment(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|end| end == "jsonl")
}

fn report(dir: &TempDir, threads: usize) -> Report {
    let options = Options::default().threads(NonZero::new(threads).unwrap());
    judge(dir.path(), &options).expect("what can be read is judged")
}

/// Files that are gone with the power, where there is such a place.
fn memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    }
}

/// The writer's end of a stream whose links are right.
struct Head {
    stream: StreamId,
    seq: u64,
    last: Digest,
}

impl Head {
    fn link(&mut self, body: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let opening = format!(
            "{{\"v\":1,\"stream\":\"{}\",\"seq\":{},",
            self.stream, self.seq
        );
        out.extend_from_slice(opening.as_bytes());
        out.extend_from_slice(body);
        let mut hasher = Sha256::new_with_prefix(b"compliance-log/v1/record\0");
        hasher.update(self.last.as_bytes());
        hasher.update(&out[start..]);
        let hash = Digest::new(hasher.finalize().into());
        let links = format!(",\"prev_hash\":\"{}\",\"hash\":\"{hash}\"}}\n", self.last);
        out.extend_from_slice(links.as_bytes());
        self.seq = self.seq.wrapping_add(1);
        self.last = hash;
    }
}

/// Files, of lines that are linked, said again, cut or made up.
fn files(input: &mut Unstructured<'_>) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let stream: StreamId = "svc/one/0123456789abcdef/audit".parse().unwrap();
    let mut head = Head {
        last: stream.genesis_prev(),
        stream,
        seq: 0,
    };
    let mut files = vec![(NAMES[0], Vec::new())];
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        let (_, file) = files.last_mut().expect("there is one from the beginning");
        match input.int_in_range(0..=9)? {
            0..=4 => head.link(&body(input)?, file),
            5 => file.extend_from_slice(input.arbitrary::<&[u8]>()?),
            6 => {
                let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
                if let Some(at) = lines.len().checked_sub(1) {
                    let line = lines[input.int_in_range(0..=at)?];
                    // One that does not end would be twice as long each time.
                    let line = line[..line.len().min(AGAIN_BYTES_MAX)].to_vec();
                    file.extend_from_slice(&line);
                }
            }
            7 => {
                let cut = input.int_in_range(0..=300_usize)?;
                file.truncate(file.len().saturating_sub(cut));
            }
            8 => {
                head.seq = head.seq.wrapping_add(input.arbitrary::<u8>()?.into());
            }
            _ => files.push((*input.choose(&NAMES)?, Vec::new())),
        }
    }
    Ok(files)
}

fn body(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for part in 0..input.int_in_range(1..=4_usize)? {
        if part > 0 {
            body.push(b',');
        }
        if input.ratio(1, 5)? {
            body.extend_from_slice(input.arbitrary::<&[u8]>()?);
        } else {
            body.extend_from_slice(input.choose(&PARTS)?.as_bytes());
        }
    }
    Ok(body)
}
