//! `check-proof`: does a proof show what it should?

use compliance_log::seal::{
    WitnessPolicy,
    note::VerifierKey,
    proof::{Proof, Shown},
};
use serde_json::{Value, json};

use crate::{
    args::CheckProofArgs,
    exit::Exit,
    failure::Failure,
    printer::{BAD, GOOD, NOTE, Printer, clean, counted},
    small_file, vkey,
};

/// How far a proof without cosignatures is good.
const LOG_KEY_ONLY: &str = "log key only: as good as that key's secrecy ever since";

pub(crate) fn run(args: &CheckProofArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let log_key: VerifierKey = vkey::read_one(&args.log_key)?;
    let policy = args.policy.as_deref().map(|path| {
        let hint =
            "give a policy as c2sp.org/tlog-policy has it: witness, group and quorum, one a line";
        let text = small_file::text(path, hint)?;
        let policy = text.parse::<WitnessPolicy>();
        policy.map_err(|error| Failure::new(format!("{}: {error}", path.display()), hint))
    });
    let policy = policy.transpose()?;
    let bytes = small_file::read(&args.file, "give a file that `compliance-log prove` made")?;

    let proof = Proof::parse(&bytes);
    let shown = match &proof {
        Ok(proof) => proof.check(&log_key, policy.as_ref()),
        Err(error) => {
            refuse(&error.to_string(), args, printer)?;
            return Ok(Exit::Found);
        }
    };
    let shown = match shown {
        Ok(shown) => shown,
        Err(error) => {
            refuse(&error.to_string(), args, printer)?;
            return Ok(Exit::Found);
        }
    };
    let is_cosigned = !shown.cosigned.is_empty();
    if args.json {
        printer.stored(json(&shown).to_string().as_bytes())?;
        return Ok(Exit::Ok);
    }
    let Shown {
        origin,
        stream,
        seq,
        event,
        ..
    } = &shown;
    printer.line(format_args!(
        "{GOOD}SHOWN{GOOD:#}  {}  seq {seq} of {stream}",
        clean(event)
    ))?;
    printer.line(format_args!("  store     {origin}"))?;
    printer.line(format_args!(
        "  sealed    at {} of the stream, {} of the catalog",
        counted(shown.stream_size, "record"),
        counted(shown.size, "record")
    ))?;
    for one in &shown.cosigned {
        let witness = clean(one.witness.as_str());
        printer.line(format_args!(
            "  cosigned  by {witness} at {}",
            time(one.time)
        ))?;
    }
    if !is_cosigned {
        printer.line(format_args!("  {NOTE}{LOG_KEY_ONLY}{NOTE:#}"))?;
    }
    printer.line(format_args!("  record    {}", clean(shown.record)))?;
    Ok(Exit::Ok)
}

fn refuse(reason: &str, args: &CheckProofArgs, printer: &mut Printer) -> Result<(), Failure> {
    if args.json {
        let said = json!({ "shown": false, "reason": reason });
        printer.stored(said.to_string().as_bytes())?;
    } else {
        printer.line(format_args!("{BAD}NOT SHOWN{BAD:#}  {}", clean(reason)))?;
    }
    Ok(())
}

fn json(shown: &Shown<'_>) -> Value {
    let cosigned = shown
        .cosigned
        .iter()
        .map(|one| json!({ "witness": one.witness.as_str(), "time": time(one.time) }));
    json!({
        "shown": true,
        "origin": shown.origin.as_str(),
        "stream": shown.stream.as_str(),
        "seq": shown.seq,
        "event": shown.event,
        "stream_size": shown.stream_size,
        "size": shown.size,
        "cosigned": cosigned.collect::<Vec<Value>>(),
        "log_key_only": shown.cosigned.is_empty(),
        "record": shown.record,
    })
}

/// RFC 3339; a time that no calendar has is left as a number.
fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .map(jiff::Timestamp::from_second);
    match time {
        Some(Ok(time)) => time.to_string(),
        _ => seconds.to_string(),
    }
}
