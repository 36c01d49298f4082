//! `evidence show`: what a run of `verify` found, if the right key signed it.

use std::path::Path;

use compliance_log::{
    Error,
    seal::{
        Origin, OriginPrefix,
        note::{NoteFile, VerifierKey},
        statement::{Evidence, OperatorCertificate, Signed},
    },
};
use serde_json::Value;

use crate::{
    args::EvidenceShowArgs,
    exit::Exit,
    failure::Failure,
    printer::{Printer, complain, remark},
    small_file,
    verification::notes,
    vkey,
};

const HINT: &str = "give a file that `compliance-log verify --evidence` wrote";
const CERTIFICATE_HINT: &str =
    "give what `compliance-log keys certify --operator-prefix` printed for the verifier's key";
const DISBELIEVE: &str = "do not believe it: ask who verified for the right file, or key";

/// Who should have signed.
struct Signer {
    key: VerifierKey,
    /// Of what stores; `None` if no root was asked.
    prefix: Option<OriginPrefix>,
}

pub(crate) fn run(args: &EvidenceShowArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let failed =
        |error: &Error, hint: &str| Failure::new(format!("{}: {error}", args.file.display()), hint);
    let signer = match (&args.key, &args.certificate) {
        (Some(key), _) => Signer {
            key: vkey::read_one(key)?,
            prefix: None,
        },
        (None, Some(certificate)) => match certified(certificate, &args.root_key)? {
            Ok(signer) => signer,
            Err(failure) => {
                complain(&failure);
                return Ok(Exit::Found);
            }
        },
        (None, None) => return Err(Failure::new("nobody is named who may have signed", HINT)),
    };
    let mut objects = Vec::new();
    for note in notes(&args.file, HINT)? {
        let signed = Signed::<Evidence>::parse(&note).map_err(|error| failed(&error, HINT))?;
        if let Err(error) = signed.check(&signer.key) {
            complain(&failed(&error, DISBELIEVE));
            return Ok(Exit::Found);
        }
        let object = signed.statement().object();
        if let (Some(prefix), Some(origin)) = (&signer.prefix, origin(object))
            && !prefix.covers(&origin)
        {
            let text = format!(
                "{}: {} is certified for {}, not for {origin}",
                args.file.display(),
                signer.key.name(),
                prefix.as_str()
            );
            complain(&Failure::new(text, DISBELIEVE));
            return Ok(Exit::Found);
        }
        objects.push(signed);
    }
    if signer.prefix.is_none() {
        remark(format_args!(
            "whether a root certified {} as a verifier was not asked: give --root-key and --certificate",
            signer.key.name()
        ));
    }
    for signed in objects {
        printer.stored(signed.statement().object().as_bytes())?;
    }
    Ok(Exit::Ok)
}

/// The verifier, or why no root certified one.
fn certified(path: &Path, roots: &[String]) -> Result<Result<Signer, Failure>, Failure> {
    let mut keys = Vec::new();
    for root in roots {
        keys.extend(vkey::read_any::<VerifierKey>(root)?);
    }
    let bytes = small_file::read(path, CERTIFICATE_HINT)?;
    let failed =
        |error: Error| Failure::new(format!("{}: {error}", path.display()), CERTIFICATE_HINT);
    let signed: Signed<OperatorCertificate> = match NoteFile::split(&bytes).notes[..] {
        [(_, note)] => Signed::parse(note),
        _ => Signed::parse(&bytes),
    }
    .map_err(failed)?;
    Ok(match signed.check_root(&keys) {
        Ok(()) => Ok(Signer {
            key: signed.statement().key.clone(),
            prefix: Some(signed.statement().prefix.clone()),
        }),
        Err(error) => Err(Failure::new(
            format!("{}: {error}", path.display()),
            DISBELIEVE,
        )),
    })
}

/// The store that it is about, if it names one.
fn origin(object: &str) -> Option<Origin> {
    let object: Value = serde_json::from_str(object).ok()?;
    object.get("origin")?.as_str()?.parse().ok()
}
