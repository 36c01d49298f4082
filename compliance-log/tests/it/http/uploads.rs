//! Clients that leave, or lose their voice, while they send.

use std::sync::Arc;

use axum::{Router, routing::post};
use compliance_log::http::AuditLayer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
};

use super::{
    client::{Http2, Sent},
    served::{request, serve, verdict},
};

/// As long as the body that is never sent whole.
const LENGTH: &str = "content-length: 1000000\r\n";

/// Over HTTP/1.1 a server reads no further than its service does, and so does not see who left.
#[tokio::test]
async fn who_leaves_an_unread_upload_is_not_missed_over_http_1() {
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, may_go_on) = (Arc::clone(&entered), Arc::clone(&go_on));
    let handler = move || async move {
        inside.notify_one();
        may_go_on.notified().await;
        "done"
    };
    let app = Router::new().route("/", post(handler));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let sent = request("POST", "/", LENGTH) + "the beginning";
    let socket = server.connect(&sent).await;
    entered.notified().await;
    drop(socket);
    go_on.notify_one();
    let record = server.access().await;
    assert_eq!(verdict(&record), "POST / | 200 | success | - | -");
    assert_eq!(record["bytes_in"], 1_000_000, "as stated");
}

#[tokio::test]
async fn who_leaves_an_unread_upload_is_missed_over_http_2() {
    let entered = Arc::new(Notify::new());
    let inside = Arc::clone(&entered);
    let handler = move || {
        inside.notify_one();
        std::future::pending::<&str>()
    };
    let app = Router::new().route("/", post(handler));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let mut connection = Http2::connect(server.addr).await;
    let (_answer, mut upload) = Sent::new("POST", "/").begin_upload(&mut connection).await;
    upload.send_data("the beginning".into(), false).unwrap();
    entered.notified().await;
    connection.cut();
    let record = server.access().await;
    assert_eq!(
        verdict(&record),
        "POST / | 499 | fail | aborted | CLIENT_GONE"
    );
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_what_the_handler_makes_of_it() {
    let app = || Router::new().route("/", post(|body: String| async move { body }));
    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let sent = request("POST", "/", LENGTH) + "the beginning";
    let mut socket = server.connect(&sent).await;
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let record = server.access().await;
    assert_eq!(verdict(&record), "POST / | 400 | fail | - | HTTP_400");

    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let mut connection = Http2::connect(server.addr).await;
    let stated = Sent::new("POST", "/").header("content-length", "1000000");
    let (answer, mut upload) = stated.begin_upload(&mut connection).await;
    // Says that this is all of it, which it is not.
    upload.send_data("the beginning".into(), true).unwrap();
    answer.await.unwrap_err();
    let record = server.access().await;
    assert_eq!(verdict(&record), "POST / | 400 | fail | - | HTTP_400");
}
