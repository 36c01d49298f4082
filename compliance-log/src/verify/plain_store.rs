//! A store without a seal, or with one that says nothing: its chains alone.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::path::Path;

use super::{
    ledger::Ledger,
    options::Options,
    plan::{Opening, names},
    report::{Finding, StoreReport, Verdict},
    seal::Found,
    store::{Checked, is_folder},
    stream::{check_stream, wrong_name},
};
use crate::{
    error::Error,
    event::Channel,
    layout::{CATALOG, SEAL, STREAMS},
};

/// Checks the chains of all streams. `found` is what is wrong with the seal, if there is one.
pub(super) fn check_plain(
    path: &Path,
    mut found: Found,
    ledger: &Ledger,
    options: &Options,
    checked: &mut u64,
) -> Result<Checked, Error> {
    let mut store = StoreReport::of(path);
    ledger.tell(&mut found);
    let left_over = [SEAL.to_owned(), format!("{STREAMS}/{CATALOG}")];
    for folder in left_over {
        store.sealed |= is_folder(&path.join(folder))?;
    }
    let mut worst = found.worst;
    store.findings = found.findings;
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
        let (plan, outcome) = check_stream(path, &channel, || None, options, checked)?;
        for name in &plan.unknown {
            let note = format!("{}/{name} is not of the log", plan.folder);
            store.notes.push(note);
        }
        let first = plan.segments.first().map(|segment| &segment.opening);
        store.sealed |= matches!(first, Some(Opening::Genesis(true)));
        worst = worst.into_iter().chain(outcome.worst).min();
        store.findings.extend(outcome.findings);
        if let Some(finding) = wrong_name(&plan, &store) {
            worst = worst.into_iter().chain([finding.verdict]).min();
            store.findings.push(finding);
        }
        store.streams.push(outcome.report);
    }
    let why = if store.sealed {
        Some("the store says that it is sealed, and has no seal")
    } else if options.wants_seal() {
        Some("the store is not sealed")
    } else {
        None
    };
    let nothing = store.streams.iter().all(|stream| stream.records == 0);
    if let Some(why) = why
        && found_no_seal(&store)
        && !nothing
    {
        let finding = Finding::new(Verdict::Unsealed, why);
        worst = worst.into_iter().chain([finding.verdict]).min();
        store.findings.insert(0, finding);
    }
    store.verdict = worst.unwrap_or(Verdict::Ok);
    Ok(Checked {
        report: store,
        origin: None,
        role: None,
        continues: None,
        ledger: Vec::new(),
    })
}

/// Whether nothing was said of a seal so far.
fn found_no_seal(store: &StoreReport) -> bool {
    let of_seal = |verdict| matches!(verdict, Verdict::BadSignature | Verdict::Unsealed);
    !store
        .findings
        .iter()
        .any(|finding| of_seal(finding.verdict))
}
