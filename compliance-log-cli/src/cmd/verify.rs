//! `verify`: are stored records the ones that were written?

use std::{
    fmt::Write as _,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use compliance_log::verify::{
    Finding, Island, Options, Report, StoreReport, StreamReport, Verdict, verify,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    cli::VerifyArgs,
    exit::Exit,
    failure::Failure,
    printer::{BAD, BOLD, DIM, GOOD, NOTE, Printer, clean, hint},
};

/// Shorter runs show no progress.
const QUIET: Duration = Duration::from_secs(2);

pub(crate) fn run(args: &VerifyArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let mut options = Options::default().progress(progress(&args.dir, bar.clone()));
    if let Some(threads) = args.threads {
        options = options.threads(threads);
    }
    let report = verify(&args.dir, &options);
    bar.finish_and_clear();
    let report = report?;
    let printed = if args.json {
        json(&report, printer)
    } else {
        text(&report, printer)
    };
    match printed.and_then(|()| printer.flush()) {
        // The verdict stands, whether or not somebody read it to the end.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    let exit = exit(&report);
    if !args.json
        && let Some(next) = what_next(exit)
    {
        hint(next);
        if !args.dir.exists() {
            hint(format!(
                "{} does not exist",
                clean(&args.dir.display().to_string())
            ));
        }
    }
    Ok(exit)
}

/// Of several stores, the gravest code; the report says which.
fn exit(report: &Report) -> Exit {
    match report.exit {
        0 => Exit::Ok,
        2 => Exit::Incomplete,
        3 => Exit::Failed,
        4 => Exit::Torn,
        _ => Exit::Tampered,
    }
}

fn what_next(exit: Exit) -> Option<&'static str> {
    match exit {
        Exit::Ok | Exit::Found | Exit::Failed => None,
        Exit::Tampered => Some(
            "leave the store as it is and copy it (`cp -a`) before anything else; then compare the records named above with a copy that left the machine",
        ),
        Exit::Incomplete => Some(
            "nothing, or not everything, was checked: give the folder that was given to the service as `dir`, or one store in it; a store has at least `streams/audit`",
        ),
        Exit::Torn => Some(
            "this is what a crash leaves, or a record that is being written: if the service runs, verify again; if not, its next start sets these bytes aside and records that it did",
        ),
    }
}

fn json(report: &Report, printer: &mut Printer) -> io::Result<()> {
    printer.stored(&serde_json::to_vec(report)?)
}

fn text(report: &Report, printer: &mut Printer) -> io::Result<()> {
    for store in &report.stores {
        for line in store_lines(store) {
            printer.line(line)?;
        }
    }
    if report.stores.len() != 1 {
        printer.line(summary(report))?;
    }
    Ok(())
}

fn store_lines(store: &StoreReport) -> Vec<String> {
    let mut lines: Vec<String> = store.streams.iter().map(stream_line).collect();
    for finding in &store.findings {
        lines.push(finding_line(finding));
        lines.push(format!("    {}", clean(&finding.detail)));
    }
    for stream in &store.streams {
        lines.extend(stream.islands.iter().map(island_line));
        let omitted = [
            (stream.islands_omitted, "stretches that fit together"),
            (stream.findings_omitted, "findings"),
        ];
        for (count, what) in omitted {
            if count > 0 {
                lines.push(format!(
                    "  and {count} more {what} in {}",
                    clean(&stream.stream)
                ));
            }
        }
    }
    for note in &store.notes {
        lines.push(format!("  {NOTE}note{NOTE:#}: {}", clean(note)));
    }
    let path = store.path.display().to_string();
    lines.push(format!("{}  {}", verdict(store.verdict), clean(&path)));
    lines
}

fn stream_line(stream: &StreamReport) -> String {
    let mut line = format!(
        "{BOLD}{}{BOLD:#}: {} record{}",
        clean(&stream.stream),
        stream.records,
        plural(stream.records)
    );
    if let (Some(first), Some(last)) = (stream.first, stream.last) {
        append(&mut line, format_args!(", seq {first}..{last}"));
    }
    append(
        &mut line,
        format_args!(", {} segment{}", stream.segments, plural(stream.segments)),
    );
    match stream.durable_seq {
        Some(seq) => append(&mut line, format_args!(", synced to {seq}")),
        None => line.push_str(", no head file"),
    }
    line
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn finding_line(finding: &Finding) -> String {
    let style = if finding.verdict == Verdict::Torn {
        NOTE
    } else {
        BAD
    };
    let mut line = format!("  {style}{}{style:#}", finding.verdict);
    if let Some(file) = finding.file.as_ref().or(finding.stream.as_ref()) {
        append(&mut line, format_args!(" {}", clean(file)));
    }
    for (name, number) in [
        ("line", finding.line),
        ("seq", finding.seq),
        ("byte offset", finding.offset),
        ("length", finding.length),
    ] {
        if let Some(number) = number {
            append(&mut line, format_args!(", {name} {number}"));
        }
    }
    line
}

fn island_line(island: &Island) -> String {
    format!(
        "  {DIM}whole{DIM:#} {}, byte offset {}: seq {}..{}, {} records fit together",
        clean(&island.file),
        island.offset,
        island.first,
        island.last,
        island.records
    )
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Ok => format!("{GOOD}OK{GOOD:#} (not sealed)"),
        Verdict::Torn => format!("{NOTE}{verdict}{NOTE:#}"),
        _ => format!("{BAD}{verdict}{BAD:#}"),
    }
}

fn summary(report: &Report) -> String {
    let all = report.stores.len();
    let fine = report
        .stores
        .iter()
        .filter(|store| store.verdict == Verdict::Ok)
        .count();
    format!(
        "{}  {fine} of {all} stores are as they were written",
        verdict(report.verdict)
    )
}

fn append(line: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    line.write_fmt(text).unwrap_or(());
}

/// Shows a bar on a terminal once a run is seen to take a while.
fn progress(dir: &Path, bar: ProgressBar) -> impl Fn(u64) + 'static {
    let started = Instant::now();
    let dir = dir.to_owned();
    move |bytes| {
        if bar.is_hidden() && started.elapsed() > QUIET && bar.length().is_none() {
            bar.set_length(bytes_below(&dir).max(bytes));
            let template = "{bar:32} {bytes} of {total_bytes}, {eta} to go";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(bytes);
    }
}

/// How much there is to check, about.
fn bytes_below(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
