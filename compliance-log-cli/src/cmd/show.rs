//! `show`: stored records, oldest first.

use std::path::Path;

use crate::{
    cli::ShowArgs,
    exit::Exit,
    failure::Failure,
    filter::{Filter, Match},
    human,
    merge::Merge,
    printer::{Printer, remark},
    record::Stored,
    source::{self, Segment, Segments, StreamDir, StreamLines},
};

/// So many streams are merged by time; each holds a file open.
const MERGED_MAX: usize = 256;

pub(crate) fn run(args: ShowArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut show = Show {
        filter: Filter::new(args.filter),
        json: args.json,
        unreadable: 0,
    };
    let metadata =
        std::fs::metadata(&args.path).map_err(|error| Failure::io("open", &args.path, error))?;
    if metadata.is_dir() {
        show.dir(&args.path, printer)?;
    } else {
        let whole = Segment {
            path: args.path,
            first_seq: 0,
            end: u64::MAX,
        };
        let only = Segments {
            files: vec![whole],
            unfinished: None,
        };
        show.merged(vec![only], printer)?;
    }
    printer.flush()?;
    if show.unreadable > 0 {
        let lines = match show.unreadable {
            1 => "1 line is no record".to_owned(),
            count => format!("{count} lines are no records"),
        };
        remark(format_args!(
            "{lines}, so that no filter could judge it; `verify` says more"
        ));
    }
    Ok(Exit::Ok)
}

struct Show {
    filter: Filter,
    json: bool,
    unreadable: u64,
}

impl Show {
    fn dir(&mut self, dir: &Path, printer: &mut Printer) -> Result<(), Failure> {
        let streams = wanted_streams(dir, &self.filter)?;
        if streams.len() <= MERGED_MAX {
            let segments: Result<Vec<_>, _> = streams
                .iter()
                .map(|stream| source::segments(&stream.path, 0))
                .collect();
            return self.merged(segments?, printer);
        }
        remark(format_args!(
            "{} streams are too many to merge by time: they follow one after the other",
            streams.len()
        ));
        for stream in streams {
            self.merged(vec![source::segments(&stream.path, 0)?], printer)?;
        }
        Ok(())
    }

    fn merged(&mut self, streams: Vec<Segments>, printer: &mut Printer) -> Result<(), Failure> {
        let mut merge = Merge::default();
        for segments in streams {
            merge.add(StreamLines::new(segments))?;
        }
        while let Some(merged) = merge.next()? {
            match self.filter.matches(&merged.line.stored) {
                Match::Yes if merged.line.stored.fields.is_none() && !self.json => {
                    let (path, offset) = (merged.path.display(), merged.line.offset);
                    let place = format!(" at {path}, byte {offset}");
                    printer.line(human::unreadable(&merged.line.stored.raw, &place))?;
                }
                Match::Yes => print(printer, &merged.line.stored, self.json)?,
                Match::No => {}
                Match::Unreadable => self.unreadable += 1,
            }
        }
        Ok(())
    }
}

/// The streams below `dir` that may hold what is looked for.
pub(super) fn wanted_streams(dir: &Path, filter: &Filter) -> Result<Vec<StreamDir>, Failure> {
    let mut streams = source::streams(dir)?;
    if streams.is_empty() {
        return Err(Failure::new(
            format!("{} holds no store", dir.display()),
            "give the folder that was given to the service as `dir`, or one store in it",
        ));
    }
    streams.retain(|stream| filter.wants_channel(&stream.channel));
    Ok(streams)
}

pub(super) fn print(printer: &mut Printer, stored: &Stored, json: bool) -> Result<(), Failure> {
    if json {
        printer.stored(&stored.raw)?;
    } else {
        printer.line(human::record(stored))?;
    }
    Ok(())
}
