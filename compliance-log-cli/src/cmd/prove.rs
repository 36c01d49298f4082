//! `prove`: one record, for somebody who sees nothing else.

use std::io;

use compliance_log::seal::{
    note::{Note, Signature},
    proof::Proof,
    statement::{Checkpoint, Signed},
};
use serde_json::json;

use crate::{
    args::ProveArgs,
    durable::{self, Access},
    exit::Exit,
    failure::Failure,
    printer::{Printer, clean, hint, remark},
    sealed::{Receipts, SealedAt, SealedStore, stream_id},
};

const HINT: &str = "`compliance-log verify` says what is wrong with the store";

pub(crate) fn run(args: &ProveArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let store = SealedStore::open(&args.store)?;
    let log_key = store.log_key()?;
    let stream = stream_id(&args.stream, log_key.name().as_str())?;
    let [.., channel] = stream.parts();
    let Some(newest) = store.newest()? else {
        return Ok(missing(args, "there is no checkpoint yet"));
    };
    let end = newest.statement().size;
    let Some(mut sealed) = SealedAt::find(&store, stream.as_str(), args.seq, end)? else {
        return Ok(missing(args, "it is not there, or not sealed yet"));
    };
    let receipts = match &args.cosignatures {
        Some(folder) => Receipts::in_folder(folder),
        None => Receipts::of(&store),
    };
    for receipt in receipts.all()? {
        sealed.add(receipt.size, receipt.cosignature);
    }
    let (checkpoint, cosignatures) = checkpoint(&store, &sealed, newest)?;

    let failed = |error: compliance_log::Error| Failure::new(error.to_string(), HINT);
    let Checkpoint { size, root, .. } = *checkpoint.statement();
    let record = sealed.record(&store, channel, args.seq)?;
    let head = sealed.head(&store, size, root)?;
    let lines = cosignatures.iter().map(|line| format!("{line}\n"));
    let note = checkpoint.to_string() + &lines.collect::<String>();
    let note = Note::parse(note.as_bytes()).map_err(failed)?;
    let proof = Proof::new(&record.line, &record.proof, &head.line, &head.proof, note);
    let proof = proof.map_err(failed)?;
    // What is given away has been looked at as it will be looked at.
    proof.check(&log_key, None).map_err(failed)?;

    let witnesses: Vec<&str> = cosignatures.iter().map(|one| one.name().as_str()).collect();
    if witnesses.is_empty() {
        remark("no witness cosigned it: the proof is as good as the secrecy of the log key");
    }
    let Some(out) = &args.out else {
        printer.piped(proof.to_string().as_bytes(), false)?;
        return Ok(Exit::Ok);
    };
    durable::create(out, proof.to_string().as_bytes(), Access::Owner).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AlreadyExists => "nothing is overwritten: give another name",
            _ => "write access is needed to the folder",
        };
        Failure::new(format!("cannot make {}: {error}", out.display()), hint)
    })?;
    if args.json {
        let said = json!({ "file": out, "stream": stream.as_str(), "seq": args.seq, "size": size, "witnesses": witnesses });
        printer.stored(said.to_string().as_bytes())?;
    } else {
        let out = out.display().to_string();
        let line = format!(
            "{}  seq {} of {} at size {size}",
            clean(&out),
            args.seq,
            clean(stream.as_str())
        );
        printer.line(line)?;
    }
    Ok(Exit::Ok)
}

/// The checkpoint that most witnesses cosigned, the newest of them; or the newest.
fn checkpoint(
    store: &SealedStore,
    sealed: &SealedAt,
    newest: Signed<Checkpoint>,
) -> Result<(Signed<Checkpoint>, Vec<Signature>), Failure> {
    let most = sealed.cosignatures.values().map(Vec::len).max();
    for count in (1..=most.unwrap_or(0)).rev() {
        let wanted = |size: u64| {
            let lines = sealed.cosignatures.get(&size).map(Vec::len);
            size <= newest.statement().size && lines == Some(count)
        };
        if let Some(found) = store.newest_of(wanted)? {
            let lines = sealed.cosignatures.get(&found.statement().size);
            let lines = lines.cloned().unwrap_or_default();
            return Ok((found, lines));
        }
    }
    Ok((newest, Vec::new()))
}

fn missing(args: &ProveArgs, why: &str) -> Exit {
    remark(format_args!(
        "sequence {} of {} cannot be proved: {why}",
        args.seq,
        clean(&args.stream)
    ));
    hint(
        "what is written is sealed some seconds later; `compliance-log tail` shows the newest sequence",
    );
    Exit::Incomplete
}
