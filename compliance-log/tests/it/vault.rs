//! Keys from Vault, by the requests and answers that its KV version 2 documents.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use compliance_log::{
    ComplianceLog, audit_event,
    context::AuditContext,
    pseudonym::{Keyring, PseudonymKeys, VaultKeys, VaultOptions},
    test_util::{capture_with, within_sync},
};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::support::wait_until;

#[audit_event(name = "trip.booked", target = "trip")]
struct Booked {
    #[audit(pseudonym)]
    passenger: &'static str,
}

/// What the server does with a request.
#[derive(Clone)]
enum Reply {
    /// 200 for whoever has this token, 403 for others.
    Keys {
        document: String,
        token: &'static str,
    },
    Status(u16, String),
    /// Bytes that are no HTTP.
    Garbage,
    /// A body without an end.
    Endless,
    /// Nothing, until the test is over.
    Silence,
}

struct Vault {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    reply: Mutex<Reply>,
    requests: Mutex<Vec<String>>,
    over: (Mutex<bool>, Condvar),
}

impl Vault {
    fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            reply: Mutex::new(reply),
            requests: Mutex::default(),
            over: Default::default(),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&of_thread);
                // One that hangs up has what it wanted.
                thread::spawn(move || shared.serve(stream.unwrap()).unwrap_or(()));
            }
        });
        Self { address, shared }
    }

    fn reply(&self, reply: Reply) {
        *self.shared.reply.lock().unwrap() = reply;
    }

    fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Whether all has been asked for at least so many times more.
    fn asked_again(&self, what: &str, times: usize) {
        let before = self.requests().len();
        wait_until(what, || self.requests().len() >= before + times);
    }

    fn options(&self, token: &Path) -> VaultOptions {
        VaultKeys::at(format!("http://{}", self.address))
            .token_file(token)
            .refresh_every(Duration::from_millis(20))
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        *self.shared.over.0.lock().unwrap() = true;
        self.shared.over.1.notify_all();
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = String::new();
        let mut lines = BufReader::new(stream.try_clone()?);
        while lines.read_line(&mut head)? > 2 {}
        let reply = self.reply.lock().unwrap().clone();
        self.requests.lock().unwrap().push(head.clone());
        let mut answer = |status: u16, body: &str| {
            write!(
                stream,
                "HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        match reply {
            Reply::Keys { document, token } => {
                let known = head
                    .to_ascii_lowercase()
                    .lines()
                    .any(|line| line == format!("x-vault-token: {token}"));
                if known {
                    answer(200, &secret(&json!({ "keys": document })))
                } else {
                    answer(403, r#"{"errors":["permission denied"]}"#)
                }
            }
            Reply::Status(status, body) => answer(status, &body),
            Reply::Garbage => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"),
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
                loop {
                    stream.write_all(chunk.as_bytes())?;
                }
            }
            Reply::Silence => {
                let over = self.over.0.lock().unwrap();
                drop(self.over.1.wait_while(over, |over| !*over));
                Ok(())
            }
        }
    }
}

/// As Vault answers it.
fn secret(data: &serde_json::Value) -> String {
    json!({
        "request_id": "f21553b9-a0e1-28c2-272e-ed788ab7fb7c", "lease_id": "", "renewable": false,
        "lease_duration": 0, "wrap_info": null, "warnings": null, "auth": null,
        "data": {
            "data": data,
            "metadata": {
                "created_time": "2026-11-24T12:51:37.590191813Z", "custom_metadata": null,
                "deletion_time": "", "destroyed": false, "version": 1,
            },
        },
    })
    .to_string()
}

fn token(dir: &TempDir, token: &str) -> PathBuf {
    let path = dir.path().join("token");
    fs::write(&path, format!("{token}\n")).unwrap();
    path
}

/// A key file's text with so many epochs.
fn document(dir: &TempDir, epochs: u32) -> String {
    let path = dir.path().join("keys.toml");
    for _ in 0..epochs {
        Keyring::edit(&path, |keys| keys.add_key("acme", "data.passenger")).unwrap();
    }
    fs::read_to_string(path).unwrap()
}

