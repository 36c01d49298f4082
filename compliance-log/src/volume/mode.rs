use std::{fmt, str::FromStr, time::Duration};

use crate::error::{Error, ErrorKind};

/// How many records of an event, or of a route, are written one by one.
///
/// What is not is counted, and the count is a record: `volume.summary`, every 60 seconds or as stated,
/// and when the log ends. Written records and counts add up to what happened.
///
/// Always written one by one, whatever is set: failures, denials, `privileged_command`, `tracing`
/// events of level WARN and ERROR, records that somebody waits for, and all of the categories
/// audit, security and admin.
///
/// ```
/// use std::time::Duration;
/// use compliance_log::Volume;
///
/// # fn main() -> Result<(), compliance_log::Error> {
/// let volume: Volume = "summary 30s".parse()?;
/// assert_eq!(volume, Volume::Summary(Duration::from_secs(30)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Volume {
    /// Every one: `each`. The default.
    Each,
    /// The first, and each whose outcome or status is another than that of the one before, for each
    /// target: `on_change`.
    OnChange,
    /// None; they are counted for this long, 1 second to 1 hour: `summary 60s`.
    Summary(Duration),
    /// One of so many, by trace, so that a trace is kept whole or not at all: `sample 1/10`. For
    /// category app only. One of none is every one.
    Sample(u32),
}

impl Volume {
    /// How long counts wait before they are told.
    pub(super) fn period(self) -> Duration {
        match self {
            Self::Summary(period) => period.clamp(PERIOD_MIN, PERIOD_MAX),
            Self::Each | Self::OnChange | Self::Sample(_) => PERIOD,
        }
    }
}

/// How long a count waits to be told where nothing else is set.
pub(super) const PERIOD: Duration = Duration::from_secs(60);
const PERIOD_MIN: Duration = Duration::from_secs(1);
const PERIOD_MAX: Duration = Duration::from_secs(60 * 60);

impl FromStr for Volume {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            let text = "expected `each`, `on_change`, `summary 60s` (1 to 3600) or `sample 1/10`";
            Error::new(ErrorKind::Config, text)
        })
    }
}

fn parse(text: &str) -> Option<Volume> {
    let mut words = text.split_ascii_whitespace();
    let volume = match (words.next()?, words.next()) {
        ("each", None) => Volume::Each,
        ("on_change", None) => Volume::OnChange,
        ("summary", Some(time)) => {
            let period = Duration::from_secs(time.strip_suffix('s')?.parse().ok()?);
            Volume::Summary(
                (PERIOD_MIN..=PERIOD_MAX)
                    .contains(&period)
                    .then_some(period)?,
            )
        }
        ("sample", Some(part)) => {
            let of = part.strip_prefix("1/")?.parse().ok()?;
            Volume::Sample((of > 0).then_some(of)?)
        }
        _ => return None,
    };
    words.next().is_none().then_some(volume)
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Each => f.write_str("each"),
            Self::OnChange => f.write_str("on_change"),
            Self::Summary(period) => write!(f, "summary {}s", period.as_secs()),
            Self::Sample(of) => write!(f, "sample 1/{of}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["each", "on_change", "summary 60s", "sample 1/10"] {
            assert_eq!(text.parse::<Volume>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "often",
            "each 2",
            "on_change now",
            "summary",
            "summary 60",
            "summary 0s",
            "summary 3601s",
            "summary 1s 2s",
            "sample",
            "sample 10",
            "sample 1/0",
            "sample 1/-1",
            "sample 1/99999999999",
        ] {
            assert!(text.parse::<Volume>().is_err(), "{text}");
        }
    }
}
