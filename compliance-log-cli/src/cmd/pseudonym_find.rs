//! `pseudonym find`: under which names does a value stand in the records?

use std::{
    io::{self, IsTerminal as _, Read as _},
    path::Path,
};

use compliance_log::pseudonym::Pseudonym;
use serde_json::{Value, json};

use crate::{
    cli::PseudonymFindArgs,
    cmd::show::wanted_streams,
    exit::Exit,
    failure::Failure,
    filter::Filter,
    keys,
    printer::{Printer, clean, counted, hint, remark},
    record::Stored,
    source::{self, StreamLines},
};

/// No field of a record holds more.
const VALUE_BYTES_MAX: u64 = 1 << 20;

/// A record in which one of the pseudonyms stands.
struct Place {
    stream: String,
    seq: u64,
    pseudonym: String,
    made_here: bool,
}

pub(crate) fn run(args: &PseudonymFindArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let keys = keys::read(&args.keys.keys)?;
    let value = match &args.value {
        Some(value) => value.clone(),
        None => from_stdin()?,
    };
    let found = keys.pseudonyms(&args.tenant, &args.field, &value);
    let mut unreadable = 0;
    let places = match &args.records {
        Some(dir) => search(dir, &found, &mut unreadable)?,
        None => Vec::new(),
    };
    let exit = if found.is_empty() || unreadable > 0 {
        Exit::Incomplete
    } else {
        Exit::Ok
    };
    if args.json {
        printer.stored(as_json(&found, &places, exit).to_string().as_bytes())?;
    } else {
        text(&found, &places, printer)?;
    }
    printer.flush()?;
    if found.is_empty() {
        hint(
            "no such key: `pseudonym list` names those that are there; --field is as in `redactions`, for example data.passenger",
        );
    }
    if unreadable > 0 {
        remark(format_args!(
            "{} cannot be read as a record; `verify` says more",
            counted(unreadable, "line")
        ));
    }
    Ok(exit)
}

/// The value without the line's end that a shell or a terminal adds.
fn from_stdin() -> Result<String, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        remark("type the value, then Enter and Ctrl-D");
    }
    let mut value = String::new();
    let wrong = |text: String| Failure::new(text, "give the value on stdin, or with --value");
    stdin
        .take(VALUE_BYTES_MAX + 1)
        .read_to_string(&mut value)
        .map_err(|error| wrong(format!("cannot read the value from stdin: {error}")))?;
    if value.len() as u64 > VALUE_BYTES_MAX {
        return Err(wrong(format!(
            "the value is longer than {VALUE_BYTES_MAX} bytes"
        )));
    }
    let line = value.strip_suffix('\n').unwrap_or(&value);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(wrong("there is no value on stdin".to_owned()));
    }
    Ok(line.to_owned())
}

fn search(dir: &Path, wanted: &[Pseudonym], unreadable: &mut u64) -> Result<Vec<Place>, Failure> {
    let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let mut places = Vec::new();
    for stream in wanted_streams(dir, &Filter::new(crate::cli::FilterArgs::default()))? {
        let mut lines = StreamLines::new(source::segments(&stream.path, 0)?);
        while let Some((_, line)) = lines.next()? {
            if line.stored.fields.is_none() {
                // A line without its end is a record that is being written.
                *unreadable += u64::from(line.ended);
                continue;
            }
            let raw = String::from_utf8_lossy(&line.stored.raw);
            let standing = names.iter().filter(|name| raw.contains(name.as_str()));
            places.extend(standing.map(|name| place(&line.stored, name)));
        }
    }
    Ok(places)
}

fn place(stored: &Stored, name: &str) -> Place {
    let actions = stored.at("redactions.action");
    Place {
        stream: stored.text("stream").unwrap_or("-").to_owned(),
        seq: stored.seq().unwrap_or_default(),
        pseudonym: name.to_owned(),
        made_here: actions.into_iter().any(|action| action == "pseudonym"),
    }
}

fn text(found: &[Pseudonym], places: &[Place], printer: &mut Printer) -> io::Result<()> {
    for pseudonym in found {
        printer.line(format_args!("{:<5} {pseudonym}", pseudonym.epoch()))?;
    }
    for place in places {
        let stream = clean(&place.stream);
        let note = if place.made_here {
            ""
        } else {
            "  passed in by the service, not made by its log"
        };
        printer.line(format_args!(
            "{}  {stream}  {}{note}",
            place.pseudonym, place.seq
        ))?;
    }
    Ok(())
}

fn as_json(found: &[Pseudonym], places: &[Place], exit: Exit) -> Value {
    let pseudonyms = found.iter().map(
        |pseudonym| json!({ "epoch": pseudonym.epoch().get(), "pseudonym": pseudonym.to_string() }),
    );
    let records = places.iter().map(|place| {
        json!({
            "stream": place.stream,
            "seq": place.seq,
            "pseudonym": place.pseudonym,
            "made_here": place.made_here,
        })
    });
    json!({
        "exit": exit.code(),
        "pseudonyms": pseudonyms.collect::<Vec<_>>(),
        "records": records.collect::<Vec<_>>(),
    })
}
