//! Public keys: given as they are, or in files with one on each line.

use std::{path::Path, str::FromStr};

use compliance_log::Error;

use crate::{failure::Failure, small_file};

const HINT: &str =
    "give a vkey, `<name>+<8 hex digits>+<base64>`, or a file that holds one on each line";

/// The keys in a file; lines that are empty or begin with `#` are passed over.
///
/// # Errors
///
/// A file that cannot be read, or a line that is no key.
pub(crate) fn read_all<K: FromStr<Err = Error>>(path: &Path) -> Result<Vec<K>, Failure> {
    let text = small_file::text(path, HINT)?;
    let mut keys = Vec::new();
    for (line, number) in text.lines().zip(1_u64..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format_args!("{}, line {number}", path.display()).to_string();
        keys.push(line.parse().map_err(|error| no_key(&place, &error))?);
    }
    if keys.is_empty() {
        return Err(Failure::new(
            format!("there is no key in {}", path.display()),
            HINT,
        ));
    }
    Ok(keys)
}

/// One key, or all of a file.
///
/// # Errors
///
/// What is neither.
pub(crate) fn read_any<K: FromStr<Err = Error>>(given: &str) -> Result<Vec<K>, Failure> {
    let path = Path::new(given);
    if path.exists() {
        return read_all(path);
    }
    let key = given.parse().map_err(|error| no_key(given, &error))?;
    Ok(vec![key])
}

/// One key, or the only one in a file.
///
/// # Errors
///
/// What is neither.
pub(crate) fn read_one<K: FromStr<Err = Error>>(given: &str) -> Result<K, Failure> {
    let path = Path::new(given);
    if !path.exists() {
        return given.parse().map_err(|error| no_key(given, &error));
    }
    let mut keys = read_all(path)?;
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok(key),
        _ => Err(Failure::new(
            format!("there are several keys in {given}"),
            "give one of them",
        )),
    }
}

fn no_key(place: &str, error: &Error) -> Failure {
    Failure::new(format!("{place}: {error}"), HINT)
}
