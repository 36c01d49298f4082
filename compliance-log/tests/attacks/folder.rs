//! A folder of stores, and what is expected in it.

use std::{fs, path::PathBuf};

use compliance_log::{
    seal::{
        merkle::TreeHash,
        note::SigningKey,
        statement::{Checkpoint, Role},
    },
    verify::{Authenticity, Options, Report, Verdict, verify},
};

use super::{
    files::{AUDIT, CERT, add, checkpoints, copy_all, note_line, notes},
    keys::key,
    table::expire,
    world::{Extra, SERVICE, With, World},
    writer::{Birth, Clock, Writer, bounds},
};

struct Folder {
    world: World,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let world = World::new();
        let path = world.base.path().join("folder");
        copy_all(&world.store, &path.join("i1-0123456789abcdef"));
        Self { world, path }
    }

    /// A later store, which names one before it.
    fn successor(&self, continues: Option<(&str, u64, TreeHash)>) {
        let birth = Birth {
            service: SERVICE,
            incarnation: "00000000000000bb",
            role: Role::Store,
            root: Some(&self.world.root),
            continues: continues.map(|(origin, size, root)| (origin.parse().unwrap(), size, root)),
        };
        let path = self.path.join("i1-00000000000000bb");
        Writer::create(&path, &self.world.clock, "later", &birth);
    }

    fn options(&self) -> Options {
        self.world.options(With::Trusted, &Extra::default())
    }
}

fn trusted(world: &World) -> Checkpoint {
    let (text, _) = world.trusted.split_once("\n\n").unwrap();
    Checkpoint::from_text(&format!("{text}\n")).unwrap()
}

#[test]
fn an_origin_that_is_known_and_not_here_was_rolled_back() {
    let folder = Folder::new();
    folder.successor(None);
    assert_eq!(
        verify(&folder.path, &folder.options()).unwrap().verdict,
        Verdict::Ok
    );
    fs::remove_dir_all(folder.path.join("i1-0123456789abcdef")).unwrap();
    let report = verify(&folder.path, &folder.options()).unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::Rollback, 1));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.stores[0].verdict, Verdict::Ok);
}

#[test]
fn an_origin_that_a_later_store_continues_may_be_gone() {
    for (more, other, expected) in [
        (5, TreeHash::EMPTY, Verdict::Ok),
        (0, TreeHash::EMPTY, Verdict::Fork),
    ] {
        let folder = Folder::new();
        let known = trusted(&folder.world);
        fs::remove_dir_all(folder.path.join("i1-0123456789abcdef")).unwrap();
        folder.successor(Some((known.origin.as_str(), known.size + more, other)));
        let report = verify(&folder.path, &folder.options()).unwrap();
        assert_eq!(report.verdict, expected, "{:?}", report.findings);
    }
    let folder = Folder::new();
    let known = trusted(&folder.world);
    fs::remove_dir_all(folder.path.join("i1-0123456789abcdef")).unwrap();
    folder.successor(Some((known.origin.as_str(), known.size - 1, known.root)));
    let report = verify(&folder.path, &folder.options()).unwrap();
    assert_eq!(report.verdict, Verdict::Rollback);
}

#[test]
fn a_store_is_expected_to_have_grown_to_a_size() {
    let folder = Folder::new();
    let origin = folder.world.keys.origin.clone();
    let options = || Options::default().root_key(folder.world.root.verifier().clone());
    let report = verify(&folder.path, &options().expect(origin.clone(), 10)).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    let report = verify(&folder.path, &options().expect(origin, 1_000_000)).unwrap();
    assert_eq!(report.verdict, Verdict::Rollback);
}

#[test]
fn a_store_that_nobody_expects_is_noted() {
    let folder = Folder::new();
    folder.successor(None);
    let origin = folder.world.keys.origin.clone();
    let report = verify(&folder.path, &Options::default().expect(origin, 0)).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    let noted = |note: &String| note.contains("was not expected here");
    assert!(report.stores[0].notes.iter().any(noted));
    assert!(!report.stores[1].notes.iter().any(noted));
}

/// A store without a seal, from the chains of a sealed one: its genesis says that it never had one.
fn unsealed(path: &std::path::Path) {
    let id = "svc/i1/00000000000000cc/audit".parse().unwrap();
    let genesis = compliance_log::chain::StreamId::genesis_prev(&id);
    let body = super::line::body(
        &id,
        0,
        "2026-01-01T00:00:00Z",
        "chain.genesis",
        r#"{"format":1}"#,
    );
    let (mut line, _) = super::line::link(&genesis, &body);
    line.push(b'\n');
    add(&path.join(AUDIT).join("00000000000000000000.jsonl"), &line);
}

