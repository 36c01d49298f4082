//! `pseudonym new-key`: a first key, or the next epoch.

use serde_json::json;

use crate::{
    cli::PseudonymNewKeyArgs,
    exit::Exit,
    failure::Failure,
    keys,
    printer::{Printer, clean},
};

pub(crate) fn run(args: &PseudonymNewKeyArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let PseudonymNewKeyArgs {
        keys,
        tenant,
        field,
        json,
    } = args;
    let epoch = keys::edit(&keys.keys, |keys| keys.add_key(tenant, field))?;
    if *json {
        let key = json!({ "tenant": tenant, "field": field, "epoch": epoch.get() });
        printer.stored(key.to_string().as_bytes())?;
    } else {
        let (tenant, field) = (clean(tenant), clean(field));
        printer.line(format_args!("{tenant}  {field}  epoch {epoch} is in use"))?;
    }
    Ok(Exit::Ok)
}
