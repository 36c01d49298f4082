//! What the audit stream says first of a store that was opened.

use std::{path::Path, sync::Arc};

use super::Opener;
use crate::{
    clock::Step,
    encode::Object,
    event::Level,
    lifecycle::{Scribe, name},
    pipeline::{policy, watch::step_record},
    store::{self, Start},
};

/// Where the last record was written under another policy, or there is none, the record that says so.
/// It comes before every other.
pub(super) fn policy_record(
    path: &Path,
    start: &Start,
    opener: &Opener,
    scribe: &Scribe,
) -> Option<Vec<u8>> {
    let last = start.last_policy.as_deref();
    (last != Some(scribe.policy.short())).then(|| {
        let before = last.and_then(|short| store::find_policy(&*opener.fs, path, short));
        if let Some(before) = &before {
            scribe.told.store(Arc::new(before.clone()));
        }
        policy::changed_record(before.as_ref(), scribe)
    })
}

/// What the audit stream says of this start: how the log stopped before, and the clock.
pub(super) fn first_records(
    path: &Path,
    start: &Start,
    opener: &Opener,
    scribe: &Scribe,
) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    if start.resumed && start.unclean {
        let last = start.last_time.map(|time| time.to_string());
        let data = Object::new().text_if("last_record", last);
        bodies.push(scribe.own_act(Level::Warn, name::UNCLEAN_STOP, data));
    }
    let passed_over = start.passed_over.as_ref();
    let data = Object::new()
        .number("pid", std::process::id().into())
        .flag("resumed", start.resumed)
        .text_if("why", start.why)
        .text("volume", store::volume_kind(path))
        .text_if("passed_over", passed_over.map(|(store, _)| store))
        .text_if(
            "detail",
            passed_over.map(|(_, detail)| scribe.clean(detail)),
        );
    let data = if opener.warnings.is_empty() {
        data
    } else {
        data.texts("warnings", scribe.clean_list(&opener.warnings))
    };
    let calm = passed_over.is_none() && opener.warnings.is_empty();
    let level = if calm { Level::Info } else { Level::Warn };
    bodies.push(scribe.own_act(level, name::STARTED, data));
    let now = scribe.now();
    if let Some(last) = start.last_time.filter(|last| now < *last) {
        let step = Step {
            delta_ms: (now.as_micros() - last.as_micros()) / 1000,
            since: last,
        };
        bodies.push(step_record(step, scribe));
    }
    bodies
}
