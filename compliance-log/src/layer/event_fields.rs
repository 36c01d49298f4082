//! An event of `tracing` in the words of a record: its name, its message, its fields.

use std::{error::Error as StdError, fmt};

use tracing_core::{
    Event as TracingEvent, Metadata, Subscriber,
    field::{Field, Visit as TracingVisit},
};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

use super::{audit_tracing::Remembered, error_chain::ErrorChain};
use crate::{
    event::{FieldMeta, Fields, Kind, Raw, Visit},
    lifecycle::{EVENT_NAME_BYTES_MAX, is_event_name},
};

const MESSAGE: &str = "message";
const RENAME: &str = "event";

/// The name that an event gives itself, kept without allocating.
pub(super) struct Name {
    bytes: [u8; Self::BYTES_MAX],
    len: usize,
}

impl Name {
    const BYTES_MAX: usize = EVENT_NAME_BYTES_MAX;

    pub(super) fn of(event: &TracingEvent<'_>) -> Option<Self> {
        event.metadata().fields().field(RENAME)?;
        let mut name = Self {
            bytes: [0; Self::BYTES_MAX],
            len: 0,
        };
        event.record(&mut name);
        (name.len > 0).then_some(name)
    }

    pub(super) fn as_str(&self) -> &str {
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
pub(super) struct Message<'a>(pub(super) &'a TracingEvent<'a>);

impl Message<'_> {
    pub(super) fn exists(&self) -> bool {
        self.0.metadata().fields().field(MESSAGE).is_some()
    }
}

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

/// Everything of an event but its text and its name, then what the spans around it hand to it.
pub(super) struct EventFields<'a, S> {
    event: &'a TracingEvent<'a>,
    context: &'a Context<'a, S>,
    renamed: Renamed,
}

/// Whether the event's field `event` is the record's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Renamed {
    Yes,
    No,
}

/// Who made the event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A macro of `tracing`: its metadata says where.
    Tracing,
    /// The `log` crate, through `tracing-log`: its fields say where.
    Log,
}

impl Origin {
    fn of(metadata: &Metadata<'_>) -> Self {
        let log = metadata.target() == "log"
            && metadata.name() == "log event"
            && metadata.fields().field(LOG_TARGET).is_some();
        if log { Self::Log } else { Self::Tracing }
    }
}

const LOG_TARGET: &str = "log.target";

impl<'a, S> EventFields<'a, S> {
    pub(super) fn new(
        event: &'a TracingEvent<'a>,
        context: &'a Context<'a, S>,
        name: Option<&Name>,
    ) -> Self {
        let renamed = if name.is_some() {
            Renamed::Yes
        } else {
            Renamed::No
        };
        Self {
            event,
            context,
            renamed,
        }
    }
}

impl<S> Fields for EventFields<'_, S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn visit(&self, out: &mut dyn Visit) {
        let metadata = self.event.metadata();
        let origin = Origin::of(metadata);
        if origin == Origin::Tracing {
            // A target is a module path, or what a developer wrote in its place.
            out.field(&TARGET, Raw::Str(metadata.target()));
            if let Some(line) = metadata.line() {
                out.field(&LINE, Raw::U64(line.into()));
            }
        }
        self.event.record(&mut FieldVisitor {
            out,
            renamed: self.renamed,
            origin,
        });
        self.visit_spans(out);
    }
}

impl<S> EventFields<'_, S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn visit_spans(&self, out: &mut dyn Visit) {
        let own = self.event.metadata().fields();
        let spans = || self.context.event_scope(self.event).into_iter().flatten();
        for (depth, span) in spans().enumerate() {
            let extensions = span.extensions();
            let Some(remembered) = extensions.get::<Remembered>() else {
                continue;
            };
            remembered.fields.visit(out, |name| {
                let inside = |span: tracing_subscriber::registry::SpanRef<'_, S>| {
                    let extensions = span.extensions();
                    extensions
                        .get::<Remembered>()
                        .is_some_and(|inner| inner.fields.has(name))
                };
                own.field(name).is_none() && !spans().take(depth).any(inside)
            });
        }
    }
}

const TARGET: FieldMeta = FieldMeta::own("target", Kind::Text);
const LINE: FieldMeta = FieldMeta::own("line", Kind::Integer);

struct FieldVisitor<'a> {
    out: &'a mut dyn Visit,
    renamed: Renamed,
    origin: Origin,
}

impl FieldVisitor<'_> {
    fn field(&mut self, of: &Field, value: Raw<'_>) {
        match (self.origin, of.name()) {
            (_, MESSAGE) | (Origin::Log, "log.module_path" | "log.file") => (),
            (_, RENAME) if self.renamed == Renamed::Yes => (),
            (Origin::Log, LOG_TARGET) => self.out.field(&TARGET, value),
            (Origin::Log, "log.line") => self.out.field(&LINE, value),
            (_, name) => self.out.field(&FieldMeta::own(name, Kind::Any), value),
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
