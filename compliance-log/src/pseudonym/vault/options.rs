use std::{path::PathBuf, time::Duration};

use super::keys::VaultKeys;

const REFRESH_EVERY: Duration = Duration::from_secs(5 * 60);
const REFRESH_EVERY_MIN: Duration = Duration::from_millis(10);

/// Where Vault is and how to ask it; made by [`VaultKeys::at`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked until `start`"]
pub struct VaultOptions {
    pub(super) address: String,
    pub(super) mount: String,
    pub(super) path: String,
    pub(super) token_file: PathBuf,
    pub(super) namespace: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) refresh_every: Duration,
}

impl VaultOptions {
    pub(super) fn new(address: String) -> Self {
        Self {
            address,
            mount: "secret".to_owned(),
            path: "compliance-log/pseudonyms".to_owned(),
            token_file: PathBuf::from("/vault/secrets/token"),
            namespace: None,
            ca_file: None,
            refresh_every: REFRESH_EVERY,
        }
    }

    /// Where the KV secrets engine is mounted. Default: `secret`.
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// The secret that holds the keys. Default: `compliance-log/pseudonyms`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The file with the token, such as the sink of Vault Agent. It is read each time, so that a new token
    /// needs no restart. Default: `/vault/secrets/token`.
    pub fn token_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.token_file = file.into();
        self
    }

    /// The namespace of the secret. Default: none is sent.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The root certificates, PEM, to which Vault's own must lead. Default: those of the system.
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// How often to ask. Default: 5 minutes; at least 10 ms. After a failure sooner: first after 5
    /// seconds, then after twice as long each time.
    pub fn refresh_every(mut self, time: Duration) -> Self {
        self.refresh_every = time.max(REFRESH_EVERY_MIN);
        self
    }

    /// Asks for the first time, and then on a thread of its own until the keys are dropped. Waits for the
    /// first answer, 5 seconds at most; without one there are no keys until there is.
    pub fn start(self) -> VaultKeys {
        VaultKeys::start(self)
    }
}
