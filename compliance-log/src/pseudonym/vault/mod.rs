//! Keys from the KV secrets engine, version 2, of Vault or OpenBao.

mod ask;
mod keys;
mod options;

pub use keys::VaultKeys;
pub use options::VaultOptions;
