//! `guard` in front of the layer that exports spans to OpenTelemetry.

use compliance_log::guard;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

const AWS: &str = "AKIAIOSFODNN7EXAMPLE";
const PASSWORD: &str = "hunter2-horse";

#[test]
fn no_secret_is_exported_and_the_layer_is_still_found() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(guard(otel));
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("pay", key = AWS, route = "/pay", later = Empty);
        let _entered = span.enter();
        span.record("later", format!("password={PASSWORD}"));
        let error = std::io::Error::other(format!("{AWS} is refused"));
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::error!(
            error,
            attempt = 2,
            "cannot sign in with password={PASSWORD}"
        );
        tracing::info!("harmless");
        // Found by its type through the guard.
        assert!(span.context().span().span_context().is_valid());
        span.set_attribute("set", "directly");
    });
    let spans = exporter.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 1);
    let span = &spans[0];
    let of = |name: &str| {
        let attribute = span.attributes.iter().find(|kv| kv.key.as_str() == name);
        attribute.map(|kv| kv.value.to_string())
    };
    assert_eq!(of("key").unwrap(), "[redacted:aws-access-key]");
    assert_eq!(of("route").unwrap(), "/pay");
    assert_eq!(of("set").unwrap(), "directly");
    assert!(of("later").unwrap().starts_with("password=[redacted:"));
    let events: Vec<&str> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events.len(), 2);
    assert!(
        events[0].starts_with("cannot sign in with password=[redacted:"),
        "{events:?}"
    );
    assert_eq!(events[1], "harmless");
    let text = format!("{spans:?}");
    assert!(text.contains("is refused"), "the error is there: {text}");
    for secret in [AWS, PASSWORD] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    provider.shutdown().unwrap();
}