#[test]
fn a_store_without_a_seal_is_good_unless_a_seal_was_asked_for() {
    let folder = Folder::new();
    let path = folder.path.join("i1-00000000000000cc");
    unsealed(&path);
    let report = verify(&path, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    assert!(!report.stores[0].sealed);
    assert_eq!(report.stores[0].seal, None);

    let root = folder.world.root.verifier().clone();
    let report = verify(&folder.path, &Options::default().root_key(root)).unwrap();
    assert_eq!(report.verdict, Verdict::Unsealed);
    let verdicts: Vec<Verdict> = report.stores.iter().map(|store| store.verdict).collect();
    assert_eq!(verdicts, [Verdict::Unsealed, Verdict::Ok]);
    let origin = folder.world.keys.origin.clone();
    let report = verify(&path, &Options::default().expect(origin, 0)).unwrap();
    assert_eq!(report.verdict, Verdict::Rollback);
    assert_eq!(report.stores[0].verdict, Verdict::Unsealed);
}

/// Two stores under each other's roots.
#[test]
fn two_stores_swapped_under_each_others_roots() {
    let folder = Folder::new();
    let other: SigningKey = key("other.example/root", "other");
    let theirs = Options::default().root_key(other.verifier().clone());
    let report = verify(&folder.path, &theirs).unwrap();
    assert_eq!(report.verdict, Verdict::BadSignature);
    let ours = folder.world.root.verifier().clone();
    let both = Options::default()
        .root_key(other.verifier().clone())
        .root_key(ours);
    assert_eq!(verify(&folder.path, &both).unwrap().verdict, Verdict::Ok);
}

#[test]
fn a_certificate_of_another_store_does_not_fit() {
    let folder = Folder::new();
    folder.successor(None);
    let later = folder.path.join("i1-00000000000000bb");
    let store = folder.path.join("i1-0123456789abcdef");
    fs::copy(later.join(CERT), store.join(CERT)).unwrap();
    let report = verify(&store, &folder.world.options(With::Root, &Extra::default())).unwrap();
    assert_eq!(report.exit, 1);
}

/// An issuer that a root certified for a prefix of origins.
#[test]
fn an_issuer_certifies_stores_with_its_prefix_only() {
    use compliance_log::seal::statement::{
        Certificates, IssuerCertificate, Revocation, Revoked, Signed,
    };

    let clock = Clock::default();
    let base = tempfile::TempDir::new().unwrap();
    let store = base.path().join("store");
    let (root, issuer) = (
        key("acme.example/root", "root"),
        key("acme.example/issuer", "issuer"),
    );
    let birth = Birth {
        service: SERVICE,
        incarnation: "00000000000000dd",
        role: Role::Store,
        root: None,
        continues: None,
    };
    let mut writer = Writer::create(&store, &clock, "pod", &birth);
    let options = || Options::default().root_key(root.verifier().clone());

    let report = verify(&store, &options()).unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::Uncertified, 2));
    let seal = report.stores[0].seal.as_ref().unwrap();
    assert_eq!(seal.authenticity, Authenticity::Uncertified);

    let certificates = writer.certificates(Role::Store, &issuer);
    let signed = |prefix: &str| {
        let certificate =
            IssuerCertificate::new(prefix.parse().unwrap(), issuer.verifier().clone());
        Signed::sign(certificate, &[&root]).unwrap()
    };
    let good = signed("acme.example/booking-api/");
    let both = Certificates::new(certificates.store().clone(), Some(good)).unwrap();
    super::files::put(&store.join(CERT), both.to_file().as_bytes());
    let report = verify(&store, &options()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);

    // Revoked for the prefix, from the beginning on.
    let of = Revoked::Prefix("acme.example/booking-api/".parse().unwrap());
    let revocation = Revocation::new(issuer.verifier().clone(), of, 0, None);
    let stranger = key("acme.example/stranger", "stranger");
    let unsigned = Signed::sign(revocation.clone(), &[&stranger]).unwrap();
    let report = verify(&store, &options().revocation(unsigned)).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    assert_eq!(report.notes.len(), 1);
    let signed_by_root = Signed::sign(revocation, &[&root]).unwrap();
    let report = verify(&store, &options().revocation(signed_by_root)).unwrap();
    assert_eq!(report.verdict, Verdict::BadSignature);

    // Under an issuer of others.
    let wrong = signed("acme.example/payments/").to_block();
    let file = [certificates.store().to_block(), wrong].concat();
    super::files::put(&store.join(CERT), file.as_bytes());
    assert_eq!(
        verify(&store, &options()).unwrap().verdict,
        Verdict::BadSignature
    );
    writer.seal();
}

