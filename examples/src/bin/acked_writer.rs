//! Commits durable events from many tasks and prints each only after its receipt.
//!
//! `acked_writer --dir DIR --writers N --events M` prints `acked <stream> <seq> <hash>`, a line each.
//! Kill it at any moment: every line that it printed names a record that the store still holds.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use compliance_log::{ComplianceLog, audit_event, context::AuditContext};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[audit_event(name = "example.committed", target = "writer/{writer}")]
struct Committed {
    writer: u64,
    number: u64,
}

struct Arguments {
    dir: PathBuf,
    writers: u64,
    events: u64,
    segment_bytes: Option<u64>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("acked_writer: {error}");
            ExitCode::from(3)
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let mut builder = ComplianceLog::builder("acked-writer")
        .env("example")
        .instance("one")
        .dir(&arguments.dir);
    if let Some(bytes) = arguments.segment_bytes {
        builder = builder.segment_bytes_max(bytes);
    }
    let log = builder.init()?;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..arguments.writers {
        let job = AuditContext::job("commit").tenant("example");
        tasks.spawn(job.scope(write(writer, arguments.events)));
    }
    while let Some(written) = tasks.join_next().await {
        written??;
    }
    log.shutdown()?;
    Ok(())
}

async fn write(writer: u64, events: u64) -> Result<(), Failure> {
    for number in 0..events {
        let receipt = Committed { writer, number }.commit().await?;
        let line = format!(
            "acked {} {} {}\n",
            receipt.stream(),
            receipt.seq(),
            receipt.hash()
        );
        io::stdout().lock().write_all(line.as_bytes())?;
    }
    Ok(())
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            dir: PathBuf::new(),
            writers: 1,
            events: 1,
            segment_bytes: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            let number =
                |value: String| value.parse().map_err(|error| format!("{value:?}: {error}"));
            match word.as_str() {
                "--dir" => arguments.dir = value()?.into(),
                "--writers" => arguments.writers = number(value()?)?,
                "--events" => arguments.events = number(value()?)?,
                "--segment-bytes" => arguments.segment_bytes = Some(number(value()?)?),
                _ => {
                    return Err(format!(
                        "unknown argument {word}; usage: --dir DIR [--writers N] [--events M] [--segment-bytes B]"
                    ));
                }
            }
        }
        if arguments.dir.as_os_str().is_empty() {
            return Err("--dir DIR is missing".to_owned());
        }
        Ok(arguments)
    }
}
