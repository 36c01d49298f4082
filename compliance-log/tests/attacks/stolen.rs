//! All state of a machine is stolen at one moment: its store and the keys that sign for it. What was sealed before
//! the keys changed last cannot be changed unseen, whatever the thief makes anew with them; what is younger can,
//! unless somebody outside knows better.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
    time::Duration,
};

use compliance_log::{
    chain::{Digest, SUFFIX_BYTES},
    seal::{
        merkle::{Frontier, TreeHash},
        note::{Note, SigningKey, VerifierKey},
    },
    verify::{Finding, Options, Report, Verdict, verify},
};
use data_encoding::BASE64;
use tempfile::TempDir;

use super::{
    files::{
        APP, AUDIT, CATALOG, EPOCHS, copy_all, files, line_start, lines, name, note_line, notes,
        save, save_notes,
    },
    keys::renamed,
    line::{between, event_of, link, prev_of, seq_of},
    service::{Root, Service},
    writer::{Clock, Keys, bounds},
};

/// What was stolen, and what a verifier has.
struct Theft {
    base: TempDir,
    store: PathBuf,
    keys: Keys,
    root: VerifierKey,
    /// From the anchor, just before the theft.
    trusted: String,
}

/// What the thief makes of what the stolen keys cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forgery {
    /// He leaves the catalog alone, and writes only the stream anew.
    NoCatalog,
    /// He leaves old checkpoints and epoch notes as they were.
    Kept,
    /// He signs old checkpoints with the stolen keys, under their own names.
    Stolen,
    /// He signs them, and epoch notes, with the stolen key under the names of old ones.
    Renamed,
    /// He removes the old checkpoints.
    Dropped,
}

const FORGERIES: [Forgery; 5] = [
    Forgery::NoCatalog,
    Forgery::Kept,
    Forgery::Stolen,
    Forgery::Renamed,
    Forgery::Dropped,
];

