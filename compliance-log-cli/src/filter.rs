//! Which records to print.

use jiff::Timestamp;

use crate::{
    cli::FilterArgs,
    record::{self, Stored},
};

const CATALOG: &str = "catalog";

/// The filters of one run.
#[derive(Debug)]
pub(crate) struct Filter {
    args: FilterArgs,
    everything: bool,
}

/// What a filter says about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// The line is no record, so that nobody can know.
    Unreadable,
}

impl Filter {
    pub(crate) fn new(args: FilterArgs) -> Self {
        let FilterArgs {
            channel: None,
            category: None,
            event: None,
            outcome: None,
            tenant: None,
            user: None,
            trace: None,
            request: None,
            level: None,
            since: None,
            until: None,
            seq: None,
            conditions,
        } = &args
        else {
            return Self {
                args,
                everything: false,
            };
        };
        Self {
            everything: conditions.is_empty(),
            args,
        }
    }

    /// Whether a stream of this channel may hold what is looked for. The catalog holds what the seal says of
    /// the others, and no record of the service: it has to be asked for.
    pub(crate) fn wants_channel(&self, channel: &str) -> bool {
        match &self.args.channel {
            Some(wanted) => wanted == channel,
            None => channel != CATALOG,
        }
    }

    pub(crate) fn matches(&self, stored: &Stored) -> Match {
        if self.everything {
            return Match::Yes;
        }
        if stored.fields.is_none() {
            return Match::Unreadable;
        }
        let args = &self.args;
        let equal = |key: &str, wanted: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| stored.text(key) == Some(wanted))
        };
        let matches = args
            .channel
            .as_ref()
            .is_none_or(|wanted| stored.channel() == Some(wanted))
            && equal("category", &args.category)
            && args.event.as_ref().is_none_or(|wanted| {
                stored
                    .text("event")
                    .is_some_and(|event| event_matches(event, wanted))
            })
            && equal("outcome", &args.outcome)
            && equal("tenant_id", &args.tenant)
            && equal("user_id", &args.user)
            && equal("trace_id", &args.trace)
            && equal("request_id", &args.request)
            && args.level.is_none_or(|least| {
                stored
                    .text("level")
                    .and_then(|level| Severity::parse(level).ok())
                    .is_some_and(|level| level >= least)
            })
            && self.in_time(stored)
            && args
                .seq
                .is_none_or(|range| stored.seq().is_some_and(|seq| range.contains(seq)))
            && args
                .conditions
                .iter()
                .all(|condition| condition.holds(stored));
        if matches { Match::Yes } else { Match::No }
    }

    fn in_time(&self, stored: &Stored) -> bool {
        if self.args.since.is_none() && self.args.until.is_none() {
            return true;
        }
        let Some(time) = stored
            .text("timestamp")
            .and_then(|text| text.parse::<Timestamp>().ok())
        else {
            return false;
        };
        self.args.since.is_none_or(|since| time >= since)
            && self.args.until.is_none_or(|until| time < until)
    }
}

fn event_matches(event: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) if prefix.ends_with('.') => event.starts_with(prefix),
        _ => event == wanted,
    }
}

/// A level, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Severity {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => return Err("use trace, debug, info, warn or error".into()),
        })
    }
}

/// Sequence numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeqRange {
    first: u64,
    last: u64,
}

impl SeqRange {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str, default: u64| {
            if text.is_empty() {
                return Ok(default);
            }
            text.parse::<u64>()
                .map_err(|error| format!("`{text}` is no sequence number: {error}"))
        };
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (number(first, 0)?, number(last, u64::MAX)?),
            None if text.is_empty() => return Err("use a number or `A..B`".into()),
            None => (number(text, 0)?, number(text, 0)?),
        };
        if first > last {
            return Err(format!("{first} comes after {last}"));
        }
        Ok(Self { first, last })
    }

    fn contains(self, seq: u64) -> bool {
        (self.first..=self.last).contains(&seq)
    }
}

/// `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    path: String,
    value: String,
}

impl Condition {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((path, value)) if !path.is_empty() => Ok(Self {
                path: path.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("use `key=value`, for example `data.card=****1111`".into()),
        }
    }

    fn holds(&self, stored: &Stored) -> bool {
        stored
            .at(&self.path)
            .into_iter()
            .any(|value| record::plain(value) == self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_ranges() {
        let range = |text| SeqRange::parse(text).unwrap();
        assert!(range("7..9").contains(7) && range("7..9").contains(9));
        assert!(!range("7..9").contains(10) && !range("7").contains(8));
        assert!(range("..9").contains(0) && range("7..").contains(u64::MAX));
        for wrong in ["", "a", "9..7", "1..b", "-1"] {
            assert!(SeqRange::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_match_whole_or_by_prefix() {
        assert!(event_matches("booking.created", "booking.created"));
        assert!(event_matches("booking.created", "booking.*"));
        assert!(!event_matches("bookings.created", "booking.*"));
        assert!(!event_matches("booking.created", "booking"));
        assert!(!event_matches("booking.created", "book*"));
    }

    #[test]
    fn a_line_that_is_no_record_is_never_taken_for_a_miss() {
        let broken = Stored::parse(b"{\"v\":1".to_vec());
        assert_eq!(
            Filter::new(FilterArgs::default()).matches(&broken),
            Match::Yes
        );
        let args = FilterArgs {
            tenant: Some("acme".into()),
            ..FilterArgs::default()
        };
        assert_eq!(Filter::new(args).matches(&broken), Match::Unreadable);
    }
}
