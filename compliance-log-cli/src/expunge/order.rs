use std::path::{Path, PathBuf};

use compliance_log::{
    Error, Policy,
    seal::{
        note::{NoteFile, SigningKey},
        statement::{Expunge, OperatorCertificate, Signed},
    },
};

use crate::{failure::Failure, small_file};

const HINT: &str =
    "give what `compliance-log expunge request` printed, or `expunge approve` after that";
const CERTIFICATE_HINT: &str =
    "give what `compliance-log keys certify --operator-prefix` printed for each who signed";

/// An order, with the signature of this key.
///
/// # Errors
///
/// A file that is no order, or a key that signed it before.
pub(crate) fn write_order(path: &Path, key: &SigningKey) -> Result<Signed<Expunge>, Failure> {
    let bytes = small_file::read(path, HINT)?;
    let failed = |error: Error| Failure::new(format!("{}: {error}", path.display()), HINT);
    let unsigned = std::str::from_utf8(&bytes).ok().map(Expunge::from_text);
    if let Some(Ok(order)) = unsigned {
        return Signed::sign(order, &[key]).map_err(failed);
    }
    let mut signed = parse(&bytes).map_err(failed)?;
    signed.countersign(key).map_err(failed)?;
    Ok(signed)
}

/// An order that somebody signed.
///
/// # Errors
///
/// A file that is none, or a reason that holds what it should be taken out for.
pub(crate) fn read_order(path: &Path) -> Result<Signed<Expunge>, Failure> {
    let bytes = small_file::read(path, HINT)?;
    let order = parse(&bytes)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display()), HINT))?;
    check_reason(order.statement().reason())?;
    Ok(order)
}

/// Looks through a reason as records are looked through: it stays in the ledger.
///
/// # Errors
///
/// One of which the built-in policy would take something out.
pub(crate) fn check_reason(reason: &str) -> Result<(), Failure> {
    if Policy::builtin().redact_text(reason).is_none() {
        return Ok(());
    }
    Err(Failure::new(
        "the reason holds something that no log may hold",
        "say why without what is to be taken out, then have it signed again",
    ))
}

/// The certificates in some files.
///
/// # Errors
///
/// A file that holds none.
pub(crate) fn read_certificates(
    paths: &[PathBuf],
) -> Result<Vec<Signed<OperatorCertificate>>, Failure> {
    let mut certificates = Vec::new();
    for path in paths {
        let bytes = small_file::read(path, CERTIFICATE_HINT)?;
        let failed =
            |error: Error| Failure::new(format!("{}: {error}", path.display()), CERTIFICATE_HINT);
        let notes = NoteFile::split(&bytes).notes;
        if notes.is_empty() {
            certificates.push(Signed::parse(&bytes).map_err(failed)?);
        }
        for (_, note) in notes {
            certificates.push(Signed::parse(note).map_err(failed)?);
        }
    }
    Ok(certificates)
}

fn parse(bytes: &[u8]) -> Result<Signed<Expunge>, Error> {
    match NoteFile::split(bytes).notes[..] {
        [(_, note)] => Signed::parse(note),
        _ => Signed::parse(bytes),
    }
}
