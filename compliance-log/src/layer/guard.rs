use std::any::TypeId;

use tracing_core::{
    Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber,
    field::Visit,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::{
    audit_tracing::level,
    redacted::{Found, Redacted},
};
use crate::{
    current::{self, Scope},
    metric,
    pipeline::Handle,
    pseudonym::Pseudonyms,
    redact::Policy,
};

/// Puts the log's redaction in front of any other layer, such as `fmt` or that of OpenTelemetry.
///
/// The layer inside is shown events and spans only after the nets by name and by value: fields by
/// their name, and every text in them, whether it is the message, what `Debug` or `Display` wrote,
/// or an error and its causes. What is prohibited by name has no value any more; what was found in
/// a text is marked as in a record. What holds nothing of the kind is passed on as it is.
///
/// The policy and the keys of pseudonyms are those of the log of the current scope, else of the
/// process's default log, else [`Policy::builtin`] and none.
///
/// ```
/// use compliance_log::guard;
/// use tracing_subscriber::layer::SubscriberExt as _;
/// # use std::{io, sync::{Arc, Mutex}};
/// # #[derive(Clone, Default)]
/// # struct Out(Arc<Mutex<Vec<u8>>>);
/// # impl io::Write for Out {
/// #     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
/// #         self.0.lock().unwrap().extend_from_slice(bytes);
/// #         Ok(bytes.len())
/// #     }
/// #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
/// # }
/// # let out = Out::default();
/// # let writer = out.clone();
///
/// let fmt = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
/// let subscriber = tracing_subscriber::registry().with(guard(fmt));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!(attempt = 2, "signed in with password=hunter2");
/// });
/// # let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
/// assert!(text.contains("attempt") && !text.contains("hunter2"));
/// ```
///
/// Events of a request whose person [refused telemetry](crate::context::AuditContext::refuse_telemetry)
/// are not shown, but for levels WARN and ERROR, and are counted as `compliance_log_guard_suppressed`.
///
/// # What it does not do
///
/// Spans are shown whoever refused telemetry: layers count on having seen each one. Names of events, spans and fields, targets and file names are part of the program, not of its
/// data, and are not looked at. What a `Debug` impl writes is judged by what it wrote when it was
/// asked first. An event whose values do not belong to its own fields is dropped here, and counted as
/// `compliance_log_guard_dropped`; of such a span only the values are.
///
/// Nor can it part layers that keep the fields of spans in one place: two `fmt` layers with the same
/// format of fields share one text, which the first of them writes. Guard both, or give one its own
/// type by `fmt_fields`; beside a bare one, the guarded one shows what the bare one wrote.
pub fn guard<L>(inner: L) -> Guard<L> {
    Guard { inner }
}

/// A layer that shows another one redacted events and spans; made by [`guard`](guard()).
#[derive(Clone, Debug)]
pub struct Guard<L> {
    inner: L,
}

impl<L> Guard<L> {
    /// Runs `then` with the event as the layer inside may see it; not at all where that is unknown.
    fn event<R>(event: &Event<'_>, then: impl FnOnce(&Event<'_>) -> R) -> Option<R> {
        let metadata = event.metadata();
        match found(metadata, |visit| event.record(visit)) {
            Found::Nothing => Some(then(event)),
            Found::Redacted(values) => values.with(metadata, |values| {
                Some(if event.is_contextual() {
                    then(&Event::new(metadata, values))
                } else {
                    then(&Event::new_child_of(
                        event.parent().cloned(),
                        metadata,
                        values,
                    ))
                })
            }),
            Found::Foreign => None,
        }
    }
}

fn found(metadata: &Metadata<'_>, record: impl Fn(&mut dyn Visit)) -> Found {
    if metadata.fields().is_empty() {
        return Found::Nothing;
    }
    let scope = current::with(Scope::clone);
    let handle = scope.as_ref().map(|scope| &scope.handle);
    let policy = handle.map_or_else(Policy::builtin, Handle::policy);
    let keys = handle.and_then(Handle::pseudonym_keys);
    let context = scope.as_ref().and_then(|scope| scope.context.as_ref());
    let pseudonyms = Pseudonyms::new(keys.as_deref(), context);
    Found::of(metadata, &policy, pseudonyms, record)
}

/// Whether the person behind the current request refused what such an event says.
fn is_refused(at: tracing_core::Level) -> bool {
    let refused = |scope: &Scope| {
        let context = scope.context.as_ref();
        context.is_some_and(|context| scope.handle.suppresses(context, level(at)))
    };
    current::with(refused).unwrap_or(false)
}

#[cold]
fn count_dropped() {
    metric::count("compliance_log_guard_dropped");
}

impl<L, S> Layer<S> for Guard<L>
where
    L: Layer<S>,
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if is_refused(*event.metadata().level()) {
            return metric::count("compliance_log_guard_suppressed");
        }
        if Self::event(event, |event| self.inner.on_event(event, context)).is_none() {
            count_dropped();
        }
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        // One that cannot be shown is left to others; here it is dropped, and counted, later.
        Self::event(event, |event| self.inner.event_enabled(event, context)).unwrap_or(true)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let values = match found(metadata, |visit| attributes.record(visit)) {
            Found::Nothing => return self.inner.on_new_span(attributes, id, context),
            Found::Redacted(values) => values,
            Found::Foreign => {
                count_dropped();
                Redacted::empty(metadata)
            }
        };
        values.with(metadata, |values| {
            let attributes = match attributes.parent() {
                Some(parent) => Attributes::child_of(parent.clone(), metadata, values),
                None if attributes.is_root() => Attributes::new_root(metadata, values),
                None => Attributes::new(metadata, values),
            };
            self.inner.on_new_span(&attributes, id, context);
        });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(metadata) = context.metadata(id) else {
            return count_dropped();
        };
        match found(metadata, |visit| record.record(visit)) {
            Found::Nothing => self.inner.on_record(id, record, context),
            Found::Redacted(values) => values.with(metadata, |values| {
                self.inner.on_record(id, &Record::new(values), context);
            }),
            Found::Foreign => count_dropped(),
        }
    }

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.inner.on_register_dispatch(dispatch);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.inner.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.inner.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.inner.enabled(metadata, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.inner.max_level_hint()
    }

    fn on_follows_from(&self, span: &Id, follows: &Id, context: Context<'_, S>) {
        self.inner.on_follows_from(span, follows, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.inner.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.inner.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.inner.on_close(id, context);
    }

    fn on_id_change(&self, old: &Id, new: &Id, context: Context<'_, S>) {
        self.inner.on_id_change(old, new, context);
    }

    /// Others find the layer inside by this, and `tracing_subscriber` its filters.
    #[expect(
        unsafe_code,
        reason = "the trait declares it unsafe; the pointer given out is to `self`, or the inner layer's own answer"
    )]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the caller's promise is passed on as it is.
        unsafe { self.inner.downcast_raw(id) }
    }
}
