//! The one table of rows that a record may have, and what a complete record must not lack.

use std::{fmt, time::Duration};

use crate::{
    clock::Timestamp,
    context::{AuditContext, TraceIds},
    event::{Category, FieldMeta, Fields, Level, Outcome, OutcomeDetail},
    volume::Volume,
};

/// A row of the record, in the order in which rows are written. The links come after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Timestamp,
    Category,
    Level,
    Event,
    EventVersion,
    Outcome,
    OutcomeDetail,
    ServiceName,
    Env,
    TenantId,
    UserId,
    ClientId,
    TraceId,
    SpanId,
    TraceFlags,
    RequestId,
    TargetResource,
    StatusCode,
    LatencyMs,
    Ip,
    UserAgent,
    Service,
    ErrorCode,
    ErrorMessage,
    PayloadSize,
    BytesIn,
    BytesOut,
    Provider,
    BookingId,
    OfferId,
    PrivilegedCommand,
    OnBehalfOf,
    IntentOf,
    IntentRef,
    SchemaViolations,
    AuditGap,
    Message,
    Data,
    Redactions,
    Policy,
}

/// What the table says of one row.
#[derive(Debug)]
pub(crate) struct RowMeta {
    pub(crate) row: Row,
    pub(crate) name: &'static str,
    /// The most bytes that its value takes, encoded and without quotes; 0 where it cannot vary.
    pub(crate) bytes_max: usize,
    pub(crate) form: Form,
    pub(crate) required: Required,
}

/// What the value of a row is in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// RFC 3339 in UTC, with microseconds.
    Timestamp,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Lower-case words with dots between them.
    EventName,
    /// A configured name.
    Name,
    /// Any text.
    Text,
    /// Any text, or what the field of the event that sets it is.
    Given,
    /// So many lower hex digits.
    Hex(usize),
    /// A number without a fraction.
    Integer,
    /// The same; a text of digits where it is too large for a number of JSON.
    Count,
    /// Milliseconds, with a fraction.
    Millis,
    /// The stream and sequence of another record.
    Reference,
    /// Names of rows.
    Rows,
    /// `true`.
    True,
    /// What redaction did: field, rule, action.
    Redactions,
    /// An object of fields.
    Fields,
}

/// Where a row may not be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Required {
    /// In every record, structural ones too.
    Always,
    /// In every record of these categories.
    In(&'static [Category]),
    /// Inside a request, message or job.
    InContext,
    /// Inside a request or message.
    InRequest,
    /// Nowhere.
    Optional,
}

use Category::{Access as A, Admin, App, Audit, Security};

/// Somebody answers for records of these categories.
pub(crate) const ACCOUNTABLE: &[Category] = &[Audit, Security, Admin, A];

const CATEGORIES: &[&str] = &[
    Audit.as_str(),
    Security.as_str(),
    Admin.as_str(),
    A.as_str(),
    App.as_str(),
];

const LEVELS: &[&str] = &[
    Level::Trace.as_str(),
    Level::Debug.as_str(),
    Level::Info.as_str(),
    Level::Warn.as_str(),
    Level::Error.as_str(),
];

const OUTCOMES: &[&str] = &[Outcome::Success.as_str(), Outcome::Fail.as_str()];

const OUTCOME_DETAILS: &[&str] = &[
    OutcomeDetail::Denied.as_str(),
    OutcomeDetail::Aborted.as_str(),
    OutcomeDetail::Partial.as_str(),
    OutcomeDetail::Abandoned.as_str(),
];

const fn row(
    row: Row,
    name: &'static str,
    bytes_max: usize,
    form: Form,
    required: Required,
) -> RowMeta {
    RowMeta {
        row,
        name,
        bytes_max,
        form,
        required,
    }
}

