//! The log's own records: what they are called and what they hold.

mod catalog;
pub(crate) use catalog::{Cadence, Ended, Grown, Ratchet, Sealed};

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{
    chain::{Digest, StreamId},
    clock::{Clock, Timestamp},
    encode::{NO_FIELDS, Object, Scratch, encode},
    event::{Category, Channel, Level, Outcome},
    loss::Ledger,
    pseudonym::Pseudonyms,
    redact::Policy,
    schema::{Data, Event, Service, Shape},
    text::beginning,
    volume::{Row, Summary, Why},
};

/// Names that only the log itself writes.
pub(crate) mod name {
    pub(crate) const GENESIS: &str = "chain.genesis";
    pub(crate) const RECOVERY: &str = "chain.recovery";
    pub(crate) const HEADER: &str = "segment.header";
    pub(crate) const FOOTER: &str = "segment.footer";
    pub(crate) const GAP: &str = "log.gap";
    pub(crate) const SUMMARY: &str = "volume.summary";
    pub(crate) const STARTED: &str = "log.started";
    pub(crate) const STOPPED: &str = "log.stopped";
    pub(crate) const UNCLEAN_STOP: &str = "log.unclean_stop";
    pub(crate) const POLICY_CHANGED: &str = "policy.changed";
    pub(crate) const POLICY_REFUSED: &str = "policy.refused";
    pub(crate) const CLOCK_STEPPED: &str = "clock.stepped";
    pub(crate) const KEY_UNAVAILABLE: &str = "key.unavailable";
    pub(crate) const KEY_AVAILABLE: &str = "key.available";
    pub(crate) const BUDGET: &str = "log.budget";
    pub(crate) const FILE_REPLACED: &str = "security.file_replaced";
    pub(crate) const STREAM_OPEN: &str = "stream.open";
    pub(crate) const SEAL_HEAD: &str = "seal.head";
    pub(crate) const SEAL_HEARTBEAT: &str = "seal.heartbeat";
    pub(crate) const SEAL_LATE: &str = "seal.late";
    pub(crate) const SEAL_EPOCH: &str = "seal.epoch";
    pub(crate) const SEGMENT_SEALED: &str = "segment.sealed";
    pub(crate) const ANCHOR_RECEIPT: &str = "anchor.receipt";
    pub(crate) const ANCHOR_FAILED: &str = "anchor.failed";
    pub(crate) const ANCHOR_RECOVERED: &str = "anchor.recovered";
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) const MISMATCH: &str = "security.context_mismatch";
}

/// Prefixes that no event of a service may have.
pub(crate) const RESERVED_PREFIXES: [&str; 15] = [
    "chain.",
    "segment.",
    "seal.",
    "stream.",
    "anchor.",
    "log.",
    "policy.",
    "key.",
    "clock.",
    "security.",
    "record.",
    "audit.",
    "volume.",
    "service.",
    "http.",
];

/// Two or more lower-case words with dots between them, none of them ours.
pub(crate) const fn is_event_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    let mut dots = 0;
    let mut word_starts = true;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'.' {
            if word_starts {
                return false;
            }
            dots += 1;
            word_starts = true;
        } else if word_starts {
            if !byte.is_ascii_lowercase() {
                return false;
            }
            word_starts = false;
        } else if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            return false;
        }
        at += 1;
    }
    let mut prefix = 0;
    while prefix < RESERVED_PREFIXES.len() {
        if starts_with(bytes, RESERVED_PREFIXES[prefix].as_bytes()) {
            return false;
        }
        prefix += 1;
    }
    dots > 0 && !word_starts && bytes.len() <= EVENT_NAME_BYTES_MAX
}

const fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    if text.len() < prefix.len() {
        return false;
    }
    let mut at = 0;
    while at < prefix.len() {
        if text[at] != prefix[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A longer name is none.
pub(crate) const EVENT_NAME_BYTES_MAX: usize = 128;

/// What a genesis states of the place where a stream was begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) cluster: Option<Box<str>>,
    pub(crate) region: Option<Box<str>>,
    pub(crate) service_version: Option<Box<str>>,
    pub(crate) host: Box<str>,
    pub(crate) boot_id: Option<Box<str>>,
}

/// The last record of a stream that another one continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Predecessor {
    pub(crate) stream: String,
    pub(crate) seq: u64,
    pub(crate) hash: Digest,
}

/// Which segment a new one follows, and how much of it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// The new one restates what could not be made durable after these bytes.
    pub(crate) superseded: bool,
}

/// What the header of a segment states in a sealed store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    /// The full subtrees of the stream's tree before the file's first line, largest first.
    pub(crate) frontier: Vec<String>,
    /// Of the file of checkpoints before; in the catalog alone.
    pub(crate) checkpoints: Option<Digest>,
}

/// What a stream's first record states of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Genesis<'a> {
    pub(crate) stream: &'a StreamId,
    pub(crate) channel: Channel,
    pub(crate) volume: &'a str,
    pub(crate) sealed: bool,
    pub(crate) continues: Option<&'a Predecessor>,
    pub(crate) why: &'a str,
}

/// Bytes that recovery moved out of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Torn {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
}

