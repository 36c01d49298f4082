//! What is written one by one, what is counted, and that both add up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use compliance_log::{
    ComplianceLog, Volume, audit_event,
    clock::{Clock, Timestamp},
    context::AuditContext,
    http::AuditLayer,
    test_util::{Captured, Fault, Faults, ManualClock, capture_with, within_sync},
    verify::{Options, Verdict, verify},
};
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{events, records, wait_until};

#[audit_event(name = "cache.read", category = "app", target = "cache/{name}")]
struct CacheRead {
    #[audit(internal)]
    name: &'static str,
}

#[audit_event(name = "file.read", category = "access", target = "file/{file}")]
struct FileRead {
    #[audit(internal)]
    file: String,
}

#[audit_event(name = "role.granted", category = "admin", target = "role/{role}")]
struct RoleGranted {
    role: u32,
}

#[audit_event(name = "shell.opened", category = "access", target = "host/1")]
struct ShellOpened {
    #[audit(internal)]
    privileged_command: &'static str,
}

fn of<'r>(records: &'r [Value], event: &str) -> Vec<&'r Value> {
    records
        .iter()
        .filter(|record| record["event"] == event)
        .collect()
}

/// All counts that were told of an event.
fn counted(records: &[Value], event: &str) -> u64 {
    let rows = of(records, "volume.summary")
        .into_iter()
        .flat_map(|record| record["data"]["counted"].as_array().unwrap());
    rows.filter(|row| row["event"] == event)
        .map(|row| row["count"].as_u64().unwrap())
        .sum()
}

