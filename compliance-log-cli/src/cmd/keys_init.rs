//! `keys init`: a new key.

use compliance_log::seal::note::SigningKey;
use serde_json::json;

use crate::{args::KeysInitArgs, exit::Exit, failure::Failure, printer::Printer, private_key};

pub(crate) fn run(args: &KeysInitArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let KeysInitArgs {
        name,
        algorithm,
        out,
        json,
    } = args;
    let key = name
        .parse()
        .and_then(|name| SigningKey::generate(name, *algorithm));
    let key = key.map_err(|error| {
        Failure::new(error.to_string(), "give a name such as `example.com/root`")
    })?;
    private_key::create(out, &key)?;
    let vkey = key.verifier().to_string();
    if *json {
        let said = json!({ "vkey": vkey, "file": out });
        printer.stored(said.to_string().as_bytes())?;
    } else {
        printer.line(vkey)?;
    }
    Ok(Exit::Ok)
}
