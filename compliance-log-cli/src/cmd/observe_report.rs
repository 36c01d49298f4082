//! `observe-report`: what would enforcing have refused?

use std::io;

use crate::{
    cli::ObserveReportArgs,
    cmd::show::wanted_streams,
    exit::Exit,
    failure::Failure,
    filter::{Filter, Match},
    observed::Observed,
    printer::{BOLD, GOOD, NOTE, Printer, clean, counted, hint, remark},
    source::{self, Line, StreamLines},
};

pub(crate) fn run(args: ObserveReportArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let filter = Filter::new(args.filter);
    let mut observed = Observed::default();
    for stream in wanted_streams(&args.dir, &filter)? {
        let mut lines = StreamLines::new(source::segments(&stream.path, 0)?);
        while let Some((_, line)) = lines.next()? {
            add(&mut observed, &filter, &line);
        }
    }
    let exit = exit(&observed);
    let printed = if args.json {
        printer.stored(observed.json(exit.code()).to_string().as_bytes())
    } else {
        text(&observed, printer)
    };
    match printed.and_then(|()| printer.flush()) {
        // What was found stands, whether or not somebody read it to the end.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    if !args.json {
        words(&observed);
    }
    Ok(exit)
}

fn add(observed: &mut Observed, filter: &Filter, line: &Line) {
    if line.stored.fields.is_none() {
        // A line without its end is a record that is being written.
        observed.unreadable += u64::from(line.ended);
    } else if filter.matches(&line.stored) == Match::Yes {
        observed.add(&line.stored);
    }
}

fn exit(observed: &Observed) -> Exit {
    if !observed.findings().is_empty() {
        Exit::Found
    } else if observed.records == 0 || observed.unreadable > 0 {
        Exit::Incomplete
    } else {
        Exit::Ok
    }
}

fn text(observed: &Observed, printer: &mut Printer) -> io::Result<()> {
    let rows: Vec<[String; 4]> = observed
        .findings()
        .into_iter()
        .map(|(found, count)| {
            let [place, what] = found.place().map(|(_, value)| clean(value).into_owned());
            [count.to_string(), found.name().to_owned(), place, what]
        })
        .collect();
    if !rows.is_empty() {
        let header = ["count", "finding", "where", "what"];
        let widths = [0, 1, 2].map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([header[column].len()]).max().unwrap_or(0)
        });
        let line = |[count, finding, place, what]: [&str; 4]| {
            let line = format!(
                "{count:>0$}  {finding:<1$}  {place:<2$}  {what}",
                widths[0], widths[1], widths[2]
            );
            line.trim_end().to_owned()
        };
        printer.line(format!("{BOLD}{}{BOLD:#}", line(header)))?;
        for row in &rows {
            printer.line(line([&row[0], &row[1], &row[2], &row[3]]))?;
        }
    }
    let style = if rows.is_empty() { GOOD } else { NOTE };
    let findings = match rows.len() {
        0 => "nothing was found".to_owned(),
        count => counted(count as u64, "finding"),
    };
    printer.line(format!(
        "{style}{findings}{style:#} in {}, {} of them the end of a request",
        counted(observed.records, "record"),
        observed.requests
    ))
}

fn words(observed: &Observed) {
    if observed.unreadable > 0 {
        remark(format_args!(
            "{} cannot be read as a record, so that nobody knows what is missing; `verify` says more",
            counted(observed.unreadable, "line")
        ));
    }
    if observed.records == 0 {
        hint(
            "no record tells of anything that the service did: give the store of a service that ran in mode `observe`, or fewer filters",
        );
    }
}
