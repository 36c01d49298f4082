//! Records whose text was taken out: when the ledger's word for that counts.

use compliance_log::{
    chain::StreamId,
    seal::{
        note::SigningKey,
        statement::{Expunge, OperatorCertificate, Revocation, Role, Signed},
    },
    verify::{Report, Verdict, verify},
};

use super::{
    files::{AUDIT, CATALOG, lines, save, segment},
    keys::{key, renamed},
    ledger::Ledger,
    line::{between, hash_of, relink, seq_of},
};

/// The line of the file from which the text is taken.
const LINE: usize = 4;

/// Takes the text out of a line of the store, as the command does, and gives what two people have to sign.
fn take_out(ledger: &Ledger, folder: &str, n: usize, change: impl Fn(&str) -> String) -> Expunge {
    let file = segment(&ledger.store, folder, 0);
    let mut all = lines(&file);
    let line = all[n].clone();
    let stream: StreamId = between(&line, r#""stream":""#, "\"")
        .unwrap()
        .parse()
        .unwrap();
    let (seq, hash) = (seq_of(&line), hash_of(&line));
    let links = &std::str::from_utf8(&line).unwrap()[line.len() - 154..];
    let text = format!(
        r#"{{"v":1,"stream":"{stream}","seq":{seq},"event":"record.expunged","ref":"compliance-log/i1/fedcba9876543210/audit/3"{links}"#
    );
    all[n] = change(&text).into_bytes();
    save(&file, &all);
    let stream = match folder {
        // No order names a catalog.
        CATALOG => StreamId::new("booking-api", "i1", stream.parts()[2], "audit").unwrap(),
        _ => stream,
    };
    order(ledger, &stream, seq, &hash.to_string())
}

fn order(ledger: &Ledger, stream: &StreamId, seq: u64, hash: &str) -> Expunge {
    let origin = ledger.world.keys.origin.clone();
    Expunge::new(
        origin,
        stream.clone(),
        seq,
        hash.parse().unwrap(),
        "a card number",
    )
    .unwrap()
}

fn root() -> SigningKey {
    key("acme.example/root", "root")
}

fn ann() -> SigningKey {
    key("ann", "people")
}

fn ben() -> SigningKey {
    key("ben", "people")
}

fn certified(person: &SigningKey, prefix: &str, root: &SigningKey) -> String {
    let certificate = OperatorCertificate::new(prefix.parse().unwrap(), person.verifier().clone());
    Signed::sign(certificate, &[root]).unwrap().to_block()
}

/// What stands in the ledger of an order that these people signed, with a certificate for each.
fn entry(order: Expunge, people: &[&SigningKey]) -> String {
    let certificates: String = people
        .iter()
        .map(|person| certified(person, "acme.example/", &root()))
        .collect();
    entry_with(order, people, &certificates)
}

fn entry_with(order: Expunge, people: &[&SigningKey], certificates: &str) -> String {
    let signers: Vec<_> = people.iter().map(|person| *person as _).collect();
    let order = Signed::sign(order, &signers).unwrap().to_string();
    serde_json::json!({ "order": order, "certificates": certificates }).to_string()
}

/// What the store comes to with this entry in the ledger, and why.
fn judged(ledger: &mut Ledger, entry: &str) -> (Report, String) {
    ledger.writer.emit("audit", "expunge.ordered", entry);
    ledger.writer.seal();
    let report = ledger.verify();
    let finding = report.stores[0].findings.first();
    let detail = finding.map_or(String::new(), |finding| finding.detail.clone());
    (report, detail)
}

/// The verdict if a record is taken out and the ledger says of it what `entry` makes of the order.
fn verdict(make: impl Fn(&Ledger, Expunge) -> String, why: &str) -> Verdict {
    let mut ledger = Ledger::new(Role::Ops);
    let order = take_out(&ledger, AUDIT, LINE, str::to_owned);
    let entry = make(&ledger, order);
    let (report, detail) = judged(&mut ledger, &entry);
    assert!(detail.contains(why), "{detail}");
    report.verdict
}

#[test]
fn a_record_that_two_people_had_taken_out_is_expunged() {
    let mut ledger = Ledger::new(Role::Ops);
    let order = take_out(&ledger, AUDIT, LINE, str::to_owned);
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::Edit, "nobody says why");

    let entry = entry(order, &[&ann(), &ben()]);
    let (report, detail) = judged(&mut ledger, &entry);
    assert_eq!(
        (report.verdict, report.exit),
        (Verdict::Expunged, 0),
        "{detail}"
    );
    let finding = &report.stores[0].findings[0];
    assert_eq!((finding.seq, finding.line), (Some(LINE as u64), Some(5)));
    assert!(report.stores[0].streams[1].islands.is_empty());

    // The ledger alone can say so.
    let options =
        compliance_log::verify::Options::default().root_key(ledger.world.root.verifier().clone());
    let report = verify(&ledger.store, &options).unwrap();
    assert_eq!(report.verdict, Verdict::Edit);

    // The rest of the file is compared with the seal all the same.
    let file = segment(&ledger.store, AUDIT, 0);
    let mut all = lines(&file);
    let text = String::from_utf8(all[6].clone()).unwrap();
    all[6] = text
        .replace("booking.created", "booking.deleted")
        .into_bytes();
    relink(&mut all, 6);
    save(&file, &all);
    assert_eq!(ledger.verify().verdict, Verdict::Edit);
}

