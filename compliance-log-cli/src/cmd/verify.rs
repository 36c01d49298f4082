//! `verify`: are stored records the ones that were written?

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use compliance_log::verify::{Report, verify};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    args::VerifyArgs,
    exit::Exit,
    failure::Failure,
    ledger::{Digest, Record, Verified},
    printer::{Printer, clean, hint},
    verification::{Keeper, options, text, what_next},
};

/// Shorter runs show no progress.
const QUIET: Duration = Duration::from_secs(2);

pub(crate) fn run(
    args: &VerifyArgs,
    record: &mut Record,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let keeper = Keeper::new(args)?;
    let options = options(args)?.progress(progress(&args.dir, bar.clone()));
    let report = verify(&args.dir, &options);
    bar.finish_and_clear();
    let report = report?;
    // Before it is printed, since whoever reads that may go away.
    let kept = keeper.map(|keeper| keeper.keep(args, &report)).transpose();
    record.verified(Verified {
        on: args.dir.display().to_string(),
        verdict: report.verdict.as_str(),
        exit: report.exit,
        stores: report.stores.len() as u64,
        evidence_sha256: kept.as_ref().ok().copied().flatten().map(Digest),
    });
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
    kept?;
    if !args.json
        && let Some(next) = what_next(&report)
    {
        hint(next);
        if !args.dir.exists() {
            hint(format!(
                "{} does not exist",
                clean(&args.dir.display().to_string())
            ));
        }
    }
    Ok(exit(&report))
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

fn json(report: &Report, printer: &mut Printer) -> io::Result<()> {
    printer.stored(&serde_json::to_vec(report)?)
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
