//! `evidence show`: what a run of `verify` found, if the right key signed it.

use compliance_log::seal::{
    note::VerifierKey,
    statement::{Evidence, Signed},
};

use crate::{
    args::EvidenceShowArgs,
    exit::Exit,
    failure::Failure,
    printer::{Printer, complain},
    verification::notes,
    vkey,
};

const HINT: &str = "give a file that `compliance-log verify --evidence` wrote";

pub(crate) fn run(args: &EvidenceShowArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let key: VerifierKey = vkey::read_one(&args.key)?;
    let failed = |error: &compliance_log::Error, hint: &str| {
        Failure::new(format!("{}: {error}", args.file.display()), hint)
    };
    let mut objects = Vec::new();
    for note in notes(&args.file, HINT)? {
        let signed = Signed::<Evidence>::parse(&note).map_err(|error| failed(&error, HINT))?;
        if let Err(error) = signed.check(&key) {
            complain(&failed(
                &error,
                "do not believe it: ask who verified for the right file, or key",
            ));
            return Ok(Exit::Found);
        }
        objects.push(signed);
    }
    for signed in objects {
        printer.stored(signed.statement().object().as_bytes())?;
    }
    Ok(Exit::Ok)
}