#[test]
fn a_record_without_its_text_is_that_record_and_says_nothing_else() {
    for (from, to) in [
        (r#""ref":""#, r#""note":"x","ref":""#),
        ("record.expunged", "record.forgotten"),
        ("/3\"", "/\u{e9}\""),
    ] {
        let mut ledger = Ledger::new(Role::Ops);
        let order = take_out(&ledger, AUDIT, LINE, |text| text.replace(from, to));
        let entry = entry(order, &[&ann(), &ben()]);
        assert_eq!(judged(&mut ledger, &entry).0.verdict, Verdict::Edit, "{to}");
    }
}

#[test]
fn one_person_takes_nothing_out() {
    let one = |_: &Ledger, order| entry(order, &[&ann()]);
    assert_eq!(verdict(one, "only ann signed"), Verdict::Edit);

    // One key with two names, and one name with two keys, are one person.
    let secret = |order| entry(order, &[&ann(), &renamed(&ann(), "otto")]);
    let two_names = |_: &Ledger, order| secret(order);
    assert_eq!(verdict(two_names, "otto signed twice"), Verdict::Edit);
    let two_keys = |_: &Ledger, order| entry(order, &[&ann(), &key("Ann", "another phone")]);
    assert_eq!(verdict(two_keys, "Ann signed twice"), Verdict::Edit);
}

/// The same private key under another name.
#[test]
fn a_signature_that_does_not_hold_is_none() {
    let flipped = |_: &Ledger, order| {
        let entry = entry(order, &[&ann(), &ben()]);
        let at = entry.rfind("\u{2014} ben ").unwrap() + "\u{2014} ben ".len() + 20;
        let other = if entry.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        format!("{}{other}{}", &entry[..at], &entry[at + 1..])
    };
    assert_eq!(verdict(flipped, "only ann signed"), Verdict::Edit);
}

/// Both signed, but something else: put under this record's order their signatures do not hold, and as what
/// it is it says nothing of this record.
#[test]
fn a_signature_for_another_record_is_none() {
    let other_hash = |ledger: &Ledger, order: Expunge| {
        let other = self::order(ledger, &order.stream, order.seq, &"0".repeat(64));
        entry(other, &[&ann(), &ben()])
    };
    assert_eq!(verdict(other_hash, "another hash"), Verdict::Edit);
    let other_seq = |ledger: &Ledger, order: Expunge| {
        let other = self::order(
            ledger,
            &order.stream,
            order.seq + 1,
            &order.hash.to_string(),
        );
        entry(other, &[&ann(), &ben()])
    };
    assert_eq!(verdict(other_seq, "no ledger says why"), Verdict::Edit);
    let other_stream = |ledger: &Ledger, order: Expunge| {
        let [service, instance, incarnation, _] = order.stream.parts();
        let stream = StreamId::new(service, instance, incarnation, "app").unwrap();
        let other = self::order(ledger, &stream, order.seq, &order.hash.to_string());
        entry(other, &[&ann(), &ben()])
    };
    assert_eq!(verdict(other_stream, "no ledger says why"), Verdict::Edit);
    let moved = |ledger: &Ledger, order: Expunge| {
        let (seq, hash) = (order.seq, order.hash.to_string());
        let other = self::order(ledger, &order.stream, seq + 1, &hash);
        let signed = entry(other, &[&ann(), &ben()]);
        signed.replace(
            &format!("\\n{}\\n{hash}", seq + 1),
            &format!("\\n{seq}\\n{hash}"),
        )
    };
    assert_eq!(verdict(moved, "nobody signed who may"), Verdict::Edit);
}

#[test]
fn only_people_whom_a_root_certified_for_that_store_count() {
    let none = |_: &Ledger, order| entry_with(order, &[&ann(), &ben()], "");
    assert_eq!(verdict(none, "no certificate"), Verdict::Edit);
    let own_root = |_: &Ledger, order| {
        let thief = key("acme.example/root", "thief");
        let certificates = [
            certified(&ann(), "acme.example/", &root()),
            certified(&ben(), "acme.example/", &thief),
        ];
        entry_with(order, &[&ann(), &ben()], &certificates.concat())
    };
    assert_eq!(verdict(own_root, "no root key signed"), Verdict::Edit);
    let elsewhere = |_: &Ledger, order| {
        let certificates = [
            certified(&ann(), "acme.example/", &root()),
            certified(&ben(), "acme.example/payments/", &root()),
        ];
        entry_with(order, &[&ann(), &ben()], &certificates.concat())
    };
    assert_eq!(
        verdict(elsewhere, "certified for acme.example/payments/"),
        Verdict::Edit
    );
}

#[test]
fn a_key_that_is_revoked_signs_nothing() {
    let mut ledger = Ledger::new(Role::Ops);
    let order = take_out(&ledger, AUDIT, LINE, str::to_owned);
    let entry = entry(order, &[&ann(), &ben()]);
    assert_eq!(judged(&mut ledger, &entry).0.verdict, Verdict::Expunged);
    let revoked = |of: &str| {
        let revocation = Revocation::new(ben().verifier().clone(), of.parse().unwrap(), 0, None);
        let revocation = Signed::sign(revocation, &[&root()]).unwrap();
        let options = ledger.options().revocation(revocation);
        verify(&ledger.store, &options).unwrap().verdict
    };
    assert_eq!(revoked("acme.example/"), Verdict::Edit);
    assert_eq!(revoked("acme.example/payments/"), Verdict::Expunged);
}

/// One that is not what it should be says nothing, and takes nothing from what else the ledger says.
#[test]
fn an_entry_that_is_none_harms_no_other() {
    let mut ledger = Ledger::new(Role::Ops);
    let order = take_out(&ledger, AUDIT, LINE, str::to_owned);
    for broken in [r#"{"order":"","certificates":""}"#, r#"{"order":7}"#] {
        ledger.writer.emit("audit", "expunge.ordered", broken);
    }
    let one = entry(order.clone(), &[&ann()]);
    ledger.writer.emit("audit", "expunge.ordered", &one);
    let two = entry(order, &[&ann(), &ben()]);
    assert_eq!(judged(&mut ledger, &two).0.verdict, Verdict::Expunged);
    ledger.writer.emit("audit", "expunge.ordered", &one);
    ledger.writer.seal();
    assert_eq!(ledger.verify().verdict, Verdict::Expunged);
}

/// What the log says of itself is what everything else is judged by.
#[test]
fn the_log_s_own_words_are_not_taken_out() {
    for folder in [AUDIT, CATALOG] {
        let mut ledger = Ledger::new(Role::Ops);
        let order = take_out(&ledger, folder, 0, str::to_owned);
        let entry = entry(order, &[&ann(), &ben()]);
        let (report, _) = judged(&mut ledger, &entry);
        assert_eq!(report.exit, 1, "{folder}: {}", report.verdict);
    }
}

#[test]
fn a_record_that_was_not_sealed_is_not_taken_out() {
    let mut ledger = Ledger::new(Role::Ops);
    let file = segment(&ledger.store, AUDIT, -1);
    let mut all = lines(&file);
    let last = all.last().unwrap().clone();
    let prev = hash_of(&last);
    let stream: StreamId = between(&last, r#""stream":""#, "\"")
        .unwrap()
        .parse()
        .unwrap();
    let seq = seq_of(&last) + 1;
    let hash = "1".repeat(64);
    all.push(
        format!(
            r#"{{"v":1,"stream":"{stream}","seq":{seq},"event":"record.expunged","ref":"x/1","prev_hash":"{prev}","hash":"{hash}"}}"#
        )
        .into_bytes(),
    );
    save(&file, &all);
    let order = order(&ledger, &stream, seq, &hash);
    let entry = entry(order, &[&ann(), &ben()]);
    let (report, detail) = judged(&mut ledger, &entry);
    assert_eq!(report.verdict, Verdict::Edit);
    assert!(detail.contains("not sealed"), "{detail}");
}
