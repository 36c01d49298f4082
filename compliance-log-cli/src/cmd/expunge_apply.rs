//! `expunge apply`: the order into the ledger, then the text out of the store.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use compliance_log::{
    chain::{StreamId, check_line, expunge_line},
    seal::{
        note::VerifierKey,
        statement::{Expunge, OperatorCertificate, Role, Signed},
    },
    verify::{Options, verify},
};

use serde_json::Value;

use crate::{
    args::ExpungeApplyArgs,
    exit::Exit,
    expunge::{Target, read_certificates, read_order, replace},
    failure::Failure,
    ledger::{Expunged, Notes, Ordered, Reference, Session},
    printer::{Printer, clean, hint},
    sealed::SealedStore,
    source::{self, StreamLines},
    vkey,
};

const LOCK: &str = "lock";

/// 1. Everything is checked: a crash leaves nothing.
/// 2. The order is recorded and sealed: a crash leaves an order that was not carried out.
/// 3. It is asked whether a verifier believes it.
/// 4. The file is written anew: a crash leaves the old one or the new one.
/// 5. That it was done is recorded: a crash leaves an order without that.
pub(crate) fn run(
    args: &ExpungeApplyArgs,
    ledger: Option<&Path>,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ledger = ledger.ok_or_else(|| {
        Failure::new(
            "an order has to stand in a ledger, and none is configured",
            "give --record DIR, or set COMPLIANCE_LOG_LEDGER; `compliance-log ledger init` makes one",
        )
    })?;
    let roots = roots(&args.root_key)?;
    let order = read_order(&args.order)?;
    let certificates = read_certificates(&args.certificate)?;
    let signed = order.approvers(&certificates, &roots);
    let approvers = signed.map_err(|error| {
        Failure::new(
            error.to_string(),
            "nothing was changed; `compliance-log expunge approve` adds a signature, --certificate names who signed",
        )
    })?;
    let store = SealedStore::open(&args.store)?;
    let _lock = lock(&store)?;
    let target = target(&store, order.statement(), args)?;
    check_ledger(ledger, &roots)?;

    let recorded = record(ledger, &order, &certificates)?;
    check_ledger(ledger, &roots)?;
    let (of, seq) = &recorded;
    if let Ok(line) = check_line(&target.line) {
        replace(&target, &expunge_line(&line, of, *seq))?;
    }
    let done = Expunged {
        of: target.stream.to_string(),
        record: target.seq,
        order: Reference(format!("{of}/{seq}")),
    };
    let session = Session::open(ledger)?;
    session.record(|| done.commit())?;
    session.close()?;

    let names: Vec<&str> = approvers.iter().map(|key| key.name().as_str()).collect();
    printer.line(format_args!(
        "EXPUNGED  seq {} of {}, signed by {}; the order is {of}/{seq}",
        target.seq,
        clean(target.stream.as_str()),
        clean(&names.join(" and ")),
    ))?;
    hint(
        "copies are not touched: archives, backups, `.torn-` and `.superseded-` files, what was forwarded",
    );
    Ok(Exit::Ok)
}

/// The record that was signed for.
fn target(
    store: &SealedStore,
    order: &Expunge,
    args: &ExpungeApplyArgs,
) -> Result<Target, Failure> {
    let target = Target::find(store, order.stream.as_str(), order.seq)?;
    if target.origin != order.origin || target.hash != order.hash {
        return Err(Failure::new(
            format!(
                "the order is for another record than sequence {} of {}",
                target.seq, target.stream
            ),
            "nothing was changed: ask for a new one with `compliance-log expunge request`",
        ));
    }
    if target.newest && !args.newest_file && !target.expunged {
        return Err(Failure::new(
            format!(
                "the record stands in the newest file of its stream, {}",
                target.file.display()
            ),
            "wait until the service begins the next file (by default after a day), or give --newest-file: its next start then begins a new store",
        ));
    }
    Ok(target)
}

/// Holds the lock that the writer of the store would hold.
fn lock(store: &SealedStore) -> Result<File, Failure> {
    let path = store.path().join(LOCK);
    let failed = |error| {
        Failure::new(
            format!("cannot lock {}: {error}", path.display()),
            "write access is needed to the store",
        )
    };
    let file = File::open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            format!("the service of {} runs", store.path().display()),
            "nothing was changed: stop it first",
        )),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn roots(given: &[String]) -> Result<Vec<VerifierKey>, Failure> {
    let mut roots = Vec::new();
    for given in given {
        roots.extend(vkey::read_any::<VerifierKey>(given)?);
    }
    Ok(roots)
}

/// Whether verifiers with these root keys believe the ledger.
fn check_ledger(ledger: &Path, roots: &[VerifierKey]) -> Result<(), Failure> {
    let refuse = |why: &str| {
        Failure::new(
            format!(
                "verifiers would not believe the ledger {}: {why}",
                ledger.display()
            ),
            "the store is as it was; `compliance-log keys certify --role ops` certifies a ledger, `verify` says what else is wrong",
        )
    };
    let root = roots.iter().cloned();
    let options = root.fold(Options::default(), Options::root_key);
    let report = verify(ledger, &options)?;
    if !matches!(report.exit, 0 | 4) {
        return Err(refuse(&format!("it comes to {}", report.verdict)));
    }
    for path in source::stores(ledger)? {
        let certificates = SealedStore::open(&path)?.certificates()?;
        let role = certificates.map(|certificates| certificates.store().statement().role);
        if role != Some(Role::Ops) {
            return Err(refuse("it is not certified with the role ops"));
        }
    }
    Ok(())
}

/// Where the order stands in the ledger.
fn record(
    ledger: &Path,
    order: &Signed<Expunge>,
    certificates: &[Signed<OperatorCertificate>],
) -> Result<(StreamId, u64), Failure> {
    let statement = order.statement();
    let ordered = Ordered {
        of: statement.stream.to_string(),
        record: statement.seq,
        order: Notes(order.to_string()),
        certificates: Notes(certificates.iter().map(Signed::to_block).collect()),
    };
    let session = Session::open(ledger)?;
    let receipt = session.record(|| ordered.commit())?;
    session.close()?;
    let (stream, seq) = (receipt.stream().clone(), receipt.seq());
    if !stands(ledger, &stream, seq, &ordered)? {
        return Err(Failure::new(
            format!("the order does not stand in the ledger as it was signed, in {stream}/{seq}"),
            "the store is as it was; a shorter reason and fewer certificates take less room",
        ));
    }
    Ok((stream, seq))
}

/// Whether the order and its certificates can be read again as they were given.
fn stands(ledger: &Path, stream: &StreamId, seq: u64, ordered: &Ordered) -> Result<bool, Failure> {
    let [_, instance, incarnation, channel] = stream.parts();
    let folder = ledger.join(format!("{instance}-{incarnation}/streams/{channel}"));
    let mut lines = StreamLines::new(source::segments(&folder, 0)?);
    while let Some((_, line)) = lines.next()? {
        let Some(fields) = line.stored.fields else {
            continue;
        };
        if fields.get("seq").and_then(Value::as_u64) == Some(seq) {
            let text = |key: &str| fields.get("data")?.get(key)?.as_str();
            return Ok(text("order") == Some(&ordered.order.to_string())
                && text("certificates") == Some(&ordered.certificates.to_string()));
        }
    }
    Ok(false)
}
