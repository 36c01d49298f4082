use compliance_log::{
    ErrorKind,
    seal::{
        WitnessPolicy,
        note::{Algorithm, CosigningKey, Note, SigningKey, VerifierKey, WitnessKey},
    },
};

use proptest::prelude::*;

use crate::keys::{flips, key};

const TEXT: &str = "log.example/booking/pod-7/0123456789abcdef\n17\nfXgDXt1XJLmVuIMP3pzWQZ5q0xW0DVPMZYyYyk4tDtc=\n";

pub(crate) fn witness(name: &str) -> CosigningKey {
    CosigningKey::new(key(name, Algorithm::Ed25519)).unwrap()
}

/// A checkpoint that the log and some witnesses signed.
fn signed(log: &SigningKey, witnesses: &[&CosigningKey]) -> Note {
    let mut note = Note::unsigned(TEXT).unwrap();
    note.sign(log).unwrap();
    let lines = witnesses.iter().zip(1_790_000_000..).map(|(key, time)| {
        let line = key.sign(TEXT, time).unwrap();
        format!("{line}\n")
    });
    let text = note.to_string() + &lines.collect::<String>();
    Note::parse(text.as_bytes()).unwrap()
}

struct Parties {
    log: SigningKey,
    witnesses: [CosigningKey; 3],
}

impl Parties {
    fn new() -> Self {
        Self {
            log: key(
                "log.example/booking/pod-7/0123456789abcdef",
                Algorithm::Ed25519,
            ),
            witnesses: ["w.example/1", "w.example/2", "w.example/3"].map(witness),
        }
    }

    fn policy(&self, rest: &str) -> Result<WitnessPolicy, compliance_log::Error> {
        let [one, two, three] = self.witnesses.each_ref().map(CosigningKey::witness);
        let log = self.log.verifier();
        format!("# ours\nlog {log} https://log.example\n\nwitness 1 {one}\nwitness\t2  {two} \nwitness 3 {three}\n{rest}")
            .parse()
    }

    /// Who counted, of those that signed; or why it was refused.
    fn check(&self, rest: &str, signers: &[usize]) -> Result<Vec<String>, String> {
        let signers: Vec<_> = signers.iter().map(|at| &self.witnesses[*at]).collect();
        let note = signed(&self.log, &signers);
        let checked = self.policy(rest).unwrap().check(self.log.verifier(), &note);
        checked
            .map(|all| all.iter().map(|one| one.witness.to_string()).collect())
            .map_err(|error| error.to_string())
    }
}

#[test]
fn a_quorum_counts_witnesses_and_groups() {
    let parties = Parties::new();
    let ok = |names: &[&str]| {
        Ok(names
            .iter()
            .map(|name| format!("w.example/{name}"))
            .collect())
    };
    assert_eq!(parties.check("quorum none\n", &[]), ok(&[]));
    assert_eq!(parties.check("quorum none\n", &[2]), ok(&["3"]));
    assert_eq!(parties.check("quorum 2\n", &[1]), ok(&["2"]));
    let two = "group g 2 1 2 3\nquorum g\n";
    assert_eq!(parties.check(two, &[0, 2]), ok(&["1", "3"]));
    let nested = "group any any 1 2\ngroup all all any 3\nquorum all\n";
    assert_eq!(parties.check(nested, &[1, 2]), ok(&["2", "3"]));

    let refused = |rest, signers: &[usize], text: &str| {
        let error = parties.check(rest, signers).unwrap_err();
        assert!(error.contains(text), "{error}");
    };
    refused("quorum 2\n", &[], "the quorum 2, but nobody cosigned");
    refused("quorum 2\n", &[0], "only w.example/1 cosigned");
    refused(two, &[1], "only w.example/2");
    refused(nested, &[0, 1], "the quorum all");
}

#[test]
fn a_log_that_the_policy_does_not_list_is_refused() {
    let parties = Parties::new();
    let other = key("log.example/other", Algorithm::Ed25519);
    let policy = parties.policy("quorum none\n").unwrap();
    let error = policy
        .check(other.verifier(), &signed(&other, &[]))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("does not list the log log.example/other"),
        "{error}"
    );
}

