use std::{fmt, str::FromStr, time::Duration};

use crate::{
    error::{Error, ErrorKind},
    event::Category,
};

/// What becomes of a record for which there is no room, or whose store cannot be written now.
///
/// | category | default | may be |
/// |---|---|---|
/// | audit, security, admin | `FailOperation` | `Block` |
/// | access, written by hand | `Block`, 50 ms | any |
/// | app | `DropAndCount` | any |
///
/// Of the categories access and app a loss is counted, and told of as `log.gap`, whoever waits for
/// the record, unless they fail the operation: stored records and gaps add up to all of them. Of the
/// others the caller is told, and no gap is: stored records and errors add up. Where the service
/// observes (`Mode::Observe`), what is emitted is counted, of each category.
///
/// The access record of `http::AuditLayer` and what a handler owes are
/// not asked: the request was admitted, so they are queued above the bound too.
///
/// ```
/// use std::time::Duration;
/// use compliance_log::OnFailure;
///
/// # fn main() -> Result<(), compliance_log::Error> {
/// let policy: OnFailure = "block 50ms".parse()?;
/// assert_eq!(policy, OnFailure::Block { deadline: Duration::from_millis(50) });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// The caller gets the error at once and is expected not to do what it could not record:
    /// `fail_operation`.
    FailOperation,
    /// A `commit` waits for room, or for the store to be mended; at its deadline it fails with `Full`
    /// or `Unavailable`: `block 50ms`. No thread of the caller waits unless it calls `wait`.
    ///
    /// `emit` never waits: it fails at once, and of the categories access and app it is counted.
    /// Waiting commits hold at most `queue_bytes_max` bytes more; beyond that they fail at once. A
    /// record in whose write the store's failure is found fails at once as well.
    Block {
        /// How long, 1 ms to 60 s.
        deadline: Duration,
    },
    /// The record is dropped and counted: `drop_and_count`. A `commit` is told at once.
    DropAndCount,
}

impl OnFailure {
    const fn default_of(category: Category) -> Self {
        match category {
            Category::Audit | Category::Security | Category::Admin => Self::FailOperation,
            Category::Access => Self::Block {
                deadline: Duration::from_millis(50),
            },
            Category::App => Self::DropAndCount,
        }
    }
}

const DEADLINE_MIN: Duration = Duration::from_millis(1);
const DEADLINE_MAX: Duration = Duration::from_secs(60);

impl FromStr for OnFailure {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            let text = "expected `fail_operation`, `block 50ms` (1 to 60000) or `drop_and_count`";
            Error::new(ErrorKind::Config, text)
        })
    }
}

fn parse(text: &str) -> Option<OnFailure> {
    let mut words = text.split_ascii_whitespace();
    let policy = match (words.next()?, words.next()) {
        ("fail_operation", None) => OnFailure::FailOperation,
        ("drop_and_count", None) => OnFailure::DropAndCount,
        ("block", Some(time)) => {
            let deadline = Duration::from_millis(time.strip_suffix("ms")?.parse().ok()?);
            let allowed = (DEADLINE_MIN..=DEADLINE_MAX).contains(&deadline);
            OnFailure::Block {
                deadline: allowed.then_some(deadline)?,
            }
        }
        _ => return None,
    };
    words.next().is_none().then_some(policy)
}

impl fmt::Display for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailOperation => f.write_str("fail_operation"),
            Self::Block { deadline } => write!(f, "block {}ms", deadline.as_millis()),
            Self::DropAndCount => f.write_str("drop_and_count"),
        }
    }
}

/// The policy of each category.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnFailures([OnFailure; 5]);

const CATEGORIES: [Category; 5] = [
    Category::Audit,
    Category::Security,
    Category::Admin,
    Category::Access,
    Category::App,
];

impl Default for OnFailures {
    fn default() -> Self {
        Self(CATEGORIES.map(OnFailure::default_of))
    }
}

impl OnFailures {
    pub(crate) fn of(&self, category: Category) -> OnFailure {
        self.0[category as usize]
    }

    /// Whether what is lost of a category stands in a gap, whoever waits for it.
    pub(crate) fn counts(&self, category: Category) -> bool {
        may_drop(category) && self.of(category) != OnFailure::FailOperation
    }

    /// Sets the policy of a category, within its bounds. What a category may not choose leaves its
    /// default and is said.
    pub(crate) fn set(&mut self, category: Category, policy: OnFailure) -> Result<(), String> {
        let policy = match policy {
            OnFailure::Block { deadline } => OnFailure::Block {
                deadline: deadline.clamp(DEADLINE_MIN, DEADLINE_MAX),
            },
            OnFailure::DropAndCount if !may_drop(category) => {
                return Err(format!(
                    "configuration: on_failure of `{}` is ignored, its default stands: only access and app may be dropped",
                    category.as_str()
                ));
            }
            other => other,
        };
        self.0[category as usize] = policy;
        Ok(())
    }
}

/// Whether a category tells of what happened already, so that nobody could refuse it.
fn may_drop(category: Category) -> bool {
    matches!(category, Category::Access | Category::App)
}

/// The category of this name.
pub(crate) fn category_of(name: &str) -> Option<Category> {
    CATEGORIES
        .into_iter()
        .find(|category| category.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["fail_operation", "block 50ms", "drop_and_count"] {
            assert_eq!(text.parse::<OnFailure>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "block",
            "block 50",
            "block 0ms",
            "block 60001ms",
            "block -1ms",
            "block 1ms 2ms",
            "drop",
            "drop_and_count now",
        ] {
            assert!(text.parse::<OnFailure>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_access_and_app_may_be_dropped() {
        for category in CATEGORIES {
            let mut policies = OnFailures::default();
            let allowed = policies.set(category, OnFailure::DropAndCount).is_ok();
            assert_eq!(allowed, may_drop(category), "{category:?}");
            assert_eq!(
                policies.of(category) == OnFailure::DropAndCount,
                allowed,
                "{category:?}"
            );
        }
    }

    #[test]
    fn a_deadline_stays_within_its_bounds() {
        let mut policies = OnFailures::default();
        let deadline = Duration::from_secs(3600);
        policies
            .set(Category::Audit, OnFailure::Block { deadline })
            .unwrap();
        let deadline = DEADLINE_MAX;
        assert_eq!(policies.of(Category::Audit), OnFailure::Block { deadline });
    }
}
