//! The one pass over an event.

use std::{
    fmt,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
};

use memchr::memmem;

use super::{
    cut, json,
    scratch::{Buffers, Scratch},
};
use crate::{
    chain::FRAME_BYTES_MAX,
    event::{Action, Category, Class, FieldMeta, Fields, Raw, Visit},
    redact::{Effect, Hit, Policy, VALUE_BYTES_MIN, mask_card},
    schema::{Data, Event, Place, Present, Row, Service, Shape, Target},
};

/// A record from `timestamp` on, without stream, sequence and links: what the queue carries.
pub(crate) struct Encoded<'s> {
    pub(crate) category: Category,
    pub(crate) bytes: &'s [u8],
    /// Whether the record lacks rows that its category requires.
    pub(crate) violates_schema: bool,
}

/// `redactions` names at most this many; then one element says that there were more.
const REDACTIONS_MAX: usize = 32;

/// A key is cut beyond this.
const KEY_BYTES_MAX: usize = 160;

/// So many underscores may keep a key apart from others.
const UNDERSCORES_MAX: usize = 2;

/// Where less is left than this, a field has no room.
const FIELD_BYTES_MIN: usize = KEY_BYTES_MAX + cut::MARKER_BYTES_MAX;

/// Kept free while `data` is written: its closing brace, the frame of `redactions` with the element
/// for what no longer fits, and `policy`.
const TAIL_BYTES: usize = 256;

/// Encodes `event` under `policy` into the thread's buffers.
pub(crate) fn encode<'s>(
    scratch: &'s mut Scratch,
    event: &Event<'_>,
    policy: &Policy,
    service: &Service,
) -> Encoded<'s> {
    let buffers = scratch.buffers();
    let mut pass = Pass {
        event,
        policy,
        service,
        buffers,
        scan: Scan::Afterwards,
        present: Present::default(),
        redactions: 0,
        violates_schema: false,
    };
    pass.record();
    if pass.suspicious() {
        pass.scan = Scan::EachValue;
        pass.record();
    }
    let violates_schema = pass.violates_schema;
    Encoded {
        category: event.category,
        bytes: &buffers.body,
        violates_schema,
    }
}

/// When the net by value is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scan {
    /// Once over all that was written.
    Afterwards,
    /// To each value before it is written.
    EachValue,
}

/// Whether a text may hold a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A typed identifier.
    Typed,
    /// Anything that people or programs wrote.
    Free,
}

struct Pass<'a, 'e> {
    event: &'a Event<'e>,
    policy: &'a Policy,
    service: &'a Service,
    buffers: &'a mut Buffers,
    scan: Scan,
    present: Present,
    redactions: usize,
    violates_schema: bool,
}

