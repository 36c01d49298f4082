//! The service as it is deployed: its configuration file, a socket, a store on the disk, a shutdown.

use std::{net::SocketAddr, path::Path};

use axum_api::{Service, router, settings::Settings};
use compliance_log::{
    ComplianceLog,
    verify::{Options, Verdict, verify},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

#[tokio::test]
async fn what_it_served_verifies_after_a_graceful_shutdown() {
    let settings = Settings::read(Path::new("service.toml")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .dir(dir.path())
        .config_file(&settings.log)
        .open()
        .unwrap();
    assert_eq!(log.warnings(), [""; 0], "every key of the file is known");

    let app = router(&log, Service::demo()).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        axum::serve(listener, app)
            .with_graceful_shutdown(async move { drop(stopped.await) })
            .await
    });

    let body = r#"{"offer_id":"o-1","seats":2,"passenger":"Pia Passenger"}"#;
    let request = format!(
        "POST /bookings HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         authorization: Bearer demo-token-anna\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    let store = log.store().unwrap().to_path_buf();
    log.shutdown().unwrap();

    let report = verify(&store, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
    let text = audit_text(&store);
    assert!(text.contains(r#""event":"booking.created""#), "{text}");
    let peer = r#""ip":"127.0.0.1""#;
    assert!(text.contains(peer), "the address is the connection's");
}

/// Every line of the audit stream.
fn audit_text(store: &Path) -> String {
    let files = std::fs::read_dir(store.join("streams/audit")).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}
