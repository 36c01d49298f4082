//! A client that sends what a test says, byte for byte, over either version of HTTP.

use std::net::SocketAddr;

use ::http::{HeaderName, HeaderValue, Request};
use bytes::Bytes;
use h2::{
    RecvStream, SendStream,
    client::{ResponseFuture, SendRequest},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use super::served::DEADLINE;

/// What is spoken on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

pub(super) const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

/// A request. Names are sent as they are over HTTP/1.1 and in lower case over HTTP/2.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

/// What came back; `None` where the server sent no head, or broke off after it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Sent {
    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    pub(super) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own.
    pub(super) async fn over(&self, version: Version, addr: SocketAddr) -> Option<Answer> {
        match version {
            Version::Http1 => self.over_http1(addr).await,
            Version::Http2 => {
                let mut connection = Http2::connect(addr).await;
                let answer = self.on(&mut connection).await;
                connection.close().await;
                answer
            }
        }
    }

    /// The request on the wire of HTTP/1.1, after which the server closes.
    pub(super) fn http1(&self) -> Vec<u8> {
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.method,
            self.path,
            self.body.len()
        );
        let mut text = head.into_bytes();
        for (name, value) in &self.headers {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&self.body);
        text
    }

    async fn over_http1(&self, addr: SocketAddr) -> Option<Answer> {
        let mut socket = TcpStream::connect(addr).await.unwrap();
        let (mut read, mut write) = socket.split();
        let request = self.http1();
        let mut bytes = Vec::new();
        // A server that refuses by the head answers while the rest is sent, and then resets.
        tokio::join!(
            async { write.write_all(&request).await.unwrap_or_default() },
            async { read.read_to_end(&mut bytes).await.unwrap_or_default() },
        );
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        Some(Answer {
            status: head.split(' ').nth(1)?.parse().unwrap(),
            body: bytes[end + 4..].to_vec(),
        })
    }

    /// Sends it as one stream of a connection.
    pub(super) async fn on(&self, connection: &mut Http2) -> Option<Answer> {
        let (answer, _stream) = self.begin(connection).await;
        let answer = answer.await.ok()?;
        let (head, mut body) = answer.into_parts();
        Some(Answer {
            status: head.status.as_u16(),
            body: rest_of(&mut body).await?,
        })
    }

    /// Begins a stream and sends the body, if there is one, to its end.
    pub(super) async fn begin(
        &self,
        connection: &mut Http2,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        if self.body.is_empty() {
            return self.head(connection, Upload::None).await;
        }
        let (answer, mut stream) = self.head(connection, Upload::Follows).await;
        // A request that is refused by its head may be answered and closed by now.
        stream
            .send_data(self.body.clone().into(), true)
            .unwrap_or_default();
        (answer, stream)
    }

    /// Begins a stream whose body is still to be sent.
    pub(super) async fn begin_upload(
        &self,
        connection: &mut Http2,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        self.head(connection, Upload::Follows).await
    }

    async fn head(
        &self,
        connection: &mut Http2,
        upload: Upload,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("http://test{}", self.path));
        if !self.body.is_empty() {
            request = request.header("content-length", self.body.len());
        }
        for (name, value) in &self.headers {
            request = request.header(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        let request = request.body(()).unwrap();
        connection.client = connection.client.clone().ready().await.unwrap();
        let ends = upload == Upload::None;
        connection.client.send_request(request, ends).unwrap()
    }
}

/// Whether a body comes after the head.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Upload {
    None,
    Follows,
}

/// What is left of a body; `None` where it breaks off.
async fn rest_of(body: &mut RecvStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.ok()?;
        body.flow_control().release_capacity(data.len()).unwrap();
        bytes.extend_from_slice(&data);
    }
    Some(bytes)
}

/// A connection of HTTP/2.
pub(super) struct Http2 {
    client: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    pub(super) async fn connect(addr: SocketAddr) -> Self {
        let socket = TcpStream::connect(addr).await.unwrap();
        let (client, connection) = h2::client::Builder::new()
            .max_header_list_size(16 << 20)
            .handshake(socket)
            .await
            .unwrap();
        Self {
            client,
            connection: tokio::spawn(connection),
        }
    }

    /// Ends once its streams have ended.
    pub(super) async fn close(self) {
        drop(self.client);
        let ended = tokio::time::timeout(DEADLINE, self.connection).await;
        drop(ended.unwrap());
    }

    /// The socket is gone, whatever the streams are doing.
    pub(super) fn cut(self) {
        self.connection.abort();
    }
}