impl<'a> Pass<'a, '_> {
    fn record(&mut self) {
        let Buffers {
            body,
            spans,
            redactions,
            keys,
            ..
        } = &mut *self.buffers;
        body.clear();
        spans.clear();
        redactions.clear();
        keys.clear();
        self.present = Present::default();
        self.redactions = 0;

        self.what_happened();
        if self.event.shape == Shape::Structural {
            self.plain_row(Row::ServiceName, &self.service.name);
            self.plain_row(Row::Env, &self.service.env);
        } else {
            self.outcome();
            self.plain_row(Row::ServiceName, &self.service.name);
            self.plain_row(Row::Env, &self.service.env);
            self.actor();
            self.request();
            self.declared();
            self.schema_violations();
            self.message();
        }
        self.data();
        self.redactions();
        self.plain_row(Row::Policy, self.policy.short());
    }

    /// The second half of the net by value, and the first: did the pass write anything that some
    /// rule should look at?
    fn suspicious(&self) -> bool {
        let Buffers { body, spans, .. } = &*self.buffers;
        self.scan == Scan::Afterwards
            && (self.policy.suspicious(body)
                || spans
                    .iter()
                    .any(|(from, to)| self.policy.suspicious_value(&body[*from..*to])))
    }

    fn what_happened(&mut self) {
        let event = self.event;
        self.buffers.body.extend_from_slice(b"\"timestamp\":\"");
        self.buffers.body.extend_from_slice(&event.at.text());
        self.buffers.body.push(b'"');
        self.present.add(Row::Timestamp);
        self.plain_row(Row::Category, event.category.as_str());
        self.plain_row(Row::Level, event.level.as_str());
        self.text_row(Row::Event, event.name, Kind::Typed);
        if let Some(version) = event.version {
            self.number_row(Row::EventVersion, u64::from(version));
        }
    }

    fn outcome(&mut self) {
        if let Some(outcome) = self.event.outcome {
            self.plain_row(Row::Outcome, outcome.as_str());
        }
        if let Some(detail) = self.event.detail {
            self.plain_row(Row::OutcomeDetail, detail.as_str());
        }
    }

    /// Tenant and actor stand in every record that somebody answers for, known or not, so that a
    /// missing one is always a defect.
    fn actor(&mut self) {
        let event = self.event;
        let accountable = event.category != Category::App;
        let identity = event.context.and_then(|context| context.identity());
        match identity
            .and_then(|identity| identity.tenant.as_ref())
            .filter(|tenant| !tenant.as_str().is_empty())
        {
            Some(tenant) => self.text_row(Row::TenantId, tenant.as_str(), Kind::Typed),
            None if accountable => self.plain_row(Row::TenantId, "none"),
            None => (),
        }
        let user = identity
            .and_then(|identity| identity.user.as_ref())
            .filter(|user| !user.as_str().is_empty());
        let client = identity.and_then(|identity| identity.client.as_ref());
        let own = event.shape == Shape::OwnAct || event.place() == Place::Job;
        match user {
            // The row holds an opaque subject. A direct identifier becomes a pseudonym, for which
            // there is no key.
            Some(user) if is_direct(user.as_str()) => {
                self.plain_row(Row::UserId, "[redacted:no-key]");
                self.redacted(
                    "",
                    Row::UserId.meta().name.as_bytes(),
                    "no-key",
                    Effect::Drop.as_str(),
                );
            }
            Some(user) => self.text_row(Row::UserId, user.as_str(), Kind::Typed),
            None if client.is_none() && own && accountable => {
                self.plain_row(Row::ClientId, &self.service.name);
                return;
            }
            None if client.is_none() && accountable => self.plain_row(Row::UserId, "anonymous"),
            None => (),
        }
        if let Some(client) = client {
            self.text_row(Row::ClientId, client.as_str(), Kind::Typed);
        }
    }

    fn request(&mut self) {
        let event = self.event;
        if let Some(context) = event.context {
            self.key(Row::TraceId);
            json::display(
                &mut self.buffers.body,
                format_args!("\"{}\"", context.trace_id()),
            );
            self.key(Row::SpanId);
            json::display(
                &mut self.buffers.body,
                format_args!("\"{}\"", context.span_id()),
            );
            if let Some(id) = context.request_id() {
                self.text_row(Row::RequestId, id, Kind::Typed);
            }
        }
        match event.target {
            Target::None => self.declared_row(Row::TargetResource),
            Target::Text(text) => self.text_row(Row::TargetResource, text, Kind::Free),
            Target::OfFields => self.target_of_fields(),
        }
        if let Some(access) = event.access {
            self.number_row(Row::StatusCode, u64::from(access.status));
            self.key(Row::LatencyMs);
            let micros = access.latency.as_micros();
            json::display(
                &mut self.buffers.body,
                format_args!("{}.{:03}", micros / 1000, micros % 1000),
            );
        }
        let Some(context) = event.context else { return };
        if let Some(ip) = context.ip() {
            self.key(Row::Ip);
            json::display(&mut self.buffers.body, format_args!("\"{ip}\""));
        }
        if let Some(agent) = context.user_agent() {
            self.text_row(Row::UserAgent, agent, Kind::Free);
        }
        if let Some(service) = context.service() {
            self.text_row(Row::Service, service, Kind::Free);
        }
    }

    /// The target that the event's own template writes, else the field of that name.
    fn target_of_fields(&mut self) {
        let Data::Fields(fields) = self.event.data else {
            return;
        };
        let mut text = std::mem::take(&mut self.buffers.text);
        guarded(&mut text, |text| fields.target(text));
        if text.is_empty() {
            self.declared_row(Row::TargetResource);
        } else {
            self.text_row(Row::TargetResource, &text, Kind::Free);
        }
        self.buffers.text = text;
    }

    /// The rows that an event may set itself; where it and the context both know one, the event wins.
    fn declared(&mut self) {
        let event = self.event;
        if let Some(error) = event.error {
            self.text_row(Row::ErrorCode, error.code, Kind::Free);
            if let Some(message) = error.message {
                self.made_row(Row::ErrorMessage, Raw::Display(message));
            }
        } else {
            self.declared_row(Row::ErrorCode);
            self.declared_row(Row::ErrorMessage);
        }
        self.declared_row(Row::PayloadSize);
        self.declared_row(Row::BytesIn);
        if let Some(bytes) = event.access.and_then(|access| access.bytes_in) {
            self.number_row(Row::BytesIn, bytes);
        }
        self.declared_row(Row::BytesOut);
        if let Some(bytes) = event.access.and_then(|access| access.bytes_out) {
            self.number_row(Row::BytesOut, bytes);
        }
        self.declared_row(Row::Provider);
        self.declared_row(Row::BookingId);
        let context = event.context;
        if let Some(id) = context
            .and_then(|context| context.booking_id())
            .filter(|_| !self.present.has(Row::BookingId))
        {
            self.text_row(Row::BookingId, id, Kind::Free);
        }
        self.declared_row(Row::OfferId);
        if let Some(id) = context
            .and_then(|context| context.offer_id())
            .filter(|_| !self.present.has(Row::OfferId))
        {
            self.text_row(Row::OfferId, id, Kind::Free);
        }
        self.declared_row(Row::PrivilegedCommand);
        self.declared_row(Row::OnBehalfOf);
    }

    fn declared_row(&mut self, row: Row) {
        let event = self.event;
        let Data::Fields(fields) = event.data else {
            return;
        };
        if event
            .declared
            .iter()
            .any(|meta| meta.root && meta.name == row.meta().name)
        {
            fields.visit(&mut RootField { pass: self, row });
        }
    }

    fn schema_violations(&mut self) {
        let missing = self.present.missing(self.event);
        self.violates_schema = false;
        for name in missing {
            let body = &mut self.buffers.body;
            body.extend_from_slice(if self.violates_schema {
                b","
            } else {
                b",\"schema_violations\":["
            });
            json::string(body, name);
            self.violates_schema = true;
        }
        if self.violates_schema {
            self.buffers.body.push(b']');
        }
    }

    fn message(&mut self) {
        if let Some(message) = self.event.message {
            self.made_row(Row::Message, Raw::Debug(message));
        }
    }

    fn data(&mut self) {
        let start = self.buffers.body.len();
        match self.event.data {
            Data::Own(object) => {
                let room = self.room();
                self.key(Row::Data);
                if object.len() <= room {
                    self.buffers.body.extend_from_slice(object.as_bytes());
                } else {
                    self.buffers.body.extend_from_slice(b"{\"cut\":\"");
                    cut::write(
                        &mut self.buffers.body,
                        object,
                        room.saturating_sub(KEY_BYTES_MAX),
                    );
                    self.buffers.body.extend_from_slice(b"\"}");
                }
            }
            Data::Fields(fields) => {
                self.key(Row::Data);
                self.buffers.body.push(b'{');
                let empty = self.buffers.body.len();
                fields.visit(&mut DataFields { pass: self });
                if self.buffers.body.len() == empty {
                    self.buffers.body.truncate(start);
                } else {
                    self.buffers.body.push(b'}');
                }
            }
        }
    }

    fn data_field(&mut self, meta: &FieldMeta, raw: Raw<'_>) {
        if self.redactions > REDACTIONS_MAX && self.room() < FIELD_BYTES_MIN {
            return;
        }
        let start = self.buffers.body.len();
        if self.buffers.body.last() != Some(&b'{') {
            self.buffers.body.push(b',');
        }
        self.buffers.body.push(b'"');
        let key = self.data_key(meta.name);
        let written = match key {
            Err((key, rule)) => Err((key, (rule, Effect::Drop))),
            Ok(key) => {
                self.buffers.body.extend_from_slice(b"\":");
                let bytes_max = Row::Data.meta().bytes_max.min(self.room());
                self.value("data.", key.clone(), meta, raw, bytes_max)
                    .map(|()| self.buffers.keys.push(key.clone()))
                    .map_err(|dropped| (key, dropped))
            }
        };
        if let Err((key, (rule, effect))) = written {
            self.redacted_key("data.", key, rule, effect.as_str());
            self.buffers.body.truncate(start);
        }
    }

    /// Writes the inside of a key that `data` does not have yet; or says where it was written, and by
    /// which rule the field must go. Keys are compared as they are written: two long names may be
    /// cut to the same. The name of the link never stands there as it is.
    fn data_key(&mut self, name: &str) -> Result<Range<usize>, (Range<usize>, &'static str)> {
        let room = self.room();
        let Buffers { body, keys, .. } = &mut *self.buffers;
        let start = body.len();
        cut::write(body, name, KEY_BYTES_MAX);
        if room < FIELD_BYTES_MIN {
            return Err((start..body.len(), "size"));
        }
        if body[start..] == *b"prev_hash" {
            body.push(b'_');
        }
        for _ in 0..=UNDERSCORES_MAX {
            if !keys.iter().any(|key| body[key.clone()] == body[start..]) {
                return Ok(start..body.len());
            }
            body.push(b'_');
        }
        Err((start..body.len(), "duplicate"))
    }

    /// Writes one value after its key, through the nets by type and name, or says by which rule it
    /// must go.
    fn value(
        &mut self,
        path: &str,
        key: Range<usize>,
        meta: &FieldMeta,
        raw: Raw<'_>,
        bytes_max: usize,
    ) -> Result<(), Dropped<'a>> {
        let dropped = |rule| Err((rule, Effect::Drop));
        match (meta.class, meta.action) {
            (Class::Secret, _) | (_, Action::Drop) => dropped("type"),
            (_, Action::Pseudonym) => dropped("no-key"),
            (_, Action::MaskPan) | (Class::Cardholder, _) => self.card(path, key, raw, "pan"),
            _ => match self.prohibited(meta.name) {
                None => {
                    self.allowed(path, key, raw, bytes_max);
                    Ok(())
                }
                Some(Hit {
                    rule,
                    action: Effect::Mask,
                }) => self.card(path, key, raw, rule),
                Some(Hit { rule, .. }) => dropped(rule),
            },
        }
    }

    /// What the net by name says of a field.
    fn prohibited(&mut self, name: &'static str) -> Option<Hit<'a>> {
        let (policy, id) = (self.policy, self.policy_id());
        let passes = || policy.name(name).is_none();
        if self.buffers.names.passes(id, name, passes) {
            return None;
        }
        policy.name(name)
    }

    fn allowed(&mut self, path: &str, key: Range<usize>, raw: Raw<'_>, bytes_max: usize) {
        let body = &mut self.buffers.body;
        match raw {
            Raw::U64(value) => json::u64(body, value),
            Raw::I64(value) => json::i64(body, value),
            Raw::F64(value) => json::f64(body, value),
            Raw::Bool(value) => json::display(body, value),
            Raw::Str(text) => self.quoted(path, key, text, Kind::Free, bytes_max),
            Raw::Id(_) => {
                self.made(raw, |pass, text| {
                    pass.quoted(path, key, text, Kind::Typed, bytes_max);
                });
            }
            Raw::Display(_) | Raw::Debug(_) => {
                self.made(raw, |pass, text| {
                    pass.quoted(path, key, text, Kind::Free, bytes_max);
                });
            }
        }
    }

    /// A card number as its last four digits; anything else goes.
    fn card(
        &mut self,
        path: &str,
        key: Range<usize>,
        raw: Raw<'_>,
        rule: &'a str,
    ) -> Result<(), Dropped<'a>> {
        let mut clean = std::mem::take(&mut self.buffers.clean);
        clean.clear();
        let mut masked = false;
        self.made(raw, |_, text| masked = mask_card(text, &mut clean));
        if masked {
            json::string(&mut self.buffers.body, &clean);
            self.redacted_key(path, key, rule, Effect::Mask.as_str());
        }
        self.buffers.clean = clean;
        if masked {
            Ok(())
        } else {
            Err((rule, Effect::Drop))
        }
    }

    /// Runs `then` on the text of a value, whatever kind it is.
    fn made(&mut self, raw: Raw<'_>, then: impl FnOnce(&mut Self, &str)) {
        let mut text = std::mem::take(&mut self.buffers.text);
        guarded(&mut text, |text| write_text(text, raw));
        then(self, &text);
        self.buffers.text = text;
    }

    /// A JSON string, through the nets by value and size.
    fn quoted(&mut self, path: &str, key: Range<usize>, text: &str, kind: Kind, bytes_max: usize) {
        self.buffers.body.push(b'"');
        let start = self.buffers.body.len();
        // A value that may be cut is scanned whole: half a secret looks like none.
        let policy = self.policy;
        let scan =
            kind == Kind::Free && (self.scan == Scan::EachValue || text.len() > bytes_max / 6);
        let mut clean = std::mem::take(&mut self.buffers.clean);
        clean.clear();
        let found = scan && {
            let mut hits = |hit: Hit<'_>| {
                self.redacted_key(path, key.clone(), hit.rule, hit.action.as_str());
            };
            policy.redact(text, &mut clean, &mut hits)
        };
        let cut = cut::write(
            &mut self.buffers.body,
            if found { &clean } else { text },
            bytes_max,
        );
        self.buffers.clean = clean;
        if cut {
            self.redacted_key(path, key, "size", "cut");
        }
        let end = self.buffers.body.len();
        if kind == Kind::Free && end - start >= VALUE_BYTES_MIN {
            self.buffers.spans.push((start, end));
        }
        self.buffers.body.push(b'"');
    }

    fn key(&mut self, row: Row) {
        let body = &mut self.buffers.body;
        body.extend_from_slice(b",\"");
        body.extend_from_slice(row.meta().name.as_bytes());
        body.extend_from_slice(b"\":");
        self.present.add(row);
    }

    /// A row whose value needs no escape.
    fn plain_row(&mut self, row: Row, value: &str) {
        self.key(row);
        let body = &mut self.buffers.body;
        body.push(b'"');
        body.extend_from_slice(value.as_bytes());
        body.push(b'"');
    }

    fn number_row(&mut self, row: Row, value: u64) {
        if !self.present.has(row) {
            self.key(row);
            json::u64(&mut self.buffers.body, value);
        }
    }

    fn text_row(&mut self, row: Row, text: &str, kind: Kind) {
        self.key(row);
        let name = self.name_of_key(row);
        self.quoted("", name, text, kind, row.meta().bytes_max);
    }

    fn made_row(&mut self, row: Row, raw: Raw<'_>) {
        self.made(raw, |pass, text| pass.text_row(row, text, Kind::Free));
    }

    /// Where the name of the row stands whose key was just written.
    fn name_of_key(&self, row: Row) -> Range<usize> {
        let end = self.buffers.body.len() - 2;
        end - row.meta().name.len()..end
    }

    fn redacted_key(&mut self, path: &str, key: Range<usize>, rule: &str, effect: &str) {
        let body = std::mem::take(&mut self.buffers.body);
        self.redacted(path, &body[key], rule, effect);
        self.buffers.body = body;
    }

    /// Adds an element to `redactions`; `key` is escaped already.
    fn redacted(&mut self, path: &str, key: &[u8], rule: &str, effect: &str) {
        if self.redactions > REDACTIONS_MAX {
            return;
        }
        let full =
            self.redactions == REDACTIONS_MAX || self.room() < KEY_BYTES_MAX + rule.len() + 64;
        let (path, key, rule, effect) = if full {
            ("", &b"*"[..], "more", Effect::Drop.as_str())
        } else {
            (path, key, rule, effect)
        };
        let list = &mut self.buffers.redactions;
        let start = list.len();
        list.extend_from_slice(b"{\"field\":\"");
        list.extend_from_slice(path.as_bytes());
        list.extend_from_slice(key);
        json::display(
            list,
            format_args!("\",\"rule\":\"{rule}\",\"action\":\"{effect}\"}}"),
        );
        let (before, element) = list.split_at(start);
        if memmem::find(before, element).is_some() {
            list.truncate(start);
            return;
        }
        list.push(b',');
        self.redactions = if full {
            REDACTIONS_MAX + 1
        } else {
            self.redactions + 1
        };
    }

    fn redactions(&mut self) {
        if self.redactions == 0 {
            return;
        }
        self.key(Row::Redactions);
        let Buffers {
            body, redactions, ..
        } = &mut *self.buffers;
        body.push(b'[');
        body.extend_from_slice(&redactions[..redactions.len() - 1]);
        body.push(b']');
    }

    /// Bytes that the record may still grow by.
    fn room(&self) -> usize {
        let used =
            self.buffers.body.len() + self.buffers.redactions.len() + TAIL_BYTES + FRAME_BYTES_MAX;
        self.service.line_bytes_max.saturating_sub(used)
    }

    fn policy_id(&self) -> u64 {
        let digest = self.policy.digest();
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        u64::from_be_bytes(first)
    }
}

