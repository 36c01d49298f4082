//! How long a segment has to be kept, and whether one that is gone was.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::tombstones::{Gone, Whereabouts};

/// The rule, and the moment at which it is asked; milliseconds.
#[derive(Clone, Copy, Debug)]
pub(in crate::verify) struct Retention {
    pub(in crate::verify) keep_ms: i64,
    pub(in crate::verify) now_ms: i64,
}

/// When, at the latest, the last record of a segment was written, as the sealed records that are left show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// Milliseconds since 1970.
    pub(super) ms: i64,
    /// Whether that is also about when it was, and not only a time after it.
    pub(super) near: bool,
}

impl Retention {
    /// Why the ledger's reason for the absence of a segment does not count, if it does not.
    pub(super) fn refuses(&self, gone: &Gone, ended: Option<Ended>) -> Option<String> {
        if gone.whereabouts == Whereabouts::Archived {
            return None;
        }
        let Some((until, recorded)) = gone.until.zip(gone.recorded) else {
            return Some("it does not say until when it had to be kept".into());
        };
        if until > recorded {
            return Some("it went before the time that its own record states".into());
        }
        if until > self.now_ms {
            return Some("the time until which it is to be kept is not over".into());
        }
        let Some(ended) = ended else {
            return Some("nothing that is left shows how old it was".into());
        };
        let kept_to = ended.ms.saturating_add(self.keep_ms);
        // Where only a later time is known, all that is before it was kept for long enough once that was.
        let kept = until >= kept_to || (!ended.near && self.now_ms >= kept_to);
        (!kept).then(|| {
            let days = self.keep_ms.checked_div(DAY_MS).unwrap_or_default();
            format!("it had to be kept for {days} days after its last record")
        })
    }
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
