#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    fs::{self, File},
    io::{ErrorKind as IoErrorKind, Read as _},
    path::Path,
};

use super::{fact::CatalogGenesis, found::Found};
use crate::{
    chain::{LINE_BYTES_MAX, check_line},
    error::Error,
    layout::{CATALOG, CERTIFICATE, SEAL, STREAMS, segment_name},
    seal::{
        Origin,
        note::VerifierKey,
        statement::{Certificates, Role},
    },
    verify::{
        plan::cannot_read,
        report::{Authenticity, Verdict},
        window::to_u64,
    },
};

/// Two notes are never as large.
const CERTIFICATE_BYTES_MAX: u64 = 1 << 20;

/// The keys that a store begins with.
#[derive(Debug)]
pub(in crate::verify) struct Identity {
    pub(in crate::verify) role: Option<Role>,
    pub(in crate::verify) origin: Origin,
    pub(in crate::verify) log: VerifierKey,
    pub(super) epoch0: VerifierKey,
    pub(super) issuer: Option<VerifierKey>,
    pub(in crate::verify) authenticity: Authenticity,
}

impl Identity {
    /// The id of the stream of this channel.
    pub(in crate::verify) fn stream(&self, channel: &str) -> String {
        let [_, service, instance, incarnation] = self.origin.parts();
        format!("{service}/{instance}/{incarnation}/{channel}")
    }

    /// Whether it is one of the keys without which nothing of the store is trusted.
    pub(in crate::verify) fn rests_on(&self, key: &VerifierKey) -> bool {
        self.log == *key || self.issuer.as_ref() == Some(key)
    }
}

/// What a store's certificate came to.
#[derive(Debug)]
pub(in crate::verify) enum Certified {
    /// There is none.
    No,
    /// It does not hold; the finding says why.
    Refused,
    /// With the keys that it binds; or without one, but with keys that its genesis states.
    Yes(Box<Identity>),
}

/// Reads the certificate. Without root keys no signature of it is checked.
pub(in crate::verify) fn certified(
    store: &Path,
    roots: &[VerifierKey],
    found: &mut Found,
) -> Result<Certified, Error> {
    let file = format!("{SEAL}/{CERTIFICATE}");
    let Some(bytes) = read(&store.join(&file), CERTIFICATE_BYTES_MAX)? else {
        let identity = uncertified(store)?;
        return Ok(identity.map_or(Certified::No, |identity| Certified::Yes(Box::new(identity))));
    };
    let checked = Certificates::parse(&bytes).and_then(|certificates| {
        if !roots.is_empty() {
            certificates.check(roots)?;
        }
        Ok(certificates)
    });
    match checked {
        Ok(certificates) => {
            let certificate = certificates.store().statement();
            Ok(Certified::Yes(Box::new(Identity {
                role: Some(certificate.role),
                origin: certificate.origin.clone(),
                log: certificate.log.clone(),
                epoch0: certificate.epoch0.clone(),
                issuer: certificates
                    .issuer()
                    .map(|issuer| issuer.statement().key.clone()),
                authenticity: if roots.is_empty() {
                    Authenticity::NotChecked
                } else {
                    Authenticity::Checked
                },
            })))
        }
        Err(error) => {
            found.in_file(Verdict::BadSignature, &file, error.to_string());
            Ok(Certified::Refused)
        }
    }
}

/// The keys that the catalog's first record states: a store whose issuer was not reached yet has
/// checkpoints under these and no certificate.
fn uncertified(store: &Path) -> Result<Option<Identity>, Error> {
    #[derive(serde::Deserialize)]
    struct Record {
        data: CatalogGenesis,
    }
    let path = store.join(STREAMS).join(CATALOG).join(segment_name(0));
    let Some(bytes) = read(&path, to_u64(LINE_BYTES_MAX))? else {
        return Ok(None);
    };
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    if check_line(line).is_err() {
        return Ok(None);
    }
    let genesis = serde_json::from_slice::<Record>(line).map(|record| record.data);
    let identity = genesis.ok().and_then(|genesis| {
        let origin: Origin = genesis.origin.parse().ok()?;
        let log: VerifierKey = genesis.log.parse().ok()?;
        let epoch0: VerifierKey = genesis.epoch0.parse().ok()?;
        let named = *log.name() == origin.log_key() && *epoch0.name() == origin.epoch_key(0);
        named.then_some(Identity {
            role: None,
            origin,
            log,
            epoch0,
            issuer: None,
            authenticity: Authenticity::Uncertified,
        })
    });
    Ok(identity)
}

/// The beginning of a file; `None` if there is none.
fn read(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut bytes = Vec::new();
    let done = fs::metadata(path).and_then(|metadata| {
        if !metadata.is_file() {
            return Err(IoErrorKind::NotFound.into());
        }
        File::open(path)?.take(bytes_max).read_to_end(&mut bytes)
    });
    match done {
        Ok(_) => Ok(Some(bytes)),
        Err(error)
            if matches!(
                error.kind(),
                IoErrorKind::NotFound | IoErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(cannot_read(path, error)),
    }
}