/// Why a segment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    Size,
    Time,
}

/// Writes the bodies of the log's own records.
#[derive(Debug)]
pub(crate) struct Scribe {
    pub(crate) service: Service,
    pub(crate) origin: Origin,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<Policy>,
    /// The last one that the audit stream tells of. What ends or begins a segment there is written
    /// under it, since it may come before the record that tells of another.
    pub(crate) told: ArcSwap<Policy>,
}

/// The most bytes that a text from outside takes in a record of our own.
const TEXT_BYTES_MAX: usize = 512;
/// The most elements that a list has in a record of our own; one more says how many there are beyond.
const LIST_MAX: usize = 32;
/// A summary with this many bytes of counts is full; the next one goes on.
const SUMMARY_BYTES: usize = 8 * 1024;

impl Scribe {
    /// Another one that writes the same.
    pub(crate) fn again(&self) -> Self {
        Self {
            service: self.service.clone(),
            origin: self.origin.clone(),
            clock: Arc::clone(&self.clock),
            policy: Arc::clone(&self.policy),
            told: ArcSwap::new(self.told.load_full()),
        }
    }

    /// A text that the log did not make itself, through the net by value and bounded.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = String::new();
        if !self.policy.redact(text, &mut clean, &mut |_| {}) {
            text.clone_into(&mut clean);
        }
        if clean.len() > TEXT_BYTES_MAX {
            let bytes = clean.len();
            clean.truncate(beginning(&clean, TEXT_BYTES_MAX).len());
            clean += "… [";
            clean += &bytes.to_string();
            clean += " bytes]";
        }
        clean
    }

    /// The first of many texts, cleaned, and how many more there are.
    pub(crate) fn clean_list<T: AsRef<str>>(
        &self,
        texts: impl IntoIterator<Item = T>,
    ) -> Vec<String> {
        let mut texts = texts.into_iter();
        let mut list: Vec<String> = texts
            .by_ref()
            .take(LIST_MAX)
            .map(|text| self.clean(text.as_ref()))
            .collect();
        let more = texts.count();
        if more > 0 {
            list.push(format!("and {more} more"));
        }
        list
    }

    /// The first record of a stream.
    pub(crate) fn genesis(&self, genesis: Genesis<'_>) -> Vec<u8> {
        let continues = genesis.continues.map(|predecessor| {
            Object::new()
                .text("stream", &predecessor.stream)
                .number("seq", predecessor.seq)
                .text("hash", predecessor.hash.to_string())
        });
        let data = self.beginning(genesis, continues);
        self.structural(genesis.channel, Level::Info, name::GENESIS, data)
    }

    /// What each genesis states.
    fn beginning(&self, genesis: Genesis<'_>, continues: Option<Object>) -> Object {
        let [service, instance, incarnation, _] = genesis.stream.parts();
        Object::new()
            .number("format", 1)
            .text("service", service)
            .text("instance", instance)
            .text("incarnation", incarnation)
            .text("channel", genesis.channel.as_str())
            .flag("sealed", genesis.sealed)
            .text_if(
                "cluster",
                self.origin.cluster.as_ref().map(|text| self.clean(text)),
            )
            .text_if(
                "region",
                self.origin.region.as_ref().map(|text| self.clean(text)),
            )
            .text_if(
                "service_version",
                self.origin
                    .service_version
                    .as_ref()
                    .map(|text| self.clean(text)),
            )
            .text("crate_version", env!("CARGO_PKG_VERSION"))
            .text("host", &self.origin.host)
            .text_if("boot_id", self.origin.boot_id.as_ref())
            .text("hash", "sha256")
            .text("volume", genesis.volume)
            .object_if("continues", continues)
            .text("why", genesis.why)
    }

    /// The first record of a segment after the first, or of a superseding one after what it restates.
    pub(crate) fn header(
        &self,
        channel: Channel,
        number: u64,
        previous: &Previous,
        before: Option<&Before>,
    ) -> Vec<u8> {
        let supersedes = previous.superseded.then(|| {
            Object::new()
                .text("segment", &previous.name)
                .number("offset", previous.bytes)
        });
        let level = if previous.superseded {
            Level::Warn
        } else {
            Level::Info
        };
        let data = Object::new()
            .number("number", number)
            .text("previous", &previous.name)
            .number("bytes", previous.bytes);
        let data = match before {
            Some(before) => data.texts("frontier", &before.frontier).text_if(
                "ckpt_sha256",
                before.checkpoints.map(|digest| digest.to_string()),
            ),
            None => data,
        };
        let data = data.object_if("supersedes", supersedes);
        self.at_segment(channel, level, name::HEADER, data)
    }

    /// The last record of a full segment; `records` counts it too.
    pub(crate) fn footer(&self, channel: Channel, records: u64, reason: Rotation) -> Vec<u8> {
        let reason = match reason {
            Rotation::Size => "size",
            Rotation::Time => "time",
        };
        let data = Object::new()
            .number("records", records)
            .text("reason", reason);
        self.at_segment(channel, Level::Info, name::FOOTER, data)
    }

    /// What a start found after the last record that was known to be durable.
    pub(crate) fn recovery(
        &self,
        channel: Channel,
        adopted: Option<(u64, u64)>,
        torn: Option<&Torn>,
    ) -> Vec<u8> {
        let torn = torn.map(|torn| {
            Object::new()
                .text("file", &torn.file)
                .number("offset", torn.offset)
                .number("bytes", torn.bytes)
                .text("sha256", torn.sha256.to_string())
        });
        let data = Object::new()
            .number_if("adopted_from", adopted.map(|(from, _)| from))
            .number_if("adopted_to", adopted.map(|(_, to)| to))
            .object_if("torn", torn);
        self.structural(channel, Level::Warn, name::RECOVERY, data)
    }

    /// Which records of this stream were lost.
    pub(crate) fn gap(&self, channel: Channel, ledger: &Ledger) -> Vec<u8> {
        let span = ledger.span();
        let row = |event: &str, reason: &str, count| {
            Object::new()
                .text("event", event)
                .text("reason", reason)
                .number("count", count)
        };
        let mut rows = ledger.rows();
        let mut lost: Vec<Object> = rows
            .by_ref()
            .take(LIST_MAX)
            .map(|(event, reason, count)| row(event, reason.as_str(), count))
            .collect();
        let more: u64 = rows.map(|(_, _, count)| count).sum();
        if more > 0 {
            lost.push(row("*", "more", more));
        }
        let data = Object::new()
            .text_if("since", span.map(|(since, _)| since.to_string()))
            .text_if("until", span.map(|(_, until)| until.to_string()))
            .list("lost", lost);
        self.structural(channel, Level::Warn, name::GAP, data)
    }

    /// How many records of this stream were counted instead of written. Every count is told, by as
    /// many records as that takes.
    pub(crate) fn summaries(&self, channel: Channel, summary: &Summary) -> Vec<Vec<u8>> {
        let outcome = match channel {
            Channel::Audit => Some(Outcome::Success.as_str()),
            // They have none.
            Channel::App | Channel::Catalog => None,
        };
        let mut bodies = Vec::new();
        let mut rows = summary.rows.iter().peekable();
        while rows.peek().is_some() {
            let mut counted = Vec::new();
            let mut bytes = 0;
            while bytes < SUMMARY_BYTES
                && let Some(Row {
                    event,
                    target,
                    count,
                    why,
                }) = rows.next()
            {
                let why = match why {
                    Why::Volume => None,
                    Why::OptOut => Some("opt_out"),
                };
                let row = Object::new()
                    .text("event", self.clean(event))
                    .text_if("target", (!target.is_empty()).then(|| self.clean(target)))
                    .text_if("outcome", outcome)
                    .text_if("why", why)
                    .number("count", *count);
                bytes += row.len();
                counted.push(row);
            }
            let data = Object::new()
                .text("since", summary.since.to_string())
                .text("until", summary.until.to_string())
                .list("counted", counted);
            bodies.push(self.structural(channel, Level::Info, name::SUMMARY, data));
        }
        bodies
    }

    /// A life-cycle record: category security, in the audit channel, the service as its actor.
    pub(crate) fn own_act(&self, level: Level, event: &'static str, data: Object) -> Vec<u8> {
        self.body(Category::Security, Shape::OwnAct, level, event, data)
    }

    /// The audit stream tells of the policy: see `told`.
    pub(crate) fn policy_is_told(&self) {
        if !Arc::ptr_eq(&self.told.load(), &self.policy) {
            self.told.store(Arc::clone(&self.policy));
        }
    }

    fn at_segment(
        &self,
        channel: Channel,
        level: Level,
        event: &'static str,
        data: Object,
    ) -> Vec<u8> {
        match channel {
            Channel::Audit => {
                let (category, shape) = (Category::Security, Shape::Structural);
                self.body_under(&self.told.load(), category, shape, level, event, data)
            }
            Channel::App | Channel::Catalog => self.structural(channel, level, event, data),
        }
    }

    fn structural(
        &self,
        channel: Channel,
        level: Level,
        event: &'static str,
        data: Object,
    ) -> Vec<u8> {
        let category = match channel {
            Channel::Audit | Channel::Catalog => Category::Security,
            Channel::App => Category::App,
        };
        self.body(category, Shape::Structural, level, event, data)
    }

    fn body(
        &self,
        category: Category,
        shape: Shape,
        level: Level,
        event: &'static str,
        data: Object,
    ) -> Vec<u8> {
        self.body_under(&self.policy, category, shape, level, event, data)
    }

    fn body_under(
        &self,
        policy: &Policy,
        category: Category,
        shape: Shape,
        level: Level,
        event: &'static str,
        data: Object,
    ) -> Vec<u8> {
        let data = data.into_json();
        let mut event = Event::new(event, category, self.clock.now(), NO_FIELDS);
        event.shape = shape;
        event.level = level;
        event.outcome = Some(Outcome::Success);
        event.data = Data::Own(&data);
        encode(
            &mut Scratch::take(),
            &event,
            policy,
            Pseudonyms::NONE,
            &self.service,
        )
        .bytes
        .to_vec()
    }

    /// Now, by the log's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
