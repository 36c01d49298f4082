//! `pseudonym forget`: keys that are destroyed.

use serde_json::json;

use crate::{
    cli::PseudonymForgetArgs,
    exit::Exit,
    failure::Failure,
    keys,
    printer::{Printer, counted, hint},
};

pub(crate) fn run(args: &PseudonymForgetArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let field = args.field.as_deref();
    // Also where nothing would be forgotten: a file that is not there is not made.
    let mut known = keys::read(&args.keys.keys)?;
    let count = known.forget(&args.tenant, field);
    if count > 0 && !args.yes {
        return Err(Failure::new(
            format!(
                "this destroys {}: nobody can tell any more whose their pseudonyms are, in no record",
                counted(count as u64, "key")
            ),
            "give --yes if that is what you want; no key was changed",
        ));
    }
    let forgotten = if count > 0 {
        keys::edit(&args.keys.keys, |keys| Ok(keys.forget(&args.tenant, field)))?
    } else {
        0
    };
    if args.json {
        printer.stored(json!({ "forgotten": forgotten }).to_string().as_bytes())?;
    } else {
        printer.line(format_args!(
            "{} forgotten",
            counted(forgotten as u64, "key")
        ))?;
    }
    printer.flush()?;
    if forgotten == 0 {
        hint("no such key: `pseudonym list` names those that are there");
        return Ok(Exit::Incomplete);
    }
    hint("backups of the key file still hold them: destroy those too");
    Ok(Exit::Ok)
}
