//! The one way to SHA-256: by `sha2`, or with the feature `fips` by the validated module of AWS-LC.

#[cfg(feature = "fips")]
pub(crate) use self::module::{Sha256, sha256};
#[cfg(not(feature = "fips"))]
pub(crate) use self::plain::{Sha256, sha256};

#[cfg(not(feature = "fips"))]
mod plain {
    use sha2::Digest as _;

    use super::short;

    /// A digest that grows.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Sha256(sha2::Sha256);

    impl Sha256 {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn update(&mut self, bytes: impl AsRef<[u8]>) {
            self.0.update(bytes);
        }

        pub(crate) fn finish(self) -> [u8; 32] {
            self.0.finalize().into()
        }
    }

    /// The digest of the parts, one after the other.
    pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if bytes <= short::BYTES_MAX {
            return short::sha256(parts, bytes);
        }
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finish()
    }
}

#[cfg(feature = "fips")]
mod module {
    use std::fmt;

    use aws_lc_rs::digest::{Context, SHA256};

    /// A digest that grows.
    #[derive(Clone)]
    pub(crate) struct Sha256(Context);

    impl Sha256 {
        pub(crate) fn new() -> Self {
            Self(Context::new(&SHA256))
        }

        pub(crate) fn update(&mut self, bytes: impl AsRef<[u8]>) {
            self.0.update(bytes.as_ref());
        }

        pub(crate) fn finish(self) -> [u8; 32] {
            let mut bytes = [0; 32];
            for (to, from) in bytes.iter_mut().zip(self.0.finish().as_ref()) {
                *to = *from;
            }
            bytes
        }
    }

    impl fmt::Debug for Sha256 {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Sha256")
        }
    }

    /// The digest of the parts, one after the other.
    pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finish()
    }
}

/// Leaves and nodes of a tree fit into two blocks. Padded here they cost what the blocks cost; a hasher
/// with its buffer, which is wiped afterwards, costs as much again.
#[cfg(not(feature = "fips"))]
mod short {
    use sha2::block_api::compress256;

    const BLOCK_BYTES: usize = 64;
    /// With the bit behind the message and its length, in two blocks.
    pub(super) const BYTES_MAX: usize = 2 * BLOCK_BYTES - 9;
    /// FIPS 180-4, section 5.3.3.
    const START: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];

    /// `bytes` is how many there are, at most [`BYTES_MAX`].
    pub(super) fn sha256(parts: &[&[u8]], bytes: usize) -> [u8; 32] {
        let mut blocks = [[0; BLOCK_BYTES]; 2];
        let flat = blocks.as_flattened_mut();
        let mut at = 0_usize;
        for part in parts.iter().copied().chain([&[0x80][..]]) {
            let end = at.saturating_add(part.len());
            if let Some(here) = flat.get_mut(at..end) {
                here.copy_from_slice(part);
            }
            at = end;
        }
        let count = if bytes < BLOCK_BYTES - 8 { 1 } else { 2 };
        let used = blocks.get_mut(..count).unwrap_or_default();
        let bits = u64::try_from(bytes).unwrap_or(0).wrapping_mul(8);
        if let Some(length) = used.as_flattened_mut().last_chunk_mut::<8>() {
            *length = bits.to_be_bytes();
        }
        let mut state = START;
        compress256(&mut state, used);
        let mut digest = [0; 32];
        for (to, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *to = word.to_be_bytes();
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::sha256;

    #[test]
    fn short_and_long_messages_have_the_same_digest_as_elsewhere() {
        let message: Vec<u8> = (0..200).collect();
        for length in 0..message.len() {
            for cut in [0, length / 3, length] {
                let (one, two) = message[..length].split_at(cut);
                let expected: [u8; 32] = sha2::Sha256::digest(&message[..length]).into();
                assert_eq!(sha256(&[one, two]), expected, "{length} bytes");
            }
        }
    }
}
