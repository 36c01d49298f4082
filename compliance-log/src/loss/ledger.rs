use std::{collections::BTreeMap, fmt};

use crate::{clock::Timestamp, metric};

/// Why a record was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// The queue had no room.
    QueueFull,
    /// The store could not be written.
    StoreUnavailable,
    /// The store's budget had no room for it.
    Budget,
    /// It was in a store that somebody removed, before it was durable.
    StoreRemoved,
    /// The anchors did not have what was recorded before.
    Exposed,
    /// The request had not ended when the log did.
    Unfinished,
    /// The log was shut down. No `log.gap` can tell of it.
    Closed,
}

impl Reason {
    /// Counts one loss for the service's exporter; the ledger does not, because it may be locked.
    pub(crate) fn report(self) {
        self.report_many(1);
    }

    pub(crate) fn report_many(self, count: u64) {
        metric::report(|| {
            metrics::counter!("compliance_log_lost", "reason" => self.as_str()).increment(count);
        });
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::StoreUnavailable => "store_unavailable",
            Self::Budget => "budget",
            Self::StoreRemoved => "store_removed",
            Self::Exposed => "exposed",
            Self::Unfinished => "unfinished",
            Self::Closed => "closed",
        }
    }
}

/// Losses that no `log.gap` tells of yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    lost: BTreeMap<(&'static str, Reason), u64>,
    span: Option<(Timestamp, Timestamp)>,
}

impl Ledger {
    pub(crate) fn add(&mut self, event: &'static str, reason: Reason, at: Timestamp) {
        self.add_many(event, reason, 1, at);
    }

    pub(crate) fn add_many(
        &mut self,
        event: &'static str,
        reason: Reason,
        count: u64,
        at: Timestamp,
    ) {
        *self.lost.entry((event, reason)).or_default() += count;
        self.extend(at, at);
    }

    /// Takes over what another ledger counted.
    pub(crate) fn merge(&mut self, other: Self) {
        for (key, count) in other.lost {
            *self.lost.entry(key).or_default() += count;
        }
        if let Some((since, until)) = other.span {
            self.extend(since, until);
        }
    }

    fn extend(&mut self, since: Timestamp, until: Timestamp) {
        let (first, last) = self.span.unwrap_or((since, until));
        self.span = Some((first.min(since), last.max(until)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lost.is_empty()
    }

    /// When the first and the last of them were lost.
    pub(crate) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// Event, reason, count.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static str, Reason, u64)> {
        self.lost
            .iter()
            .map(|((event, reason), count)| (*event, *reason, *count))
    }

    pub(crate) fn total(&self) -> u64 {
        self.lost.values().sum()
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (event, reason, count) in self.rows() {
            write!(f, "{separator}{count} x {event} ({})", reason.as_str())?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_add_up_and_span_from_first_to_last() {
        let at = Timestamp::from_micros;
        let mut ledger = Ledger::default();
        ledger.add("a", Reason::QueueFull, at(5));
        let mut other = Ledger::default();
        other.add("a", Reason::QueueFull, at(2));
        other.add("b", Reason::StoreUnavailable, at(9));
        ledger.merge(other);
        assert_eq!(ledger.total(), 3);
        assert_eq!(ledger.span(), Some((at(2), at(9))));
        assert_eq!(
            ledger.to_string(),
            "2 x a (queue_full), 1 x b (store_unavailable)"
        );
    }
}