/// By which rule a field had to go.
type Dropped<'p> = (&'p str, Effect);

/// Writes the one declared field that is `row`.
struct RootField<'p, 'a, 'e> {
    pass: &'p mut Pass<'a, 'e>,
    row: Row,
}

impl Visit for RootField<'_, '_, '_> {
    fn field(&mut self, meta: &FieldMeta, value: Raw<'_>) {
        let Self { pass, row } = self;
        if !meta.root || meta.name != row.meta().name || pass.present.has(*row) {
            return;
        }
        let start = pass.buffers.body.len();
        let before = pass.present;
        pass.key(*row);
        let name = pass.name_of_key(*row);
        // Numbers stand in rows of numbers; what may vary in length is bounded by the table.
        let bytes_max = row.meta().bytes_max.max(32);
        if let Err((rule, effect)) = pass.value("", name.clone(), meta, value, bytes_max) {
            pass.redacted_key("", name, rule, effect.as_str());
            pass.buffers.body.truncate(start);
            pass.present = before;
        }
    }
}

/// Writes every field that does not stand at the root.
struct DataFields<'p, 'a, 'e> {
    pass: &'p mut Pass<'a, 'e>,
}

impl Visit for DataFields<'_, '_, '_> {
    fn field(&mut self, meta: &FieldMeta, value: Raw<'_>) {
        if !meta.root {
            self.pass.data_field(meta, value);
        }
    }
}

