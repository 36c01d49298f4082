//! `schema diff`: does a change need a higher version?

use std::io;

use compliance_log::schema_lock::{Finding, Impact};
use serde_json::json;

use crate::{
    cli::DiffArgs,
    exit::Exit,
    failure::Failure,
    lock,
    printer::{BAD, GOOD, NOTE, Printer, clean, counted, hint},
};

pub(crate) fn run(args: &DiffArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let findings = lock::read(&args.old)?.compare(&lock::read(&args.new)?);
    let breaking = findings
        .iter()
        .filter(|finding| finding.impact == Impact::Breaking)
        .count();
    let exit = if breaking > 0 { Exit::Found } else { Exit::Ok };
    let printed = if args.json {
        json(&findings, exit, printer)
    } else {
        text(&findings, breaking, printer)
    };
    match printed.and_then(|()| printer.flush()) {
        // What was found stands, whether or not somebody read it to the end.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    if exit == Exit::Found && !args.json {
        hint("raise the `version` of the event, so that readers can tell its records apart");
    }
    Ok(exit)
}

fn json(findings: &[Finding], exit: Exit, printer: &mut Printer) -> io::Result<()> {
    let report = json!({ "exit": exit.code(), "findings": findings });
    printer.stored(report.to_string().as_bytes())
}

fn text(findings: &[Finding], breaking: usize, printer: &mut Printer) -> io::Result<()> {
    for finding in findings {
        let finding_text = finding.to_string();
        let said = clean(&finding_text);
        match finding.impact {
            Impact::Breaking => printer.line(format!("{BAD}breaking{BAD:#}    {said}"))?,
            Impact::Compatible => printer.line(format!("{NOTE}compatible{NOTE:#}  {said}"))?,
        }
    }
    match (findings.len() as u64, breaking) {
        (0, _) => printer.line(format!("{GOOD}the same{GOOD:#}")),
        (all, 0) => printer.line(format!(
            "{GOOD}compatible{GOOD:#}: {}",
            counted(all, "change")
        )),
        (all, some) => printer.line(format!(
            "{BAD}breaking{BAD:#}: {some} of {}",
            counted(all, "change")
        )),
    }
}
