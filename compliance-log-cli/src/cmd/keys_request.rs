//! `keys request`: what is to be signed for a store.

use compliance_log::seal::statement::Statement as _;
use serde_json::Value;

use crate::{
    args::KeysRequestArgs, exit::Exit, failure::Failure, notes, printer::Printer,
    sealed::SealedStore,
};

pub(crate) fn run(args: &KeysRequestArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let store = SealedStore::open(&args.store)?;
    let request = match store.certificates()? {
        Some(certificates) => certificates.store().statement().clone(),
        None => store.genesis()?,
    };
    if args.json {
        let mut said = notes::certificate(&request);
        said.insert("text".to_owned(), request.to_text().into());
        printer.stored(Value::Object(said).to_string().as_bytes())?;
    } else {
        printer.piped(request.to_text().as_bytes(), false)?;
    }
    Ok(Exit::Ok)
}
