//! The one pass over an event: its rows, in the order of the format.

use std::{fmt, ops::Range};

use super::{
    cut::Bound,
    json,
    scratch::{Buffers, Scratch, Value},
    value::guarded,
};
use crate::{
    chain::FRAME_BYTES_MAX,
    context::AuditContext,
    event::{Category, FieldMeta, Fields, Raw, Visit},
    pseudonym::Pseudonyms,
    redact::{Effect, Policy, kind},
    schema::{Data, Event, Intent, Place, Present, Row, Service, Shape, Target},
};

/// Kept free while `data` is written: its closing brace, the frame of `redactions` with the element
/// for what no longer fits, and `policy`.
const TAIL_BYTES: usize = 256;

/// A record from `timestamp` on, without stream, sequence and links: what the queue carries.
pub(crate) struct Encoded<'s> {
    pub(crate) category: Category,
    pub(crate) bytes: &'s [u8],
    /// Whether the record lacks rows that its category requires.
    pub(crate) violates_schema: bool,
    /// Whether it has a row `redactions`.
    pub(crate) is_redacted: bool,
}

/// Encodes `event` under `policy` into the thread's buffers.
pub(crate) fn encode<'s>(
    scratch: &'s mut Scratch,
    event: &Event<'_>,
    policy: &Policy,
    pseudonyms: Pseudonyms<'_>,
    service: &Service,
) -> Encoded<'s> {
    let buffers = scratch.buffers();
    buffers.names.under(policy_id(policy));
    let mut pass = Pass {
        event,
        policy,
        pseudonyms,
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
    let (violates_schema, is_redacted) = (pass.violates_schema, pass.redactions > 0);
    Encoded {
        category: event.category,
        bytes: &buffers.body,
        violates_schema,
        is_redacted,
    }
}

/// What `event` was done to, where its own template says so; empty where it does not.
pub(crate) fn own_target<'s>(scratch: &'s mut Scratch, event: &Event<'_>) -> &'s str {
    let text = &mut scratch.buffers().text;
    text.clear();
    if let (Target::OfFields, Data::Fields(fields)) = (event.target, event.data) {
        guarded(text, |text| fields.target(text));
    }
    text
}

/// Tells policies apart.
pub(crate) fn policy_id(policy: &Policy) -> u64 {
    let digest = policy.digest();
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    u64::from_be_bytes(first)
}

/// When the net by value is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// Once over all that was written.
    Afterwards,
    /// To each value before it is written.
    EachValue,
}

/// Whether a text may hold a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A typed identifier.
    Typed,
    /// Anything that people or programs wrote.
    Free,
}

pub(super) struct Pass<'a, 'e> {
    pub(super) event: &'a Event<'e>,
    pub(super) policy: &'a Policy,
    pub(super) pseudonyms: Pseudonyms<'a>,
    service: &'a Service,
    pub(super) buffers: &'a mut Buffers,
    pub(super) scan: Scan,
    present: Present,
    pub(super) redactions: usize,
    violates_schema: bool,
}

