//! `witness submit`: the newest checkpoint of a store, to a witness.

use compliance_log::seal::{
    note::{Signature, WitnessKey},
    statement::{Checkpoint, Signed, Statement as _},
};
use serde_json::json;

use crate::{
    args::WitnessSubmitArgs,
    exit::Exit,
    failure::Failure,
    printer::{Printer, clean, complain, remark},
    sealed::{Receipt, Receipts, SealedStore},
    vkey,
    witness::{Answer, Client},
};

pub(crate) fn run(args: &WitnessSubmitArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let key: Option<WitnessKey> = args.key.as_deref().map(vkey::read_one).transpose()?;
    let client = Client::new(&args.to, args.ca.as_deref())?;
    let store = SealedStore::open(&args.store)?;
    let receipts = Receipts::of(&store);
    let Some(newest) = store.newest()? else {
        remark(format_args!(
            "{} has no checkpoint yet",
            args.store.display()
        ));
        return Ok(Exit::Incomplete);
    };
    let known = receipts.largest(&args.anchor)?;
    let (newest, line) = match submit(&client, &store, newest, known)? {
        Submitted::Cosigned(newest, lines) => (newest, lines),
        Submitted::OtherHistory(newest, theirs) => {
            complain(&other_history(&newest, &theirs, &args.to));
            return Ok(Exit::Found);
        }
    };
    let cosignature = cosignature(&newest, &line, key.as_ref(), &args.to)?;
    let receipt = Receipt {
        anchor: args.anchor.clone(),
        size: newest.statement().size,
        cosignature,
    };
    let path = receipts.leave(&receipt)?;
    let Checkpoint { origin, size, .. } = newest.statement();
    let witness = receipt.cosignature.name().as_str();
    if key.is_none() {
        remark("the cosignature was not checked: give the witness' vkey with --key");
    }
    if args.json {
        let said =
            json!({ "origin": origin.as_str(), "size": size, "witness": witness, "receipt": path });
        printer.stored(said.to_string().as_bytes())?;
    } else {
        let path = path.display().to_string();
        printer.line(format_args!(
            "{origin}  size {size} is cosigned by {}, receipt {}",
            clean(witness),
            clean(&path)
        ))?;
    }
    Ok(Exit::Ok)
}

enum Submitted {
    Cosigned(Signed<Checkpoint>, String),
    OtherHistory(Signed<Checkpoint>, Theirs),
}

/// What the witness has.
enum Theirs {
    /// More records than the store.
    Larger(u64),
    /// Other records.
    Other,
}

/// Submits from what is known, and once more from what the witness says that it has.
fn submit(
    client: &Client,
    store: &SealedStore,
    mut newest: Signed<Checkpoint>,
    known: Option<u64>,
) -> Result<Submitted, Failure> {
    // A receipt for more than there is says nothing that the witness does not say itself.
    let mut old = known
        .filter(|known| *known <= newest.statement().size)
        .unwrap_or(0);
    let (mut told, mut introduced) = (false, false);
    loop {
        if old > newest.statement().size {
            // Somebody else may have submitted what was sealed a moment ago.
            newest = store.newest()?.unwrap_or(newest);
            if old > newest.statement().size {
                return Ok(Submitted::OtherHistory(newest, Theirs::Larger(old)));
            }
        }
        match client.submit(&store.submission(old, &newest)?)? {
            Answer::Cosigned(lines) => return Ok(Submitted::Cosigned(newest, lines)),
            Answer::Inconsistent => return Ok(Submitted::OtherHistory(newest, Theirs::Other)),
            // It has a checkpoint of this size, so it is not that one.
            Answer::Conflict(size) if size == old && size == newest.statement().size => {
                return Ok(Submitted::OtherHistory(newest, Theirs::Other));
            }
            Answer::Conflict(size) if !told => {
                told = true;
                old = size;
            }
            Answer::Conflict(size) => {
                return Err(Failure::new(
                    format!("the witness has size {size} now, and had {old} a moment ago"),
                    "somebody else submits the same store: run it again",
                ));
            }
            Answer::Unknown if !introduced => {
                introduced = true;
                let certificates = store.certificate_file()?.ok_or_else(|| {
                    Failure::new(
                        "the witness does not know the store, which nobody certified yet",
                        "certify it with `compliance-log keys certify`",
                    )
                })?;
                client.add_log(&certificates)?;
            }
            Answer::Unknown => {
                return Err(Failure::new(
                    "the witness took the certificate, and still does not know the store",
                    "what runs the witness says more",
                ));
            }
        }
    }
}

fn other_history(newest: &Signed<Checkpoint>, theirs: &Theirs, url: &str) -> Failure {
    let Checkpoint { origin, size, .. } = newest.statement();
    let what = match theirs {
        Theirs::Larger(larger) => {
            format!("has cosigned {larger} records, more than the {size} here")
        }
        Theirs::Other => format!("has cosigned other records than the {size} here"),
    };
    Failure::new(
        format!("ANOTHER HISTORY of {origin} exists: {url} {what}"),
        "this store was put back to an older state, runs a second time elsewhere, or was changed; leave it as it is, copy it (`cp -a`), and compare it with what the witness has",
    )
}

/// The witness' line for the checkpoint. Those of keys that are not asked for do not count.
fn cosignature(
    newest: &Signed<Checkpoint>,
    lines: &str,
    key: Option<&WitnessKey>,
    url: &str,
) -> Result<Signature, Failure> {
    let refuse = |text: String| {
        Failure::new(
            format!("{url} answered {text}"),
            "what runs the witness says more",
        )
    };
    let read: Result<Vec<Signature>, _> = lines.lines().map(str::parse).collect();
    let read =
        read.map_err(|error| refuse(format!("something else than cosignatures: {error}")))?;
    let Some(key) = key else {
        let [one] = &read[..] else {
            return Err(Failure::new(
                format!("{url} answered {} cosignatures", read.len()),
                "say with --key which one is to be kept",
            ));
        };
        return Ok(one.clone());
    };
    let ours = |line: &&Signature| line.name() == key.name() && line.id() == key.id();
    let line = read.iter().find(ours);
    let line = line.ok_or_else(|| refuse(format!("no cosignature of {}", key.name())))?;
    key.check(&newest.statement().to_text(), line)
        .map_err(|error| refuse(format!("what is none: {error}")))?;
    Ok(line.clone())
}
