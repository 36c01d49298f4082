//! Answers for probes: whether the service lives, and whether it can do audited work.
//!
//! ```
//! use axum::Router;
//! use compliance_log::{ComplianceLog, http::{AuditRouter, health}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let log = ComplianceLog::builder("booking-api").env("test").dir(dir).open()?;
//! let app: Router = AuditRouter::new(&log)
//!     .route("/health", health::live(&log))
//!     .route("/ready", health::ready(&log))
//!     .into();
//! # drop(app);
//! # log.shutdown()?;
//! # Ok(())
//! # }
//! ```
//!
//! They are [`unaudited`] routes: never refused by an `AuditRouter` for the log's sake, and
//! recorded only when the answer changes. A plain `Router` takes them with `.into()`; tell its
//! [`AuditLayer`](super::AuditLayer::never_refuse) their paths.
//!
//! # Status
//!
//! | the log | `status` | [`live`] | [`ready`] |
//! |---|---|---|---|
//! | stores records | `ready` | 200 | 200 |
//! | has a full queue | `crowded` | 200 | 503 |
//! | cannot write its store, or the budget is used up | `degraded` | 200 | 503 |
//! | has ended | `ended` | 503 | 503 |
//!
//! With [`Mode::Observe`] both are always 200. A restart mends no disk, so a pod whose log
//! is degraded lives on: it is only sent no requests until the log has mended itself.
//!
//! # Body
//!
//! Both have the same, a JSON object. Keys may be added, none changes its meaning. It names no path, no host
//! and no error text: the words for people are in [`ComplianceLog::failure`] and in the log.
//!
//! | key | | |
//! |---|---|---|
//! | `status` | always | as above |
//! | `reason` | unless `ready` | `queue_full`, `store_unavailable`, `budget`, `store_removed`, `exposed`, `closed` or `forked` |
//! | `mode` | always | `enforce` or `observe` |
//! | `queue_bytes`, `queue_bytes_max` | always | what waits for the writer, and how much may |
//! | `budget` | with a store on disk | `ample`, `low` from 75 %, `reserved` from 90 %, `used_up` |
//! | `store_bytes`, `store_bytes_max` | with a store on disk | what counts against the budget, and the budget |
//! | `disk_full_seconds` | if records come in | until the budget or the volume has no room, at the rate of the last five minutes |
//! | `synced_ms_ago` | once there was one | since the last sync that succeeded |
//! | `unsynced_ms` | if any waits | how long the oldest written record waits to become durable |
//! | `writer_busy_ms` | while it works | since the writer took its last batch: seconds mean that the disk does not answer |
//!
//! # What it does not do
//!
//! It says nothing of what the service itself needs: databases, brokers. A service that has such needs asks
//! [`Handle::vitals`] in a handler of its own.

use std::time::Duration;

use axum::{
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};

use super::{route::AuditedRoute, unaudited};
use crate::{
    encode::Object,
    log::ComplianceLog,
    pipeline::{Handle, Health, Mode, Vitals},
};

/// Whether the process should live on: 503 only if the log has ended and the service refuses what it cannot
/// record.
pub fn live<S: Clone + Send + Sync + 'static>(log: &ComplianceLog) -> AuditedRoute<S> {
    probe(log.handle(), "liveness probe; touches no data", |vitals| {
        vitals.health == Health::Closed
    })
}

/// Whether requests should be sent here: 503 while audited operations would be refused.
pub fn ready<S: Clone + Send + Sync + 'static>(log: &ComplianceLog) -> AuditedRoute<S> {
    probe(log.handle(), "readiness probe; touches no data", |vitals| {
        vitals.refusal.is_some()
    })
}

fn probe<S: Clone + Send + Sync + 'static>(
    handle: Handle,
    reason: &'static str,
    fails: fn(&Vitals) -> bool,
) -> AuditedRoute<S> {
    let answer = move || {
        let vitals = handle.vitals();
        let fails = vitals.mode == Mode::Enforce && fails(&vitals);
        std::future::ready(response(&vitals, fails))
    };
    unaudited::get(answer, reason)
}

fn response(vitals: &Vitals, fails: bool) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    let status = if fails {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    (status, headers, body(vitals)).into_response()
}

fn body(vitals: &Vitals) -> String {
    let status = match (vitals.health, vitals.refusal) {
        (Health::Ready, None) => "ready",
        (Health::Ready, Some("queue_full")) => "crowded",
        (Health::Ready, Some(_)) | (Health::Closed, _) => "ended",
        (Health::Degraded, _) => "degraded",
    };
    let mode = match vitals.mode {
        Mode::Enforce => "enforce",
        Mode::Observe => "observe",
    };
    let budget = vitals.budget;
    Object::new()
        .text("status", status)
        .text_if("reason", vitals.refusal)
        .text("mode", mode)
        .number("queue_bytes", vitals.queue_bytes)
        .number("queue_bytes_max", vitals.queue_bytes_max)
        .text_if("budget", budget.map(|budget| budget.level.as_str()))
        .number_if("store_bytes", budget.map(|budget| budget.used_bytes))
        .number_if("store_bytes_max", budget.map(|budget| budget.max_bytes))
        .number_if(
            "disk_full_seconds",
            budget.and_then(|budget| Some(budget.full_in?.as_secs())),
        )
        .number_if("synced_ms_ago", vitals.synced_ago.map(millis))
        .number_if("unsynced_ms", vitals.unsynced_for.map(millis))
        .number_if("writer_busy_ms", vitals.busy_for.map(millis))
        .into_json()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
