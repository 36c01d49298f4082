//! `policy test`: does a policy find what it should, and what does each rule cost?

use compliance_log::RuleTrial;

use crate::{
    cli::PolicyTestArgs,
    exit::Exit,
    failure::Failure,
    printer::{BAD, BOLD, GOOD, Printer, counted},
};

pub(crate) fn run(args: &PolicyTestArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let policy = super::read_policy(args.file.as_deref())?;
    let wide = policy
        .trial()
        .map(|trial| trial.id.len())
        .max()
        .unwrap_or(0);
    printer.line(format_args!(
        "{BOLD}{:wide$}  {:>9}  {:>9}  {:>10}  {:>8}  {:>6}{BOLD:#}",
        "rule", "found", "left", "ns per KiB", "searched", "alarms"
    ))?;
    let (mut rules, mut failed) = (0, 0);
    for trial in policy.trial() {
        rules += 1;
        failed += u64::from(!trial.holds());
        printer.line(row(&trial, wide))?;
    }
    let style = if failed == 0 { GOOD } else { BAD };
    printer.line(format_args!(
        "{style}{}{style:#}, {failed} of which {} not hold to their examples; policy {}",
        counted(rules, "rule"),
        if failed == 1 { "does" } else { "do" },
        policy.short()
    ))?;
    Ok(if failed == 0 { Exit::Ok } else { Exit::Found })
}

fn row(trial: &RuleTrial<'_>, wide: usize) -> String {
    let of = |part: usize, all: usize| format!("{part} of {all}");
    let examples = format!(
        "{:wide$}  {:>9}  {:>9}",
        trial.id,
        of(trial.found, trial.matches),
        of(trial.left, trial.passes)
    );
    match &trial.cost {
        Some(cost) => format!(
            "{examples}  {:>10.0}  {:>8}  {:>6}",
            cost.ns_per_kib,
            of(cost.entered, cost.values),
            cost.alarms
        ),
        None => examples,
    }
}
