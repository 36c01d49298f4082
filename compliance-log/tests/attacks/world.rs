//! One honest history, made by the small writer of these tests and by the library's own: several runs, rotations
//! of a stream and of the catalog, a crash with its recovery, seven epochs, a witness, and an auditor's copy of a
//! checkpoint.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use compliance_log::{
    seal::{
        Origin,
        note::{CosigningKey, Note, SigningKey, VerifierKey},
        statement::{Revocation, Role, Signed},
    },
    verify::{Options, Report, verify},
};
use tempfile::TempDir;

use super::{
    files::{AUDIT, add, copy_all, segment},
    keys::{cosigner, key},
    service::{Root, Service},
    writer::{Birth, Clock, Keys, Writer, bounds},
};

pub(crate) const SERVICE: &str = "booking-api";
pub(crate) const INCARNATION: &str = "0123456789abcdef";

/// What the store that is attacked is to be.
pub(crate) fn honest(root: &SigningKey) -> Birth<'_> {
    Birth {
        service: SERVICE,
        incarnation: INCARNATION,
        role: Role::Store,
        root: Some(root),
        continues: None,
    }
}

fn witness() -> CosigningKey {
    CosigningKey::new(cosigner("witness.example/w1")).unwrap()
}

pub(crate) struct World {
    pub(crate) base: TempDir,
    /// The store as its writer left it.
    pub(crate) store: PathBuf,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    pub(crate) root: SigningKey,
    pub(crate) witness: CosigningKey,
    /// The newest checkpoint that the witness signed too.
    pub(crate) cosigned: Option<Note>,
    /// The auditor's.
    pub(crate) trusted: String,
    /// A copy of store and keys from the middle of the history.
    pub(crate) snapshot: PathBuf,
    pub(crate) snapshot_keys: Keys,
    /// The epoch that ended with the first clean stop.
    pub(crate) stopped: usize,
}

/// What a store is checked with, beside the root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum With {
    Root,
    Trusted,
    Witness,
    Live,
}

impl With {
    pub(crate) const ALL: [Self; 4] = [Self::Root, Self::Trusted, Self::Witness, Self::Live];
}

impl World {
    pub(crate) fn new() -> Self {
        let base = TempDir::new().unwrap();
        let store = base.path().join("store");
        let clock = Clock::default();
        let root = key("acme.example/root", "root");
        let birth = honest(&root);
        let mut writer = Writer::create(&store, &clock, "honest", &birth);
        let mut world = Self {
            store: store.clone(),
            keys: writer.keys.clone(),
            snapshot_keys: writer.keys.clone(),
            snapshot: base.path().join("snapshot"),
            witness: witness(),
            cosigned: None,
            trusted: String::new(),
            stopped: 0,
            base,
            root,
            clock,
        };
        world.rounds(&mut writer, 12, Some(6), true);
        let keys = writer.close();
        world.stopped = bounds(&store).len() - 1;
        world.clock.tick(60);
        let mut writer = world.open(&store, keys, "honest");
        world.rounds(&mut writer, 6, Some(3), true);
        writer.rotate_catalog();
        copy_all(&store, &world.snapshot);
        world.snapshot_keys = writer.keys.clone();
        world.rounds(&mut writer, 6, None, true);
        let keys = writer.crash();
        // Torn by the crash; the next start sets it aside.
        add(
            &segment(&store, AUDIT, -1),
            br#"{"v":1,"stream":"booking-api/i1/"#,
        );
        let mut writer = world.open(&store, keys, "honest");
        world.rounds(&mut writer, 4, None, true);
        writer.ratchet("time");
        world.rounds(&mut writer, 4, None, true);
        world.trusted = writer.newest.as_ref().unwrap().to_string();
        world.rounds(&mut writer, 2, None, true);
        writer.seal();
        world.rounds(&mut writer, 3, None, false);
        world.keys = writer.crash();
        world
    }

