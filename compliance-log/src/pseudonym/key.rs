use std::{fmt, num::NonZeroU32, str, sync::Arc};

use super::mac::Mac;

const DOMAIN: &[u8] = b"compliance-log/v1/pseudonym\0";
const HEX_DIGITS: usize = 32;

/// One key, of one tenant and field; a clone shares it. Its memory is wiped with the last one.
#[derive(Clone)]
pub struct PseudonymKey(Arc<Keyed>);

struct Keyed {
    epoch: NonZeroU32,
    mac: Mac,
}

impl PseudonymKey {
    /// A key of 32 bytes from a cryptographic random source. `epoch` counts the keys of its tenant and
    /// field, from 1 on.
    pub fn new(epoch: NonZeroU32, secret: &[u8; 32]) -> Self {
        Self(Arc::new(Keyed {
            epoch,
            mac: Mac::new(secret),
        }))
    }

    /// Which of the keys of its tenant and field this is.
    pub fn epoch(&self) -> NonZeroU32 {
        self.0.epoch
    }

    /// What stands for `value`; the [module](super) says how it is computed. Allocates nothing.
    pub fn pseudonym(&self, tenant: &str, field: &str, value: &str) -> Pseudonym {
        let mut mac = self.0.mac.clone();
        mac.update(DOMAIN);
        for part in [tenant, field, value] {
            // No value in memory is that long.
            let bytes = u32::try_from(part.len()).unwrap_or(u32::MAX);
            mac.update(&bytes.to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finish();
        let mut hex = [b'0'; HEX_DIGITS];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 15);
        }
        Pseudonym {
            epoch: self.0.epoch,
            hex,
        }
    }
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    }
}

impl fmt::Debug for PseudonymKey {
    /// Not the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PseudonymKey(epoch {})", self.epoch())
    }
}

/// What stands in place of a value; [`Display`](fmt::Display) writes `ps_<epoch>_<32 hex>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudonym {
    epoch: NonZeroU32,
    hex: [u8; HEX_DIGITS],
}

impl Pseudonym {
    /// Which key made it.
    pub fn epoch(&self) -> NonZeroU32 {
        self.epoch
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = str::from_utf8(&self.hex).unwrap_or_default();
        write!(f, "ps_{}_{hex}", self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudonym(epoch: u32, secret: &[u8; 32], [tenant, field, value]: [&str; 3]) -> String {
        let epoch = NonZeroU32::new(epoch).unwrap();
        PseudonymKey::new(epoch, secret)
            .pseudonym(tenant, field, value)
            .to_string()
    }

    /// Computed by the Python of the module's documentation, with its own `hmac`:
    /// `secret = bytes(range(32))`, and `bytes(range(100, 132))` for epoch 12.
    #[test]
    fn pseudonyms_are_those_that_others_compute() {
        let mut secret = [0; 32];
        for (value, byte) in (0..).zip(&mut secret) {
            *byte = value;
        }
        let later = secret.map(|byte| byte + 100);
        for (epoch, secret, parts, expected) in [
            (
                1,
                &secret,
                ["acme", "data.passenger", "Ada Lovelace"],
                "ps_1_4e96edd9268b423dc093d20f19b6bac3",
            ),
            (
                1,
                &secret,
                ["none", "user_id", "ada@example.org"],
                "ps_1_d16fbf00d4223f64eb415b8f949b9fe2",
            ),
            (
                1,
                &secret,
                ["acme", "e-mail", ""],
                "ps_1_d220c6b8d5de1873ccb16772730cfd7e",
            ),
            (
                12,
                &later,
                ["zürich", "data.name", "Zoë 东京"],
                "ps_12_603bda9e0d9d14776a273ef271e74fd4",
            ),
        ] {
            assert_eq!(pseudonym(epoch, secret, parts), expected);
        }
    }

    #[test]
    fn tenant_field_and_value_cannot_run_into_each_other() {
        let of = |parts| pseudonym(1, &[1; 32], parts);
        let whole = of(["ab", "cd", "ef"]);
        for other in [
            ["abc", "d", "ef"],
            ["a", "bcd", "ef"],
            ["ab", "cde", "f"],
            ["ab", "c", "def"],
            ["ab", "cd", "EF"],
        ] {
            assert_ne!(of(other), whole, "{other:?}");
        }
        assert_ne!(pseudonym(1, &[2; 32], ["ab", "cd", "ef"]), whole);
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = PseudonymKey::new(NonZeroU32::MIN, &[0xab; 32]);
        assert_eq!(format!("{key:?}"), "PseudonymKey(epoch 1)");
    }
}
