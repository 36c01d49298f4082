//! How many bytes a log may take, how many it has, and when that will be too little.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    time::Duration,
};

use super::fs::Fs;
use crate::{event::Channel, layout, metric};

/// The stores of one service and instance in one folder, counted together.
#[derive(Debug)]
pub(crate) struct Budget {
    /// This store first.
    stores: Vec<PathBuf>,
    max: u64,
    counted: Counted,
    /// On the disk and allowed to go there.
    used: u64,
    /// By channel: how large the record is that found no room. Nothing is taken before it would.
    refused: [Option<u64>; 2],
    /// What the log said last.
    told: Level,
    /// When nothing is left, as it looked last.
    pub(crate) full_in: Option<Duration>,
    /// What the volume has left; unknown where the system does not say.
    free: Option<u64>,
    /// When, and how many bytes had been appended then, over the last minutes.
    rate: VecDeque<(Duration, u64)>,
}

/// The last look at the disk.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    bytes: u64,
    /// What the streams had appended then.
    appended: u64,
    at: Duration,
}

/// How much of a log's budget is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// Less than 75 %.
    Ample,
    /// 75 %.
    Low,
    /// 90 %: the rest is not for category `app`.
    Reserved,
    /// Nothing is left.
    UsedUp,
}

impl Level {
    /// The word that records and probes have for it: `ample`, `low`, `reserved`, `used_up`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ample => "ample",
            Self::Low => "low",
            Self::Reserved => "reserved",
            Self::UsedUp => "used_up",
        }
    }
}

/// A level that was reached or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) level: Level,
    pub(crate) used: u64,
    pub(crate) max: u64,
}

/// The disk is counted anew after this time; while it is short, at each look.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// Over this time the rate is taken ..
const RATE_SPAN: Duration = Duration::from_secs(300);
/// .. from samples as far apart as this.
const RATE_STEP: Duration = Duration::from_secs(10);
/// The least that a share of a volume comes to.
const DEFAULT_MIN: u64 = 64 * 1024 * 1024;
/// Where the system does not tell how large the volume is.
const DEFAULT_UNKNOWN: u64 = 1024 * 1024 * 1024;

impl Budget {
    /// Counts what is there. Without a `max` it is half of the volume, at least 64 MiB.
    pub(crate) fn new(
        fs: &dyn Fs,
        stores: Vec<PathBuf>,
        max: Option<u64>,
        now: Duration,
        appended: u64,
    ) -> Self {
        let space = stores
            .first()
            .and_then(|store| fs.space(store).ok().flatten());
        let share = |total: u64| (total / 2).max(DEFAULT_MIN);
        let max = max.unwrap_or_else(|| space.map_or(DEFAULT_UNKNOWN, |space| share(space.total)));
        let mut budget = Self {
            stores,
            max,
            counted: Counted::default(),
            used: 0,
            refused: [None; 2],
            told: Level::Ample,
            full_in: None,
            free: space.map(|space| space.free),
            rate: VecDeque::from([(now, appended)]),
        };
        budget.count(fs, now, appended);
        budget
    }

    /// A budget without an end, where nothing is stored.
    pub(crate) fn unlimited() -> Self {
        Self {
            stores: Vec::new(),
            max: u64::MAX,
            counted: Counted::default(),
            used: 0,
            refused: [None; 2],
            told: Level::Ample,
            full_in: None,
            free: None,
            rate: VecDeque::new(),
        }
    }

    fn count(&mut self, fs: &dyn Fs, now: Duration, appended: u64) {
        let bytes: std::io::Result<u64> = self.stores.iter().map(|store| bytes_of(fs, store)).sum();
        // What cannot be looked at now has not become less.
        if let Ok(bytes) = bytes {
            self.counted = Counted {
                bytes,
                appended,
                at: now,
            };
        }
        self.begin(appended);
    }

    /// Begins a batch: `appended` bytes have been appended since the start.
    pub(crate) fn begin(&mut self, appended: u64) {
        let since = appended.saturating_sub(self.counted.appended);
        self.used = self.counted.bytes.saturating_add(since);
        for channel in Channel::ALL {
            let fits = |bytes: &u64| self.used.saturating_add(*bytes) <= self.limit(channel);
            if self.refused[channel.index()].as_ref().is_some_and(fits) {
                self.refused[channel.index()] = None;
            }
        }
    }

