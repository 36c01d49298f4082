//! `keys rotate`: other keys for a store whose service does not run.

use compliance_log::Seal;
use serde_json::{Value, json};

use crate::{
    args::KeysRotateArgs, exit::Exit, failure::Failure, notes, printer::Printer,
    sealed::SealedStore,
};

const HINT: &str = "stop the service, or have it call `ComplianceLog::rotate_keys`, or start and stop it where it was not shut down";

pub(crate) fn run(args: &KeysRotateArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let store = SealedStore::open(&args.store)?;
    let checkpoint = Seal::default().rotate_keys(store.path());
    let checkpoint = checkpoint.map_err(|error| Failure::new(error.to_string(), HINT))?;
    if args.json {
        let mut said = notes::note(checkpoint.as_bytes())
            .map_err(|error| Failure::new(error.to_string(), HINT))?;
        said.insert("text".to_owned(), json!(checkpoint));
        printer.stored(Value::Object(said).to_string().as_bytes())?;
    } else {
        printer.piped(checkpoint.as_bytes(), false)?;
    }
    Ok(Exit::Ok)
}
