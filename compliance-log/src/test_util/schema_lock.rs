use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::schema_lock::{Change, Finding, Impact, SchemaLock};

/// What to run to agree to a change.
const ACCEPT: &str = "AUDIT_SCHEMA=accept cargo test";

/// The events that are linked into the test still have the schema that a file states: a service has one
/// such test, and the file lies beside its `Cargo.toml`.
///
/// ```no_run
/// # use compliance_log::test_util::assert_schema_lock;
/// assert_schema_lock("audit-schema.lock");
/// ```
///
/// Where the test is not in the crate of the events itself, it has to use something of that crate, if
/// only by `use booking_api as _;`: what is not used is not linked.
///
/// It passes as long as every line of the file still holds, or holds more strictly: an added event or
/// optional field passes, a class that is more sensitive and an action that takes away more too. Such
/// an addition is protected from when it is accepted. Everything else that
/// [`schema_lock`](crate::schema_lock) compares fails and is named, with its field: a removed, moved,
/// retyped or less sensitive one, an added one that is always there, and so on. Raise the event's
/// `version` to make such a change. A raised version fails too until it is accepted, because the file
/// then states something that is no more, and protects nothing of the new version.
///
/// `AUDIT_SCHEMA=accept cargo test` writes the file anew, whatever has changed; it is replaced in one
/// step. `compliance-log schema diff` compares what was accepted with what was released.
///
/// A relative path starts from the `CARGO_MANIFEST_DIR` of the running test.
///
/// # Panics
///
/// If something of the file no longer holds, if it is missing or no lock, if two event types have one
/// name and version, or if `AUDIT_SCHEMA` is set to anything but `accept`.
#[track_caller]
pub fn assert_schema_lock(path: impl AsRef<Path>) {
    let dir = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    if let Err(why) = check(&dir.join(path)) {
        refuse(&why);
    }
}

#[expect(clippy::panic, reason = "an assertion that failed")]
#[track_caller]
fn refuse(why: &str) -> ! {
    panic!("{why}");
}

fn check(path: &Path) -> Result<(), String> {
    let now = SchemaLock::of_registered().map_err(|error| error.to_string())?;
    match env::var("AUDIT_SCHEMA").as_deref() {
        Ok("accept") => {
            return replace(path, &now.to_string())
                .map_err(|error| format!("cannot write {}: {error}", path.display()));
        }
        Ok(other) => {
            return Err(format!("AUDIT_SCHEMA={other} means nothing; use {ACCEPT}"));
        }
        Err(_unset) => {}
    }
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("{} is not there; write it with {ACCEPT}", path.display())
        }
        _ => format!("cannot read {}: {error}", path.display()),
    })?;
    let locked: SchemaLock = text
        .parse()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let broken: Vec<String> = locked
        .compare(&now)
        .iter()
        .filter(|finding| no_longer_holds(finding))
        .map(|finding| format!("  {finding}\n"))
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!(
        "events no longer have the schema in {}:\n{}raise the `version` of an event whose records somebody may hold, and then accept its schema with {ACCEPT}",
        path.display(),
        broken.concat()
    ))
}

fn no_longer_holds(finding: &Finding) -> bool {
    finding.impact == Impact::Breaking || finding.change == Change::VersionRaised
}

/// Writes a new file beside the old and renames it, so that nobody finds half of it.
#[expect(
    clippy::disallowed_methods,
    reason = "a file of the source tree, of which no store depends"
)]
fn replace(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    // Renamed onto a link, it would take the place of the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    // One that is there was left by a test that was killed: ids of processes come again.
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}
