//! Pseudonyms with keys from Vault or `OpenBao`.
//!
//! `vault_keys --address URL --token-file FILE --ca-file FILE --dir DIR` commits one record, whose
//! passenger `Ada` is pseudonymised under the keys of the secret `compliance-log/pseudonyms`.

use std::{collections::BTreeMap, process::ExitCode};

use compliance_log::{ComplianceLog, audit_event, context::AuditContext, pseudonym::VaultKeys};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[audit_event(name = "example.booked", target = "booking/{booking_id}")]
struct Booked {
    booking_id: u64,
    #[audit(pseudonym)]
    passenger: &'static str,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("vault_keys: {error}");
            ExitCode::from(3)
        }
    }
}

fn run() -> Result<(), Failure> {
    let mut given = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        given.insert(name, value);
    }
    let needed = |name: &str| given.get(name).cloned().ok_or(format!("{name} is missing"));

    let mut keys = VaultKeys::at(needed("--address")?).token_file(needed("--token-file")?);
    if let Some(file) = given.get("--ca-file") {
        keys = keys.ca_file(file);
    }
    let log = ComplianceLog::builder("booking-api")
        .env("example")
        .dir(needed("--dir")?)
        .pseudonym_keys(keys.start())
        .init()?;
    let booked = Booked {
        booking_id: 17,
        passenger: "Ada",
    };
    let job = AuditContext::job("import").tenant("acme").build();
    job.scope_sync(|| booked.commit().wait())?;
    log.shutdown()?;
    Ok(())
}
