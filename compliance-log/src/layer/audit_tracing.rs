use std::{error::Error as StdError, fmt};

use tracing_core::{
    Event as TracingEvent, Subscriber,
    field::{Field, Visit as TracingVisit},
    span,
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::error_chain::ErrorChain;
use crate::{
    current::{self, Scope},
    event::{Category, FieldMeta, Fields, Kind, Level, Raw, Visit},
    lifecycle::{EVENT_NAME_BYTES_MAX, is_event_name},
    pipeline::Handle,
    schema::Event,
};

/// A `tracing_subscriber` layer that stores events; made by `ComplianceLog::tracing_layer`.
///
/// An event goes to the log of the scope that it happens in, else to that of the layer, so that one
/// subscriber serves any number of logs. A span remembers the scope in which it was made, and hands
/// it to events inside it that run in none.
///
/// A record is named `log`, with the event's `target` and `line` under `data`; a field
/// `event = "cache.cleared"` renames it, unless the name is one of compliance-log's own. Events
/// below the log's `app_level` are not stored. What cannot be queued is counted and told of by the
/// next `log.gap`.
#[derive(Clone, Debug)]
pub struct AuditTracing {
    handle: Handle,
}

impl AuditTracing {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

/// What a span remembers.
struct Remembered(Scope);

impl<S> Layer<S> for AuditTracing
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(
        &self,
        _attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        if let (Some(scope), Some(span)) = (current::get(), context.span(id)) {
            span.extensions_mut().insert(Remembered(scope));
        }
    }

    fn on_event(&self, event: &TracingEvent<'_>, context: Context<'_, S>) {
        let level = level(*event.metadata().level());
        let scope = current::get().or_else(|| {
            let mut spans = context.event_scope(event)?;
            spans.find_map(|span| {
                span.extensions()
                    .get::<Remembered>()
                    .map(|remembered| remembered.0.clone())
            })
        });
        let handle = scope.as_ref().map_or(&self.handle, |scope| &scope.handle);
        if level < handle.app_level() {
            return;
        }
        let name = Name::of(event);
        let fields = EventFields {
            event,
            renamed: name.is_some(),
        };
        let message = Message(event);
        let mut record = Event::new("log", Category::App, handle.now(), &fields);
        if let Some(name) = &name {
            record.name = name.as_str();
        }
        record.level = level;
        record.context = scope.as_ref().and_then(|scope| scope.context.as_ref());
        if event.metadata().fields().field(MESSAGE).is_some() {
            record.message = Some(&message);
        }
        // A full queue counts `app` records itself; after shutdown there is nowhere to count.
        handle.emit(&record).unwrap_or(());
    }
}

const MESSAGE: &str = "message";
const RENAME: &str = "event";

fn level(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::TRACE => Level::Trace,
        tracing_core::Level::DEBUG => Level::Debug,
        tracing_core::Level::INFO => Level::Info,
        tracing_core::Level::WARN => Level::Warn,
        tracing_core::Level::ERROR => Level::Error,
    }
}

/// The name that an event gives itself, kept without allocating.
struct Name {
    bytes: [u8; Self::BYTES_MAX],
    len: usize,
}

impl Name {
    const BYTES_MAX: usize = EVENT_NAME_BYTES_MAX;

    fn of(event: &TracingEvent<'_>) -> Option<Self> {
        event.metadata().fields().field(RENAME)?;
        let mut name = Self {
            bytes: [0; Self::BYTES_MAX],
            len: 0,
        };
        event.record(&mut name);
        (name.len > 0).then_some(name)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl TracingVisit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == RENAME && value.len() <= Self::BYTES_MAX && is_event_name(value) {
            self.bytes[..value.len()].copy_from_slice(value.as_bytes());
            self.len = value.len();
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn fmt::Debug) {}
}

/// The text of an event, written when it is asked for.
struct Message<'a>(&'a TracingEvent<'a>);

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = MessageWriter { f, result: Ok(()) };
        self.0.record(&mut writer);
        writer.result
    }
}

struct MessageWriter<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    result: fmt::Result,
}

impl TracingVisit for MessageWriter<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            self.result = self.f.write_str(value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == MESSAGE {
            self.result = write!(self.f, "{value:?}");
        }
    }
}

/// Everything of an event but its text and its name.
struct EventFields<'a> {
    event: &'a TracingEvent<'a>,
    renamed: bool,
}

impl Fields for EventFields<'_> {
    fn visit(&self, out: &mut dyn Visit) {
        let metadata = self.event.metadata();
        // A target is a module path, or what a developer wrote in its place.
        out.field(
            &FieldMeta::own("target", Kind::Text),
            Raw::Str(metadata.target()),
        );
        if let Some(line) = metadata.line() {
            out.field(
                &FieldMeta::own("line", Kind::Integer),
                Raw::U64(line.into()),
            );
        }
        self.event.record(&mut FieldVisitor {
            out,
            renamed: self.renamed,
        });
    }
}

struct FieldVisitor<'a> {
    out: &'a mut dyn Visit,
    renamed: bool,
}

impl FieldVisitor<'_> {
    fn field(&mut self, of: &Field, value: Raw<'_>) {
        if of.name() != MESSAGE && !(self.renamed && of.name() == RENAME) {
            self.out.field(&FieldMeta::own(of.name(), Kind::Any), value);
        }
    }
}

impl TracingVisit for FieldVisitor<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, Raw::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, Raw::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, Raw::U64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, Raw::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, Raw::Str(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn StdError + 'static)) {
        self.field(field, Raw::Display(&ErrorChain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, Raw::Debug(value));
    }
}
