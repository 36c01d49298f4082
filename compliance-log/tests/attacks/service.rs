//! The library's own writer, under a clock and on a file system that the test holds.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use compliance_log::{
    ComplianceLog, DirAnchor, Seal, audit_event,
    clock::Timestamp,
    seal::{
        note::{SigningKey, VerifierKey},
        statement::{Certificate, Certificates, Role, Signed},
    },
    test_util::{Faults, ManualClock, within_sync},
};

use super::{
    files::{AUDIT, CATALOG, CERT, files, lines, put, segment},
    keys::ALGORITHM,
    line::between,
    world::SERVICE,
    writer::{Clock, FIRST_SECOND, HEARTBEAT_S, Keys},
};

#[audit_event(name = "booking.created", target = "booking/{booking}")]
struct BookingCreated {
    bytes: u64,
    booking: u64,
    #[audit(internal)]
    note: String,
}

#[audit_event(name = "page.shown", category = "app", target = "page/{page}")]
struct PageShown {
    bytes: u64,
    page: u64,
}

/// Who certifies its stores.
#[derive(Clone, Copy)]
pub(crate) enum Root<'r> {
    /// A key of its own, which is erased.
    Own,
    Of(&'r SigningKey),
}

/// A service with a sealed log. Its clock stands still between rounds.
pub(crate) struct Service<'r> {
    base: PathBuf,
    root: Root<'r>,
    time: Arc<ManualClock>,
    clock: Clock,
    faults: Faults,
    log: Option<ComplianceLog>,
    booked: u64,
}

impl<'r> Service<'r> {
    /// It is not started yet. `clock` goes as its own one does.
    pub(crate) fn new(base: &Path, root: Root<'r>, clock: &Clock) -> Self {
        let micros = i64::try_from(FIRST_SECOND * 1_000_000).unwrap();
        Self {
            base: base.join("service"),
            root,
            time: Arc::new(ManualClock::new(Timestamp::from_micros(micros))),
            clock: clock.clone(),
            faults: Faults::new(),
            log: None,
            booked: 0,
        }
    }

    /// Starts it, with a folder as its anchor. `every` is how often it seals unasked, by the time of the
    /// machine that runs the test.
    pub(crate) fn start(&mut self, every: Duration) {
        fs::create_dir_all(self.anchor()).unwrap();
        let second = Duration::from_secs(1);
        let seal = Seal::default()
            .algorithm(ALGORITHM)
            .domain("acme.example")
            .every(every)
            .heartbeat(second * u32::try_from(HEARTBEAT_S).unwrap())
            .epoch(second * 300)
            .anchor(DirAnchor::new(self.anchor()))
            .anchor_every(second / 10);
        let seal = match self.root {
            Root::Own => seal,
            Root::Of(_) => seal.certified_outside(),
        };
        self.faults = Faults::new();
        let builder = ComplianceLog::builder(SERVICE)
            .env("test")
            .instance("i1")
            .dir(self.dir())
            .clock(Arc::<ManualClock>::clone(&self.time))
            .segment_bytes_max(64 * 1024)
            .sync_after(Duration::from_secs(3_600))
            .seal(seal);
        self.log = Some(self.faults.under(builder).open().unwrap());
        if let Root::Of(root) = self.root
            && !self.store().join(CERT).exists()
        {
            self.certify(root);
        }
    }

    fn dir(&self) -> PathBuf {
        self.base.join("audit")
    }

    fn anchor(&self) -> PathBuf {
        self.base.join("anchor")
    }

    fn log(&self) -> &ComplianceLog {
        self.log.as_ref().unwrap()
    }

    /// Its one store.
    pub(crate) fn store(&self) -> PathBuf {
        let mut stores = files(&self.dir(), "");
        stores.retain(|path| path.join("streams").is_dir());
        assert_eq!(stores.len(), 1, "{stores:?}");
        stores.remove(0)
    }

