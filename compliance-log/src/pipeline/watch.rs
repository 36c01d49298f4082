//! What the log says of its own files, room and clock.

use std::path::Path;

use crate::{
    clock::Step,
    encode::Object,
    event::Level,
    lifecycle::{Scribe, name},
    store::{Altered, BudgetLevel, Crossing},
};

/// A file of the store, or its folder, is no longer the one that is open.
pub(super) fn altered_record(store: &Path, altered: &Altered, scribe: &Scribe) -> Vec<u8> {
    let store = store.file_name().unwrap_or_default().to_string_lossy();
    let file = if altered.file.is_empty() {
        store.into_owned()
    } else {
        format!("{store}/{}", altered.file)
    };
    let data = Object::new()
        .text("file", file)
        .text("how", altered.how.as_str())
        .number_if("first_seq", altered.records.map(|(first, _)| first))
        .number_if("last_seq", altered.records.map(|(_, last)| last));
    scribe.own_act(Level::Error, name::FILE_REPLACED, data)
}

/// The budget crossed a line.
pub(super) fn budget_record(crossing: Crossing, scribe: &Scribe) -> Vec<u8> {
    let level = match crossing.level {
        BudgetLevel::Ample => Level::Info,
        BudgetLevel::Low => Level::Warn,
        BudgetLevel::Reserved | BudgetLevel::UsedUp => Level::Error,
    };
    let data = Object::new()
        .text("state", crossing.level.as_str())
        .number("used_bytes", crossing.used)
        .number("max_bytes", crossing.max);
    scribe.own_act(level, name::BUDGET, data)
}

/// The wall clock was set.
pub(super) fn step_record(step: Step, scribe: &Scribe) -> Vec<u8> {
    let data = Object::new()
        .signed("delta_ms", step.delta_ms)
        .text("since", step.since.to_string());
    scribe.own_act(Level::Warn, name::CLOCK_STEPPED, data)
}
