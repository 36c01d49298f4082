use compliance_log::seal::{
    Origin, OriginPrefix,
    merkle::{SIZE_MAX, TreeHash},
    note::{Algorithm, Note, NoteFile, SigningKey, VerifierKey},
    statement::{
        Certificate, Certificates, Checkpoint, EpochNote, Evidence, IssuerCertificate, Revocation,
        Revoked, Role, Signed, Statement,
    },
};
use proptest::prelude::*;

use crate::keys::{ALGORITHMS, flips, key, named, origin};

/// The keys of one store, and one of each note.
struct Store {
    origin: Origin,
    root: SigningKey,
    issuer: SigningKey,
    log: SigningKey,
    epochs: [SigningKey; 2],
}

const ROOT: TreeHash = TreeHash::new([7; 32]);

impl Store {
    fn new(algorithm: Algorithm) -> Self {
        let origin = origin();
        Self {
            root: key("root.example", algorithm),
            issuer: key("issuer.example/prod", algorithm),
            log: named(origin.log_key(), algorithm),
            epochs: [0, 1].map(|epoch| named(origin.epoch_key(epoch), algorithm)),
            origin,
        }
    }

    fn certificate(&self, by: &SigningKey) -> Signed<Certificate> {
        let (log, epoch0) = (self.log.verifier(), self.epochs[0].verifier());
        let origin = self.origin.clone();
        let stated = Certificate::new(Role::Store, origin, log.clone(), epoch0.clone());
        Signed::sign(stated.unwrap(), &[by]).unwrap()
    }

    fn issuer_certificate(&self, prefix: &str) -> Signed<IssuerCertificate> {
        let key = self.issuer.verifier().clone();
        let stated = IssuerCertificate::new(prefix.parse().unwrap(), key);
        Signed::sign(stated, &[&self.root]).unwrap()
    }

    fn checkpoint(&self, epoch: usize) -> Signed<Checkpoint> {
        let stated = Checkpoint::new(self.origin.clone(), 17, ROOT);
        stated.sign(&self.log, &self.epochs[epoch]).unwrap()
    }

    fn epoch_note(&self) -> Signed<EpochNote> {
        let key = self.epochs[1].verifier().clone();
        let stated = EpochNote::new(self.origin.clone(), 17, ROOT, key).unwrap();
        Signed::sign(stated, &[&self.epochs[0]]).unwrap()
    }

    fn revocation(&self) -> Signed<Revocation> {
        let of = Revoked::Origin(self.origin.clone());
        let stated = Revocation::new(self.log.verifier().clone(), of, 17, None);
        Signed::sign(stated, &[&self.root]).unwrap()
    }
}

