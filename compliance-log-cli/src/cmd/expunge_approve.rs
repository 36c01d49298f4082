//! `expunge approve`: a signature of one of two people.

use compliance_log::seal::statement::Statement as _;

use crate::{
    args::ExpungeApproveArgs,
    exit::Exit,
    expunge::write_order,
    failure::Failure,
    printer::{Printer, clean, remark},
    private_key,
};

pub(crate) fn run(args: &ExpungeApproveArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let key = private_key::read(&args.key)?;
    let order = write_order(&args.order, &key)?;
    // Who signs should see what.
    for line in order.statement().to_text().lines() {
        remark(clean(line));
    }
    remark(format_args!("signed by {}", key.verifier().name()));
    printer.piped(order.to_string().as_bytes(), false)?;
    Ok(Exit::Ok)
}