/// A record, by its folder and sequence.
type Target = (&'static str, u64);

impl Theft {
    fn new() -> Self {
        let base = TempDir::new().unwrap();
        let clock = Clock::default();
        let mut service = Service::new(base.path(), Root::Own, &clock);
        // Seals when it is asked to, so that nothing is written while it is copied.
        let every = Duration::from_secs(60);
        service.start(every);
        service.rounds(2);
        service.fill(4_000);
        service.fill_catalog();
        service.rounds(2);
        service.stop();
        service.start(every);
        service.rounds(3);
        let store = base.path().join("stolen");
        let trusted = service.anchored();
        copy_all(&service.store(), &store);
        let (keys, root) = (service.keys(), service.root_key());
        service.stop();
        Self {
            base,
            store,
            keys,
            root,
            trusted,
        }
    }

    fn id(&self, folder: &str) -> String {
        let [_, service, instance, incarnation] = self.keys.origin.parts();
        let channel = folder.rsplit('/').next().unwrap();
        format!("{service}/{instance}/{incarnation}/{channel}")
    }

    /// How much of a stream was sealed when the keys changed last.
    fn sealed(&self, folder: &str) -> u64 {
        let changed = *bounds(&self.store).last().unwrap();
        if folder == CATALOG {
            return changed;
        }
        let id = self.id(folder);
        let facts = files(&self.store.join(CATALOG), ".jsonl");
        let facts = facts.iter().flat_map(|file| lines(file));
        let heads = facts
            .filter(|fact| seq_of(fact) < changed && size_of(fact, &id).is_some())
            .filter_map(|fact| size_of(&fact, &id));
        heads.max().unwrap()
    }

    /// Changes a record, and makes everything anew that fits it.
    fn forge(&self, copy: &Path, (folder, seq): Target, forgery: Forgery) {
        copy_all(&self.store, copy);
        for folder in [AUDIT, APP] {
            fs::remove_file(copy.join(folder).join("head")).unwrap();
        }
        let mut stream = Anew::default();
        if folder != CATALOG {
            stream.write(&copy.join(folder), |body| change(body, seq), |_, _| None);
            if forgery == Forgery::NoCatalog {
                return;
            }
        }
        let id = self.id(folder);
        let mut catalog = Anew::default();
        catalog.write(
            &copy.join(CATALOG),
            |body| {
                if folder == CATALOG {
                    change(body, seq);
                } else if let Some(size) = size_of(body.as_bytes(), &id) {
                    stream.restate(body, size);
                }
            },
            |catalog, segment| Some(self.sign(catalog, segment, forgery)),
        );
        self.sign_epochs(&catalog, copy, forgery);
    }

    /// Signs the checkpoints of a segment of the catalog anew; the SHA-256 of their file.
    fn sign(&self, catalog: &Anew, segment: &Path, forgery: Forgery) -> Digest {
        let file = segment.with_extension("ckpt");
        let mut kept = Vec::new();
        for note in notes(&file) {
            let size: usize = note_line(&note, 1).parse().unwrap();
            let old = note_line(&note, 5).split(' ').nth(1).unwrap();
            let root = BASE64.encode(catalog.roots[size].as_bytes());
            let text = format!("{}\n{size}\n{root}\n", self.keys.origin);
            let own = self.keys.epoch_key();
            let other = renamed(own, old);
            kept.push(match forgery {
                _ if note.starts_with(&text) => note,
                _ if old == own.verifier().name().as_str() => self.signed(&text, own),
                Forgery::NoCatalog | Forgery::Kept => note,
                Forgery::Stolen => self.signed(&text, own),
                Forgery::Renamed => self.signed(&text, &other),
                Forgery::Dropped => continue,
            });
        }
        save_notes(&file, &kept);
        Digest::of(&fs::read(&file).unwrap())
    }

    fn signed(&self, text: &str, epoch: &SigningKey) -> String {
        block(text, &[self.keys.log_key(), epoch])
    }

    fn sign_epochs(&self, catalog: &Anew, copy: &Path, forgery: Forgery) {
        let mut all = notes(&copy.join(EPOCHS));
        for note in &mut all {
            let (text, signature) = note.split_once("\n\n").unwrap();
            let size: usize = note_line(note, 3).parse().unwrap();
            let root = BASE64.encode(catalog.roots[size].as_bytes());
            let text = format!("{}\n", text.replace(note_line(note, 4), &root));
            let signer = signature.split(' ').nth(1).unwrap();
            *note = match forgery {
                _ if note.starts_with(&text) => continue,
                Forgery::NoCatalog | Forgery::Kept | Forgery::Dropped => continue,
                Forgery::Stolen => format!("{text}\n{signature}"),
                Forgery::Renamed => block(&text, &[&renamed(self.keys.epoch_key(), signer)]),
            };
        }
        save_notes(&copy.join(EPOCHS), &all);
    }

    fn check(&self, store: &Path) -> Report {
        let options = Options::default().root_key(self.root.clone());
        verify(store, &options).unwrap()
    }
}

/// Signed, as it stands in a file.
fn block(text: &str, keys: &[&SigningKey]) -> String {
    let mut note = Note::unsigned(text).unwrap();
    for key in keys {
        note.sign(*key).unwrap();
    }
    format!("{note}\n")
}

/// The size that a fact states of this stream.
fn size_of(fact: &[u8], id: &str) -> Option<u64> {
    let told = ["seal.head", "segment.sealed"].contains(&event_of(fact));
    let ours = told && between(fact, r#""of":""#, "\"")? == id;
    let size = ours.then(|| between(fact, r#""size":"#, ","))??;
    Some(size.parse().unwrap())
}

/// Changes one digit of when this record was written.
fn change(body: &mut String, seq: u64) {
    if seq_of(body.as_bytes()) != seq {
        return;
    }
    let (before, rest) = body.split_once(r#""timestamp":""#).unwrap();
    let digit = before.len() + r#""timestamp":""#.len() + 25;
    let other = if rest.as_bytes()[25] == b'7' {
        "3"
    } else {
        "7"
    };
    body.replace_range(digit..=digit, other);
}

/// A stream that is written anew: its roots by size, and the hashes of its records.
#[derive(Default)]
struct Anew {
    roots: Vec<TreeHash>,
    hashes: Vec<Digest>,
}

impl Anew {
    /// `edit` may change what is hashed of each record; `ended` is called behind each file, and gives the
    /// digest of the checkpoints that the next header names.
    fn write(
        &mut self,
        folder: &Path,
        mut edit: impl FnMut(&mut String),
        mut ended: impl FnMut(&Self, &Path) -> Option<Digest>,
    ) {
        let mut tree = Frontier::new();
        let mut prev = None;
        let mut checkpoints: Option<String> = None;
        self.roots.push(tree.root());
        for file in files(folder, ".jsonl") {
            let mut all = lines(&file);
            for line in &mut all {
                let body = line[..line.len() - SUFFIX_BYTES].to_vec();
                let mut body = String::from_utf8(body).unwrap();
                if event_of(line) == "segment.header" {
                    let frontier = format!("\"{}\"", tree.to_hex().join("\",\""));
                    replace(&mut body, r#""frontier":["#, "]", &frontier);
                    if let Some(digest) = &checkpoints {
                        replace(&mut body, r#""ckpt_sha256":""#, "\"", digest);
                    }
                }
                edit(&mut body);
                let before = prev.unwrap_or_else(|| prev_of(line));
                let (anew, hash) = link(&before, body.as_bytes());
                *line = anew;
                prev = Some(hash);
                tree.append(TreeHash::leaf(&hash));
                self.roots.push(tree.root());
                self.hashes.push(hash);
            }
            save(&file, &all);
            checkpoints = ended(self, &file).map(|digest| digest.to_string());
        }
    }

    /// What a fact says of this stream at a size.
    fn restate(&self, fact: &mut String, size: u64) {
        let size = usize::try_from(size).unwrap();
        replace(fact, r#""root":""#, "\"", &self.roots[size].to_string());
        if event_of(fact.as_bytes()) == "segment.sealed" {
            replace(
                fact,
                r#""hash":""#,
                "\"",
                &self.hashes[size - 1].to_string(),
            );
        }
    }
}

fn replace(text: &mut String, before: &str, after: &str, with: &str) {
    let from = text.find(before).unwrap() + before.len();
    let to = from + text[from..].find(after).unwrap();
    text.replace_range(from..to, with);
}

/// Whether a finding names the stream and a range with the record in it.
fn names(report: &Report, store: &Path, id: &str, (folder, seq): Target) -> bool {
    let mut findings = report.stores.iter().flat_map(|store| &store.findings);
    findings.any(|finding| {
        finding.stream.as_deref() == Some(id)
            && finding.verdict.exit() == 1
            && finding.seq.is_some_and(|first| first <= seq)
            && (finding.seq == Some(seq)
                || reaches(finding, seq)
                || covers(finding, &store.join(folder), seq))
    })
}

/// Its text says how far it goes: `records 3 to 17`.
fn reaches(finding: &Finding, seq: u64) -> bool {
    let last = finding.detail.split(" to ").nth(1);
    let last = last.and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    last.is_some_and(|last| seq <= last)
}

/// Its bytes have the record in them.
fn covers(finding: &Finding, folder: &Path, seq: u64) -> bool {
    let (Some(file), Some(offset), Some(length)) = (&finding.file, finding.offset, finding.length)
    else {
        return false;
    };
    let named = files(folder, ".jsonl");
    let Some(named) = named.iter().find(|path| file.ends_with(name(path))) else {
        return false;
    };
    let all = lines(named);
    let at = all.iter().position(|line| seq_of(line) == seq);
    at.is_some_and(|at| (offset..offset + length).contains(&(line_start(&all, at) as u64)))
}

/// Records that were sealed before the keys changed last: first and last of each file, the last one that was
/// sealed, and some between.
fn targets(theft: &Theft) -> Vec<Target> {
    let mut targets = Vec::new();
    for folder in [AUDIT, APP, CATALOG] {
        let sealed = theft.sealed(folder);
        for file in files(&theft.store.join(folder), ".jsonl") {
            let seqs: Vec<u64> = lines(&file).iter().map(|line| seq_of(line)).collect();
            let last = seqs.len() - 1;
            let some = seqs.iter().enumerate();
            let some =
                some.filter(|(n, seq)| n % 9 == 0 || *n == 1 || *n == last || **seq + 1 == sealed);
            let before = some.map(|(_, seq)| *seq).filter(|seq| *seq < sealed);
            targets.extend(before.map(|seq| (folder, seq)));
        }
    }
    targets
}

#[test]
fn long_what_was_sealed_before_the_keys_changed_cannot_be_changed_unseen() {
    let theft = Theft::new();
    assert_eq!(theft.check(&theft.store).verdict, Verdict::Ok);
    let targets = targets(&theft);
    for folder in [AUDIT, CATALOG] {
        let files = files(&theft.store.join(folder), ".jsonl");
        assert!(files.len() > 1, "{folder} has several segments");
    }
    let tries = targets
        .iter()
        .flat_map(|target| FORGERIES.map(|forgery| (*target, forgery)));
    let tries: Vec<(Target, Forgery)> = tries.collect();
    println!("{} records, {} forgeries", targets.len(), tries.len());
    let next = Mutex::new(tries.into_iter().enumerate());
    let missed = Mutex::new(Vec::new());
    let work = || {
        while let Some((n, (target, forgery))) = { next.lock().unwrap().next() } {
            let copy = theft.base.path().join(format!("copy-{n}"));
            theft.forge(&copy, target, forgery);
            let report = theft.check(&copy);
            let id = theft.id(target.0);
            if report.exit != 1 || !names(&report, &copy, &id, target) {
                let found = report.stores[0].findings.iter().take(4);
                let found: Vec<String> = found
                    .map(|f| format!("{:?} {:?} {:?} {}", f.verdict, f.stream, f.seq, f.detail))
                    .collect();
                let text = format!("{target:?} {forgery:?}: {:?} {found:#?}", report.verdict);
                missed.lock().unwrap().push(text);
            }
            fs::remove_dir_all(copy).unwrap();
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(
        missed.is_empty(),
        "{} missed: {}",
        missed.len(),
        missed.join("\n")
    );
}

/// The window that is left, and what closes it: the first records behind the change of keys.
#[test]
fn long_what_is_younger_than_the_last_change_of_keys_needs_somebody_outside() {
    let theft = Theft::new();
    for folder in [AUDIT, APP, CATALOG] {
        let target = (folder, theft.sealed(folder));
        let copy = theft.base.path().join("younger");
        theft.forge(&copy, target, Forgery::Kept);
        let unseen = theft.check(&copy);
        assert_eq!(
            unseen.verdict,
            Verdict::Ok,
            "{folder}: {:#?}",
            unseen.stores
        );
        let options = || Options::default().root_key(theft.root.clone());
        let note = theft.trusted.as_bytes();
        let trusted = options().trusted_checkpoint("an auditor's copy", note);
        let anchored = options().anchored_checkpoint("a folder", note);
        for options in [trusted.unwrap(), anchored] {
            assert_eq!(verify(&copy, &options).unwrap().verdict, Verdict::Fork);
            let honest = verify(&theft.store, &options).unwrap();
            assert_eq!(honest.verdict, Verdict::Ok, "{:#?}", honest.stores);
        }
        fs::remove_dir_all(copy).unwrap();
    }
}