/// The table itself.
pub(crate) const ROWS: [RowMeta; 40] = [
    row(
        Row::Timestamp,
        "timestamp",
        0,
        Form::Timestamp,
        Required::Always,
    ),
    row(
        Row::Category,
        "category",
        0,
        Form::Word(CATEGORIES),
        Required::Always,
    ),
    row(Row::Level, "level", 0, Form::Word(LEVELS), Required::Always),
    row(Row::Event, "event", 128, Form::EventName, Required::Always),
    row(
        Row::EventVersion,
        "event_version",
        0,
        Form::Integer,
        Required::Optional,
    ),
    row(
        Row::Outcome,
        "outcome",
        0,
        Form::Word(OUTCOMES),
        Required::In(ACCOUNTABLE),
    ),
    row(
        Row::OutcomeDetail,
        "outcome_detail",
        0,
        Form::Word(OUTCOME_DETAILS),
        Required::Optional,
    ),
    row(
        Row::ServiceName,
        "service_name",
        64,
        Form::Name,
        Required::Always,
    ),
    row(Row::Env, "env", 64, Form::Name, Required::Always),
    row(
        Row::TenantId,
        "tenant_id",
        256,
        Form::Text,
        Required::In(ACCOUNTABLE),
    ),
    row(Row::UserId, "user_id", 256, Form::Text, Required::Optional),
    row(
        Row::ClientId,
        "client_id",
        256,
        Form::Text,
        Required::Optional,
    ),
    row(
        Row::TraceId,
        "trace_id",
        0,
        Form::Hex(32),
        Required::InContext,
    ),
    row(
        Row::SpanId,
        "span_id",
        0,
        Form::Hex(16),
        Required::InContext,
    ),
    row(
        Row::TraceFlags,
        "trace_flags",
        0,
        Form::Hex(2),
        Required::Optional,
    ),
    row(
        Row::RequestId,
        "request_id",
        128,
        Form::Text,
        Required::InRequest,
    ),
    row(
        Row::TargetResource,
        "target_resource",
        1024,
        Form::Given,
        Required::In(&[Audit, Admin, A]),
    ),
    row(
        Row::StatusCode,
        "status_code",
        0,
        Form::Integer,
        Required::In(&[A]),
    ),
    row(
        Row::LatencyMs,
        "latency_ms",
        0,
        Form::Millis,
        Required::In(&[A]),
    ),
    row(Row::Ip, "ip", 0, Form::Text, Required::Optional),
    row(
        Row::UserAgent,
        "user_agent",
        512,
        Form::Text,
        Required::Optional,
    ),
    row(Row::Service, "service", 256, Form::Text, Required::Optional),
    row(
        Row::ErrorCode,
        "error_code",
        128,
        Form::Given,
        Required::Optional,
    ),
    row(
        Row::ErrorMessage,
        "error_message",
        2048,
        Form::Given,
        Required::Optional,
    ),
    row(
        Row::PayloadSize,
        "payload_size",
        0,
        Form::Count,
        Required::Optional,
    ),
    row(Row::BytesIn, "bytes_in", 0, Form::Count, Required::Optional),
    row(
        Row::BytesOut,
        "bytes_out",
        0,
        Form::Count,
        Required::Optional,
    ),
    row(
        Row::Provider,
        "provider",
        256,
        Form::Given,
        Required::Optional,
    ),
    row(
        Row::BookingId,
        "booking_id",
        256,
        Form::Given,
        Required::Optional,
    ),
    row(
        Row::OfferId,
        "offer_id",
        256,
        Form::Given,
        Required::Optional,
    ),
    row(
        Row::PrivilegedCommand,
        "privileged_command",
        1024,
        Form::Given,
        Required::Optional,
    ),
    row(
        Row::OnBehalfOf,
        "on_behalf_of",
        256,
        Form::Given,
        Required::Optional,
    ),
    row(
        Row::IntentOf,
        "intent_of",
        128,
        Form::EventName,
        Required::Optional,
    ),
    row(
        Row::IntentRef,
        "intent_ref",
        256,
        Form::Reference,
        Required::Optional,
    ),
    row(
        Row::SchemaViolations,
        "schema_violations",
        0,
        Form::Rows,
        Required::Optional,
    ),
    row(
        Row::AuditGap,
        "audit_gap",
        0,
        Form::True,
        Required::Optional,
    ),
    row(
        Row::Message,
        "message",
        4096,
        Form::Text,
        Required::Optional,
    ),
    row(Row::Data, "data", 4096, Form::Fields, Required::Optional),
    row(
        Row::Redactions,
        "redactions",
        0,
        Form::Redactions,
        Required::Optional,
    ),
    row(Row::Policy, "policy", 0, Form::Hex(8), Required::Always),
];