    /// What signs for it now: what a thief finds.
    pub(crate) fn keys(&self) -> Keys {
        Keys::load(&self.keys_folder())
    }

    pub(crate) fn keys_folder(&self) -> PathBuf {
        PathBuf::from(format!("{}.keys", self.store().display()))
    }

    /// The public half of its own root.
    pub(crate) fn root_key(&self) -> VerifierKey {
        let text = fs::read_to_string(format!("{}.root.vkey", self.dir().display()));
        text.unwrap().trim_end().parse().unwrap()
    }

    fn certify(&self, root: &SigningKey) {
        let genesis = lines(&segment(&self.store(), CATALOG, 0)).remove(0);
        let text = |key: &str| {
            let text = between(&genesis, &format!(r#""{key}":""#), "\"");
            text.unwrap().to_owned()
        };
        let certificate = Certificate::new(
            Role::Store,
            text("origin").parse().unwrap(),
            text("log").parse().unwrap(),
            text("epoch0").parse().unwrap(),
        );
        let signed = Signed::sign(certificate.unwrap(), &[root]).unwrap();
        let certificates = Certificates::new(signed, None).unwrap();
        put(&self.store().join(CERT), certificates.to_file().as_bytes());
    }

    pub(crate) fn tick(&self, seconds: u64) {
        self.time.advance(Duration::from_secs(seconds));
        self.clock.tick(seconds);
    }

    fn book(&mut self, note: String) {
        self.booked += 1;
        let booking = self.booked;
        let event = BookingCreated {
            bytes: 1,
            booking,
            note,
        };
        within_sync(self.log(), || event.commit().wait()).unwrap();
    }

    /// Records, each sealed.
    pub(crate) fn rounds(&mut self, count: u64) {
        for _ in 0..count {
            self.book(String::new());
            let page = PageShown {
                bytes: 1,
                page: self.booked,
            };
            within_sync(self.log(), || page.emit()).unwrap();
            self.log().flush().unwrap();
            self.tick(20);
            self.log().checkpoint().unwrap();
        }
    }

    /// Records with so much text, until the stream's segment ends.
    pub(crate) fn fill(&mut self, bytes: usize) {
        let folder = self.store().join(AUDIT);
        let count = || files(&folder, ".jsonl").len();
        let before = count();
        while count() == before {
            self.book("x".repeat(bytes));
        }
        self.log().checkpoint().unwrap();
    }

    /// Checkpoints, until the catalog's segment ends.
    pub(crate) fn fill_catalog(&mut self) {
        let folder = self.store().join(CATALOG);
        let count = || files(&folder, ".jsonl").len();
        let before = count();
        while count() == before {
            self.book(String::new());
            self.tick(1);
            self.log().checkpoint().unwrap();
        }
    }

    /// What the anchor has, once that covers all records.
    pub(crate) fn anchored(&self) -> String {
        self.tick(1);
        while self.log().handle().vitals().exposure != Some(Duration::ZERO) {
            self.log().checkpoint().unwrap();
            std::thread::yield_now();
        }
        let folder = files(&self.anchor(), "").remove(0);
        fs::read_to_string(files(&folder, ".note").pop().unwrap()).unwrap()
    }

    /// Waits until the keys change because it is time for it.
    pub(crate) fn ratchet(&self) {
        let epoch = self.keys().epoch;
        self.tick(170);
        self.log().checkpoint().unwrap();
        self.tick(170);
        while self.keys().epoch == epoch {
            std::thread::yield_now();
        }
    }

    /// A clean stop.
    pub(crate) fn stop(&mut self) {
        self.log.take().unwrap().shutdown().unwrap();
    }

    /// The power fails; what was written is there.
    pub(crate) fn crash(&mut self) {
        self.faults.power_off(|most| most).unwrap();
        // Its last words find no disk.
        drop(self.log.take().unwrap().shutdown());
    }
}
