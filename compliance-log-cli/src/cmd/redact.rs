//! `redact`: the policy as a filter for what others write, and for what was stored before.

use std::io::{self, BufRead as _, BufReader, Read as _};

use compliance_log::{Finding, Policy};

use crate::{
    cli::RedactArgs,
    cmd::show::wanted_streams,
    exit::Exit,
    failure::Failure,
    filter::Filter,
    printer::{Printer, clean, counted, remark},
    redact_line::{Found, json_line, text_line},
    source::{self, Line, StreamLines},
};

/// A longer line is refused: it would be held in memory.
const LINE_BYTES_MAX: u64 = 64 << 20;

pub(crate) fn run(args: RedactArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let policy = super::read_policy(args.policy.as_deref())?;
    match args.find {
        Some(dir) => find(&policy, &dir, printer),
        None => filter(&policy, &args, printer),
    }
}

fn filter(policy: &Policy, args: &RedactArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    let (mut raw, mut number, mut redacted) = (Vec::new(), 0_u64, 0_u64);
    loop {
        raw.clear();
        number += 1;
        let bytes = input
            .by_ref()
            .take(LINE_BYTES_MAX + 1)
            .read_until(b'\n', &mut raw)
            .map_err(|error| {
                Failure::new(format!("cannot read stdin: {error}"), "give it lines")
            })?;
        if bytes == 0 {
            break;
        }
        let ended = raw.pop_if(|byte| *byte == b'\n').is_some();
        if raw.len() as u64 > LINE_BYTES_MAX {
            let text = format!("line {number} is longer than {LINE_BYTES_MAX} bytes");
            return Err(Failure::new(text, "split it; what came before is written"));
        }
        let line = String::from_utf8_lossy(&raw);
        let mut found = Vec::new();
        let clean = if args.text {
            text_line(policy, &line, &mut found)
        } else {
            json_line(policy, &line, &mut found).unwrap_or_else(|| {
                found.clear();
                text_line(policy, &line, &mut found)
            })
        };
        redacted += u64::from(!found.is_empty());
        if args.explain {
            for found in &found {
                explain(format_args!("line {number}"), found);
            }
        }
        if !args.check {
            // What has no secret in it is no text perhaps, and stays what it is.
            let clean = if found.is_empty() {
                raw.as_slice()
            } else {
                clean.as_bytes()
            };
            printer.piped(clean, ended)?;
        }
        // Whoever reads a slow stream wants each line as it comes.
        if input.buffer().is_empty() {
            printer.flush()?;
        }
    }
    Ok(if args.check && redacted > 0 {
        remark(format_args!(
            "{} would be redacted",
            counted(redacted, "line")
        ));
        Exit::Found
    } else {
        Exit::Ok
    })
}

fn explain(place: impl std::fmt::Display, found: &Found) {
    let Finding {
        rule, action, span, ..
    } = &found.finding;
    let field = found.field.as_deref().map(|field| match field {
        "" => "the root, ".to_owned(),
        field => format!("field {}, ", clean(field)),
    });
    let span = match span {
        Some(span) => format!("bytes {}..{}", span.start, span.end),
        None => "inside something else".to_owned(),
    };
    remark(format_args!(
        "{place}: {}{span}: {rule}, {action}",
        field.unwrap_or_default()
    ));
}

/// Stored records that the policy would redact today.
fn find(policy: &Policy, dir: &std::path::Path, printer: &mut Printer) -> Result<Exit, Failure> {
    let (mut records, mut hits, mut unreadable) = (0_u64, 0_u64, 0_u64);
    for stream in wanted_streams(dir, &Filter::new(crate::cli::FilterArgs::default()))? {
        let mut lines = StreamLines::new(source::segments(&stream.path, 0)?);
        while let Some((path, line)) = lines.next()? {
            if line.stored.fields.is_none() {
                unreadable += u64::from(line.ended);
                continue;
            }
            records += 1;
            let found = stored(policy, &line);
            hits += u64::from(!found.is_empty());
            for Found { field, finding } in found {
                printer.line(format_args!(
                    "{} seq {}  {}  {}",
                    path.display(),
                    line.stored.seq().unwrap_or_default(),
                    clean(&field.unwrap_or_default()),
                    finding.rule,
                ))?;
            }
        }
    }
    printer.flush()?;
    if unreadable > 0 {
        remark(format_args!(
            "{} cannot be read as a record",
            counted(unreadable, "line")
        ));
    }
    remark(format_args!(
        "{} of {} would be redacted",
        counted(hits, "record"),
        counted(records, "record")
    ));
    Ok(if hits > 0 {
        Exit::Found
    } else if records == 0 || unreadable > 0 {
        Exit::Incomplete
    } else {
        Exit::Ok
    })
}

fn stored(policy: &Policy, line: &Line) -> Vec<Found> {
    let mut found = Vec::new();
    let text = String::from_utf8_lossy(&line.stored.raw);
    if json_line(policy, &text, &mut found).is_none() {
        found.clear();
        text_line(policy, &text, &mut found);
    }
    found
}