fn epoch(keys: &impl PseudonymKeys) -> Option<u32> {
    Some(keys.key("acme", "data.passenger")?.epoch().get())
}

fn book(log: &ComplianceLog) {
    let job = AuditContext::job("import").tenant("acme").build();
    let event = Booked { passenger: "Ada" };
    within_sync(log, || job.scope_sync(|| event.emit())).unwrap();
}

#[test]
fn keys_are_asked_for_as_documented_and_used_at_once() {
    let dir = tempdir().unwrap();
    let keys = Reply::Keys {
        document: document(&dir, 2),
        token: "s.one",
    };
    let vault = Vault::start(keys);
    let keys = vault
        .options(&token(&dir, "s.one"))
        .mount("team/kv")
        .path("compliance-log/booking-api")
        .namespace("eu/prod")
        .start();
    assert_eq!(epoch(&keys), Some(2), "the first answer is waited for");
    keys.refresh().unwrap();
    let head = vault.requests()[0].to_ascii_lowercase();
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(
        lines[0],
        "get /v1/team/kv/data/compliance-log/booking-api http/1.1"
    );
    for line in [
        "x-vault-token: s.one",
        "x-vault-namespace: eu/prod",
        "x-vault-request: true",
    ] {
        assert!(lines.contains(&line), "{head}");
    }

    let (log, captured) = capture_with(|builder| builder.pseudonym_keys(keys));
    book(&log);
    let record = captured.assert_one_named("trip.booked");
    let written = record["data"]["passenger"].as_str().unwrap();
    let ring = Keyring::parse(&document(&dir, 0)).unwrap();
    let expected = ring.pseudonyms("acme", "data.passenger", "Ada");
    assert_eq!(written, expected[1].to_string());

    // The next version of the secret.
    vault.reply(Reply::Keys {
        document: document(&dir, 1),
        token: "s.one",
    });
    vault.asked_again("the next version", 2);
    book(&log);
    let record = captured.named("trip.booked").pop().unwrap();
    assert!(
        record["data"]["passenger"]
            .as_str()
            .unwrap()
            .starts_with("ps_3_"),
        "{record:?}"
    );
    log.shutdown().unwrap();
}