/// Runs what a service's own `Display` and `Debug` impls write. One that fails or panics leaves a note
/// instead of taking the service down.
fn guarded(text: &mut String, write: impl FnOnce(&mut String) -> fmt::Result) {
    text.clear();
    if !matches!(catch_unwind(AssertUnwindSafe(|| write(text))), Ok(Ok(()))) {
        text.clear();
        text.push_str("[could not be formatted]");
    }
}

/// Writes a value as plain text.
pub(crate) fn write_text(out: &mut dyn fmt::Write, raw: Raw<'_>) -> fmt::Result {
    match raw {
        Raw::Str(value) => out.write_str(value),
        Raw::U64(value) => write!(out, "{value}"),
        Raw::I64(value) => write!(out, "{value}"),
        Raw::F64(value) => write!(out, "{value:?}"),
        Raw::Bool(value) => write!(out, "{value}"),
        Raw::Id(value) | Raw::Display(value) => write!(out, "{value}"),
        Raw::Debug(value) => write!(out, "{value:?}"),
    }
}

/// Whether a user id names a person to anybody who reads it: an e-mail address or a phone number.
fn is_direct(user: &str) -> bool {
    let phone = user.strip_prefix('+').is_some_and(|rest| {
        rest.bytes()
            .all(|b| b.is_ascii_digit() || b == b' ' || b == b'-')
    });
    user.contains('@') || phone
}

/// Fields whose visit does nothing, for records that have none.
pub(crate) const NO_FIELDS: &dyn Fields = &();

impl fmt::Debug for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Encoded({}, {} bytes)",
            self.category.as_str(),
            self.bytes.len()
        )
    }
}
