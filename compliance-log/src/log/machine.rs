//! What the machine says of itself.

use crate::chain::LINE_BYTES_MAX;

pub(super) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// A name made of what is allowed of `text`, so that a host's own name never keeps a service from
/// starting.
pub(super) fn allowed_name(text: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = text.chars().take(64).map(keep).collect();
    if name.is_empty() {
        "host".to_owned()
    } else {
        name
    }
}

/// Where the system tells: which boot of the machine this is.
pub(super) fn boot_id() -> Option<Box<str>> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().into())
}

/// Where the system tells: which installation this is.
pub(super) fn machine_id() -> Option<String> {
    let text = std::fs::read_to_string("/etc/machine-id").ok()?;
    let id = text.trim();
    (!id.is_empty() && id.len() <= 64).then(|| id.to_owned())
}

/// The largest file that this process may write, less one record: the system ends a process that goes
/// beyond (`ulimit -f`).
pub(super) fn file_bytes_max() -> u64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize);
    let limit = limit.current.unwrap_or(u64::MAX);
    limit.saturating_sub(LINE_BYTES_MAX as u64)
}
