//! HMAC-SHA-256 under one key: by `hmac`, or with the feature `fips` by the validated module of AWS-LC.

#[cfg(feature = "fips")]
pub(super) use self::module::Mac;
#[cfg(not(feature = "fips"))]
pub(super) use self::plain::Mac;

#[cfg(not(feature = "fips"))]
mod plain {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Sha256;
    use zeroize::Zeroizing;

    /// HMAC-SHA-256 fills a key up with zeros to this.
    const BLOCK_BYTES: usize = 64;

    /// The state after the key and what was added since: what does not depend on the message is computed
    /// once. Wiped when it is dropped.
    #[derive(Clone)]
    pub(in crate::pseudonym) struct Mac(Hmac<Sha256>);

    impl Mac {
        pub(in crate::pseudonym) fn new(secret: &[u8; 32]) -> Self {
            let mut block = Zeroizing::new([0; BLOCK_BYTES]);
            block[..secret.len()].copy_from_slice(secret);
            Self(Hmac::new((&*block).into()))
        }

        pub(in crate::pseudonym) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(in crate::pseudonym) fn finish(self) -> [u8; 32] {
            self.0.finalize().into_bytes().into()
        }
    }
}

#[cfg(feature = "fips")]
mod module {
    use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};

    /// The state after the key and what was added since. The module wipes it when it is dropped.
    #[derive(Clone)]
    pub(in crate::pseudonym) struct Mac(Context);

    impl Mac {
        pub(in crate::pseudonym) fn new(secret: &[u8; 32]) -> Self {
            Self(Context::with_key(&Key::new(HMAC_SHA256, secret)))
        }

        pub(in crate::pseudonym) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(in crate::pseudonym) fn finish(self) -> [u8; 32] {
            let mut bytes = [0; 32];
            for (to, from) in bytes.iter_mut().zip(self.0.sign().as_ref()) {
                *to = *from;
            }
            bytes
        }
    }
}