#[test]
fn whatever_vault_answers_the_last_good_keys_stay_and_nothing_of_it_is_shown() {
    let dir = tempdir().unwrap();
    let good = document(&dir, 1);
    let private = good.lines().last().unwrap()[20..40].to_owned();
    let vault = Vault::start(Reply::Status(
        503,
        r#"{"errors":["Vault is sealed"]}"#.to_owned(),
    ));
    let keys = vault.options(&token(&dir, "s.one")).start();
    assert_eq!(epoch(&keys), None);
    let why = keys.refresh().unwrap_err().to_string();
    assert!(why.contains("503, Vault is sealed"), "{why}");

    vault.reply(Reply::Keys {
        document: good.clone(),
        token: "s.one",
    });
    wait_until("Vault is unsealed", || keys.refresh().is_ok());
    assert_eq!(epoch(&keys), Some(1));

    let status = |status, body: &str| Reply::Status(status, body.to_owned());
    let half = &good[..good.len() - 10];
    for (reply, expected) in [
        (
            status(403, r#"{"errors":["permission denied"]}"#),
            "403, the token in",
        ),
        (
            status(404, r#"{"errors":[]}"#),
            "404, there is no secret secret/data/compliance-log/pseudonyms",
        ),
        (status(500, &private), ": 500"),
        (status(301, ""), "301, a redirect is not followed"),
        (status(200, &private), "no KV version 2 secret"),
        (
            status(200, &secret(&json!({ "key": good }))),
            "no KV version 2 secret",
        ),
        (
            status(200, &secret(&json!({ "keys": [good] }))),
            "no KV version 2 secret",
        ),
        (status(200, &secret(&json!({ "keys": half }))), "line 8"),
        (Reply::Garbage, "pseudonym keys from http://127.0.0.1"),
        (Reply::Endless, "pseudonym keys from http://127.0.0.1"),
    ] {
        vault.reply(reply);
        vault.asked_again(expected, 2);
        wait_until(expected, || {
            keys.refresh()
                .is_err_and(|why| why.to_string().contains(expected))
        });
        let why = keys.refresh().unwrap_err().to_string();
        assert!(!why.contains(&private) && !why.contains("s.one"), "{why}");
        assert_eq!(epoch(&keys), Some(1), "{why}");
    }
    vault.reply(Reply::Keys {
        document: document(&dir, 1),
        token: "s.one",
    });
    wait_until("it answers again", || keys.refresh().is_ok());
    assert_eq!(epoch(&keys), Some(2));
}

#[test]
fn a_token_that_was_renewed_is_used() {
    let dir = tempdir().unwrap();
    let vault = Vault::start(Reply::Keys {
        document: document(&dir, 1),
        token: "s.one",
    });
    let file = token(&dir, "s.one");
    let keys = vault.options(&file).start();
    keys.refresh().unwrap();
    vault.reply(Reply::Keys {
        document: document(&dir, 1),
        token: "s.two",
    });
    wait_until("the old token is refused", || keys.refresh().is_err());
    assert_eq!(epoch(&keys), Some(1));
    token(&dir, "s.two");
    wait_until("the new one is read", || keys.refresh().is_ok());
    assert_eq!(epoch(&keys), Some(2));
    fs::remove_file(&file).unwrap();
    wait_until("there is none", || {
        keys.refresh()
            .is_err_and(|why| why.to_string().contains("cannot read the token"))
    });
}

#[test]
fn a_vault_that_is_silent_makes_nobody_wait_for_long() {
    let dir = tempdir().unwrap();
    let vault = Vault::start(Reply::Silence);
    let before = Instant::now();
    let keys = vault.options(&token(&dir, "s.one")).start();
    let started = before.elapsed();
    assert!(started < Duration::from_secs(8), "{started:?}");
    let (log, captured) = capture_with(|builder| builder.pseudonym_keys(keys));
    assert!(!log.warnings().is_empty());
    book(&log);
    let record = captured.assert_one_named("trip.booked");
    assert!(record.get("data").is_none(), "{record:?}");
    let before = Instant::now();
    log.shutdown().unwrap();
    let ended = before.elapsed();
    assert!(ended < Duration::from_secs(2), "{ended:?}");
}

#[test]
fn the_thread_ends_with_the_log_and_not_before() {
    let dir = tempdir().unwrap();
    let vault = Vault::start(Reply::Keys {
        document: document(&dir, 1),
        token: "s.one",
    });
    let keys = vault.options(&token(&dir, "s.one")).start();
    let (log, _captured) = capture_with(|builder| builder.pseudonym_keys(keys));
    vault.asked_again("the log is open", 3);
    let handle = log.handle();
    log.shutdown().unwrap();
    // What is under way may end; then a second log asks a few times, and the first not once.
    wait_until("the first log's thread has ended", || {
        let before = vault.requests().len();
        let pause = Instant::now() + Duration::from_millis(200);
        while Instant::now() < pause {
            thread::yield_now();
        }
        vault.requests().len() == before
    });
    drop(handle);
}

#[test]
fn a_token_is_not_sent_where_others_may_hear_it() {
    let dir = tempdir().unwrap();
    let file = token(&dir, "s.one");
    for address in [
        "http://vault.example.org:8200",
        "http://127.0.0.1.example.org",
        "http://user@127.0.0.1:8200",
        "ftp://127.0.0.1",
        "vault",
        "",
    ] {
        let keys = VaultKeys::at(address).token_file(&file).start();
        let why = keys.refresh().unwrap_err().to_string();
        assert!(why.contains("its address is"), "{address}: {why}");
    }
    let keys = VaultKeys::at("https://127.0.0.1:9")
        .token_file(&file)
        .path("a?b")
        .start();
    let why = keys.refresh().unwrap_err().to_string();
    assert!(why.contains("its path has other characters"), "{why}");
    // Nothing of the kind speaks TLS, and its roots are not there.
    let vault = Vault::start(Reply::Garbage);
    let address = format!("https://{}", vault.address);
    let keys = VaultKeys::at(&address)
        .token_file(&file)
        .ca_file(&file)
        .start();
    let why = keys.refresh().unwrap_err().to_string();
    assert!(why.contains("there is no certificate in"), "{why}");
}
