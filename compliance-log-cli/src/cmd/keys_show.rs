//! `keys show`: what keys and notes say.

use std::path::Path;

use compliance_log::seal::{note::NoteFile, statement::Certificate};
use serde_json::{Value, json};

use crate::{
    args::KeysShowArgs,
    exit::Exit,
    failure::Failure,
    notes::{self, Said},
    printer::{BOLD, Printer, clean},
    private_key,
    record::plain,
    sealed::SealedStore,
    small_file,
};

const HINT: &str = "give a file of vkeys, a private key, a certificate or its request, epochs, checkpoints, a revocation, or a store";
const PRIVATE: &str = "PRIVATE+KEY+";

pub(crate) fn run(args: &KeysShowArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let shown = if args.path.is_dir() {
        of_store(&args.path)?
    } else {
        of_file(&args.path)?
    };
    if args.json {
        let said = json!({ "shown": shown });
        printer.stored(said.to_string().as_bytes())?;
        return Ok(Exit::Ok);
    }
    for said in &shown {
        for (key, value) in said {
            let values = match value {
                Value::Array(values) => values.iter().map(plain).collect(),
                Value::Null => continue,
                other => vec![plain(other)],
            };
            for value in values {
                if key == "kind" {
                    printer.line(format_args!("{BOLD}{}{BOLD:#}", clean(&value)))?;
                } else {
                    let key = key.replace('_', " ");
                    printer.line(format_args!("  {key:<10}{}", clean(&value)))?;
                }
            }
        }
    }
    Ok(Exit::Ok)
}

/// The certificates, or what they would say; and the newest of epochs and checkpoints.
fn of_store(path: &Path) -> Result<Vec<Said>, Failure> {
    let store = SealedStore::open(path)?;
    let mut shown = if let Some(file) = store.certificate_file()? {
        of_notes(&store.path().join("seal/cert"), &file)?
    } else {
        vec![unsigned(&store.genesis()?)]
    };
    let newest = [
        store.newest_epoch()?,
        store.newest()?.map(|newest| newest.to_string().into()),
    ];
    for note in newest.into_iter().flatten() {
        shown.push(notes::note(&note).map_err(|error| refuse(path, &error))?);
    }
    Ok(shown)
}

fn of_file(path: &Path) -> Result<Vec<Said>, Failure> {
    let bytes = small_file::read(path, HINT)?;
    if bytes.starts_with(PRIVATE.as_bytes()) {
        let mut said = notes::verifier(private_key::read(path)?.verifier());
        said.insert("private".to_owned(), "in this file".into());
        return Ok(vec![said]);
    }
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    if let Ok(request) = Certificate::from_text(text) {
        return Ok(vec![unsigned(&request)]);
    }
    let is_note = text.contains("\n\n\u{2014} ");
    if is_note {
        return of_notes(path, &bytes);
    }
    let lines = text.lines().map(str::trim);
    let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = keys.map(notes::key).collect::<Result<Vec<Said>, _>>();
    match keys {
        Ok(keys) if !keys.is_empty() => Ok(keys),
        Ok(_) => Err(Failure::new(
            format!("there is no key in {}", path.display()),
            HINT,
        )),
        Err(error) => Err(refuse(path, &error)),
    }
}

fn unsigned(request: &Certificate) -> Said {
    let mut said = notes::certificate(request);
    said.insert("signed_by".to_owned(), "nobody".into());
    said
}

fn of_notes(path: &Path, bytes: &[u8]) -> Result<Vec<Said>, Failure> {
    let file = NoteFile::split(bytes);
    let notes: Vec<&[u8]> = match (&file.notes[..], file.torn) {
        // One note without the empty line after it.
        ([], _) => vec![bytes],
        (notes, None) => notes.iter().map(|(_, note)| *note).collect(),
        (_, Some(at)) => {
            let text = format!(
                "{}: what begins at byte {at} is no whole note",
                path.display()
            );
            return Err(Failure::new(text, HINT));
        }
    };
    let shown: Result<Vec<Said>, _> = notes.into_iter().map(notes::note).collect();
    shown.map_err(|error| refuse(path, &error))
}

fn refuse(path: &Path, error: &compliance_log::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()), HINT)
}
