//! The keys at the root of a record, and who may set them.

/// What a typed event may do with a key of the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A field of this name stands at the root.
    Settable,
    /// Nobody but compliance-log; the text says from where.
    SetBy(&'static str),
}

/// `None` for a key that goes under `data`.
pub(crate) fn row(key: &str) -> Option<Row> {
    ROWS.iter()
        .find(|(keys, _)| keys.contains(&key))
        .map(|(_, row)| *row)
}

/// Every key of the root, under who sets it.
pub(crate) const ROWS: &[(&[&str], Row)] = &[
    (
        &["v", "stream", "seq", "prev_hash", "hash"],
        Row::SetBy("the writer, which numbers and links the records"),
    ),
    (
        &["timestamp"],
        Row::SetBy("the clock, when the event is captured"),
    ),
    (
        &["category"],
        Row::SetBy("`category = \"...\"` on the struct"),
    ),
    (&["level"], Row::SetBy("compliance-log")),
    (&["event"], Row::SetBy("`name = \"...\"` on the struct")),
    (
        &["event_version"],
        Row::SetBy("`version = ...` on the struct"),
    ),
    (
        &["outcome"],
        Row::SetBy("`outcome = \"...\"` on the struct, and by the layer where the request failed"),
    ),
    (
        &["outcome_detail"],
        Row::SetBy("the layer, from how the request ended"),
    ),
    (
        &["service_name", "env"],
        Row::SetBy("the configuration of the log"),
    ),
    (
        &["tenant_id", "user_id", "client_id"],
        Row::SetBy("the verified claims of the caller"),
    ),
    (
        &["trace_id", "span_id", "trace_flags", "request_id"],
        Row::SetBy("the context of the request, message or job"),
    ),
    (
        &["status_code", "latency_ms"],
        Row::SetBy("the layer, from the response"),
    ),
    (
        &["ip", "user_agent", "service"],
        Row::SetBy("the layer, from the connection and its headers"),
    ),
    (
        &["intent_of", "intent_ref"],
        Row::SetBy("`begin()`, which writes the intent"),
    ),
    (
        &["schema_violations"],
        Row::SetBy("the check against the schema"),
    ),
    (
        &["audit_gap"],
        Row::SetBy("the layer, where a handler emitted nothing"),
    ),
    (&["message"], Row::SetBy("the text of a `tracing` event")),
    (
        &["data"],
        Row::SetBy("compliance-log, which puts the fields of the event there"),
    ),
    (
        &["redactions", "policy"],
        Row::SetBy("redaction and its active policy"),
    ),
    (
        &[
            "target_resource",
            "error_code",
            "error_message",
            "payload_size",
            "bytes_in",
            "bytes_out",
            "provider",
            "booking_id",
            "offer_id",
            "privileged_command",
            "on_behalf_of",
        ],
        Row::Settable,
    ),
];
