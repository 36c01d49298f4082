use std::{
    env,
    io::Write as _,
    process::{Command, Stdio},
};

use compliance_log::{
    ErrorKind,
    seal::{
        Origin, WitnessPolicy,
        note::{Algorithm, CosigningKey, Note, SigningKey, VerifierKey},
        proof::{BYTES_MAX, Proof},
        statement::Checkpoint,
    },
};
use data_encoding::BASE64;
use proptest::prelude::*;

use crate::{
    keys::{ALGORITHMS, flips, named, origin},
    policy::witness,
    stream::Stream,
};

/// A sealed store in memory, with a proof of record 5.
struct World {
    origin: Origin,
    log: SigningKey,
    witness: CosigningKey,
    audit: Stream,
    catalog: Stream,
    head: u64,
}

impl World {
    fn new() -> Self {
        Self::of(ALGORITHMS[0])
    }

    fn of(algorithm: Algorithm) -> Self {
        let origin = origin();
        let (mut audit, mut catalog) = (
            Stream::new(&origin, "audit"),
            Stream::new(&origin, "catalog"),
        );
        for n in 0..11 {
            audit.add(&format!(
                r#""event":"booking.created","data":{{"passenger":"Zoë \"{n}\""}}"#
            ));
            catalog.add(r#""event":"seal.heartbeat","data":{"up":1}"#);
        }
        let head = catalog.size();
        catalog.add_head(&audit);
        catalog.add(r#""event":"seal.heartbeat","data":{"up":9}"#);
        Self {
            log: named(origin.log_key(), algorithm),
            witness: witness("witness.example/w1"),
            origin,
            audit,
            catalog,
            head,
        }
    }

    fn checkpoint(&self) -> Note {
        let (origin, algorithm) = (self.origin.clone(), self.log.verifier().algorithm());
        let epoch = named(origin.epoch_key(3), algorithm);
        let stated = Checkpoint::new(origin, self.catalog.size(), self.catalog.root());
        let signed = stated.sign(&self.log, &epoch).unwrap();
        let text = signed.to_string();
        let (checkpoint, _) = text.split_once("\n\n").unwrap();
        let cosignature = self
            .witness
            .sign(&format!("{checkpoint}\n"), 1_790_000_000)
            .unwrap();
        Note::parse(format!("{signed}{cosignature}\n").as_bytes()).unwrap()
    }

    fn proof(&self, seq: u64) -> Proof {
        let at = |stream: &Stream, seq: u64| stream.lines[usize::try_from(seq).unwrap()].clone();
        Proof::new(
            &at(&self.audit, seq),
            &self.audit.inclusion(seq),
            &at(&self.catalog, self.head),
            &self.catalog.inclusion(self.head),
            self.checkpoint(),
        )
        .unwrap()
    }

    fn policy(&self) -> WitnessPolicy {
        let key = self.witness.witness();
        format!("witness w {key}\nquorum w\n").parse().unwrap()
    }

    /// Why a proof is refused.
    fn refusal(&self, proof: &Proof) -> String {
        let error = proof
            .check(self.log.verifier(), Some(&self.policy()))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Seal);
        error.to_string()
    }
}

/// Changes the JSON of the extra line.
fn with_extra(proof: &str, change: impl FnOnce(String) -> String) -> String {
    let (before, rest) = proof.split_once("extra ").unwrap();
    let (extra, rest) = rest.split_once('\n').unwrap();
    let json = String::from_utf8(BASE64.decode(extra.as_bytes()).unwrap()).unwrap();
    let extra = BASE64.encode(change(json).as_bytes());
    format!("{before}extra {extra}\n{rest}")
}

#[test]
fn a_proof_shows_one_record_and_survives_its_text() {
    for algorithm in ALGORITHMS {
        let world = World::of(*algorithm);
        for seq in 0..world.audit.size() {
            let text = world.proof(seq).to_string();
            let proof = Proof::parse(text.as_bytes()).unwrap();
            assert_eq!(proof.to_string(), text);

            let shown = proof
                .check(world.log.verifier(), Some(&world.policy()))
                .unwrap();
            assert_eq!(shown.origin, world.origin);
            assert_eq!(
                shown.stream.as_str(),
                "booking/pod-7/0123456789abcdef/audit"
            );
            assert_eq!((shown.seq, &*shown.event), (seq, "booking.created"));
            assert!(
                shown.record.contains(&format!(r#"Zoë \"{seq}\""#)),
                "{}",
                shown.record
            );
            assert_eq!((shown.stream_size, shown.size), (11, 13));
            let [cosigned] = &shown.cosigned[..] else {
                panic!("{:?}", shown.cosigned);
            };
            assert_eq!(cosigned.witness.as_str(), "witness.example/w1");
            assert_eq!(cosigned.time, 1_790_000_000);

            let alone = proof.check(world.log.verifier(), None).unwrap();
            assert!(
                alone.cosigned.is_empty(),
                "without a policy no witness is known"
            );
        }
    }
}

#[test]
fn every_flipped_bit_of_a_proof_is_seen() {
    let world = World::new();
    let text = world.proof(5).to_string();
    // The signature of the epoch's key is of no use here, and its key is not known.
    let unknown = text
        .find("— log.example/booking/pod-7/0123456789abcdef/e3")
        .unwrap();
    let after = unknown + text[unknown..].find('\n').unwrap();
    for (bit, flipped) in flips(text.as_bytes()) {
        if (unknown..after).contains(&(bit / 8)) {
            continue;
        }
        let checked = Proof::parse(&flipped).and_then(|proof| {
            proof
                .check(world.log.verifier(), Some(&world.policy()))
                .map(|_| ())
        });
        assert!(checked.is_err(), "bit {bit}");
    }
}

#[test]
fn each_thing_that_a_proof_must_hold_is_named_when_it_does_not() {
    let world = World::new();
    let good = world.proof(5).to_string();
    let refused = |text: &str| world.refusal(&Proof::parse(text.as_bytes()).unwrap());

    let said = refused(&with_extra(&good, |json| {
        json.replacen("passenger", "Passenger", 1)
    }));
    assert!(
        said.contains("line of the record is not whole: Hash"),
        "{said}"
    );
    let said = refused(&with_extra(&good, |json| {
        json.replacen("seal.head", "seal.heap", 1)
    }));
    assert!(
        said.contains("line of the head is not whole: Hash"),
        "{said}"
    );

    let mut other = World::new();
    other.head = 3;
    let said = world.refusal(&other.proof(5));
    assert!(said.contains("the head is"), "{said}");

    // A record of another stream than the head is of.
    let mut app = World::new();
    let mut stream = Stream::new(&app.origin, "app");
    (0..11).for_each(|_| stream.add(r#""event":"app.log""#));
    app.audit = stream;
    let said = app.refusal(&app.proof(5));
    assert!(
        said.contains("/audit, the record of booking/pod-7/0123456789abcdef/app"),
        "{said}"
    );

    // A record of the stream, at another place than its own.
    let theirs = world.audit.inclusion(6);
    let line = &world.audit.lines[5];
    let moved = Proof::new(
        line,
        &theirs,
        &world.catalog.lines[11],
        &world.catalog.inclusion(11),
        world.checkpoint(),
    );
    let said = world.refusal(&moved.unwrap());
    assert!(said.contains("the record in its stream"), "{said}");

    let said = refused(&good.replacen("index 11", "index 10", 1));
    assert!(said.contains("the head in the catalog"), "{said}");

    // The checkpoint of another moment.
    let mut later = World::new();
    later
        .catalog
        .add(r#""event":"seal.heartbeat","data":{"up":10}"#);
    let (front, _) = good.split_once("\n\n").unwrap();
    let later = Note::parse(later.checkpoint().to_string().as_bytes()).unwrap();
    let error = Proof::parse(format!("{front}\n\n{later}").as_bytes())
        .unwrap()
        .check(world.log.verifier(), None)
        .unwrap_err();
    assert!(
        error.to_string().contains("does not hold") || error.to_string().contains("did not sign"),
        "{error}"
    );
}

#[test]
fn keys_of_others_do_not_count() {
    let (world, other) = (World::new(), World::new());
    let proof = world.proof(5);
    let error = proof
        .check(other.log.verifier(), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("did not sign it"), "{error}");
    let error = proof
        .check(world.log.verifier(), Some(&other.policy()))
        .unwrap_err();
    assert!(error.to_string().contains("nobody cosigned"), "{error}");
}

/// Whoever has the log key of one store signs nothing of another.
#[test]
fn a_catalog_speaks_of_its_own_store_only() {
    let mut world = World::new();
    let theirs = Origin::new("log.example", "booking", "pod-8", "0123456789abcdef").unwrap();
    let mut audit = Stream::new(&theirs, "audit");
    (0..11).for_each(|_| audit.add(r#""event":"booking.created""#));
    world.audit = audit;
    world.head = world.catalog.size();
    world.catalog.add_head(&world.audit);
    let said = world.refusal(&world.proof(5));
    assert!(
        said.contains("pod-8/0123456789abcdef/audit is no stream of log.example/booking/pod-7"),
        "{said}"
    );
}

#[test]
fn texts_that_are_no_proof_are_refused() {
    let good = World::new().proof(5).to_string();
    let (front, checkpoint) = good.split_once("\n\n").unwrap();
    let long = format!("{front}{}\n\n{checkpoint}", "\nAAAA".repeat(64));
    for (text, named) in [
        (String::new(), "empty line"),
        (good.replacen("@v1", "@v2", 1), "first line"),
        (good.replacen("extra", "extras", 1), "\"extra \""),
        (good.replacen("index 11", "index 011", 1), "no number"),
        (good.replacen("index 11", "index +11", 1), "no number"),
        (good.replacen("index 11", "11", 1), "\"index \""),
        (format!("{front}\nAAAA\n\n{checkpoint}"), "32 bytes"),
        (long, "32 bytes"),
        (format!("{front}\n\n"), "empty line before its signatures"),
        (
            with_extra(&good, |json| json.replacen('{', r#"{"more":1,"#, 1)),
            "no JSON object",
        ),
        (
            with_extra(&good, |json| json.replacen('{', r#"{"record":"","#, 1)),
            "no JSON object",
        ),
        (with_extra(&good, |_| "[]".to_owned()), "no JSON object"),
        (" ".repeat(BYTES_MAX + 1), "a million bytes"),
    ] {
        let error = Proof::parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(named), "{named}: {error}");
    }
}

proptest! {
    /// Whatever stands there, parsing and checking end with an answer, and what is accepted is the proof.
    #[test]
    fn hostile_bytes_never_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..8)) {
        let world = World::new();
        let good = world.proof(5).to_string();
        let mut bytes = good.clone().into_bytes();
        for (at, byte, how) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at + 1),
            }
        }
        if let Ok(proof) = Proof::parse(&bytes)
            && let Ok(shown) = proof.check(world.log.verifier(), Some(&world.policy()))
        {
            prop_assert_eq!(shown.record.as_bytes(), &world.audit.lines[5][..]);
        }
    }

    #[test]
    fn hostile_numbers_and_paths_never_panic(
        index in any::<u64>(), size in any::<u64>(), seq in any::<u64>(), path in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let mut world = World::new();
        let id = &world.audit.id;
        let fields = format!(r#""event":"seal.head","data":{{"of":"{id}","size":{size},"root":"{}"}}"#, world.audit.root());
        world.head = world.catalog.size();
        world.catalog.add(&fields);
        let text = world.proof(5).to_string().replacen("index 13", &format!("index {index}"), 1);
        let hashes: Vec<String> = path.iter().map(|hash| format!("{:?}", BASE64.encode(hash))).collect();
        let text = with_extra(&text, |json| {
            let (before, rest) = json.split_once(r#""path":["#).unwrap();
            let (_, after) = rest.split_once(']').unwrap();
            let before = before.replacen(r#"\"seq\":5"#, &format!(r#"\"seq\":{seq}"#), 1);
            format!(r#"{before}"path":[{}]{after}"#, hashes.join(","))
        });
        if let Ok(proof) = Proof::parse(text.as_bytes()) {
            prop_assert!(proof.check(world.log.verifier(), None).is_err());
        }
    }
}

/// Where the variable `SEALREF` names the folder of the reference in Python, both read each other's proofs.
#[test]
fn the_reference_and_we_read_the_same_proofs() {
    let Some(folder) = env::var_os("SEALREF") else {
        println!("skipped: SEALREF names no folder of the reference");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal/reference.py");
    let python = || {
        let mut python = Command::new("python3");
        python.arg(script).arg(&folder);
        python
    };

    let built = python()
        .arg("build")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success());
    let built: serde_json::Value = serde_json::from_slice(&built.stdout).unwrap();
    let proof = Proof::parse(built["proof"].as_str().unwrap().as_bytes()).unwrap();
    let log: VerifierKey = built["log"].as_str().unwrap().parse().unwrap();
    let policy = format!(
        "witness w {}\nquorum w\n",
        built["witness"].as_str().unwrap()
    );
    let shown = proof.check(&log, Some(&policy.parse().unwrap())).unwrap();
    assert_eq!((shown.seq, &*shown.event), (7, "booking.created"));
    assert_eq!((shown.stream_size, shown.size), (41, 43));

    let world = World::new();
    let mut check = python()
        .arg("check")
        .args([
            world.log.verifier().to_string(),
            world.witness.witness().to_string(),
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let text = world.proof(5).to_string();
    check
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(check.wait().unwrap().success());
}