    /// As [`new`](Self::new), by the library's own writer, with a folder as the anchor from which the auditor has
    /// his checkpoint. A root outside certifies the store: some attacks need its private half.
    pub(crate) fn served() -> Self {
        let base = TempDir::new().unwrap();
        let (store, snapshot) = (base.path().join("store"), base.path().join("snapshot"));
        let (clock, root) = (Clock::default(), key("acme.example/root", "root"));
        let mut service = Service::new(base.path(), Root::Of(&root), &clock);
        service.start(Duration::from_secs(60));
        service.rounds(7);
        service.fill(4_000);
        service.rounds(5);
        service.stop();
        let stopped = bounds(&service.store()).len() - 1;
        service.tick(60);
        service.start(Duration::from_secs(60));
        service.rounds(4);
        service.fill(4_000);
        service.fill_catalog();
        service.rounds(2);
        copy_all(&service.store(), &snapshot);
        let snapshot_keys = service.keys();
        service.rounds(5);
        service.crash();
        // Torn by the crash; the next start sets it aside.
        add(
            &segment(&service.store(), AUDIT, -1),
            br#"{"v":1,"stream":"booking-api/i1/"#,
        );
        // Seals unasked too, and changes its keys when it is time for it.
        service.start(Duration::from_millis(100));
        service.rounds(4);
        service.ratchet();
        service.rounds(4);
        let trusted = service.anchored();
        service.rounds(2);
        let seen = service.anchored();
        service.rounds(4);
        service.crash();
        copy_all(&service.store(), &store);
        let keys = service.keys();
        let mut world = Self {
            snapshot_keys,
            snapshot,
            witness: witness(),
            cosigned: None,
            trusted,
            stopped,
            store,
            keys,
            clock,
            root,
            base,
        };
        world.cosign(&seen);
        world
    }

    /// The same history once more, to be attacked.
    pub(crate) fn again(&self) -> Self {
        let base = TempDir::new().unwrap();
        let (store, snapshot) = (base.path().join("store"), base.path().join("snapshot"));
        copy_all(&self.store, &store);
        copy_all(&self.snapshot, &snapshot);
        Self {
            keys: self.keys.clone(),
            clock: self.clock.again(),
            root: key("acme.example/root", "root"),
            witness: witness(),
            cosigned: self.cosigned.clone(),
            trusted: self.trusted.clone(),
            snapshot_keys: self.snapshot_keys.clone(),
            stopped: self.stopped,
            store,
            snapshot,
            base,
        }
    }

    pub(crate) fn open(&self, store: &Path, keys: Keys, lineage: &str) -> Writer {
        Writer::open(store, &self.clock, lineage, keys)
    }