    /// Bytes used and allowed; `None` where there is no end.
    pub(crate) fn fill(&self) -> Option<(u64, u64)> {
        (!self.stores.is_empty()).then_some((self.used, self.max))
    }

    /// Whether a record of so many bytes may be stored. Once one may not, none may until there is
    /// room for that one: a gap is then told of before any later record.
    pub(crate) fn take(&mut self, channel: Channel, bytes: usize) -> bool {
        if !self.has_room(channel) {
            return false;
        }
        let bytes = bytes as u64;
        let used = self.used.saturating_add(bytes);
        if used > self.limit(channel) {
            self.refused[channel.index()] = Some(bytes);
            return false;
        }
        self.used = used;
        true
    }

    pub(crate) fn has_room(&self, channel: Channel) -> bool {
        self.refused[channel.index()].is_none()
    }

    fn limit(&self, channel: Channel) -> u64 {
        match channel {
            Channel::Audit | Channel::Catalog => self.max,
            Channel::App => self.threshold(Level::Reserved),
        }
    }

    fn threshold(&self, level: Level) -> u64 {
        match level {
            Level::Ample => 0,
            Level::Low => self.max - self.max / 4,
            Level::Reserved => self.max - self.max / 10,
            Level::UsedUp => self.max,
        }
    }

    pub(crate) fn level(&self) -> Level {
        if !self.has_room(Channel::Audit) {
            Level::UsedUp
        } else if !self.has_room(Channel::App) || self.used >= self.threshold(Level::Reserved) {
            Level::Reserved
        } else if self.used >= self.threshold(Level::Low) {
            Level::Low
        } else {
            Level::Ample
        }
    }

    /// The level, where it is another one than was told last. One that was left is told of when it is
    /// left by a twentieth of the budget, so that no record is written for each turn about a line.
    pub(crate) fn crossing(&mut self) -> Option<Crossing> {
        let level = self.level();
        let left = level < self.told
            && self.used.saturating_add(self.max / 20) < self.threshold(self.told);
        if level <= self.told && !left {
            return None;
        }
        self.told = level;
        Some(Crossing {
            level,
            used: self.used,
            max: self.max,
        })
    }

    /// Why nothing that must be audited may begin.
    pub(crate) fn failure(&self) -> Option<String> {
        (!self.has_room(Channel::Audit)).then(|| {
            format!(
                "the budget of {} bytes is used up, {} are taken: move complete segments away, or raise `max_bytes` and restart",
                self.max, self.used
            )
        })
    }

    /// Looks at the disk where that is due, and reports the figures.
    pub(crate) fn watch(&mut self, fs: &dyn Fs, now: Duration, appended: u64) {
        let Some(store) = self.stores.first() else {
            return;
        };
        if let Ok(space) = fs.space(store) {
            self.free = space.map(|space| space.free);
        }
        let age = now.saturating_sub(self.counted.at);
        if self.told > Level::Ample || self.level() > Level::Ample || age >= COUNT_EVERY {
            self.count(fs, now, appended);
        }
        if self
            .rate
            .back()
            .is_none_or(|(at, _)| now.saturating_sub(*at) >= RATE_STEP)
        {
            self.rate.push_back((now, appended));
        }
        while self.rate.len() > 2
            && self
                .rate
                .front()
                .is_some_and(|(at, _)| now.saturating_sub(*at) > RATE_SPAN)
        {
            self.rate.pop_front();
        }
        self.full_in = self.time_left(now, appended);
        let full = self.full_in;
        let full = full.map_or(f64::INFINITY, |time| time.as_secs_f64());
        let (used, max) = (self.used, self.max);
        #[expect(clippy::cast_precision_loss, reason = "a gauge is an f64")]
        metric::report(|| {
            metrics::gauge!("compliance_log_store_bytes").set(used as f64);
            metrics::gauge!("compliance_log_store_bytes_max").set(max as f64);
            metrics::gauge!("compliance_log_disk_full_seconds").set(full);
        });
    }

