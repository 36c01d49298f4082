//! Roots as checkpoints have them: Base64 in its one canonical spelling.

use base64ct::{Base64, Encoding as _};
use compliance_log::seal::merkle::TreeHash;

pub(crate) fn encode(root: TreeHash) -> String {
    Base64::encode_string(root.as_bytes())
}

pub(crate) fn decode(text: &str) -> Option<TreeHash> {
    let root = TreeHash::new(Base64::decode_vec(text).ok()?.try_into().ok()?);
    (encode(root) == text).then_some(root)
}
