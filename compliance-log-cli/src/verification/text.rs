use std::{fmt::Write as _, io};

use compliance_log::verify::{
    Authenticity, Finding, Island, Report, SealReport, StoreReport, StreamReport, Verdict,
};

use crate::printer::{BAD, BOLD, DIM, GOOD, NOTE, Printer, clean, counted};

/// Every stream, what was found, and for each store its verdict last.
pub(crate) fn text(report: &Report, printer: &mut Printer) -> io::Result<()> {
    for store in &report.stores {
        for line in store_lines(store) {
            printer.line(line)?;
        }
    }
    for finding in &report.findings {
        for line in finding_lines(finding) {
            printer.line(line)?;
        }
    }
    for note in &report.notes {
        printer.line(note_line(note))?;
    }
    if report.stores.len() != 1 || !report.findings.is_empty() {
        printer.line(summary(report))?;
    }
    Ok(())
}

fn store_lines(store: &StoreReport) -> Vec<String> {
    let mut lines: Vec<String> = store.streams.iter().map(stream_line).collect();
    for finding in &store.findings {
        lines.extend(finding_lines(finding));
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
        lines.push(note_line(note));
    }
    if let Some(seal) = &store.seal {
        lines.extend(seal_lines(store, seal));
    }
    let path = store.path.display().to_string();
    lines.push(format!(
        "{}{}  {}",
        verdict(store.verdict),
        of_seal(store),
        clean(&path)
    ));
    lines
}

fn note_line(note: &str) -> String {
    format!("  {NOTE}note{NOTE:#}: {}", clean(note))
}

fn seal_lines(store: &StoreReport, seal: &SealReport) -> Vec<String> {
    let unsealed = store.streams.iter().filter_map(|stream| stream.unsealed);
    let mut line = format!(
        "  {BOLD}{}{BOLD:#}: sealed to size {} in epoch {}, {} unsealed",
        clean(&seal.origin),
        seal.sealed_size,
        seal.epochs,
        counted(unsealed.sum(), "record"),
    );
    match seal.exposure_window_s {
        Some(seconds) => append(&mut line, format_args!(", exposure window {seconds} s")),
        None => line.push_str(", no anchor has it"),
    }
    if seal.archived_not_checked > 0 {
        let archived = counted(seal.archived_not_checked, "segment");
        append(
            &mut line,
            format_args!(", {archived} archived and not checked"),
        );
    }
    let not_checked = seal.not_checked.iter();
    let not_checked = not_checked.map(|what| format!("  {DIM}not checked{DIM:#}: {}", clean(what)));
    std::iter::once(line).chain(not_checked).collect()
}

/// What a verdict is worth.
fn of_seal(store: &StoreReport) -> &'static str {
    let authenticity = store.seal.as_ref().map(|seal| seal.authenticity);
    match (authenticity, store.verdict) {
        (Some(Authenticity::Checked), _) => " (sealed)",
        (Some(Authenticity::NotChecked), _) => " (authenticity NOT checked: no root key)",
        (Some(Authenticity::Uncertified), _) => " (authenticity NOT checked: no certificate)",
        (Some(_), _) => " (not sealed by a root key that was given)",
        (None, Verdict::NothingChecked | Verdict::Unsealed) => "",
        (None, _) if store.sealed => " (its seal could not be used)",
        (None, _) => " (not sealed)",
    }
}

fn stream_line(stream: &StreamReport) -> String {
    let mut line = format!(
        "{BOLD}{}{BOLD:#}: {}",
        clean(&stream.stream),
        counted(stream.records, "record")
    );
    if let (Some(first), Some(last)) = (stream.first, stream.last) {
        append(&mut line, format_args!(", seq {first}..{last}"));
    }
    append(
        &mut line,
        format_args!(", {}", counted(stream.segments, "segment")),
    );
    match stream.durable_seq {
        Some(seq) => append(&mut line, format_args!(", synced to {seq}")),
        // That of a sealed store is where its newest checkpoint says.
        None if stream.stream.ends_with("/catalog") => {}
        None => line.push_str(", no head file"),
    }
    line
}

fn finding_lines(finding: &Finding) -> [String; 2] {
    [
        finding_line(finding),
        format!("    {}", clean(&finding.detail)),
    ]
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
        Verdict::Ok | Verdict::Expired | Verdict::Expunged => format!("{GOOD}{verdict}{GOOD:#}"),
        Verdict::Torn => format!("{NOTE}{verdict}{NOTE:#}"),
        _ => format!("{BAD}{verdict}{BAD:#}"),
    }
}

fn summary(report: &Report) -> String {
    let all = report.stores.len();
    let fine = report
        .stores
        .iter()
        .filter(|store| store.verdict.exit() == 0)
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
