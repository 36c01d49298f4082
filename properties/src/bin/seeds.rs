//! Writes the inputs that the fuzzer begins with: one file each, in a folder for each target.

#![expect(clippy::disallowed_methods, reason = "no file of a store is written")]

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let Some(root) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("usage: seeds FOLDER"));
    };
    for (number, (target, input)) in compliance_log_properties::seeds().iter().enumerate() {
        let folder = root.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{number}")), input)?;
    }
    Ok(())
}
