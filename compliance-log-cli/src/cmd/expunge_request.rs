//! `expunge request`: what two people are to sign.

use compliance_log::seal::statement::{Expunge, Statement as _};

use crate::{
    args::ExpungeRequestArgs,
    exit::Exit,
    expunge::{Target, check_reason},
    failure::Failure,
    printer::{Printer, remark},
    sealed::SealedStore,
};

pub(crate) fn run(args: &ExpungeRequestArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    check_reason(&args.reason)?;
    let store = SealedStore::open(&args.store)?;
    let target = Target::find(&store, &args.stream, args.seq)?;
    let Target {
        origin,
        stream,
        seq,
        hash,
        ..
    } = target;
    let order = Expunge::new(origin, stream, seq, hash, &args.reason)
        .map_err(|error| Failure::new(error.to_string(), "nothing was written"))?;
    printer.piped(order.to_text().as_bytes(), false)?;
    if target.expunged {
        remark("its text was taken out before; a new order may be signed by others");
    }
    Ok(Exit::Ok)
}
