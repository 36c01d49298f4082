//! The signed report.

use std::path::Path;

use compliance_log::{
    chain::Digest,
    clock::{Clock as _, SystemClock, Timestamp},
    seal::{
        note::{SigningKey, VerifierKey},
        statement::{Evidence, Signed},
    },
    verify::{Adopted, Report, StoreReport},
};
use serde_json::{Map, Value, json};

use crate::{
    args::VerifyArgs,
    durable::{self, Access},
    failure::Failure,
    private_key, vkey,
};

/// A note may have a million bytes.
const OBJECT_BYTES_MAX: usize = 900_000;

/// Keeps what a run finds, signed: a note for each store, or one for a run that found none.
pub(crate) struct Keeper<'a> {
    file: &'a Path,
    key: SigningKey,
    roots: Vec<String>,
    started: Timestamp,
}

impl<'a> Keeper<'a> {
    /// For a run that begins now; `None` if nothing is to be kept.
    ///
    /// # Errors
    ///
    /// A key that cannot be read, or a file that is there already.
    pub(crate) fn new(args: &'a VerifyArgs) -> Result<Option<Self>, Failure> {
        let (Some(file), Some(key)) = (&args.kept.evidence, &args.kept.evidence_key) else {
            return Ok(None);
        };
        if file.exists() {
            return Err(taken(file));
        }
        let mut roots = Vec::new();
        for given in &args.seal.root_key {
            let keys: Vec<VerifierKey> = vkey::read_any(given)?;
            roots.extend(
                keys.iter()
                    .map(|key| format!("{}+{}", key.name(), key.id())),
            );
        }
        Ok(Some(Self {
            file,
            key: private_key::read(key)?,
            roots,
            started: SystemClock::new().now(),
        }))
    }

    /// Writes the file, and tells its SHA-256.
    ///
    /// # Errors
    ///
    /// A file that is there already, or cannot be written.
    pub(crate) fn keep(self, args: &VerifyArgs, report: &Report) -> Result<Digest, Failure> {
        let of_run = self.of_run(args, report);
        let mut objects = Vec::new();
        for store in &report.stores {
            objects.push(of_store(of_run.clone(), store)?);
        }
        if objects.is_empty() {
            let nothing = json!({ "verdict": report.verdict, "exit": report.exit });
            objects.push(merged(of_run, nothing));
        }
        let mut file = String::new();
        for object in objects {
            let unsigned = |error: compliance_log::Error| {
                Failure::new(error.to_string(), "no evidence was written")
            };
            let evidence = Evidence::new(&object_text(object)).map_err(unsigned)?;
            let signed = Signed::sign(evidence, &[&self.key]).map_err(unsigned)?;
            file.push_str(&signed.to_block());
        }
        durable::create(self.file, file.as_bytes(), Access::Everybody).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                return taken(self.file);
            }
            let text = format!("cannot make {}: {error}", self.file.display());
            Failure::new(text, "write access is needed to its folder")
        })?;
        Ok(Digest::of(file.as_bytes()))
    }

    /// What is the same for all stores.
    fn of_run(&self, args: &VerifyArgs, report: &Report) -> Map<String, Value> {
        let seal = &args.seal;
        let run = json!({
            "tool": "compliance-log",
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.started.to_string(),
            "finished": SystemClock::new().now().to_string(),
            "root_key_id": self.roots,
            "inputs": {
                "dir": args.dir,
                "trusted_checkpoints": seal.trusted_checkpoint,
                "anchors": seal.anchor,
                "witness": seal.witness,
                "expect_streams": seal.expect_streams,
                "revocations": seal.revocations,
                "ledger": seal.ledger,
                "retention_days": seal.retention_days,
                "live": seal.live,
                "hot_only": seal.hot_only,
                "all_signatures": seal.all_signatures,
            },
            "run": {
                "verdict": report.verdict,
                "exit": report.exit,
                "stores": report.stores.len(),
                "findings": report.findings,
                "notes": report.notes,
            },
        });
        merged(Map::new(), run)
    }
}

fn of_store(
    of_run: Map<String, Value>,
    store: &StoreReport,
) -> Result<Map<String, Value>, Failure> {
    let found = serde_json::to_value(store)
        .map_err(|error| Failure::new(error.to_string(), "no evidence was written"))?;
    let mut object = merged(of_run, found);
    let unsealed = store.streams.iter().filter_map(|stream| stream.unsealed);
    let seconds = store.streams.iter().filter_map(|stream| stream.unsealed_s);
    let adopted = store.streams.iter().flat_map(|stream| {
        let of = |range: &Adopted| json!({ "stream": stream.stream, "first": range.first, "last": range.last });
        stream.adopted.iter().map(of)
    });
    object.insert("exit".to_owned(), store.exit().into());
    object.insert(
        "unsealed".to_owned(),
        json!({
            "records": unsealed.sum::<u64>(),
            "seconds": seconds.max().unwrap_or(0),
            "adopted": adopted.collect::<Vec<_>>(),
        }),
    );
    Ok(object)
}

fn merged(mut object: Map<String, Value>, more: Value) -> Map<String, Value> {
    if let Value::Object(more) = more {
        object.extend(more);
    }
    object
}

/// The object on one line. Of findings too many for a note, only the first are kept, with the number of the
/// others.
fn object_text(mut object: Map<String, Value>) -> String {
    let mut omitted = 0;
    loop {
        let text = Value::Object(object.clone()).to_string();
        let findings = object.get_mut("findings").and_then(Value::as_array_mut);
        let Some(findings) =
            findings.filter(|all| text.len() > OBJECT_BYTES_MAX && !all.is_empty())
        else {
            return text;
        };
        let kept = findings.len() / 2;
        omitted += findings.len() - kept;
        findings.truncate(kept);
        object.insert("findings_omitted".to_owned(), omitted.into());
    }
}

fn taken(file: &Path) -> Failure {
    Failure::new(
        format!("{} is there already", file.display()),
        "evidence is never overwritten: give another name",
    )
}