impl Row {
    pub(crate) const fn meta(self) -> &'static RowMeta {
        &ROWS[self as usize]
    }
}

/// The rows that a record has so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Present(u64);

impl Present {
    pub(crate) fn add(&mut self, row: Row) {
        self.0 |= 1 << row as u64;
    }

    pub(crate) fn has(self, row: Row) -> bool {
        self.0 & (1 << row as u64) != 0
    }

    /// The names of the rows that `event` should have and lacks.
    ///
    /// Asked after all rows before `message` were written; the encoder always writes the others.
    pub(crate) fn missing(self, event: &Event<'_>) -> impl Iterator<Item = &'static str> {
        let accountable = event.category != App;
        let actor = self.has(Row::UserId) || self.has(Row::ClientId);
        let (category, place, shape) = (event.category, event.place(), event.shape);
        let intent = matches!(event.intent, Some(Intent::Of(_)));
        let nameless = (shape != Shape::Structural && accountable && !actor).then_some("user_id");
        let absent = move |meta: &&RowMeta| {
            let required = match meta.required {
                // An intent has no outcome yet.
                Required::In(_) if meta.row == Row::Outcome && intent => false,
                Required::In(categories) => categories.contains(&category),
                Required::InContext => place != Place::Nowhere,
                Required::InRequest => place == Place::Request,
                Required::Always | Required::Optional => false,
            };
            shape != Shape::Structural && required && !self.has(meta.row)
        };
        ROWS.iter()
            .filter(absent)
            .map(|meta| meta.name)
            .chain(nameless)
    }
}

/// Whether a record speaks of the service or of the log's own bookkeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All rows of the table.
    Record,
    /// All rows of the table; the service itself acts, outside any request.
    OwnAct,
    /// Only the rows that every record has, and `data`.
    Structural,
}

/// Where an event happened, as far as its context tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Request,
    Job,
    Nowhere,
}

/// What the action was done to.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// Nothing is known.
    None,
    /// Said by the layer: method and matched route.
    #[cfg_attr(
        not(any(feature = "http", test)),
        expect(dead_code, reason = "used by `http` alone")
    )]
    Text(&'a str),
    /// Said by the event's own template.
    OfFields,
}

/// Why an action failed.
#[derive(Clone, Copy)]
pub(crate) struct Failed<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: Option<&'a dyn fmt::Display>,
}

/// A record that was made durable before the action, and the one that says how it ended.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "axum"),
    expect(dead_code, reason = "used by `http::audited` alone")
)]
pub(crate) enum Intent<'a> {
    /// This is the first: of which event.
    Of(&'static str),
    /// This is the second: `<stream>/<seq>` of the first.
    Closes(&'a str),
}

/// How a request was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) status: u16,
    pub(crate) latency: Duration,
    pub(crate) bytes_in: Option<u64>,
    pub(crate) bytes_out: Option<u64>,
}

/// The content of `data`.
#[derive(Clone, Copy)]
pub(crate) enum Data<'a> {
    /// Fields, each through redaction.
    Fields(&'a dyn Fields),
    /// A JSON object that `lifecycle` made of values of our own.
    Own(&'a str),
}

/// Which span a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanOf {
    /// The one that the code runs in which records it.
    Code,
    /// That of the whole request, whatever runs when it is recorded.
    Context,
}