/// What the log wrote until it ended.
fn ended(log: ComplianceLog, captured: &Captured) -> Vec<Value> {
    log.shutdown().unwrap();
    let text = captured.text();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn app() -> Router {
    let flaky = |request: Request<Body>| async move {
        match request.uri().query() {
            Some("fail") => StatusCode::INTERNAL_SERVER_ERROR,
            Some("empty") => StatusCode::NO_CONTENT,
            _ => StatusCode::OK,
        }
    };
    Router::new()
        .route("/health", get(flaky))
        .route("/bookings", get(|| async { "[]" }))
}

async fn ask(app: &Router, uri: &str) {
    let request = Request::get(uri).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    axum::body::to_bytes(response.into_body(), 1024)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_route_on_change_is_written_when_its_answer_changes() {
    let (log, captured) = capture_with(|builder| builder.volume("GET /health", Volume::OnChange));
    let app = app().layer(AuditLayer::new(&log));
    for uri in ["", "", "", "?fail", "?fail", "", "", "?empty", "?empty"] {
        ask(&app, &format!("/health{uri}")).await;
    }
    for _ in 0..3 {
        ask(&app, "/bookings").await;
    }
    let records = ended(log, &captured);
    let requests = of(&records, "http.request");
    let statuses = |target: &str| -> Vec<u64> {
        let of_target = requests
            .iter()
            .filter(|record| record["target_resource"] == target);
        of_target
            .map(|record| record["status_code"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(statuses("GET /health"), [200, 500, 500, 200, 204]);
    assert_eq!(
        statuses("GET /bookings"),
        [200, 200, 200],
        "others are not touched"
    );
    let summaries = of(&records, "volume.summary");
    assert_eq!(summaries.len(), 1);
    let summary = summaries[0];
    assert_eq!(summary["category"], "security");
    assert_eq!(
        summary["data"]["counted"],
        json!([{"event": "http.request", "target": "GET /health", "outcome": "success", "count": 4}])
    );
    assert!(summary["data"]["since"].as_str() <= summary["data"]["until"].as_str());
    let names = events(&records);
    let place = |name: &str| names.iter().position(|event| *event == name);
    assert!(place("volume.summary") < place("log.stopped"));
}

#[test]
fn written_and_counted_add_up_over_a_mix() {
    let (log, captured) = capture_with(|builder| {
        builder
            .volume("cache.read", Volume::Summary(Duration::from_secs(1)))
            .volume("file.read", Volume::OnChange)
            .volume("log", Volume::Sample(7))
    });
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    tracing::subscriber::with_default(subscriber, || {
        within_sync(&log, || {
            for number in 0..500 {
                let name = ["a", "b", "c"][number % 3];
                CacheRead { name }.emit().unwrap();
                FileRead {
                    file: format!("{}", number % 40),
                }
                .emit()
                .unwrap();
                AuditContext::request()
                    .build()
                    .scope_sync(|| tracing::info!("one"));
                if number % 50 == 0 {
                    tracing::error!("failed");
                }
            }
        });
    });
    let records = ended(log, &captured);
    assert_eq!(of(&records, "cache.read").len(), 0);
    assert_eq!(counted(&records, "cache.read"), 500);
    assert_eq!(of(&records, "file.read").len(), 40, "the first of each");
    assert_eq!(counted(&records, "file.read"), 460);
    let logged = of(&records, "log");
    let errors = logged
        .iter()
        .filter(|record| record["level"] == "ERROR")
        .count();
    assert_eq!(errors, 10);
    let sampled = logged.len() as u64 - 10;
    assert_eq!(sampled + counted(&records, "log"), 500);
    assert!((1..250).contains(&sampled), "one in seven: {sampled}");
    for summary in of(&records, "volume.summary") {
        let app = summary["stream"].as_str().unwrap().ends_with("/app");
        for row in summary["data"]["counted"].as_array().unwrap() {
            assert_eq!(row["event"] != "file.read", app, "each in its own stream");
            assert_eq!(row.get("outcome").is_none(), app);
        }
    }
}

#[test]
fn many_counts_are_told_by_many_records() {
    let (log, captured) = capture_with(|builder| {
        builder.volume("file.read", Volume::Summary(Duration::from_secs(60)))
    });
    within_sync(&log, || {
        for number in 0..3000 {
            let file = format!("{:0>100}", number % 1500);
            FileRead { file }.emit().unwrap();
        }
    });
    let records = ended(log, &captured);
    let written = of(&records, "file.read").len() as u64;
    assert_eq!(
        written,
        2 * (1500 - 1024),
        "beyond the bound each is written"
    );
    assert_eq!(written + counted(&records, "file.read"), 3000);
    assert!(of(&records, "volume.summary").len() > 1);
}

#[test]
fn what_must_be_told_alone_is_never_counted() {
    let minute = Volume::Summary(Duration::from_secs(60));
    let (log, captured) = capture_with(|builder| {
        builder
            .volume("role.granted", minute)
            .volume("shell.opened", minute)
            .volume("file.read", minute)
    });
    assert_eq!(
        log.warnings()
            .iter()
            .filter(|text| text.contains("role.granted"))
            .count(),
        1
    );
    within_sync(&log, || {
        for role in 0..3 {
            RoleGranted { role }.emit().unwrap();
            ShellOpened {
                privileged_command: "sudo",
            }
            .emit()
            .unwrap();
            FileRead {
                file: "password=hunter2".to_owned(),
            }
            .emit()
            .unwrap();
            FileRead {
                file: "waited-for".to_owned(),
            }
            .commit()
            .wait()
            .unwrap();
        }
    });
    let records = ended(log, &captured);
    assert_eq!(of(&records, "role.granted").len(), 3);
    assert_eq!(of(&records, "shell.opened").len(), 3);
    assert_eq!(of(&records, "file.read").len(), 6);
    assert_eq!(of(&records, "volume.summary").len(), 0);
    assert!(!captured.text().contains("hunter2"));
}

#[test]
fn counts_are_told_when_their_time_has_come() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let (log, captured) = capture_with(|builder| {
        builder
            .clock(Arc::<ManualClock>::clone(&clock))
            .volume("cache.read", Volume::Summary(Duration::from_secs(30)))
    });
    let read = || within_sync(&log, || CacheRead { name: "a" }.emit()).unwrap();
    read();
    clock.advance(Duration::from_secs(10));
    read();
    assert_eq!(captured.named("volume.summary").len(), 0);
    clock.advance(Duration::from_secs(20));
    let summary = captured.named("volume.summary");
    assert_eq!(summary.len(), 1);
    assert_eq!(summary[0]["category"], "app");
    assert_eq!(
        summary[0]["data"],
        json!({
            "since": "1970-01-01T00:00:00.000000Z", "until": "1970-01-01T00:00:10.000000Z",
            "counted": [{"event": "cache.read", "target": "cache/a", "count": 2}],
        })
    );
    read();
    let records = ended(log, &captured);
    assert_eq!(counted(&records, "cache.read"), 3);
}

#[test]
fn an_idle_log_tells_its_counts_without_another_record() {
    let (log, captured) = capture_with(|builder| {
        builder.volume("cache.read", Volume::Summary(Duration::from_secs(1)))
    });
    log.flush().unwrap();
    within_sync(&log, || CacheRead { name: "a" }.emit()).unwrap();
    wait_until("the summary", || captured.text().contains("volume.summary"));
    log.shutdown().unwrap();
}

#[test]
fn after_a_restart_the_first_is_written_again_and_the_sums_still_hold() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let log = ComplianceLog::builder("files")
            .env("test")
            .dir(dir.path())
            .volume("file.read", Volume::OnChange)
            .open()
            .unwrap();
        within_sync(&log, || {
            for _ in 0..5 {
                FileRead {
                    file: "1".to_owned(),
                }
                .emit()
                .unwrap();
            }
        });
        log.shutdown().unwrap();
    }
    let records = records(dir.path(), "audit");
    assert_eq!(of(&records, "file.read").len(), 2);
    assert_eq!(counted(&records, "file.read"), 8);
    let report = verify(dir.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:?}");
}

#[test]
fn counts_outlast_a_full_disk_and_are_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let faults = Faults::new();
    let builder = ComplianceLog::builder("files")
        .env("test")
        .dir(dir.path())
        .clock(Arc::<ManualClock>::clone(&clock))
        .volume("file.read", Volume::Summary(Duration::from_secs(30)));
    let log = faults.under(builder).open().unwrap();
    let read = || FileRead {
        file: "1".to_owned(),
    };
    within_sync(&log, || {
        for _ in 0..3 {
            read().emit().unwrap();
        }
        faults.set(Fault::NoSpace);
        clock.advance(Duration::from_secs(30));
        read().commit().wait().unwrap_err();
        wait_until("the log knows", || log.failure().is_some());
        for _ in 0..2 {
            read().emit().unwrap();
        }
        faults.clear();
    });
    log.shutdown().unwrap();
    let records = records(dir.path(), "audit");
    assert_eq!(
        of(&records, "file.read").len(),
        0,
        "the one that was waited for was refused"
    );
    assert_eq!(counted(&records, "file.read"), 5);
    assert_eq!(of(&records, "volume.summary").len(), 2);
}

#[test]
fn the_file_sets_volumes_the_code_wins_and_a_bad_entry_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("compliance-log.toml");
    let text = "[volume]\n\"cache.read\" = \"summary 60s\"\n\"file.read\" = \"on_change\"\n\
                \"GET /x\" = \"sample 1/10\"\n\"other\" = \"sometimes\"\n\"third\" = 3\n";
    std::fs::write(&path, text).unwrap();
    let (log, captured) =
        capture_with(|builder| builder.config_file(&path).volume("file.read", Volume::Each));
    let warned = |what: &str| log.warnings().iter().any(|warning| warning.contains(what));
    assert!(
        warned("`other`") && warned("`third`") && warned("`GET /x`"),
        "{:?}",
        log.warnings()
    );
    assert!(!warned("cache.read") && !warned("file.read"));
    within_sync(&log, || {
        for _ in 0..3 {
            CacheRead { name: "a" }.emit().unwrap();
            FileRead {
                file: "1".to_owned(),
            }
            .emit()
            .unwrap();
        }
    });
    let records = ended(log, &captured);
    assert_eq!(of(&records, "cache.read").len(), 0);
    assert_eq!(of(&records, "file.read").len(), 3);
}

