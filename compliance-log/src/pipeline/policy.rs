//! The policy's document in the store, and the records that tell of it.

use std::{collections::BTreeMap, path::Path};

use super::site::Opener;
use crate::{
    chain::Digest,
    encode::Object,
    event::Level,
    lifecycle::{Scribe, name},
    metric,
    redact::Policy,
    store,
};

/// Keeps the document of the scribe's policy in the store.
pub(super) fn keep(path: &Path, opener: &Opener, scribe: &Scribe) {
    if store::keep_policy(&*opener.fs, path, &scribe.policy).is_err() {
        metric::count("compliance_log_write_errors");
    }
}

/// What the scribe's policy changes. It is the first record under that policy, so that no crash leaves
/// one under a policy that none tells of.
pub(super) fn changed_record(before: Option<&Policy>, scribe: &Scribe) -> Vec<u8> {
    let of = |policy: &Policy| -> BTreeMap<String, Digest> {
        policy
            .rules()
            .map(|(id, digest)| (id.to_owned(), digest))
            .collect()
    };
    let (old, new) = (before.map(of).unwrap_or_default(), of(&scribe.policy));
    let added = new.keys().filter(|id| !old.contains_key(*id));
    let removed = old.keys().filter(|id| !new.contains_key(*id));
    let changed = new
        .iter()
        .filter(|(id, digest)| old.get(*id).is_some_and(|old| old != *digest));
    let data = Object::new()
        .text("sha256", scribe.policy.digest().to_string())
        .texts("added", scribe.clean_list(added))
        .texts("removed", scribe.clean_list(removed))
        .texts("changed", scribe.clean_list(changed.map(|(id, _)| id)));
    scribe.own_act(Level::Info, name::POLICY_CHANGED, data)
}

/// A policy that was offered is not used.
pub(super) fn refused_record(why: &str, scribe: &Scribe) -> Vec<u8> {
    let data = Object::new().text("why", scribe.clean(why));
    scribe.own_act(Level::Error, name::POLICY_REFUSED, data)
}
