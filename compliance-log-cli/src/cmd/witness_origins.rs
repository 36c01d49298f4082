//! `witness origins`: which stores there must be.

use compliance_log::seal::Origin;
use serde_json::{Value, json};

use crate::{
    args::WitnessOriginsArgs, exit::Exit, failure::Failure, printer::Printer, witness::Client,
};

pub(crate) fn run(args: &WitnessOriginsArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let origins = Client::new(&args.of, args.ca.as_deref())?.origins()?;
    if args.json {
        let one =
            |(origin, size): &(Origin, u64)| json!({ "origin": origin.as_str(), "size": size });
        let origins: Vec<Value> = origins.iter().map(one).collect();
        let said = json!({ "origins": origins });
        printer.stored(said.to_string().as_bytes())?;
        return Ok(Exit::Ok);
    }
    for (origin, size) in origins {
        printer.line(format_args!("{origin} {size}"))?;
    }
    Ok(Exit::Ok)
}
