//! Runs the command and keeps everything it said.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
};

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_compliance-log"));
    command
        .stdin(Stdio::null())
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE");
    command
}

/// Runs to the end; `dir` reads `[DIR]` in what was said.
pub(crate) fn run<I: AsRef<OsStr>>(dir: &Path, arguments: impl IntoIterator<Item = I>) -> Said {
    let output = command().args(arguments).output().unwrap();
    let text = |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        text.replace(dir.to_str().unwrap(), "[DIR]")
    };
    Said {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