#[test]
fn every_flipped_bit_of_a_cosignature_is_seen() {
    let parties = Parties::new();
    let note = signed(&parties.log, &[&parties.witnesses[0]]).to_string();
    let policy = parties.policy("quorum 1\n").unwrap();
    for (bit, flipped) in flips(note.as_bytes()) {
        let read = Note::parse(&flipped);
        let checked = read.and_then(|note| {
            note.check(parties.log.verifier())?;
            policy.check(parties.log.verifier(), &note)
        });
        assert!(checked.is_err(), "bit {bit}");
    }
}

#[test]
fn what_is_no_policy_is_refused_with_its_line() {
    let parties = Parties::new();
    let vkey = parties.witnesses[0].witness();
    let log = parties.log.verifier();
    for (rest, text) in [
        ("", "which quorum"),
        ("quorum x\n", "line 7: x is not defined"),
        ("quorum 1\nquorum 2\n", "line 8: there is one quorum"),
        ("quorum none\nquorum 2\n", "there is one quorum"),
        ("group g 4 1 2 3\nquorum g\n", "no more than all"),
        ("group g 0 1\nquorum g\n", "one of its members at least"),
        ("group g +1 1\nquorum g\n", "any, all, or a number"),
        ("group g any\nquorum g\n", "no more than all"),
        ("group g any 1 1\nquorum g\n", "1 is counted already"),
        (
            "group g any 1\ngroup h any 1 2\nquorum h\n",
            "1 is counted already",
        ),
        ("group 1 any 2\nquorum 1\n", "1 is defined already"),
        ("group none any 2\nquorum none\n", "none is defined already"),
        (
            "group g any h\ngroup h any 1\nquorum g\n",
            "h is not defined before",
        ),
        (
            &format!("witness 4 {vkey}\nquorum 4\n"),
            "this witness is there twice",
        ),
        (
            &format!("log {log}\nquorum none\n"),
            "this log is there twice",
        ),
        (&format!("witness 4 {log}\nquorum 4\n"), "of algorithm 04"),
        (&format!("log {vkey}\nquorum none\n"), "algorithm 04"),
        ("quorum none\r\n", "control characters"),
        ("anything\n", "log, witness, group and quorum"),
    ] {
        let error = parties.policy(rest).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Seal);
        assert!(error.to_string().contains(text), "{rest}: {error}");
    }
}

proptest! {
    /// Whatever words stand there, reading ends with an answer, and what is read can be asked.
    #[test]
    fn hostile_policies_never_panic(lines in prop::collection::vec(
        prop::sample::select(vec!["witness 1", "group", "quorum", "1", "2", "g", "none", "any", "all", "3", "#", "log", "VKEY", "\n", "\n", "\n"]),
        0..60,
    )) {
        let parties = Parties::new();
        let vkey = parties.witnesses[0].witness().to_string();
        let text = lines.join(" ").replace("VKEY", &vkey);
        if let Ok(policy) = text.parse::<WitnessPolicy>() {
            let note = signed(&parties.log, &[&parties.witnesses[0]]);
            match policy.check(parties.log.verifier(), &note) {
                Ok(cosigned) => prop_assert!(cosigned.len() <= 1, "{cosigned:?}"),
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Seal),
            }
        }
    }
}

/// Written with Python's `cryptography`, with the secret 00 01 02 … 1f.
#[test]
fn a_cosignature_of_others_holds_and_is_the_one_that_we_make() {
    const VKEY: &str =
        "witness.example/golden+bbd1eb64+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    const LINE: &str = "— witness.example/golden u9HrZAAAAABqsTuAJa1wG2Rpyyzf/6NErsE1orbrmpwY5R2GgcqG3QzRKbvGlKVA3pk5PzhOoKM7/KtOWO/ut7eTWnwtzeYWQ42iCA==";
    const SKEY: &str =
        "PRIVATE+KEY+witness.example/golden+6678ad56+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let theirs: WitnessKey = VKEY.parse().unwrap();
    assert_eq!(
        theirs.check(TEXT, &LINE.parse().unwrap()).unwrap(),
        1_790_000_000
    );

    let ours = CosigningKey::new(SigningKey::from_skey(SKEY).unwrap()).unwrap();
    assert_eq!(ours.witness().to_string(), VKEY);
    assert_eq!(ours.sign(TEXT, 1_790_000_000).unwrap().to_string(), LINE);
    assert!(
        VKEY.parse::<VerifierKey>().is_err(),
        "a witness signs no notes"
    );
}
