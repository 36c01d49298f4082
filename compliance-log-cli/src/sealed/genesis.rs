//! What the first record of a catalog says of the store's keys.

use std::path::Path;

use compliance_log::{
    chain::check_line,
    seal::statement::{Certificate, Role},
};

use super::records::Records;
use crate::{failure::Failure, record::Stored};

/// The service whose stores hold what operators did.
const LEDGER: &str = "compliance-log";
const HINT: &str = "give a sealed store whose catalog still has its first segment";

/// The certificate that the store would have.
pub(super) fn read(catalog: &Path) -> Result<Certificate, Failure> {
    let refuse = |reason: &str| Failure::new(format!("{}: {reason}", catalog.display()), HINT);
    let (_, mut records) = Records::from(catalog, 0)?;
    let record = records.expect()?;
    let stream = check_line(&record.line).map(|line| line.stream.to_owned());
    let stored = Stored::parse(record.line);
    if stored.text("event") != Some("chain.genesis") {
        return Err(refuse("its first record is no genesis"));
    }
    let stated = |key: &str| {
        let values = stored.at(&format!("data.{key}"));
        let value = values.first().and_then(|value| value.as_str());
        value.ok_or_else(|| refuse(&format!("its genesis states no {key}")))
    };
    let wrong = |error: compliance_log::Error| refuse(&format!("its genesis is wrong: {error}"));
    let origin: compliance_log::seal::Origin = stated("origin")?.parse().map_err(wrong)?;
    let [_, service, instance, incarnation] = origin.parts();
    if stream.as_deref() != Ok(&*format!("{service}/{instance}/{incarnation}/catalog")) {
        return Err(refuse("its genesis states the origin of another store"));
    }
    let role = if service == LEDGER {
        Role::Ops
    } else {
        Role::Store
    };
    let (log, epoch0) = (stated("log")?, stated("epoch0")?);
    let (log, epoch0) = (log.parse().map_err(wrong)?, epoch0.parse().map_err(wrong)?);
    Certificate::new(role, origin, log, epoch0).map_err(wrong)
}
