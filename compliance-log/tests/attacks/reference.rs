//! Another implementation of the seal, which is asked about the same stores. `SEALREF` names the folder in which
//! it lies; without it nobody is asked.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

use compliance_log::{seal::statement::Signed, verify::Verdict};
use serde::{Deserialize, Serialize};

use super::{
    files::{copy_all, files},
    world::{Extra, World},
};

/// A store, and what it is to be checked with.
#[derive(Serialize)]
pub(crate) struct Case {
    store: PathBuf,
    origin: String,
    root: String,
    trusted: String,
    cosigned: String,
    witness: String,
    revoked: Vec<(String, u64)>,
    ledger: Option<PathBuf>,
    /// Seconds since 1970.
    now: u64,
}

impl Case {
    /// Copies a store that was attacked, and what the attack left beside it.
    pub(crate) fn keep(to: &Path, world: &World, store: &Path, extra: &Extra) -> Self {
        let kept = |from: &Path, name: &str| {
            let to = to.join(name);
            fs::create_dir_all(&to).unwrap();
            copy_all(from, &to);
            to
        };
        let revocations = extra.revocations.iter().map(Signed::statement);
        let ledger = extra
            .ledger
            .as_ref()
            .map(|folder| files(folder, "").remove(0));
        let now = world.clock.now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            store: kept(store, "store"),
            origin: world.keys.origin.to_string(),
            root: world.root.verifier().to_string(),
            trusted: world.trusted.clone(),
            cosigned: world.cosigned.as_ref().unwrap().to_string(),
            witness: world.witness.witness().to_string(),
            revoked: revocations
                .map(|revocation| (revocation.key.to_string(), revocation.size))
                .collect(),
            ledger: ledger.map(|ledger| kept(&ledger, "ledger")),
            now: now.unwrap().as_secs(),
        }
    }
}

/// What it said, and its first findings.
#[derive(Deserialize)]
pub(crate) struct Said(String, Vec<String>);

/// What the reference says of each case, with the root key, with a trusted checkpoint too, with a witness, and
/// live. One process for all.
pub(crate) fn verdicts(cases: &[&Case]) -> Option<Vec<[Said; 4]>> {
    if cfg!(feature = "fips") {
        println!("the reference implementation knows Ed25519 alone: it is not asked");
        return None;
    }
    let Some(reference) = env::var_os("SEALREF") else {
        println!("SEALREF names no reference implementation: it is not asked");
        return None;
    };
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/sealref.py");
    let mut child = Command::new("python3")
        .arg(adapter)
        .arg(reference)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), cases).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    Some(serde_json::from_slice(&out.stdout).unwrap())
}

/// Where the two do not say the same of an attack: what is said here, what is said there, and why.
const DIFFERENCES: &[(&str, [Verdict; 4], [&str; 4])] = &[
    // The next segment of the catalog is there and its checkpoints are not. There it counts as an end that is
    // not sealed yet; here a segment with a successor's name has to have them.
    (
        "newest file of checkpoints removed",
        [
            Verdict::Truncated,
            Verdict::Rollback,
            Verdict::Rollback,
            Verdict::Truncated,
        ],
        ["OK", "ROLLBACK", "ROLLBACK", "STALE"],
    ),
    // An issuer may certify a store later. Until then its keys are taken from its genesis, so that all else is
    // checked; there nothing is.
    (
        "certificate removed",
        [Verdict::Uncertified; 4],
        ["UNSEALED", "ROLLBACK", "ROLLBACK", "UNSEALED"],
    ),
];

/// Says where the two differ in another way than is known.
pub(crate) fn differs(row: &str, ours: [Verdict; 4], theirs: &[Said; 4]) -> Option<String> {
    let same = ours
        .iter()
        .zip(theirs)
        .all(|(ours, theirs)| ours.as_str() == theirs.0);
    let said = theirs.each_ref().map(|said| &*said.0);
    let known = DIFFERENCES.contains(&(row, ours, said));
    (!same && !known).then(|| {
        let found: Vec<&String> = theirs.iter().flat_map(|said| &said.1).collect();
        format!("{row}: {ours:?} here, {said:?} by the reference, which found {found:#?}\n")
    })
}
