//! What a store stands on, as far as the system tells.

use std::path::Path;

/// `tmpfs`, `overlay`, `network`, `block` or `unknown`.
#[cfg(target_os = "linux")]
pub(super) fn kind(path: &Path) -> &'static str {
    const TMPFS: [i64; 2] = [0x0102_1994, 0x8584_58f6];
    const OVERLAY: i64 = 0x794c_7630;
    const NETWORK: [i64; 5] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x00c3_6400];
    const BLOCK: [i64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x2fc1_2fc1];
    match rustix::fs::statfs(path).map(|stat| stat.f_type) {
        Ok(OVERLAY) => "overlay",
        Ok(magic) if TMPFS.contains(&magic) => "tmpfs",
        Ok(magic) if NETWORK.contains(&magic) => "network",
        Ok(magic) if BLOCK.contains(&magic) => "block",
        _ => "unknown",
    }
}

/// Other systems name their file systems, but not in a way that tells what outlives what.
#[cfg(not(target_os = "linux"))]
pub(super) fn kind(_path: &Path) -> &'static str {
    "unknown"
}