#[test]
fn a_bad_anchor_is_reported_and_not_used() {
    let world = World::new();
    let options = || Options::default().root_key(world.root.verifier().clone());
    let bad = |options: Options| {
        let report = verify(&world.store, &options).unwrap();
        let findings = report.stores[0].findings.iter().chain(&report.findings);
        let bad = findings.filter(|finding| finding.detail.starts_with("bad anchor"));
        let bad = bad.count();
        // Nothing was compared with it, so that it is never fine.
        let verdict = [Verdict::Ok, Verdict::NothingChecked][bad];
        assert_eq!(report.verdict, verdict, "{report:?}");
        bad
    };
    // Nobody signed it whom the store knows.
    let forged = Checkpoint::new(world.keys.origin.clone(), 1_000_000, TreeHash::EMPTY);
    let thief = key(world.keys.origin.as_str(), "thief");
    let thief_epoch = key(world.keys.origin.epoch_key(0).as_str(), "thief");
    let forged = forged.sign(&thief, &thief_epoch).unwrap().to_string();
    assert_eq!(
        bad(options().anchored_checkpoint("a mount", forged.as_bytes())),
        1
    );
    assert_eq!(bad(options().anchored_checkpoint("a mount", b"no note")), 1);
    // The witness did not sign it.
    let witness = world.witness.witness().clone();
    let unsigned = world.trusted.as_bytes();
    assert_eq!(
        bad(options().witnessed_checkpoint("w1", unsigned, witness.clone())),
        1
    );
    assert_eq!(bad(options().anchored_checkpoint("a mount", unsigned)), 0);
    let cosigned = world.cosigned.as_ref().unwrap().to_string();
    assert_eq!(
        bad(options().witnessed_checkpoint("w1", cosigned.as_bytes(), witness)),
        0
    );
    // One that could not be asked at all.
    let report = verify(
        &world.store,
        &options().unread_anchor("w2", "no route to it"),
    )
    .unwrap();
    assert_eq!((report.verdict, report.exit), (Verdict::NothingChecked, 2));
    assert_eq!(
        report.findings[0].detail,
        "w2 was not asked: no route to it"
    );
    // What a user names is believed as it is, and must be a checkpoint.
    assert!(options().trusted_checkpoint("a file", b"no note").is_err());
    let options = options()
        .trusted_checkpoint("a file", forged.as_bytes())
        .unwrap();
    assert_eq!(
        verify(&world.store, &options).unwrap().verdict,
        Verdict::Rollback
    );
}

/// The beginning of the catalog is gone for a reason, and somebody knows a checkpoint from that time.
#[test]
fn a_trusted_checkpoint_older_than_what_is_here() {
    let mut world = World::new();
    let copy = world.copy();
    let old = notes(&checkpoints(&copy, 0));
    let bounds = bounds(&copy);
    let size = |note: &String| note_line(note, 1).parse::<u64>().unwrap();
    let between = old.iter().find(|note| !bounds.contains(&size(note)));
    let at_epoch = old.iter().find(|note| bounds.contains(&size(note)));
    let extra = expire(&mut world, &copy, "root", true);
    let check = |note: &str| {
        let options = world.options(With::Root, &extra);
        let options = options.trusted_checkpoint("an old copy", note.as_bytes());
        verify(&copy, &options.unwrap()).unwrap()
    };
    // What an epoch note signs is known for ever.
    let report = check(at_epoch.unwrap());
    assert_eq!(report.verdict, Verdict::Expired);
    let not_checked = |report: &Report| {
        let seal = report.stores[0].seal.clone().unwrap();
        let mut notes = seal.not_checked.into_iter();
        notes.any(|note| note.contains("the records below it are not here"))
    };
    assert!(!not_checked(&report));
    let other = Checkpoint::new(
        world.keys.origin.clone(),
        size(at_epoch.unwrap()),
        TreeHash::EMPTY,
    );
    let epoch = world.keys.origin.epoch_key(0);
    let (log, epoch) = (
        key(world.keys.origin.as_str(), "x"),
        key(epoch.as_str(), "x"),
    );
    let other = other.sign(&log, &epoch).unwrap().to_string();
    assert_eq!(check(&other).verdict, Verdict::Fork);
    // Of another one nothing is left to compare it with, and the report says so.
    let report = check(between.unwrap());
    assert_eq!(report.verdict, Verdict::Expired);
    assert!(not_checked(&report));
}
