//! For how long records lie here that no anchor covers.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Since when records may lie here that too few anchors cover, by the clock that goes on while the machine
/// sleeps. The seal thread writes it, whoever asks reads it.
#[derive(Debug)]
pub(crate) struct Exposed {
    since: AtomicI64,
    /// All records before this moment are covered.
    covered: AtomicI64,
}

const NO_ANCHOR: i64 = i64::MIN;
const NONE: i64 = i64::MAX;

impl Exposed {
    /// How long that is at `now`; zero where the anchors cover all there is, `None` where there are none.
    pub(crate) fn at(&self, now: Duration) -> Option<Duration> {
        match self.since.load(Ordering::Relaxed) {
            NO_ANCHOR => None,
            NONE => Some(Duration::ZERO),
            since => {
                let ms = millis(now).saturating_sub(since);
                Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
            }
        }
    }

    /// Nobody looks any more: what is written from here on is not covered.
    pub(crate) fn unattended(&self) {
        if self.since.load(Ordering::Relaxed) == NONE {
            let covered = self.covered.load(Ordering::Relaxed);
            self.since.store(covered, Ordering::Relaxed);
        }
    }

    fn show(&self, since: i64, covered: i64) {
        self.covered.store(covered, Ordering::Relaxed);
        self.since.store(since, Ordering::Relaxed);
    }
}

/// Follows which moment the anchors cover.
#[derive(Debug)]
pub(super) struct Exposure {
    shown: Arc<Exposed>,
    /// Size of the catalog, and up to when the records are in it that were written before: newer than what
    /// the anchors have, the oldest first.
    points: VecDeque<(u64, i64)>,
    /// The size with which the streams grew last.
    grown: u64,
    /// All records before this moment are covered.
    covered: i64,
}

/// More moments are not remembered one by one.
const POINTS_MAX: usize = 4096;

impl Exposure {
    /// `grown` as the catalog tells it; `covered` is how long ago that moment was.
    pub(super) fn new(grown: u64, covered: Duration, now: Duration) -> Self {
        Self {
            shown: Arc::new(Exposed {
                since: AtomicI64::new(NO_ANCHOR),
                covered: AtomicI64::new(0),
            }),
            points: VecDeque::new(),
            grown,
            covered: millis(now).saturating_sub(millis(covered)),
        }
    }

    pub(super) fn shown(&self) -> Arc<Exposed> {
        Arc::clone(&self.shown)
    }

    /// A checkpoint of this size covers what was durable at a moment.
    pub(super) fn sealed(&mut self, size: u64, at: Duration, has_grown: bool) {
        if has_grown {
            self.grown = size;
        }
        if self.points.len() >= POINTS_MAX {
            // Every second one is enough: a window that is thought longer than it is warns too early.
            let mut at = 0_usize;
            self.points.retain(|_| {
                at = at.wrapping_add(1);
                at % 2 == 1
            });
        }
        self.points.push_back((size, millis(at)));
    }

    /// The anchors cover this size; at `looked` nothing was there that no checkpoint covers, `None` if
    /// something is.
    pub(super) fn anchored(&mut self, size: Option<u64>, looked: Option<Duration>) {
        let anchored = size.unwrap_or(0);
        while let Some(&(size, at)) = self.points.front()
            && size <= anchored
        {
            self.covered = self.covered.max(at);
            self.points.pop_front();
        }
        let looked = looked.filter(|_| self.grown <= anchored);
        if let Some(looked) = looked {
            self.covered = self.covered.max(millis(looked));
        }
        let since = match size {
            None => NO_ANCHOR,
            Some(_) if looked.is_some() => NONE,
            Some(_) => self.covered,
        };
        self.shown.show(since, self.covered);
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_begins_where_the_anchors_end_and_not_in_a_time_of_silence() {
        let s = Duration::from_secs;
        let mut exposure = Exposure::new(0, s(0), s(100));
        let shown = exposure.shown();
        assert_eq!(shown.at(s(105)), None);
        exposure.sealed(7, s(110), true);
        exposure.anchored(Some(0), None);
        assert_eq!(shown.at(s(115)), Some(s(15)));
        exposure.sealed(9, s(120), true);
        exposure.anchored(Some(7), None);
        assert_eq!(shown.at(s(125)), Some(s(15)), "since what 7 covers");
        exposure.anchored(Some(9), Some(s(122)));
        assert_eq!(shown.at(s(125)), Some(s(0)));
        // What cannot be sealed is exposed as well.
        exposure.anchored(Some(9), None);
        assert_eq!(shown.at(s(125)), Some(s(3)));
        // Nothing is written for a long time; then something is.
        exposure.anchored(Some(9), Some(s(500)));
        exposure.sealed(10, s(510), true);
        exposure.anchored(Some(9), None);
        assert_eq!(shown.at(s(512)), Some(s(12)));
        // A heartbeat or a receipt is nothing that has to be covered.
        exposure.anchored(Some(10), None);
        exposure.sealed(11, s(520), false);
        exposure.anchored(Some(10), Some(s(525)));
        assert_eq!(shown.at(s(600)), Some(s(0)));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_window_never_thought_too_short() {
        let mut exposure = Exposure::new(0, Duration::ZERO, Duration::ZERO);
        for at in 1..50_000 {
            exposure.sealed(at, Duration::from_millis(at), true);
        }
        assert!(exposure.points.len() <= POINTS_MAX);
        exposure.anchored(Some(40_000), None);
        let window = exposure.shown().at(Duration::from_secs(50)).unwrap();
        assert!(window >= Duration::from_secs(10), "{window:?}");
    }
}
