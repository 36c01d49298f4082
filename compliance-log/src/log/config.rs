//! The configuration file.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::{
    builder::{Sealing, StartFailure},
    seal_table,
};
use crate::{
    chain::check_name,
    error::{Error, ErrorKind},
    event::{Category, Level},
    loss::{OnFailure, category_of},
    pipeline::Mode,
    plain_file,
    volume::Volume,
};

/// The keys of a configuration file, all optional.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    pub(super) service: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) env: Option<String>,
    pub(super) dir: Option<PathBuf>,
    pub(super) stdout: Option<bool>,
    pub(super) cluster: Option<String>,
    pub(super) region: Option<String>,
    pub(super) service_version: Option<String>,
    pub(super) app_level: Option<LevelName>,
    pub(super) on_start_failure: Option<StartFailureName>,
    pub(super) mode: Option<Mode>,
    pub(super) segment_bytes_max: Option<u64>,
    pub(super) segment_age_max_s: Option<u64>,
    pub(super) sync_after_ms: Option<u64>,
    pub(super) queue_bytes_max: Option<usize>,
    pub(super) on_failure: Option<toml::Table>,
    pub(super) max_bytes: Option<u64>,
    pub(super) volume: Option<toml::Table>,
    pub(super) policy: Option<PathBuf>,
    pub(super) pseudonym: Option<toml::Table>,
    pub(super) seal: Option<toml::Table>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LevelName {
    #[serde(alias = "TRACE")]
    Trace,
    #[serde(alias = "DEBUG")]
    Debug,
    #[serde(alias = "INFO")]
    Info,
    #[serde(alias = "WARN")]
    Warn,
    #[serde(alias = "ERROR")]
    Error,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Trace => Self::Trace,
            LevelName::Debug => Self::Debug,
            LevelName::Info => Self::Info,
            LevelName::Warn => Self::Warn,
            LevelName::Error => Self::Error,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StartFailureName {
    Degrade,
    Refuse,
}

impl From<StartFailureName> for StartFailure {
    fn from(name: StartFailureName) -> Self {
        match name {
            StartFailureName::Degrade => Self::Degrade,
            StartFailureName::Refuse => Self::Refuse,
        }
    }
}

/// A longer file is no configuration.
const BYTES_MAX: u64 = 1 << 20;

const KEYS: [&str; 21] = [
    "service",
    "instance",
    "env",
    "dir",
    "stdout",
    "cluster",
    "region",
    "service_version",
    "app_level",
    "mode",
    "on_start_failure",
    "on_failure",
    "segment_bytes_max",
    "segment_age_max_s",
    "sync_after_ms",
    "queue_bytes_max",
    "max_bytes",
    "volume",
    "policy",
    "pseudonym",
    "seal",
];

impl Config {
    /// Reads a file. What it does not know it warns of; a value that makes no sense is warned of
    /// too, and its default stands.
    pub(super) fn read(path: &Path) -> Result<(Self, Vec<String>), Error> {
        let text = plain_file::read(path, BYTES_MAX).and_then(|text| {
            String::from_utf8(text).map_err(|_bytes| io::Error::other("it is not UTF-8"))
        });
        let text = text.map_err(|error| {
            Error::io(
                format!("cannot read configuration {}", path.display()),
                error,
            )
        })?;
        Self::parse(&text).map_err(|error| error.context(path.display()))
    }

    fn parse(text: &str) -> Result<(Self, Vec<String>), Error> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            Error::new(ErrorKind::Config, located(text, &error))
        })?;
        let mut warnings = Vec::new();
        let mut known = toml::Table::new();
        for (key, value) in table {
            if !KEYS.contains(&key.as_str()) {
                warnings.push(format!("configuration: unknown key `{key}` is ignored"));
                continue;
            }
            let mut one = toml::Table::new();
            one.insert(key.clone(), value.clone());
            match Self::deserialize(one) {
                Ok(_) => {
                    known.insert(key, value);
                }
                Err(error) => {
                    // What the value is may be a secret in the wrong place; what it should be is none.
                    let why = error
                        .message()
                        .rsplit("expected ")
                        .next()
                        .unwrap_or_default();
                    warnings.push(format!(
                        "configuration: `{key}` is ignored, its default stands; expected {why}"
                    ));
                }
            }
        }
        for what in ["service", "instance", "env"] {
            let name = known.get(what).and_then(toml::Value::as_str).unwrap_or("-");
            if let Err(error) = check_name(what, name) {
                warnings.push(format!(
                    "configuration: `{what}` is ignored, its default stands: {error}"
                ));
                known.remove(what);
            }
        }
        let config = Self::deserialize(known)
            .map_err(|error| Error::new(ErrorKind::Config, error.message()))?;
        Ok((config, warnings))
    }

    /// What `[volume]` says; a bad entry is warned of, and the others count.
    pub(super) fn volumes(&self, warnings: &mut Vec<String>) -> BTreeMap<String, Volume> {
        let mut volumes = BTreeMap::new();
        for (name, value) in self.volume.iter().flatten() {
            match value.as_str().unwrap_or_default().parse() {
                Ok(volume) => drop(volumes.insert(name.clone(), volume)),
                Err(error) => warnings.push(format!(
                    "configuration: volume of `{name}` is ignored, its default stands: {error}"
                )),
            }
        }
        volumes
    }

    /// What `[on_failure]` says; a bad entry is warned of, and the others count.
    pub(super) fn on_failure(&self, warnings: &mut Vec<String>) -> BTreeMap<Category, OnFailure> {
        let mut policies = BTreeMap::new();
        for (name, value) in self.on_failure.iter().flatten() {
            let Some(category) = category_of(name) else {
                warnings.push(format!(
                    "configuration: on_failure of `{name}` is ignored: it is none of the five categories"
                ));
                continue;
            };
            match value.as_str().unwrap_or_default().parse() {
                Ok(policy) => drop(policies.insert(category, policy)),
                Err(error) => warnings.push(format!(
                    "configuration: on_failure of `{name}` is ignored, its default stands: {error}"
                )),
            }
        }
        policies
    }

    /// The file of keys that `[pseudonym]` names; anything else there is warned of.
    pub(super) fn pseudonym_keys(&self, warnings: &mut Vec<String>) -> Option<PathBuf> {
        let mut path = None;
        for (name, value) in self.pseudonym.iter().flatten() {
            match (name.as_str(), value.as_str()) {
                ("keys", Some(file)) => path = Some(PathBuf::from(file)),
                ("keys", None) => warnings.push(
                    "configuration: `keys` of `pseudonym` is ignored; expected the path of a file"
                        .to_owned(),
                ),
                _ => warnings.push(format!(
                    "configuration: unknown key `{name}` of `pseudonym` is ignored"
                )),
            }
        }
        path
    }

    /// What `[seal]` says; a bad entry is warned of, and the others count.
    pub(super) fn seal(&self, warnings: &mut Vec<String>) -> Option<Sealing> {
        Some(seal_table::read(self.seal.as_ref()?, warnings))
    }

    pub(super) fn segment_age_max(&self) -> Option<Duration> {
        self.segment_age_max_s.map(Duration::from_secs)
    }

    pub(super) fn sync_after(&self) -> Option<Duration> {
        self.sync_after_ms.map(Duration::from_millis)
    }
}

fn located(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text
        .bytes()
        .take(before)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    format!("line {line}: {}", error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_and_bad_values_are_warned_of_and_the_rest_counts() {
        let (config, warnings) =
            Config::parse("env = \"prod\"\nenvv = 1\nqueue_bytes_max = \"many\"\n").unwrap();
        assert_eq!(config.env.as_deref(), Some("prod"));
        assert_eq!(config.queue_bytes_max, None);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.contains("`envv`")));
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        let error = Config::parse("env = \"prod\"\n= 3\n").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
