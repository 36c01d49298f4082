//! `keys certify`: a signature of a root, or of an issuer.

use std::path::Path;

use compliance_log::{
    Error,
    seal::{
        OriginPrefix,
        note::{NoteFile, SigningKey},
        statement::{
            Certificate, Certificates, IssuerCertificate, OperatorCertificate, Role, Signed,
            Statement,
        },
    },
};

use crate::{
    args::KeysCertifyArgs,
    exit::Exit,
    failure::Failure,
    printer::{Printer, remark},
    private_key, small_file, vkey,
};

const HINT: &str =
    "give what `compliance-log keys request` printed, or the file `seal/cert` of a store";
const ISSUER_HINT: &str =
    "give what `compliance-log keys certify --issuer-prefix` printed for the issuer";

pub(crate) fn run(args: &KeysCertifyArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let key = private_key::read(&args.key)?;
    let file = match (&args.request, &args.vkey) {
        (Some(request), _) => {
            let role = args.role.as_deref().map(|role| match role {
                "ops" => Role::Ops,
                _ => Role::Store,
            });
            store(request, role, args.issuer.as_deref(), &key)?
        }
        (None, Some(vkey)) => match (&args.issuer_prefix, &args.operator_prefix) {
            (Some(of), _) => {
                let certificate = IssuerCertificate::new(prefix(of)?, vkey::read_one(vkey)?);
                sign(certificate, &key)?.to_block()
            }
            (None, Some(of)) => {
                let certificate = OperatorCertificate::new(prefix(of)?, vkey::read_one(vkey)?);
                sign(certificate, &key)?.to_block()
            }
            (None, None) => return Err(Failure::new("there is nothing to certify", HINT)),
        },
        (None, None) => return Err(Failure::new("there is nothing to certify", HINT)),
    };
    printer.piped(file.as_bytes(), false)?;
    Ok(Exit::Ok)
}

fn prefix(given: &str) -> Result<OriginPrefix, Failure> {
    given.parse().map_err(|error: Error| {
        Failure::new(
            error.to_string(),
            "give a prefix such as `log.example/booking/`",
        )
    })
}

/// The bytes of `seal/cert`.
fn store(
    request: &Path,
    role: Option<Role>,
    issuer: Option<&Path>,
    key: &SigningKey,
) -> Result<String, Failure> {
    let bytes = small_file::read(request, HINT)?;
    let refuse = |error: Error| Failure::new(format!("{}: {error}", request.display()), HINT);
    let issuer = issuer.map(|path| read_issuer(path, key)).transpose()?;

    let unsigned = std::str::from_utf8(&bytes).ok().map(Certificate::from_text);
    if let Some(Ok(mut certificate)) = unsigned {
        certificate.role = role.unwrap_or(certificate.role);
        let certificates = Certificates::new(sign(certificate, key)?, issuer).map_err(refuse)?;
        return Ok(certificates.to_file());
    }
    if let Some(role) = role {
        let signed = Certificates::parse(&bytes).map_err(refuse)?;
        if signed.store().statement().role != role {
            let text = format!("{} is certified for another role", request.display());
            return Err(Failure::new(
                text,
                "a signature changes nothing: give what `compliance-log keys request` printed",
            ));
        }
    }
    if let Ok(mut signed) = only::<OperatorCertificate>(&bytes) {
        countersign(&mut signed, key)?;
        return Ok(signed.to_block());
    }
    if let Ok(mut signed) = only::<IssuerCertificate>(&bytes) {
        countersign(&mut signed, key)?;
        return Ok(signed.to_block());
    }
    let certificates = Certificates::parse(&bytes).map_err(refuse)?;
    let mut of_store = certificates.store().clone();
    let of_issuer = match (issuer, certificates.issuer().cloned()) {
        // The issuer's certificate counts where there is one, so that is what another root signs.
        (None, Some(mut there)) => {
            countersign(&mut there, key)?;
            Some(there)
        }
        (given, _) => {
            countersign(&mut of_store, key)?;
            given
        }
    };
    let certificates = Certificates::new(of_store, of_issuer).map_err(refuse)?;
    Ok(certificates.to_file())
}

fn read_issuer(path: &Path, key: &SigningKey) -> Result<Signed<IssuerCertificate>, Failure> {
    let bytes = small_file::read(path, ISSUER_HINT)?;
    let signed = only::<IssuerCertificate>(&bytes)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display()), ISSUER_HINT))?;
    let issuer = &signed.statement().key;
    if issuer != key.verifier() {
        let text = format!(
            "{} certifies {issuer}, not {}",
            path.display(),
            key.verifier()
        );
        return Err(Failure::new(
            text,
            "give the certificate of the key that signs",
        ));
    }
    Ok(signed)
}

/// The only note of a file.
fn only<T: Statement>(bytes: &[u8]) -> Result<Signed<T>, Error> {
    match NoteFile::split(bytes).notes[..] {
        [(_, note)] => Signed::parse(note),
        _ => Signed::parse(bytes),
    }
}

fn sign<T: Statement>(statement: T, key: &SigningKey) -> Result<Signed<T>, Failure> {
    let text = statement.to_text();
    let signed = Signed::sign(statement, &[key]).map_err(|error| not_signed(&error))?;
    say(&text);
    Ok(signed)
}

fn countersign<T: Statement>(signed: &mut Signed<T>, key: &SigningKey) -> Result<(), Failure> {
    signed
        .countersign(key)
        .map_err(|error| not_signed(&error))?;
    say(&signed.statement().to_text());
    Ok(())
}

/// Who signs should see what.
fn say(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    if let [_, role, of, ..] = lines[..] {
        remark(format_args!("signed for the {role} {of}"));
    }
}

fn not_signed(error: &Error) -> Failure {
    Failure::new(error.to_string(), "nothing was signed")
}
