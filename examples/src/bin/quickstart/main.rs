//! The main job, end to end: a service, real requests, its records, a check, and a change that the
//! check finds.
//!
//! `quickstart [--dir DIR]` leaves its store under DIR, `target/quickstart-log` without it; an
//! existing one is continued. It ends with 0 only if all that it shows held.

mod client;
mod page;
mod records;
mod service;
mod tamper;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use compliance_log::{
    ComplianceLog, Seal,
    verify::{Authenticity, Options, Verdict, verify},
};

use page::Checks;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let dir = match directory(std::env::args().skip(1)) {
        Ok(dir) => dir,
        Err(error) => {
            anstream::eprintln!("quickstart: {error}");
            return ExitCode::from(3);
        }
    };
    match run(dir).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            anstream::eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(dir: PathBuf) -> Result<bool, Failure> {
    let mut checks = Checks::new();

    page::title("1  A service writes to a log");
    let log = ComplianceLog::builder("quickstart")
        .env("demo")
        .instance("local")
        .dir(&dir)
        // The default outside of `dev` and `test`; here it is said.
        .seal(Seal::default())
        .init()?;
    let store = log
        .store()
        .ok_or("the store could not be opened; its folder must be writable")?
        .to_path_buf();
    let found = records::read(&store)?;
    let before = found.len();
    page::line(&format!("store {}", store.display()));
    let starts = found
        .iter()
        .filter(|record| record["event"] == "log.started")
        .count();
    if starts > 1 {
        page::line(&format!(
            "which is continued: this is start {starts}, after {before} records"
        ));
    }
    // A panic is an event like any other; its text goes through redaction too.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));

    page::title("2  It gets real requests over a socket");
    let (address, slow, server) = service::start(&log).await?;
    for (what, answer) in client::requests(address, slow).await? {
        page::line(&format!("{what:<58} {answer}"));
    }
    server.stop().await?;
    drop(std::panic::take_hook());
    log.shutdown()?;

    page::title("3  What it wrote");
    let all = records::read(&store)?;
    let written = &all[before..];
    for record in written {
        page::line(&records::line(record));
    }
    let accesses = written
        .iter()
        .filter(|record| record["event"] == "http.request")
        .count();
    checks.check(
        &format!(
            "{accesses} access records for {} requests",
            client::REQUESTS
        ),
        accesses == client::REQUESTS,
    );
    for (what, check) in records::expected(written) {
        checks.check(what, check);
    }
    page::line("");
    page::line("one of them, as it is stored:");
    page::dim(&records::one(&store, written)?);

    page::title("4  Nothing secret is in it");
    let found = records::secrets(&store, &client::SECRETS)?;
    for (secret, places) in client::SECRETS.iter().zip(&found) {
        checks.check(
            &format!("{secret:?} was sent and is in no file of the store"),
            places.is_empty(),
        );
    }

    page::title("5  It verifies");
    let name = dir.file_name().ok_or("DIR has no name")?;
    let root_file = dir.with_file_name(format!("{}.root.vkey", name.display()));
    let report = verify(&store, &options(&root_file)?)?;
    for stream in report.stores.iter().flat_map(|store| &store.streams) {
        page::line(&format!(
            "{}: {} records in {} segments",
            stream.stream, stream.records, stream.segments
        ));
    }
    checks.check("verify says OK", report.verdict == Verdict::Ok);
    let seals = report.stores.iter().filter_map(|store| store.seal.as_ref());
    let seal = seals
        .max_by_key(|seal| seal.sealed_size)
        .ok_or("the store has no seal")?;
    page::line(&format!(
        "sealed to size {}; whose keys those are says {}",
        seal.sealed_size,
        root_file.display()
    ));
    checks.check(
        "its keys lead to the root key",
        seal.authenticity == Authenticity::Checked,
    );

    page::title("6  One byte is altered in a copy");
    let copy = tempfile::tempdir()?;
    let change = tamper::alter_one_byte(&store, copy.path())?;
    page::line(&format!(
        "byte {} of {}: {:?} became {:?}",
        change.at, change.file, change.before, change.after
    ));
    let report = verify(copy.path(), &options(&root_file)?)?;
    let findings: Vec<_> = report
        .stores
        .iter()
        .flat_map(|store| &store.findings)
        .collect();
    for finding in &findings {
        page::line(&tamper::describe(finding));
    }
    checks.check(
        "verify says EDIT and exits with 1",
        report.verdict == Verdict::Edit && report.exit == 1,
    );
    checks.check(
        "it names the record and where it starts",
        matches!(findings[..], [finding] if finding.seq == Some(change.seq) && finding.offset == Some(change.start)),
    );

    page::title("Go on");
    page::line(&format!(
        "cargo run -q -p compliance-log-cli -- verify {} --root-key {}",
        dir.display(),
        root_file.display()
    ));
    page::line(&format!(
        "cargo run -q -p compliance-log-cli -- show {} --outcome fail",
        dir.display()
    ));
    page::line(&format!("python3 docs/verify.py {}", dir.display()));
    Ok(checks.all_held())
}

/// With the root keys of a file. Elsewhere it is a copy that lies where the service cannot write.
fn options(root_file: &Path) -> Result<Options, Failure> {
    let mut options = Options::default();
    for vkey in fs::read_to_string(root_file)?.lines() {
        options = options.root_key(vkey.parse()?);
    }
    Ok(options)
}

fn directory(mut words: impl Iterator<Item = String>) -> Result<PathBuf, String> {
    match (words.next().as_deref(), words.next(), words.next()) {
        (None, ..) => Ok(PathBuf::from("target/quickstart-log")),
        (Some("--dir"), Some(dir), None) => Ok(dir.into()),
        _ => Err("usage: quickstart [--dir DIR]".to_owned()),
    }
}
