//! What an operator sets.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

/// Settings of the service, from a TOML file. Those of its log are in a file of their own, which
/// compliance-log reads itself: a mistake there never keeps the service from starting.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The file of the log's settings; a relative path starts from the folder of this file.
    pub log: PathBuf,
    /// How long a booking waits for money, in seconds.
    pub unpaid_after_s: u64,
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or understood; the text names the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
        let mut settings: Self = toml::from_str(&text).map_err(|error| named(&error))?;
        if let Some(folder) = path.parent() {
            settings.log = folder.join(settings.log);
        }
        Ok(settings)
    }

    /// How long a booking waits for money.
    pub fn unpaid_after(&self) -> Duration {
        Duration::from_secs(self.unpaid_after_s)
    }
}
