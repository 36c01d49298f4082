//! What enforcing would have refused or found, counted over records of a service that only observed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::record::{Stored, plain};

/// What the layer calls the end of a request.
const REQUEST: &str = "http.request";

/// Records of these names say nothing of what the service did.
const OWN_PREFIXES: [&str; 12] = [
    "chain.", "segment.", "seal.", "stream.", "anchor.", "log.", "policy.", "key.", "clock.",
    "record.", "volume.", "service.",
];

/// What was found, over all records that were added.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    counts: BTreeMap<Found, u64>,
    /// Records of what the service did.
    pub(crate) records: u64,
    /// Those of them that end a request.
    pub(crate) requests: u64,
    /// Lines that are no records.
    pub(crate) unreadable: u64,
}

/// One kind of finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// A request to this route would have been refused for this reason.
    WouldRefuse { route: String, reason: String },
    /// A request to this route recorded no event.
    AuditGap { route: String },
    /// A record of this event lacks this row.
    SchemaViolation { event: String, row: String },
}

impl Found {
    fn rank(&self) -> u8 {
        match self {
            Self::WouldRefuse { .. } => 0,
            Self::AuditGap { .. } => 1,
            Self::SchemaViolation { .. } => 2,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::WouldRefuse { .. } => "would_refuse",
            Self::AuditGap { .. } => "audit_gap",
            Self::SchemaViolation { .. } => "schema_violation",
        }
    }

    /// Where it was found, and what.
    pub(crate) fn place(&self) -> [(&'static str, &str); 2] {
        match self {
            Self::WouldRefuse { route, reason } => [("route", route), ("reason", reason)],
            Self::AuditGap { route } => [("route", route), ("reason", "")],
            Self::SchemaViolation { event, row } => [("event", event), ("row", row)],
        }
    }
}

impl Observed {
    pub(crate) fn add(&mut self, stored: &Stored) {
        let event = stored.text("event").unwrap_or("-");
        let own = OWN_PREFIXES.iter().any(|prefix| event.starts_with(prefix));
        if own || stored.text("category") == Some("app") {
            return;
        }
        self.records += 1;
        let route = || stored.text("target_resource").unwrap_or("-").to_owned();
        if event == REQUEST {
            self.requests += 1;
            for reason in stored.at("data.would_refuse") {
                let reason = plain(reason);
                self.count(Found::WouldRefuse {
                    route: route(),
                    reason,
                });
            }
        }
        if stored.at("audit_gap") == [&Value::Bool(true)] {
            self.count(Found::AuditGap { route: route() });
        }
        for row in stored.at("schema_violations") {
            self.count(Found::SchemaViolation {
                event: event.to_owned(),
                row: plain(row),
            });
        }
    }

    fn count(&mut self, found: Found) {
        *self.counts.entry(found).or_default() += 1;
    }

    /// By kind, and the most frequent first.
    pub(crate) fn findings(&self) -> Vec<(&Found, u64)> {
        let mut findings: Vec<_> = self
            .counts
            .iter()
            .map(|(found, count)| (found, *count))
            .collect();
        findings.sort_by_key(|(found, count)| (found.rank(), u64::MAX - count));
        findings
    }

    pub(crate) fn json(&self, exit: u8) -> Value {
        let findings = self.findings().into_iter().map(|(found, count)| {
            let mut row = Map::new();
            row.insert("finding".into(), found.name().into());
            let place = found
                .place()
                .into_iter()
                .filter(|(_, value)| !value.is_empty());
            row.extend(place.map(|(key, value)| (key.to_owned(), value.into())));
            row.insert("count".into(), count.into());
            Value::Object(row)
        });
        json!({
            "exit": exit,
            "records": self.records,
            "requests": self.requests,
            "unreadable": self.unreadable,
            "findings": findings.collect::<Vec<_>>(),
        })
    }
}
