//! `schema export`: the JSON Schema of a record.

use compliance_log::{json_schema, schema_lock::SchemaLock};

use crate::{cli::ExportArgs, exit::Exit, failure::Failure, lock, printer::Printer};

pub(crate) fn run(args: &ExportArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let events = match &args.lock {
        Some(path) => lock::read(path)?,
        None => SchemaLock::default(),
    };
    for line in format!("{:#}", json_schema::record(&events)).lines() {
        printer.stored(line.as_bytes())?;
    }
    Ok(Exit::Ok)
}
