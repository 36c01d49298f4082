//! The table `[seal]` of a configuration.

use std::{path::PathBuf, time::Duration};

use super::builder::Sealing;
use crate::{
    seal::check_domain,
    store::{DirAnchor, Seal},
};

/// How the store is sealed, or that it is not. What makes no sense is warned of.
pub(super) fn read(table: &toml::Table, warnings: &mut Vec<String>) -> Sealing {
    let (mut seal, mut enabled) = (Seal::default(), true);
    for (key, value) in table {
        let taken = if key == "enabled" {
            flag(value).map(|on| {
                enabled = on;
                seal.clone()
            })
        } else {
            taken(seal.clone(), key, value, warnings)
        };
        match taken {
            Ok(with) => seal = with,
            Err(expected) => warnings.push(format!(
                "configuration: `{key}` of `seal` is ignored, its default stands: {expected}"
            )),
        }
    }
    if enabled {
        Sealing::As(seal)
    } else {
        Sealing::Not
    }
}

/// The settings with one more of them, or what was expected of it.
fn taken(
    seal: Seal,
    key: &str,
    value: &toml::Value,
    warnings: &mut Vec<String>,
) -> Result<Seal, String> {
    let seconds = || number(value).map(Duration::from_secs);
    Ok(match key {
        "domain" => {
            let domain = value.as_str().ok_or("expected a host name")?;
            check_domain(domain).map_err(|error| error.to_string())?;
            seal.domain(domain)
        }
        "algorithm" => {
            let word = value.as_str().ok_or("expected `ed25519` or `ecdsa-p256`")?;
            seal.algorithm(
                word.parse()
                    .map_err(|error: crate::Error| error.to_string())?,
            )
        }
        "keys" => match value.as_str() {
            Some("folder") => seal,
            Some("memory") => seal.keys_in_memory(),
            _ => return Err("expected `folder` or `memory`".to_owned()),
        },
        "root" => match value.as_str() {
            Some("own") => seal,
            Some("outside") => seal.certified_outside(),
            _ => return Err("expected `own` or `outside`".to_owned()),
        },
        "every_ms" => seal.every(Duration::from_millis(number(value)?)),
        "heartbeat_s" => seal.heartbeat(seconds()?),
        "epoch_s" => seal.epoch(seconds()?),
        "anchor_s" => seal.anchor_every(seconds()?),
        "exposure_max_s" => seal.exposure_max(seconds()?),
        "quorum" => match number(value) {
            Ok(anchors @ 1..) => seal.quorum(usize::try_from(anchors).unwrap_or(usize::MAX)),
            _ => return Err("expected a number from 1 on".to_owned()),
        },
        "anchors" => {
            let anchors = value.as_array();
            let anchors = anchors.ok_or("expected a list of { dir = \"<path>\" }")?;
            let mut seal = seal;
            for anchor in anchors {
                if let Some(dir) = dir_of(anchor) {
                    seal = seal.anchor(DirAnchor::new(dir));
                } else {
                    warnings.push(
                        "configuration: one of `anchors` of `seal` is ignored: expected { dir = \"<path>\" }"
                            .to_owned(),
                    );
                }
            }
            seal
        }
        _ => return Err("there is no such key".to_owned()),
    })
}

fn flag(value: &toml::Value) -> Result<bool, String> {
    let flag = value.as_bool();
    flag.ok_or_else(|| "expected true or false".to_owned())
}

fn number(value: &toml::Value) -> Result<u64, String> {
    let number = value.as_integer();
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| "expected a number".to_owned())
}

/// The folder of an anchor, and nothing else.
fn dir_of(anchor: &toml::Value) -> Option<PathBuf> {
    let anchor = anchor.as_table().filter(|anchor| anchor.len() == 1)?;
    let dir = anchor.get("dir")?.as_str().filter(|dir| !dir.is_empty());
    // Not moved by a later change of the working directory.
    dir.map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.into()))
}
