//! Stores and folders of stores: what is checked, and what it comes to.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    error::Error as _,
    fs,
    io::ErrorKind as IoErrorKind,
    path::{Path, PathBuf},
};

use super::{
    options::Options,
    parallel::scan_all,
    plan::{Plan, cannot_read, names},
    report::{Finding, Report, StoreReport, Verdict},
    scan::Scan,
    stitch::{Outcome, Stitch},
    window::Buffer,
};
use crate::{
    error::Error,
    event::Channel,
    layout::{LOCK, POLICIES, STREAMS, UNFINISHED},
};

/// A writer that rotates or recovers while its store is read may move a file away. Looking again
/// then shows the new state; a store that does this without end is not being written, but changed.
const ATTEMPTS: u32 = 3;

/// Checks a store, or every store in a folder, and says what was found.
///
/// `path` is a store if it has a folder `streams`. Files are opened for reading only, also while
/// their writer is at work: each file is judged up to the length it had when it was looked at.
///
/// Memory is bounded whatever the size of the store: a buffer per thread, a note per 8 MiB, and at
/// most 1,000 findings per stream, the rest being counted.
///
/// # Errors
///
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if something of a single store cannot be read; in a folder
/// of stores that is a finding of the one, and the others are checked. A path that does not exist is
/// no error but [`Verdict::NothingChecked`].
pub fn verify(path: &Path, options: &Options) -> Result<Report, Error> {
    let mut checked = 0;
    let mut stores = Vec::new();
    let (found, single) = find_stores(path)?;
    for path in found {
        let failed = |error: Error| error.context(format_args!("cannot verify {}", path.display()));
        match check_store(&path, options, &mut checked) {
            Ok(store) => stores.push(store),
            Err(error) if single => return Err(failed(error)),
            // What cannot be read of one store must not hide what is found in another.
            Err(error) => stores.push(StoreReport::unreadable(path, error.to_string())),
        }
    }
    Ok(Report::new(stores))
}

/// The stores, and whether the path itself is one.
fn find_stores(path: &Path) -> Result<(Vec<PathBuf>, bool), Error> {
    match fs::metadata(path) {
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok((Vec::new(), false)),
        Err(error) => return Err(cannot_read(path, error)),
        Ok(_) if is_folder(&path.join(STREAMS))? => return Ok((vec![path.to_owned()], true)),
        Ok(_) => (),
    }
    let mut stores = Vec::new();
    for name in names(path)? {
        let store = path.join(&name);
        let candidate =
            is_folder(&store).and_then(|folder| Ok(folder && looks_like_store(&store, &name)?));
        // One that cannot even be looked at is reported when it is checked.
        if candidate.unwrap_or(true) {
            stores.push(store);
        }
    }
    Ok((stores, false))
}

/// A store whose streams were removed is still to be reported; one that was never finished is not a
/// store.
fn looks_like_store(path: &Path, name: &str) -> Result<bool, Error> {
    if name.starts_with(UNFINISHED) {
        return Ok(false);
    }
    let incarnation = name.rsplit_once('-').map_or("", |(_, last)| last);
    let named = incarnation.len() == 16
        && incarnation
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    Ok(named
        || is_folder(&path.join(STREAMS))?
        || is_folder(&path.join(POLICIES))?
        || path.join(LOCK).exists())
}

fn is_folder(path: &Path) -> Result<bool, Error> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) => match error.kind() {
            IoErrorKind::NotFound | IoErrorKind::NotADirectory => Ok(false),
            _ => Err(cannot_read(path, error)),
        },
    }
}

fn check_store(path: &Path, options: &Options, checked: &mut u64) -> Result<StoreReport, Error> {
    let mut store = StoreReport {
        path: path.to_owned(),
        verdict: Verdict::Ok,
        streams: Vec::new(),
        findings: Vec::new(),
        notes: Vec::new(),
        unreadable: false,
    };
    let mut worst: Option<Verdict> = None;
    let folder = path.join(STREAMS);
    let channels = if is_folder(&folder)? {
        names(&folder)?
    } else {
        Vec::new()
    };
    let audit = Channel::Audit.as_str();
    if !channels.iter().any(|channel| channel == audit) {
        // Each writer opens this stream; without it the others say nothing about the service.
        let finding = Finding::new(
            Verdict::NothingChecked,
            format!("the store has no {STREAMS}/{audit}"),
        );
        worst = worst.into_iter().chain([finding.verdict]).min();
        store.findings.push(finding);
    }
    for channel in channels {
        if !is_folder(&folder.join(&channel))? {
            store
                .notes
                .push(format!("{STREAMS}/{channel} is not of the log"));
            continue;
        }
        let (plan, outcome) = check_stream(path, &channel, options, checked)?;
        for name in &plan.unknown {
            let note = format!("{}/{name} is not of the log", plan.folder);
            store.notes.push(note);
        }
        worst = worst.into_iter().chain(outcome.worst).min();
        store.findings.extend(outcome.findings);
        if let Some(finding) = wrong_name(&plan, &store) {
            worst = worst.into_iter().chain([finding.verdict]).min();
            store.findings.push(finding);
        }
        store.streams.push(outcome.report);
    }
    store.verdict = worst.unwrap_or(Verdict::Ok);
    Ok(store)
}

/// A stream that stands in another channel's folder, or beside streams of another store.
fn wrong_name(plan: &Plan, store: &StoreReport) -> Option<Finding> {
    let id = plan.stream.as_deref()?;
    let (writer, channel) = id.rsplit_once('/')?;
    let is_other = |stream: &&str| {
        stream
            .rsplit_once('/')
            .is_some_and(|(other, _)| other != writer)
    };
    let detail = if channel == plan.channel {
        let mut streams = store.streams.iter().map(|stream| &*stream.stream);
        let other = streams.find(is_other)?;
        format!("{} holds {id} of another store than {other}", plan.folder)
    } else {
        format!("the folder {} holds the stream {id}", plan.folder)
    };
    let mut finding = Finding::new(Verdict::Splice, detail);
    finding.stream = Some(id.to_owned());
    Some(finding)
}

fn check_stream(
    store: &Path,
    channel: &str,
    options: &Options,
    checked: &mut u64,
) -> Result<(Plan, Outcome), Error> {
    let mut attempt = 1_u32;
    loop {
        let before = *checked;
        match check_stream_once(store, channel, options, checked) {
            Err(error) if attempt < ATTEMPTS && has_moved(&error) => {
                attempt = attempt.saturating_add(1);
                *checked = before.max(*checked);
            }
            result => return result,
        }
    }
}

/// A file is gone, or shorter than it was.
fn has_moved(error: &Error) -> bool {
    let cause = error
        .source()
        .and_then(|source| source.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| {
        matches!(
            cause.kind(),
            IoErrorKind::NotFound | IoErrorKind::UnexpectedEof
        )
    })
}

fn check_stream_once(
    store: &Path,
    channel: &str,
    options: &Options,
    checked: &mut u64,
) -> Result<(Plan, Outcome), Error> {
    let plan = Plan::new(store, channel, &mut Buffer::new())?;
    let scan = Scan {
        stream: plan.stream.as_deref(),
        watch: plan.slot.map(|slot| slot.last_seq),
    };
    let mut stitch = Stitch::new(&plan);
    scan_all(
        &plan.segments,
        scan,
        options.chunk(),
        options.workers(),
        |segment, range, chunk| {
            *checked = checked.saturating_add(range.end.saturating_sub(range.start));
            options.report(*checked);
            stitch.chunk(segment, chunk)
        },
    )?;
    let outcome = stitch.finish()?;
    Ok((plan, outcome))
}
