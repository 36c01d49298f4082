//! Who runs the command.

use std::{env, fs};

/// The name of the account; of who used `sudo`, if it is root's. Environment variables of anybody else are not
/// believed.
pub(super) fn name() -> String {
    let uid = rustix::process::getuid().as_raw();
    if uid == 0
        && let Ok(name) = env::var("SUDO_USER")
        && !name.is_empty()
    {
        return name;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let theirs = fields.nth(1)?.parse() == Ok(uid);
        theirs.then(|| name.to_owned())
    };
    accounts
        .lines()
        .find_map(of)
        .unwrap_or_else(|| format!("uid-{uid}"))
}
