//! Requests, written to the socket as a client would.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Failure, service::Slow};

/// How many requests `requests` sends.
pub(crate) const REQUESTS: usize = 7;

/// What was sent or held in a field and must not be stored.
pub(crate) const SECRETS: [&str; 6] = [
    "4242 4242 4242 4242",
    "passenger-name-4711",
    "hunter2-and-more",
    "passenger@example.org",
    "Zx81Kp93.quickstart.Bearer77",
    "s3cr3t-api-key-0123456789",
];

/// Sends one request of each kind; gives each with its answer.
pub(crate) async fn requests(
    address: SocketAddr,
    slow: Slow,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut answers = Vec::new();
    for (what, head) in [
        (
            "POST /bookings               a booking, with a token",
            "POST /bookings HTTP/1.1\r\nauthorization: Bearer demo\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ncontent-length: 0\r\n",
        ),
        (
            "POST /bookings/b-18/seats    refused by the service",
            "POST /bookings/b-18/seats HTTP/1.1\r\nauthorization: Bearer demo\r\ncontent-length: 0\r\n",
        ),
        (
            "GET  /offers?api_key=...     a secret in the query",
            "GET /offers?to=MUC&api_key=s3cr3t-api-key-0123456789 HTTP/1.1\r\n",
        ),
        (
            "GET  /nowhere                no such route",
            "GET /nowhere HTTP/1.1\r\n",
        ),
        (
            "HEAD /offers                 an answer without a body",
            "HEAD /offers HTTP/1.1\r\n",
        ),
        (
            "GET  /crash                  the handler panics",
            "GET /crash HTTP/1.1\r\nauthorization: Bearer demo\r\n",
        ),
    ] {
        answers.push((what, ask(address, head).await?));
    }
    let mut stream = send(
        address,
        "GET /slow HTTP/1.1\r\nauthorization: Bearer demo\r\n",
    )
    .await?;
    slow.0.notified().await;
    stream.shutdown().await?;
    drop(stream);
    answers.push((
        "GET  /slow                   the client leaves before the answer",
        "(left)".to_owned(),
    ));
    Ok(answers)
}

async fn send(address: SocketAddr, head: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("{head}host: {address}\r\nuser-agent: quickstart/1\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// The status line of the answer; a panic in a handler closes the connection without one.
async fn ask(address: SocketAddr, head: &str) -> Result<String, Failure> {
    let mut stream = send(address, head).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    Ok(answer
        .lines()
        .next()
        .unwrap_or("(connection closed)")
        .to_owned())
}
