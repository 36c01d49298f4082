use tracing_core::{Event as TracingEvent, Metadata, Subscriber, span};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::{
    event_fields::{EventFields, Message, Name},
    span_fields::SpanFields,
};
use crate::{
    current::{self, Scope},
    event::{Category, Level},
    pipeline::Handle,
    pseudonym::Pseudonyms,
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
/// next `log.gap`. A record of the `log` crate that comes through `tracing-log` has its own target and
/// line.
///
/// # Fields of spans
///
/// A record also has the fields of the spans that the event stands in, as they are at that time: the
/// event's own field wins over a span's of the same name, an inner span's over an outer one's. A span
/// keeps them redacted: a text of at most 1,024 bytes each, 4,096 bytes together; what does not fit
/// is in the record's `redactions`. Spans below the log's `app_level` hand on nothing.
#[derive(Clone, Debug)]
pub struct AuditTracing {
    handle: Handle,
}

/// What a span remembers.
pub(super) struct Remembered {
    scope: Option<Scope>,
    pub(super) fields: SpanFields,
}

impl AuditTracing {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// The fields that the log of `scope` keeps for a span.
    fn fields(
        &self,
        scope: Option<&Scope>,
        metadata: &Metadata<'_>,
        record: impl FnOnce(&mut dyn tracing_core::field::Visit),
    ) -> SpanFields {
        let handle = scope.map_or(&self.handle, |scope| &scope.handle);
        if level(*metadata.level()) < handle.app_level() {
            return SpanFields::default();
        }
        let keys = handle.pseudonym_keys();
        let context = scope.and_then(|scope| scope.context.as_ref());
        let pseudonyms = Pseudonyms::new(keys.as_deref(), context);
        SpanFields::of(&handle.policy(), pseudonyms, record)
    }
}

impl<S> Layer<S> for AuditTracing
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        let scope = current::get();
        let fields = if attributes.is_empty() {
            SpanFields::default()
        } else {
            self.fields(scope.as_ref(), attributes.metadata(), |visit| {
                attributes.record(visit);
            })
        };
        if scope.is_none() && fields.is_empty() {
            return;
        }
        if let Some(span) = context.span(id) {
            // Another log's layer may have been here; `insert` would panic.
            span.extensions_mut().replace(Remembered { scope, fields });
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let scope = current::get().or_else(|| {
            let extensions = span.extensions();
            extensions.get::<Remembered>()?.scope.clone()
        });
        let later = self.fields(scope.as_ref(), span.metadata(), |visit| {
            values.record(visit);
        });
        let mut extensions = span.extensions_mut();
        if let Some(remembered) = extensions.get_mut::<Remembered>() {
            remembered.fields.merge(later);
        } else {
            extensions.insert(Remembered {
                scope: None,
                fields: later,
            });
        }
    }

    fn on_event(&self, event: &TracingEvent<'_>, context: Context<'_, S>) {
        let level = level(*event.metadata().level());
        let scope = current::get().or_else(|| {
            let mut spans = context.event_scope(event)?;
            spans.find_map(|span| span.extensions().get::<Remembered>()?.scope.clone())
        });
        let handle = scope.as_ref().map_or(&self.handle, |scope| &scope.handle);
        if level < handle.app_level() {
            return;
        }
        // One that holds a secret is a field like any other.
        let name = Name::of(event).filter(|name| handle.policy().clean(name.as_str()).is_none());
        let fields = EventFields::new(event, &context, name.as_ref());
        let message = Message(event);
        let mut record = Event::new("log", Category::App, handle.now(), &fields);
        if let Some(name) = &name {
            record.name = name.as_str();
        }
        record.level = level;
        record.context = scope.as_ref().and_then(|scope| scope.context.as_ref());
        if message.exists() {
            record.message = Some(&message);
        }
        // A full queue counts `app` records itself; after shutdown there is nowhere to count.
        handle.emit(&record).unwrap_or(());
    }
}

pub(super) fn level(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::TRACE => Level::Trace,
        tracing_core::Level::DEBUG => Level::Debug,
        tracing_core::Level::INFO => Level::Info,
        tracing_core::Level::WARN => Level::Warn,
        tracing_core::Level::ERROR => Level::Error,
    }
}