impl Pass<'_, '_> {
    fn record(&mut self) {
        let Buffers {
            body,
            values,
            redactions,
            keys,
            ..
        } = &mut *self.buffers;
        body.clear();
        values.clear();
        redactions.clear();
        keys.clear();
        self.present = Present::default();
        self.redactions = 0;

        self.what_happened();
        if self.event.shape == Shape::Structural {
            self.plain_row(Row::ServiceName, self.service.name.as_bytes());
            self.plain_row(Row::Env, self.service.env.as_bytes());
        } else {
            self.outcome();
            self.plain_row(Row::ServiceName, self.service.name.as_bytes());
            self.plain_row(Row::Env, self.service.env.as_bytes());
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

    /// Whether the pass wrote any value that some rule should look at.
    fn suspicious(&mut self) -> bool {
        let Buffers {
            body,
            values,
            joined,
            ..
        } = &mut *self.buffers;
        if self.scan == Scan::EachValue {
            return false;
        }
        let least = self.policy.literal_value_bytes_min();
        joined.clear();
        // Most literals are in few values only; these stand first.
        let mut marked = 0;
        for is_marked in [true, false] {
            for Value { start, end, kinds } in &*values {
                if end - start >= least && (kinds & kind::MARKED != 0) == is_marked {
                    append(joined, body, *start..*end);
                    // So that no two values make one word.
                    joined.push(b'\n');
                }
            }
            if is_marked {
                marked = joined.len();
            }
        }
        self.policy.suspicious(joined, marked)
            || values.iter().any(|Value { start, end, kinds }| {
                self.policy.suspicious_value(&body[*start..*end], *kinds)
            })
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
            Some(tenant) => self.id_row(Row::TenantId, tenant.as_str()),
            None if accountable => self.plain_row(Row::TenantId, "none"),
            None => (),
        }
        let user = identity
            .and_then(|identity| identity.user.as_ref())
            .filter(|user| !user.as_str().is_empty());
        let client = identity.and_then(|identity| identity.client.as_ref());
        let own = event.shape == Shape::OwnAct || event.place() == Place::Job;
        match user {
            Some(user) => self.subject_row(Row::UserId, user.as_str()),
            None if client.is_none() && own && accountable => {
                self.plain_row(Row::ClientId, self.service.name.as_bytes());
                return;
            }
            None if client.is_none() && accountable => self.plain_row(Row::UserId, "anonymous"),
            None => (),
        }
        if let Some(client) = client {
            self.subject_row(Row::ClientId, client.as_str());
        }
    }

    /// An opaque subject. A direct identifier there becomes a pseudonym; the row is never missing.
    fn subject_row(&mut self, row: Row, subject: &str) {
        if !is_direct(subject) {
            return self.id_row(row, subject);
        }
        let name = row.meta().name;
        let (rule, effect) = match self.pseudonym(name, subject) {
            Ok(pseudonym) => {
                self.key(row);
                json::display(&mut self.buffers.body, format_args!("\"{pseudonym}\""));
                ("direct-identifier", Effect::Pseudonym)
            }
            Err(rule) => {
                self.key(row);
                json::display(
                    &mut self.buffers.body,
                    format_args!("\"[redacted:{rule}]\""),
                );
                (rule, Effect::Drop)
            }
        };
        self.redacted("", name.as_bytes(), rule, effect.as_str());
    }

    fn request(&mut self) {
        let event = self.event;
        if let Some(ids) = event.trace_ids() {
            self.plain_row(Row::TraceId, ids.trace_id.hex());
            self.plain_row(Row::SpanId, ids.span_id.hex());
            self.plain_row(Row::TraceFlags, ids.flags.hex());
        }
        if let Some(id) = event.context.and_then(AuditContext::request_id) {
            self.id_row(Row::RequestId, id);
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
        if let Some(user) = context
            .and_then(|context| context.identity()?.on_behalf_of.as_ref())
            .filter(|user| !user.as_str().is_empty() && !self.present.has(Row::OnBehalfOf))
        {
            self.subject_row(Row::OnBehalfOf, user.as_str());
        }
        match event.intent {
            Some(Intent::Of(event)) => self.text_row(Row::IntentOf, event, Kind::Typed),
            Some(Intent::Closes(record)) => self.text_row(Row::IntentRef, record, Kind::Typed),
            None => (),
        }
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
        if self.event.audit_gap {
            self.key(Row::AuditGap);
            self.buffers.body.extend_from_slice(b"true");
        }
    }

    fn message(&mut self) {
        if let Some(message) = self.event.message {
            self.made_row(Row::Message, Raw::Debug(message));
        }
    }

    pub(super) fn key(&mut self, row: Row) {
        let body = &mut self.buffers.body;
        body.extend_from_slice(b",\"");
        body.extend_from_slice(row.meta().name.as_bytes());
        body.extend_from_slice(b"\":");
        self.present.add(row);
    }

    /// A row whose value needs no escape.
    fn plain_row(&mut self, row: Row, value: impl AsRef<[u8]>) {
        self.key(row);
        let body = &mut self.buffers.body;
        body.push(b'"');
        body.extend_from_slice(value.as_ref());
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
        let bound = Bound::whole(row.meta().bytes_max);
        self.quoted("", name, text, kind, bound);
    }

    /// An identifier that came from outside: anything, unless it is made of hex digits.
    fn id_row(&mut self, row: Row, id: &str) {
        let kind = if is_hex_id(id) {
            Kind::Typed
        } else {
            Kind::Free
        };
        self.text_row(row, id, kind);
    }

    fn made_row(&mut self, row: Row, raw: Raw<'_>) {
        self.made(raw, |pass, text| pass.text_row(row, text, Kind::Free));
    }

    /// Where the name of the row stands whose key was just written.
    fn name_of_key(&self, row: Row) -> Range<usize> {
        let end = self.buffers.body.len() - 2;
        end - row.meta().name.len()..end
    }

    /// Bytes that the record may still grow by.
    pub(super) fn room(&self) -> usize {
        let used =
            self.buffers.body.len() + self.buffers.redactions.len() + TAIL_BYTES + FRAME_BYTES_MAX;
        self.service.line_bytes_max.saturating_sub(used)
    }
}

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
        let bound = Bound::whole(row.meta().bytes_max.max(32));
        if let Err((rule, effect)) = pass.value("", name.clone(), meta, value, bound) {
            pass.redacted_key("", name, rule, effect.as_str());
            pass.buffers.body.truncate(start);
            pass.present = before;
        }
    }
}

/// Appends a part of `from`, in steps of one size: most values are so short that a call to copy them
/// would take longer.
fn append(to: &mut Vec<u8>, from: &[u8], part: Range<usize>) {
    const STEP: usize = 16;

    let end = to.len() + part.len();
    let mut at = part.start;
    while at < part.end
        && let Some(step) = from.get(at..at + STEP)
    {
        to.extend_from_slice(step);
        at += STEP;
    }
    if at < part.end {
        to.extend_from_slice(&from[at..part.end]);
    }
    to.truncate(end);
}

/// Whether an id has hex digits and dashes only, and some are letters: without any it may be a number
/// that names a card or an account.
fn is_hex_id(id: &str) -> bool {
    let found = id
        .bytes()
        .fold(0, |found, byte| found | HEX_KINDS[usize::from(byte)]);
    found & OTHER == 0 && found & LETTER != 0
}

const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const OTHER: u8 = 4;

/// Each record of a request asks for each byte of its id.
static HEX_KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let (mut at, digits, letters) = (0, b"0123456789-", b"abcdefABCDEF");
    while at < digits.len() {
        kinds[digits[at] as usize] = DIGIT;
        at += 1;
    }
    at = 0;
    while at < letters.len() {
        kinds[letters[at] as usize] = LETTER;
        at += 1;
    }
    kinds
};

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