#[test]
fn counts_do_not_pile_up_as_records_while_the_disk_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let minute = Duration::from_secs(60);
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let builder = builder.volume("cache.read", Volume::Summary(minute));
    let builder = builder.clock(Arc::clone(&clock) as _);
    let log = faults.under(builder).open().unwrap();
    faults.set(Fault::NoSpace);
    let grant = || within_sync(&log, || RoleGranted { role: 1 }.commit().wait());
    grant().unwrap_err();
    for _ in 0..20 {
        within_sync(&log, || CacheRead { name: "a" }.emit()).unwrap();
        clock.advance(minute);
        log.flush().unwrap_or(());
    }
    faults.clear();
    wait_until("the disk takes records", || grant().is_ok());
    log.shutdown().unwrap();
    let app = records(dir.path(), "app");
    assert_eq!(counted(&app, "cache.read"), 20);
    assert!(of(&app, "volume.summary").len() <= 3);
}

/// Never stands still, and never goes on.
#[derive(Debug, Default)]
struct Mad(AtomicU64);

impl Clock for Mad {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }

    fn monotonic(&self) -> Duration {
        match self.0.fetch_add(1, Ordering::Relaxed) % 3 {
            1 => Duration::MAX,
            _ => Duration::ZERO,
        }
    }
}

#[test]
fn no_clock_takes_a_counting_log_down() {
    let dir = tempfile::tempdir().unwrap();
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let builder = builder.volume("cache.read", Volume::Summary(Duration::from_secs(60)));
    let log = builder.clock(Arc::new(Mad::default())).open().unwrap();
    for role in 0..20 {
        within_sync(&log, || CacheRead { name: "a" }.emit()).unwrap();
        within_sync(&log, || RoleGranted { role }.commit().wait()).unwrap();
    }
    log.shutdown().unwrap();
    assert_eq!(counted(&records(dir.path(), "app"), "cache.read"), 20);
}
