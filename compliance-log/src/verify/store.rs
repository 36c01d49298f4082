//! Stores and folders of stores: what is checked, and what it comes to.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    fs,
    io::ErrorKind as IoErrorKind,
    path::{Path, PathBuf},
};

use super::{
    ledger::Ledger,
    options::Options,
    plain_store::check_plain,
    plan::{cannot_read, names},
    report::{Finding, Report, StoreReport, Verdict},
    seal::{Continues, Facts, Found, LedgerFact, Outside},
    sealed_store::check_sealed,
};
use crate::{
    error::Error,
    layout::{KEYS_SUFFIX, LOCK, POLICIES, STREAMS, UNFINISHED},
    seal::{Origin, statement::Role},
};

/// A store, checked.
pub(super) struct Checked {
    pub(super) report: StoreReport,
    pub(super) origin: Option<Origin>,
    pub(super) role: Option<Role>,
    pub(super) continues: Option<Continues>,
    /// What it says of segments of other stores, if it was read for that.
    pub(super) ledger: Vec<LedgerFact>,
}

/// Checks a store, or every store in a folder, and says what was found.
///
/// `path` is a store if it has a folder `streams`. Files are opened for reading only, also while
/// their writer is at work: each file is judged up to the length it had when it was looked at.
///
/// Memory is bounded whatever the size of the store: a buffer per thread, a note per 8 MiB, and at
/// most 1,000 findings per stream, the rest being counted.
///
/// # Errors
///
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if something of a single store cannot be read; in a folder
/// of stores that is a finding of the one, and the others are checked. A path that does not exist is
/// no error but [`Verdict::NothingChecked`](super::Verdict::NothingChecked), or, if something is known of a
/// store that should be there, [`Verdict::Rollback`](super::Verdict::Rollback).
pub fn verify(path: &Path, options: &Options) -> Result<Report, Error> {
    let ledger = read_ledger(options)?;
    let mut checked = 0;
    let mut stores = Vec::new();
    let mut here = Vec::new();
    let mut continued = Vec::new();
    let (found, single) = find_stores(path)?;
    for path in found {
        let failed = |error: Error| error.context(format_args!("cannot verify {}", path.display()));
        match check_store(&path, &ledger, Facts::None, options, &mut checked) {
            Ok(store) => {
                here.extend(store.origin);
                continued.extend(store.continues);
                stores.push(store.report);
            }
            Err(error) if single => return Err(failed(error)),
            // What cannot be read of one store must not hide what is found in another.
            Err(error) => stores.push(StoreReport::unreadable(&path, error.to_string())),
        }
    }
    let mut findings = Outside::absent(&here, &continued, &options.known, &options.expected);
    let not_compared = options.not_compared();
    findings.extend(not_compared.map(|why| Finding::new(Verdict::NothingChecked, why)));
    Ok(Report::new(stores, findings, options.unused()))
}

/// Checks the stores of the ledger and reads what they sealed.
fn read_ledger(options: &Options) -> Result<Ledger, Error> {
    let mut ledger = Ledger::default();
    let Some(path) = &options.ledger else {
        return Ok(ledger);
    };
    let (stores, _) = find_stores(path)?;
    if stores.is_empty() {
        ledger.refuse(path, Verdict::NothingChecked, "there is no store in it");
    }
    for path in stores {
        let (alone, options) = (Ledger::default(), options.for_ledger());
        let store =
            check_store(&path, &alone, Facts::Ledger, &options, &mut 0).map_err(|error| {
                error.context(format_args!("cannot verify the ledger {}", path.display()))
            })?;
        let comes_to = || format!("it comes to {}", store.report.verdict);
        match store.report.exit() {
            0 | 4 if options.roots.is_empty() => {
                let why = "who wrote it was not checked, since no root key was given";
                ledger.refuse(&path, Verdict::NothingChecked, why);
            }
            0 | 4 if store.role != Some(Role::Ops) => {
                let why = "it is not certified as an operators' ledger";
                ledger.refuse(&path, Verdict::BadSignature, why);
            }
            0 | 4 => ledger.take(store.ledger, &options),
            1 => ledger.refuse(&path, Verdict::BadSignature, &comes_to()),
            _ => ledger.refuse(&path, Verdict::NothingChecked, &comes_to()),
        }
    }
    Ok(ledger)
}

/// Checks one store, as what its own words say that it is.
fn check_store(
    path: &Path,
    ledger: &Ledger,
    audit: Facts,
    options: &Options,
    checked: &mut u64,
) -> Result<Checked, Error> {
    let mut found = Found::default();
    match check_sealed(path, ledger, audit, options, checked, &mut found)? {
        Some(store) => Ok(store),
        None => check_plain(path, found, ledger, options, checked),
    }
}

/// The stores, and whether the path itself is one.
fn find_stores(path: &Path) -> Result<(Vec<PathBuf>, bool), Error> {
    match fs::metadata(path) {
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok((Vec::new(), false)),
        Err(error) => return Err(cannot_read(path, error)),
        Ok(_) if is_folder(&path.join(STREAMS))? => return Ok((vec![path.to_owned()], true)),
        Ok(_) => (),
    }
    let mut stores = Vec::new();
    for name in names(path)? {
        let store = path.join(&name);
        let candidate =
            is_folder(&store).and_then(|folder| Ok(folder && looks_like_store(&store, &name)?));
        // One that cannot even be looked at is reported when it is checked.
        if candidate.unwrap_or(true) {
            stores.push(store);
        }
    }
    Ok((stores, false))
}

/// A store whose streams were removed is still to be reported; one that was never finished is not a
/// store. Nor are the keys of one, which others than their owner cannot even look into.
fn looks_like_store(path: &Path, name: &str) -> Result<bool, Error> {
    if name.starts_with(UNFINISHED) || name.ends_with(KEYS_SUFFIX) {
        return Ok(false);
    }
    let incarnation = name.rsplit_once('-').map_or("", |(_, last)| last);
    let named = incarnation.len() == 16
        && incarnation
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    Ok(named
        || is_folder(&path.join(STREAMS))?
        || is_folder(&path.join(POLICIES))?
        || path.join(LOCK).exists())
}

pub(super) fn is_folder(path: &Path) -> Result<bool, Error> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) => match error.kind() {
            IoErrorKind::NotFound | IoErrorKind::NotADirectory => Ok(false),
            _ => Err(cannot_read(path, error)),
        },
    }
}