impl Store {
    fn evidence(&self) -> Signed<Evidence> {
        let newest = serde_json::to_string(&self.checkpoint(0).to_string()).unwrap();
        let object = format!(r#"{{"verdict":"OK","newest_checkpoint":{newest}}}"#);
        Signed::sign(Evidence::new(&object).unwrap(), &[&self.issuer]).unwrap()
    }
}

#[test]
fn evidence_is_an_object_and_may_have_a_checkpoint() {
    let store = Store::new(ALGORITHMS[0]);
    let evidence = store.evidence();
    let newest = evidence.statement().newest_checkpoint().unwrap();
    assert_eq!(newest, store.checkpoint(0).to_string());
    let read = Signed::<Evidence>::parse(evidence.to_string().as_bytes()).unwrap();
    assert_eq!(read, evidence);
    let without = Evidence::new(r#"{"verdict":"EDIT","newest_checkpoint":null}"#).unwrap();
    assert_eq!(without.newest_checkpoint(), None);
    let twice = format!(
        r#"{{"newest_checkpoint":null,{}"#,
        &evidence.statement().object()[1..]
    );
    for wrong in [
        "",
        "{",
        "[]",
        "null",
        "{}\n",
        "{\n}",
        "{} {}",
        r#"{"newest_checkpoint":7}"#,
        r#"{"newest_checkpoint":"x"}"#,
        &twice,
    ] {
        assert!(Evidence::new(wrong).is_err(), "{wrong}");
    }
    // Somebody has to vouch for it.
    assert!(Signed::sign(without, &[]).is_err());
}

/// The only note of a file, if nothing else stands there.
fn only(file: &[u8]) -> Option<&[u8]> {
    let NoteFile { notes, torn, .. } = NoteFile::split(file);
    match notes[..] {
        [(0, note)] if torn.is_none() => Some(note),
        _ => None,
    }
}

fn accepted<T: Statement>(file: &[u8], keys: &[&SigningKey]) -> bool {
    let note = only(file).and_then(|note| Signed::<T>::parse(note).ok());
    note.is_some_and(|note| keys.iter().all(|key| note.check(key.verifier()).is_ok()))
}

#[test]
fn no_bit_of_a_statement_changes_unseen() {
    for &algorithm in ALGORITHMS {
        let store = Store::new(algorithm);
        let keys = [&store.log, &store.epochs[1]];
        unseen(&store.checkpoint(1), &keys);
        unseen(&store.epoch_note(), &[&store.epochs[0]]);
        unseen(&store.certificate(&store.root), &[&store.root]);
        unseen(&store.issuer_certificate("log.example/"), &[&store.root]);
        unseen(&store.revocation(), &[&store.root]);
        unseen(&store.evidence(), &[&store.issuer]);
    }
}

fn unseen<T: Statement>(signed: &Signed<T>, keys: &[&SigningKey]) {
    let file = signed.to_block();
    assert!(accepted::<T>(file.as_bytes(), keys), "{file}");
    for (bit, flipped) in flips(file.as_bytes()) {
        assert!(!accepted::<T>(&flipped, keys), "bit {bit} of\n{file}");
    }
}

#[test]
fn no_bit_of_a_chain_of_certificates_changes_unseen() {
    for &algorithm in ALGORITHMS {
        let store = Store::new(algorithm);
        let issuer = Some(store.issuer_certificate("log.example/booking/"));
        let chain = Certificates::new(store.certificate(&store.issuer), issuer).unwrap();
        let roots = [store.root.verifier().clone()];
        let holds =
            |file: &[u8]| Certificates::parse(file).is_ok_and(|read| read.check(&roots).is_ok());
        let file = chain.to_file();
        assert!(holds(file.as_bytes()));
        for (bit, flipped) in flips(file.as_bytes()) {
            assert!(!holds(&flipped), "bit {bit} of\n{file}");
        }
    }
}

#[test]
fn a_certificate_leads_to_a_root() {
    let store = Store::new(ALGORITHMS[0]);
    let roots = [store.root.verifier().clone()];
    let strangers = [key("root.example", ALGORITHMS[0]).verifier().clone()];
    let check = |certificates: Certificates, roots: &[VerifierKey]| {
        let read = Certificates::parse(certificates.to_file().as_bytes()).unwrap();
        assert_eq!(read, certificates);
        read.check(roots)
            .map(|certificate| certificate.origin.clone())
    };

    let direct = Certificates::new(store.certificate(&store.root), None).unwrap();
    assert_eq!(check(direct.clone(), &roots).unwrap(), store.origin);
    assert!(check(direct.clone(), &strangers).is_err());
    assert!(check(direct.clone(), &[]).is_err());

    // A second root signs, and each verifier may know either.
    let second = key("second.example", ALGORITHMS[0]);
    let mut both = store.certificate(&store.root);
    both.countersign(&second).unwrap();
    let both = Certificates::new(both, None).unwrap();
    assert!(check(both.clone(), &[second.verifier().clone()]).is_ok());
    assert!(check(both, &roots).is_ok());

    let by_issuer = || store.certificate(&store.issuer);
    let issuer = store.issuer_certificate("log.example/booking/");
    let chain = Certificates::new(by_issuer(), Some(issuer.clone())).unwrap();
    assert!(check(chain.clone(), &roots).is_ok());
    assert!(check(chain, &strangers).is_err());
    // The issuer did not sign this one; an issuer alone is no root.
    let unrelated = Certificates::new(store.certificate(&second), Some(issuer)).unwrap();
    assert!(check(unrelated, &roots).is_err());
    let alone = Certificates::new(by_issuer(), None).unwrap();
    assert!(check(alone, &roots).is_err());
}

#[test]
fn an_issuer_certifies_what_its_prefix_covers() {
    let store = Store::new(ALGORITHMS[0]);
    let chain = |prefix: &str| {
        let issuer = store.issuer_certificate(prefix);
        Certificates::new(store.certificate(&store.issuer), Some(issuer))
    };
    for prefix in [
        "log.example/",
        "log.example/booking/",
        "log.example/booking/pod-7/",
    ] {
        chain(prefix).unwrap();
    }
    for prefix in [
        "log.exampl/",
        "example/",
        "log.example/bookin/",
        "log.example/booking/pod-70/",
    ] {
        assert!(chain(prefix).is_err(), "{prefix}");
    }
    for wrong in [
        "",
        "/",
        "log.example",
        "a//",
        "a/b/c/d/",
        "A/",
        "a/b c/",
        "-a/",
        "a../",
    ] {
        assert!(wrong.parse::<OriginPrefix>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_file_of_certificates_has_one_or_two() {
    let store = Store::new(ALGORITHMS[0]);
    let (own, issuer) = (
        store.certificate(&store.issuer).to_block(),
        store.issuer_certificate("log.example/").to_block(),
    );
    assert!(Certificates::parse([&*own, &issuer].concat().as_bytes()).is_ok());
    for wrong in [
        String::new(),
        issuer.clone(),
        [&*issuer, &own].concat(),
        [&*own, &own].concat(),
        [&*own, &issuer, &issuer].concat(),
        own[..own.len() - 1].to_owned(),
        [&own, "x"].concat(),
    ] {
        assert!(Certificates::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_checkpoint_is_signed_by_two_keys_in_order() {
    let store = Store::new(ALGORITHMS[0]);
    assert_eq!(store.checkpoint(1).epoch(), 1);
    let stated = || Checkpoint::new(store.origin.clone(), 17, ROOT);
    let [epoch0, epoch1] = &store.epochs;
    let (log, root) = (&store.log, &store.root);
    assert!(stated().sign(log, epoch0).is_ok());
    assert!(stated().sign(epoch0, log).is_err());
    assert!(stated().sign(log, log).is_err());
    assert!(stated().sign(root, epoch0).is_err());
    assert!(stated().sign(log, root).is_err());
    assert!(Signed::sign(stated(), &[log]).is_err());
    assert!(Signed::sign(stated(), &[]).is_err());
    assert!(Signed::sign(stated(), &[log, epoch0, epoch1]).is_err());
    assert!(store.checkpoint(0).countersign(root).is_err());
    for name in ["e01", "e+1", "e", "e-1", "f0", "e0/e0"] {
        let name = format!("{}/{name}", store.origin);
        if let Ok(name) = name.parse() {
            assert!(stated().sign(log, &named(name, ALGORITHMS[0])).is_err());
        }
    }
}

#[test]
fn a_checkpoint_has_three_lines_of_one_spelling() {
    let good = Checkpoint::new(origin(), 17, ROOT).to_text();
    assert!(Checkpoint::from_text(&good).is_ok());
    let root = good.lines().nth(2).unwrap();
    for wrong in [
        good.replace("17", "017"),
        good.replace("17", "+17"),
        good.replace("17", "-1"),
        good.replace("17", "9223372036854775808"),
        good.replace("17\n", "\n"),
        good.replace("17\n", ""),
        good.replace("17", "17 "),
        good.replace(root, &root[..40]),
        good.replace(root, "-"),
        good.replace('=', ""),
        good.replace("pod-7", "pod 7"),
        good.replace("log.example", "Log.example"),
        good.replace("log.example/", ""),
        format!("{good}extension\n"),
        good.trim_end().to_owned(),
    ] {
        assert!(Checkpoint::from_text(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_epoch_note_is_signed_by_the_epoch_before_and_names_the_next() {
    let store = Store::new(ALGORITHMS[0]);
    let note = store.epoch_note();
    assert_eq!(note.statement().epoch, 1);
    let [epoch0, epoch1] = &store.epochs;
    let stated = || note.statement().clone();
    assert!(Signed::sign(stated(), &[epoch1]).is_err());
    assert!(Signed::sign(stated(), &[&store.log]).is_err());
    assert!(Signed::sign(stated(), &[epoch0, &store.log]).is_err());
    assert!(Signed::sign(stated(), &[]).is_err());
    for of in [epoch0, &store.log] {
        let key = of.verifier().clone();
        assert!(EpochNote::new(store.origin.clone(), 17, ROOT, key).is_err());
    }
    // The number and the key's name say the same.
    let text = note.to_string().replace("\n1\n17\n", "\n2\n17\n");
    assert!(Signed::<EpochNote>::parse(text.as_bytes()).is_err());
}

#[test]
fn a_certificate_binds_keys_of_the_right_names() {
    let store = Store::new(ALGORITHMS[0]);
    let certificate = |log: &SigningKey, epoch0: &SigningKey| {
        let (log, epoch0) = (log.verifier().clone(), epoch0.verifier().clone());
        Certificate::new(Role::Ops, store.origin.clone(), log, epoch0)
    };
    let [epoch0, epoch1] = &store.epochs;
    assert!(certificate(&store.log, epoch0).is_ok());
    assert!(certificate(&store.log, epoch1).is_err());
    assert!(certificate(&store.root, epoch0).is_err());
    assert!(certificate(epoch0, epoch0).is_err());

    let text = store.certificate(&store.root).to_string();
    for wrong in [
        text.replace("\nstore\n", "\nshop\n"),
        text.replace("/v1/", "/v2/"),
    ] {
        assert_ne!(wrong, text);
        assert!(Signed::<Certificate>::parse(wrong.as_bytes()).is_err());
        assert!(Signed::<IssuerCertificate>::parse(wrong.as_bytes()).is_err());
    }
}

#[cfg(feature = "fips")]
#[test]
fn a_store_has_one_algorithm() {
    let (ed, ec) = (
        Store::new(Algorithm::Ed25519),
        Store::new(Algorithm::EcdsaP256),
    );
    let (log, epoch0) = (ed.log.verifier().clone(), ec.epochs[0].verifier().clone());
    assert!(Certificate::new(Role::Store, ed.origin, log, epoch0).is_err());
}

#[test]
fn a_revocation_says_for_whom() {
    let store = Store::new(ALGORITHMS[0]);
    let origin = &store.origin;
    for (of, covers) in [
        (origin.as_str(), true),
        ("log.example/", true),
        ("log.example/booking/pod-8/", false),
        ("log.example/booking/pod-7/0123456789abcdee", false),
    ] {
        let of: Revoked = of.parse().unwrap();
        assert_eq!(of.covers(origin), covers, "{of}");
    }
    assert!("log.example/booking/pod-7".parse::<Revoked>().is_err());
}

fn an_origin() -> impl Strategy<Value = Origin> {
    let name = "[A-Za-z0-9._-]{1,64}";
    let domain = "[a-z0-9]{1,9}([a-z0-9-]{0,9}[a-z0-9])?(\\.[a-z]{1,9}){0,3}";
    (domain, name, name, "[0-9a-f]{16}").prop_map(|(domain, service, instance, incarnation)| {
        Origin::new(&domain, &service, &instance, &incarnation).unwrap()
    })
}

fn a_root() -> impl Strategy<Value = TreeHash> {
    any::<[u8; 32]>().prop_map(TreeHash::new)
}

/// What is signed is read as it was stated, from text that has no second spelling.
fn read_again<T>(statement: &T, signers: &[&SigningKey]) -> Result<(), TestCaseError>
where
    T: Statement + Clone + PartialEq + std::fmt::Debug,
{
    let signers: Vec<_> = signers.iter().map(|key| *key as _).collect();
    let signed = Signed::sign(statement.clone(), &signers).unwrap();
    let read = Signed::<T>::parse(signed.to_string().as_bytes()).unwrap();
    prop_assert_eq!(read.statement(), statement);
    prop_assert_eq!(read.to_string(), signed.to_string());
    let text = Note::parse(signed.to_string().as_bytes()).unwrap();
    prop_assert_eq!(text.text(), statement.to_text());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn statements_are_read_as_they_were_written(
        origin in an_origin(),
        size in 0..=SIZE_MAX,
        root in a_root(),
        epoch in 0..SIZE_MAX,
        names in 1..=3_usize,
    ) {
        let algorithm = ALGORITHMS[0];
        let log = named(origin.log_key(), algorithm);
        let old = named(origin.epoch_key(epoch), algorithm);
        let new = named(origin.epoch_key(epoch + 1), algorithm);
        let first = named(origin.epoch_key(0), algorithm);
        let (log_vkey, new_vkey) = (log.verifier().clone(), new.verifier().clone());
        prop_assert_eq!(&origin.to_string().parse::<Origin>().unwrap(), &origin);

        let checkpoint = Checkpoint::new(origin.clone(), size, root);
        read_again(&checkpoint, &[&log, &old])?;
        let note = EpochNote::new(origin.clone(), size, root, new_vkey).unwrap();
        read_again(&note, &[&old])?;
        let epoch0 = first.verifier().clone();
        let certificate = Certificate::new(Role::Store, origin.clone(), log_vkey.clone(), epoch0);
        read_again(&certificate.unwrap(), &[&log])?;
        let prefix = origin.parts()[..names].join("/") + "/";
        let prefix: OriginPrefix = prefix.parse().unwrap();
        prop_assert!(prefix.covers(&origin));
        read_again(&IssuerCertificate::new(prefix.clone(), log_vkey.clone()), &[&log])?;
        read_again(&Revocation::new(log_vkey.clone(), Revoked::Prefix(prefix), size, None), &[&log])?;
        read_again(&Revocation::new(log_vkey, Revoked::Origin(origin), size, Some(root)), &[&log])?;
    }

    #[test]
    fn an_origin_has_one_spelling(text in "[a-zA-Z0-9./_ -]{0,60}") {
        if let Ok(origin) = text.parse::<Origin>() {
            prop_assert_eq!(origin.as_str(), text);
        }
    }
}
