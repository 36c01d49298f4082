//! One stream of a store, from its folder to what it comes to.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{collections::BTreeMap, error::Error as _, io::ErrorKind as IoErrorKind, path::Path};

use super::{
    options::Options,
    parallel::scan_all,
    plan::Plan,
    report::{Finding, StoreReport, Verdict},
    scan::Scan,
    seal::{Expunged, Facts, Sealed},
    stitch::{Outcome, Stitch},
    window::Buffer,
};
use crate::error::Error;

/// A writer that rotates or recovers while its store is read may move a file away. Looking again
/// then shows the new state; a store that does this without end is not being written, but changed.
const ATTEMPTS: u32 = 3;

/// What the seal says of a stream; `closed` are its closed segments, by the size at their end.
pub(super) struct Known<'c> {
    pub(super) sealed: Sealed,
    pub(super) closed: Option<&'c BTreeMap<u64, String>>,
    /// By sequence.
    pub(super) expunged: BTreeMap<u64, Vec<Expunged>>,
}

/// A stream that stands in another channel's folder, or beside streams of another store.
pub(super) fn wrong_name(plan: &Plan, store: &StoreReport) -> Option<Finding> {
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

pub(super) fn check_stream<'c>(
    store: &Path,
    channel: &str,
    known: impl Fn() -> Option<Known<'c>>,
    options: &Options,
    checked: &mut u64,
) -> Result<(Plan, Outcome), Error> {
    let mut attempt = 1_u32;
    loop {
        let before = *checked;
        match check_stream_once(store, channel, known(), options, checked) {
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
    known: Option<Known<'_>>,
    options: &Options,
    checked: &mut u64,
) -> Result<(Plan, Outcome), Error> {
    let (sealed, closed, expunged) = known.map_or((None, None, None), |known| {
        (Some(known.sealed), known.closed, Some(known.expunged))
    });
    let mut plan = Plan::new(store, channel, sealed, &mut Buffer::new())?;
    plan.expunged = expunged.unwrap_or_default();
    plan.judge_gone(&options.rule());
    let sealed = plan.sealed.as_ref();
    let scan = Scan {
        stream: plan.stream.as_deref(),
        watch: plan.slot.map(|slot| slot.last_seq),
        sizes: sealed.map(|sealed| &*sealed.sizes),
        facts: sealed.map_or(Facts::None, |sealed| sealed.facts),
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
    let outcome = stitch.finish(closed)?;
    Ok((plan, outcome))
}