    /// Records, each sealed; now and then the witness sees the newest checkpoint.
    pub(crate) fn rounds(
        &mut self,
        writer: &mut Writer,
        count: u64,
        rotate_after: Option<u64>,
        anchor: bool,
    ) {
        for n in 0..count {
            // Two lineages never write the same record.
            let salt = format!("{} {}", self.clock.text(), writer.lineage);
            let data = format!(r#"{{"bytes":1,"booking":{n},"salt":"{salt}"}}"#);
            writer.emit("audit", "booking.created", &data);
            let data = format!(r#"{{"bytes":1,"path":"/bookings/{n}"}}"#);
            writer.emit("app", "page.shown", &data);
            self.clock.tick(20);
            writer.seal();
            if rotate_after == Some(n) {
                writer.rotate("audit");
            }
            if anchor && n % 2 == 1 {
                self.anchor(writer);
            }
        }
    }

    /// The witness signs the newest checkpoint and gives a receipt.
    pub(crate) fn anchor(&mut self, writer: &mut Writer) {
        let signed = writer.newest.as_ref().unwrap();
        let size = signed.statement().size;
        self.cosign(&signed.to_string());
        let receipt = format!(r#","anchor":"w1","kind":"witness","size":{size},"receipt":"-""#);
        writer.fact("anchor.receipt", &receipt);
    }

    fn cosign(&mut self, checkpoint: &str) {
        let note = Note::parse(checkpoint.as_bytes()).unwrap();
        let cosignature = self.witness.sign(note.text(), 1_795_000_000).unwrap();
        let note = Note::parse(format!("{note}{cosignature}\n").as_bytes()).unwrap();
        self.cosigned = Some(note);
    }

    /// A second honest store of the same names, certified by this root or another one.
    pub(crate) fn other(&mut self, store: &Path, root: &SigningKey, incarnation: &str) {
        let birth = Birth {
            service: SERVICE,
            incarnation,
            role: Role::Store,
            root: Some(root),
            continues: None,
        };
        let mut writer = Writer::create(store, &self.clock, "other", &birth);
        self.rounds(&mut writer, 12, Some(6), false);
        writer.crash();
    }

    /// The origins that the witness has seen.
    pub(crate) fn expected(&self) -> Origin {
        self.keys.origin.clone()
    }

    pub(crate) fn options(&self, with: With, extra: &Extra) -> Options {
        let mut options = Options::default().root_key(self.root.verifier().clone());
        if let Some(ledger) = &extra.ledger {
            // How long a file is kept is a question of its own.
            options = options.ledger(ledger).retention(Duration::ZERO);
        }
        for revocation in &extra.revocations {
            options = options.revocation(revocation.clone());
        }
        match with {
            With::Root => options,
            With::Trusted => options
                .trusted_checkpoint("the auditor's copy", self.trusted.as_bytes())
                .unwrap(),
            With::Witness => {
                let note = self.cosigned.as_ref().unwrap().to_string();
                let witness = self.witness.witness().clone();
                options
                    .witnessed_checkpoint("witness w1", note.as_bytes(), witness)
                    .expect(self.expected(), 0)
            }
            With::Live => options.live(self.clock.now()),
        }
    }

    pub(crate) fn verify(&self, store: &Path, with: With, extra: &Extra) -> Report {
        verify(store, &self.options(with, extra)).unwrap()
    }

    /// A copy of the store, to be attacked.
    pub(crate) fn copy(&self) -> PathBuf {
        let copy = self.base.path().join("copy");
        if copy.exists() {
            fs::remove_dir_all(&copy).unwrap();
        }
        copy_all(&self.store, &copy);
        copy
    }
}

/// What an attack leaves beside the store.
#[derive(Default)]
pub(crate) struct Extra {
    pub(crate) ledger: Option<PathBuf>,
    pub(crate) revocations: Vec<Signed<Revocation>>,
    /// The file, relative to the store, and the first byte that was changed.
    pub(crate) struck: Option<(String, usize)>,
}

/// A short history with all kinds of files, for what is done to it byte by byte.
pub(crate) struct Small {
    pub(crate) base: TempDir,
    pub(crate) store: PathBuf,
    pub(crate) root: VerifierKey,
}

impl Small {
    pub(crate) fn new() -> Self {
        let base = TempDir::new().unwrap();
        let store = base.path().join("store");
        let root = key("acme.example/root", "root");
        let clock = Clock::default();
        let birth = honest(&root);
        let mut writer = Writer::create(&store, &clock, "honest", &birth);
        writer.emit("audit", "booking.created", r#"{"bytes":1}"#);
        writer.seal();
        writer.rotate("audit");
        writer.rotate_catalog();
        writer.emit("audit", "booking.created", r#"{"bytes":1}"#);
        clock.tick(20);
        writer.seal();
        let root = root.verifier().clone();
        Self { base, store, root }
    }

    /// By the library's own writer, rooted in itself.
    pub(crate) fn served() -> Self {
        Self::of_service(|service| service.rounds(1))
    }

    /// As [`served`](Self::served), with a segment of 64 KiB that is closed.
    pub(crate) fn filled() -> Self {
        Self::of_service(|service| service.fill(0))
    }

    fn of_service(work: impl FnOnce(&mut Service<'_>)) -> Self {
        let base = TempDir::new().unwrap();
        let mut service = Service::new(base.path(), Root::Own, &Clock::default());
        service.start(Duration::from_secs(60));
        work(&mut service);
        service.stop();
        let store = base.path().join("store");
        copy_all(&service.store(), &store);
        let root = service.root_key();
        Self { base, store, root }
    }
}