/// One event with all that is known of it, borrowed until it is encoded.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) name: &'a str,
    /// The name under which its loss would be counted.
    pub(crate) counted_as: &'static str,
    pub(crate) version: Option<u16>,
    pub(crate) category: Category,
    pub(crate) level: Level,
    pub(crate) at: Timestamp,
    pub(crate) shape: Shape,
    pub(crate) context: Option<&'a AuditContext>,
    pub(crate) span: SpanOf,
    /// What the service's tracer says of it, once that was asked.
    pub(crate) trace: Option<TraceIds>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) detail: Option<OutcomeDetail>,
    pub(crate) target: Target<'a>,
    pub(crate) access: Option<Access>,
    pub(crate) error: Option<Failed<'a>>,
    pub(crate) intent: Option<Intent<'a>>,
    /// The request did something of which no event tells.
    pub(crate) audit_gap: bool,
    /// How many records of its kind are written, where the configuration says nothing.
    pub(crate) volume: Volume,
    pub(crate) message: Option<&'a dyn fmt::Debug>,
    /// The declared fields of a typed event; those marked `root` stand at the root.
    pub(crate) declared: &'a [FieldMeta],
    pub(crate) data: Data<'a>,
}

impl<'a> Event<'a> {
    /// A record with nothing in it but its name, category and fields.
    pub(crate) fn new(
        name: &'static str,
        category: Category,
        at: Timestamp,
        fields: &'a dyn Fields,
    ) -> Self {
        Self {
            name,
            counted_as: name,
            version: None,
            category,
            level: Level::Info,
            at,
            shape: Shape::Record,
            context: None,
            span: SpanOf::Code,
            trace: None,
            outcome: None,
            detail: None,
            target: Target::None,
            access: None,
            error: None,
            intent: None,
            audit_gap: false,
            volume: Volume::Each,
            message: None,
            declared: &[],
            data: Data::Fields(fields),
        }
    }

    /// Whether its record stands for something that must be told by itself: a failure, a denial, a
    /// privileged command, a duty that was not done.
    pub(crate) fn is_told_alone(&self) -> bool {
        let command = Row::PrivilegedCommand.meta().name;
        self.outcome == Some(Outcome::Fail)
            || self.detail.is_some()
            || self.error.is_some()
            || self.intent.is_some()
            || (self.category == App && self.level >= Level::Warn)
            || self
                .declared
                .iter()
                .any(|meta| meta.root && meta.name == command)
    }

    /// Trace, span and flags, if it has any.
    pub(crate) fn trace_ids(&self) -> Option<TraceIds> {
        self.trace
            .or_else(|| self.context.map(AuditContext::trace_ids))
    }

    /// Where it happened.
    pub(crate) fn place(&self) -> Place {
        match self.context {
            None => Place::Nowhere,
            Some(context) if context.job_name().is_some() => Place::Job,
            Some(_) => Place::Request,
        }
    }
}

impl fmt::Debug for Event<'_> {
    /// Shows what kind of event it is and none of its values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", &self.name)
            .field("category", &self.category)
            .finish_non_exhaustive()
    }
}

/// What every record of a log says of the service that wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: Box<str>,
    pub(crate) env: Box<str>,
    /// The most bytes that a line may have, with its newline.
    pub(crate) line_bytes_max: usize,
}

impl Service {
    /// Whether nobody is served for real here: a defect may be as loud as it can be.
    pub(crate) fn is_rehearsal(&self) -> bool {
        is_rehearsal(&self.env)
    }
}

/// Whether nobody is served for real in this environment.
pub(crate) fn is_rehearsal(env: &str) -> bool {
    matches!(env, "dev" | "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, meta) in ROWS.iter().enumerate() {
            assert_eq!(meta.row as usize, index, "{}", meta.name);
            assert_eq!(meta.row.meta().name, meta.name);
        }
    }
}
