//! The policy's document in the store, and the records that tell of it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

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

/// Policies that records name and whose documents are not in the store yet.
#[derive(Debug, Default)]
pub(super) struct Unkept(Vec<Arc<Policy>>);

impl Unkept {
    /// Has a policy's document to be kept in the store.
    pub(super) fn add(&mut self, policy: Arc<Policy>) {
        let digest = policy.digest();
        self.0.retain(|policy| policy.digest() != digest);
        self.0.push(policy);
    }

    /// Keeps the document of the scribe's policy in the store, now or as soon as that takes it.
    pub(super) fn keep(&mut self, path: &Path, opener: &Opener, scribe: &Scribe) {
        self.add(Arc::clone(&scribe.policy));
        self.retry(path, opener);
    }

    /// Tries again what failed.
    pub(super) fn retry(&mut self, path: &Path, opener: &Opener) {
        self.0.retain(|policy| {
            let kept = store::keep_policy(&*opener.fs, path, policy);
            if kept.is_err() {
                metric::count("compliance_log_write_errors");
            }
            kept.is_err()
        });
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
