//! What a store stands on, as far as the system tells.

use std::path::Path;

/// `tmpfs`, `overlay`, `emptydir`, `network`, `block` or `unknown`.
#[cfg(target_os = "linux")]
pub(crate) fn kind(path: &Path) -> &'static str {
    const TMPFS: [i64; 2] = [0x0102_1994, 0x8584_58f6];
    const OVERLAY: i64 = 0x794c_7630;
    // NFS, SMB and CIFS, Ceph, Lustre, and whatever a process serves.
    const NETWORK: [i64; 7] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x00c3_6400,
        0x0bd0_0bd0,
        0x6573_5546,
    ];
    const BLOCK: [i64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x2fc1_2fc1];
    match rustix::fs::statfs(path).map(|stat| stat.f_type) {
        Ok(magic) if TMPFS.contains(&magic) => "tmpfs",
        _ if is_empty_dir(path) => "emptydir",
        Ok(OVERLAY) => "overlay",
        Ok(magic) if NETWORK.contains(&magic) => "network",
        Ok(magic) if BLOCK.contains(&magic) => "block",
        _ => "unknown",
    }
}

/// Other systems name their file systems, but not in a way that tells what outlives what.
#[cfg(not(target_os = "linux"))]
pub(crate) fn kind(_path: &Path) -> &'static str {
    "unknown"
}

/// Kubelet mounts a pod's volumes from folders whose names tell their kinds.
#[cfg(target_os = "linux")]
fn is_empty_dir(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    std::fs::read_to_string("/proc/self/mountinfo")
        .is_ok_and(|mounts| mount_of(&path, &mounts).is_some_and(|root| root.contains(EMPTY_DIR)))
}

#[cfg(any(test, target_os = "linux"))]
const EMPTY_DIR: &str = "/kubernetes.io~empty-dir/";

/// Which folder of its file system is mounted where `path` is: the fourth field of a line of
/// `mountinfo`, whose fifth is the mount point. Of two at one place the later one is seen.
#[cfg(any(test, target_os = "linux"))]
fn mount_of<'a>(path: &Path, mounts: &'a str) -> Option<&'a str> {
    let mount = |line: &'a str| {
        let mut fields = line.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let point = point.replace("\\040", " ");
        let depth = Path::new(&point).components().count();
        path.starts_with(&point).then_some((depth, root))
    };
    let (_, root) = mounts
        .lines()
        .filter_map(mount)
        .max_by_key(|(depth, _)| *depth)?;
    Some(root)
}

/// What a store of this kind does not survive.
pub(crate) fn warning(kind: &str) -> Option<&'static str> {
    match kind {
        "tmpfs" => Some(
            "the store is in memory (tmpfs): it survives a crash of the process, and ends with the pod or the machine",
        ),
        "overlay" => Some(
            "the store is in the container's own layer (overlay): it survives a crash of the process, and ends with the container",
        ),
        "emptydir" => Some(
            "the store is in an emptyDir: it survives a restart of the container, and ends with the pod",
        ),
        "network" => Some(
            "the store is on a network file system: what is acknowledged is as durable as its server makes it",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 0:20 / / rw,relatime - overlay overlay rw
30 22 8:1 /var/lib/kubelet/pods/8a1/volumes/kubernetes.io~empty-dir/audit /var/log/audit rw - ext4 /dev/sda1 rw
31 22 8:16 / /var/log/audit/kept rw,relatime - ext4 /dev/sdb rw
32 22 8:1 /x/kubernetes.io~empty-dir/a /mnt/with\\040space rw - ext4 /dev/sda1 rw
";

    #[test]
    fn the_deepest_mount_tells_what_a_folder_is() {
        let is_empty_dir = |path: &str| {
            mount_of(Path::new(path), MOUNTS).is_some_and(|root| root.contains(EMPTY_DIR))
        };
        assert!(is_empty_dir("/var/log/audit"));
        assert!(is_empty_dir("/var/log/audit/pod-7"));
        assert!(is_empty_dir("/mnt/with space/x"));
        assert!(!is_empty_dir("/var/log/audit/kept/pod-7"));
        assert!(!is_empty_dir("/var/log/auditor"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_told_from_a_disk() {
        assert_eq!(kind(Path::new("/dev/shm")), "tmpfs");
        assert!(warning(kind(Path::new("/dev/shm"))).is_some());
        assert_eq!(warning("block"), None);
    }
}