    /// When nothing is left of the budget or of the volume, whichever is less, at the rate of the last
    /// minutes; `None` if nothing was written.
    fn time_left(&self, now: Duration, appended: u64) -> Option<Duration> {
        let (since, before) = *self.rate.front()?;
        let span = now.saturating_sub(since).max(Duration::from_secs(1));
        let written = appended.saturating_sub(before);
        if written == 0 {
            return None;
        }
        let left = self.max.saturating_sub(self.used);
        let left = self.free.map_or(left, |free| left.min(free));
        let millis = u128::from(left) * span.as_millis() / u128::from(written);
        Some(Duration::from_millis(
            u64::try_from(millis).unwrap_or(u64::MAX),
        ))
    }
}

/// Bytes of what a store holds.
fn bytes_of(fs: &dyn Fs, store: &Path) -> std::io::Result<u64> {
    let mut bytes = fs.bytes_in(&store.join(layout::POLICIES))?;
    bytes += fs.bytes_in(&store.join(layout::SEAL))?;
    for channel in Channel::WITH_CATALOG {
        bytes += fs.bytes_in(&layout::stream_dir(store, channel))?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fs::RealFs;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget(max: u64) -> Budget {
        Budget {
            max,
            ..Budget::unlimited()
        }
    }

    #[test]
    fn the_last_tenth_is_not_for_app_and_the_rest_is_for_nobody() {
        let mut budget = budget(1000);
        budget.begin(0);
        assert!(budget.take(Channel::App, 900));
        assert!(!budget.take(Channel::App, 1));
        assert!(budget.take(Channel::Audit, 100));
        assert_eq!(budget.failure(), None);
        assert!(!budget.take(Channel::Audit, 1));
        assert!(budget.failure().is_some());
    }

    #[test]
    fn nothing_is_taken_before_what_was_refused_would_fit() {
        let mut budget = budget(1000);
        budget.begin(990);
        assert!(!budget.take(Channel::Audit, 20));
        assert!(!budget.take(Channel::Audit, 1));
        budget.begin(985);
        assert!(!budget.take(Channel::Audit, 1));
        budget.begin(980);
        assert!(budget.take(Channel::Audit, 1));
    }

    #[test]
    fn each_line_is_told_once_and_again_only_after_it_was_left_clearly() {
        let mut budget = budget(1000);
        let mut told = |used| {
            budget.begin(used);
            budget.crossing().map(|crossing| crossing.level)
        };
        assert_eq!(told(749), None);
        assert_eq!(told(750), Some(Level::Low));
        assert_eq!(told(760), None);
        assert_eq!(told(740), None);
        assert_eq!(told(755), None);
        assert_eq!(told(900), Some(Level::Reserved));
        assert_eq!(told(860), None);
        assert_eq!(told(840), Some(Level::Low));
        assert_eq!(told(600), Some(Level::Ample));
        assert_eq!(told(750), Some(Level::Low));
    }

    #[test]
    fn the_end_is_projected_from_what_was_written_lately_and_from_what_is_less() {
        let mut budget = budget(10_000);
        budget.rate.push_back((Duration::ZERO, 0));
        budget.begin(1000);
        let full_in = |budget: &Budget| budget.time_left(100 * SECOND, 1000);
        assert_eq!(full_in(&budget), Some(900 * SECOND));
        budget.free = Some(500);
        assert_eq!(full_in(&budget), Some(50 * SECOND));
        assert_eq!(budget.time_left(100 * SECOND, 0), None);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test makes files of its own")]
    fn older_stores_count_and_what_is_taken_away_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let stores: Vec<PathBuf> = ["new", "old"].map(|name| dir.path().join(name)).into();
        for store in &stores {
            let folder = layout::stream_dir(store, Channel::Audit);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(layout::segment_name(0)), [0; 400]).unwrap();
        }
        let old = stores[1].clone();
        let mut budget = Budget::new(&RealFs, stores, Some(1000), Duration::ZERO, 0);
        assert_eq!(budget.crossing().map(|crossing| crossing.used), Some(800));
        std::fs::remove_dir_all(old).unwrap();
        budget.watch(&RealFs, SECOND, 0);
        assert_eq!(budget.crossing().map(|crossing| crossing.used), Some(400));
    }
}
