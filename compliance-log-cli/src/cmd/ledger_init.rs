//! `ledger init`: a ledger, and what is to be signed for it.

use compliance_log::seal::statement::{Role, Statement as _};

use crate::{
    args::LedgerInitArgs,
    exit::Exit,
    failure::Failure,
    ledger,
    printer::{Printer, hint, remark},
    sealed::SealedStore,
};

pub(crate) fn run(args: &LedgerInitArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let store = ledger::begin(&args.dir, &args.domain)?;
    let mut request = SealedStore::open(&store)?.genesis()?;
    request.role = Role::Ops;
    printer.piped(request.to_text().as_bytes(), false)?;
    remark(format_args!("the ledger is {}", store.display()));
    hint(format_args!(
        "have a root certify what was printed, `compliance-log keys certify --role ops`, and put the result into {}/seal/cert",
        store.display()
    ));
    Ok(Exit::Ok)
}
