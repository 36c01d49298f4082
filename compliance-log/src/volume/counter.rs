use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::mode::{PERIOD, Volume};
use crate::{
    clock::Timestamp,
    event::{Channel, Outcome},
    process::Process,
};

/// Events with different targets that are told apart; of any more, every record is written.
const KEYS_MAX: usize = 1024;
/// A longer target is not counted by: its records are written.
const TARGET_BYTES_MAX: usize = 256;

/// Decides which records are written, and counts the others until they are told.
#[derive(Debug)]
pub(crate) struct Counter {
    process: Process,
    state: Mutex<State>,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            process: Process::current(),
            state: Mutex::default(),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    channels: [BTreeMap<Box<str>, Group>; 2],
    keys: usize,
    /// Nothing will be told any more.
    closed: bool,
}

/// What was counted of one event.
#[derive(Debug, Default)]
struct Group {
    /// By target; empty where there is none.
    tallies: BTreeMap<Box<str>, Tally>,
    /// Those that somebody did not want.
    opted_out: u64,
    span: Option<(Timestamp, Timestamp)>,
    due: Option<Told>,
}

/// When counts are to be told.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// By the log's monotonic clock.
    at: Duration,
    /// How long after the count that asked for it.
    period: Duration,
}

#[derive(Debug, Default)]
struct Tally {
    /// By which its target holds nothing to take out.
    policy: u64,
    /// How the last one ended, where changes matter.
    last: Option<Answer>,
    /// Those without a trace that were sampled.
    untraced: u32,
    count: u64,
}

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) status: Option<u16>,
}

/// What has to be known of an event.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) event: &'a str,
    pub(crate) target: &'a str,
    pub(crate) channel: Channel,
    pub(crate) volume: Volume,
    pub(crate) duty: Duty,
    pub(crate) answer: Answer,
    /// For a sample.
    pub(crate) trace: Option<[u8; 16]>,
    pub(crate) at: Timestamp,
    /// The policy in force.
    pub(crate) policy: u64,
}

/// Whether the record may be counted instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// A failure, or one that somebody waits for.
    Write,
    Free,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Write,
    /// It was counted.
    Counted,
    /// It was counted, as the first of its event: from now on there is a time at which to tell.
    CountedFirst,
}

/// Which counts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Those whose time has come, by the log's monotonic clock.
    At(Duration),
    /// All, and none is taken after.
    Last,
}

/// What was counted in one channel since it was told last.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) rows: Vec<Row>,
}

/// A count of one event and target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) event: Box<str>,
    /// Empty where there is none.
    pub(crate) target: Box<str>,
    pub(crate) count: u64,
    pub(crate) why: Why,
}

/// Why records were counted instead of written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A setting asks for it.
    Volume,
    /// The person behind the request does.
    OptOut,
}

impl Counter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides, and counts what is not to be written. `is_clean` says whether the target may be kept in
    /// memory, and `monotonic` what time it is: they are called with the lock held, and only where that
    /// is not known.
    pub(crate) fn decide(
        &self,
        seen: &Seen<'_>,
        is_clean: impl FnOnce() -> bool,
        monotonic: impl FnOnce() -> Duration,
    ) -> Decision {
        match (seen.volume, seen.duty) {
            (Volume::Each, _) | (Volume::Summary(_) | Volume::Sample(_), Duty::Write) => {
                Decision::Write
            }
            // In a fork nobody tells of counts; a record hears why.
            _ => self
                .process
                .lock(&self.state)
                .map_or(Decision::Write, |mut state| {
                    state.decide(seen, is_clean, monotonic)
                }),
        }
    }

    /// Counts a record that may not be written, without its target, which may be of the person who did
    /// not want it. Events have few names, so there is always a place.
    pub(crate) fn suppress(
        &self,
        event: &'static str,
        channel: Channel,
        at: Timestamp,
        monotonic: impl FnOnce() -> Duration,
    ) -> Decision {
        // In a fork, and once nothing is told any more, nothing is stored either: a record hears why.
        let Some(mut state) = self.process.lock(&self.state).filter(|state| !state.closed) else {
            return Decision::Write;
        };
        let groups = &mut state.channels[channel.index()];
        if !groups.contains_key(event) {
            groups.insert(event.into(), Group::default());
        }
        let Some(group) = groups.get_mut(event) else {
            return Decision::Write;
        };
        group.opted_out += 1;
        group.count(at, PERIOD, monotonic)
    }

    /// When something is to be told, by the log's monotonic clock.
    pub(crate) fn due(&self) -> Option<Duration> {
        let state = self.state();
        let groups = state.channels.iter().flat_map(BTreeMap::values);
        groups.filter_map(|group| Some(group.due?.at)).min()
    }

    /// Takes the counts that are due, by channel; they start again from zero.
    pub(crate) fn take(&self, due: Due) -> [Option<Summary>; 2] {
        let mut state = self.state();
        state.closed |= due == Due::Last;
        let State { channels, keys, .. } = &mut *state;
        std::array::from_fn(|channel| {
            let mut summary: Option<Summary> = None;
            channels[channel].retain(|event, group| {
                if group.is_due(due) {
                    group.tell(event, &mut summary);
                    *keys -= group.forget();
                }
                !group.tallies.is_empty() || group.opted_out > 0
            });
            summary
        })
    }
}

impl State {
    fn decide(
        &mut self,
        seen: &Seen<'_>,
        is_clean: impl FnOnce() -> bool,
        monotonic: impl FnOnce() -> Duration,
    ) -> Decision {
        if self.closed || !self.make_room(seen, is_clean) {
            return Decision::Write;
        }
        let group = self.channels[seen.channel.index()].get_mut(seen.event);
        let Some(group) = group else {
            return Decision::Write;
        };
        let Some(tally) = group.tallies.get_mut(seen.target) else {
            return Decision::Write;
        };
        if tally.is_written(seen) {
            return Decision::Write;
        }
        tally.count += 1;
        group.count(seen.at, seen.volume.period(), monotonic)
    }

    /// Whether there is a place to count this event and target in. The target stays in memory until it is
    /// told, so it may hold nothing that redaction would take out.
    fn make_room(&mut self, seen: &Seen<'_>, is_clean: impl FnOnce() -> bool) -> bool {
        let channel = &mut self.channels[seen.channel.index()];
        let known = channel
            .get_mut(seen.event)
            .and_then(|group| group.tallies.get_mut(seen.target));
        if let Some(tally) = known {
            let clean = tally.policy == seen.policy || is_clean();
            if clean {
                tally.policy = seen.policy;
            }
            return clean;
        }
        // What is written in any case needs no place: it names what a client sends, and would take
        // every place there is.
        if seen.duty == Duty::Write
            || self.keys >= KEYS_MAX
            || seen.target.len() > TARGET_BYTES_MAX
            || !is_clean()
        {
            return false;
        }
        self.keys += 1;
        let group = channel.entry(seen.event.into()).or_default();
        let tally = Tally {
            policy: seen.policy,
            ..Tally::default()
        };
        group.tallies.insert(seen.target.into(), tally);
        true
    }
}

impl Group {
    /// Notes when one was counted, and when that is to be told.
    fn count(
        &mut self,
        at: Timestamp,
        period: Duration,
        monotonic: impl FnOnce() -> Duration,
    ) -> Decision {
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        // One that came earlier and waits no longer is told earlier, without a look at the clock.
        if self.due.is_some_and(|due| due.period <= period) {
            return Decision::Counted;
        }
        let at = monotonic().saturating_add(period);
        if self.due.is_some_and(|due| due.at <= at) {
            return Decision::Counted;
        }
        self.due = Some(Told { at, period });
        Decision::CountedFirst
    }

    fn is_due(&self, due: Due) -> bool {
        match due {
            Due::At(now) => self.due.is_some_and(|due| due.at <= now),
            Due::Last => true,
        }
    }

    fn tell(&mut self, event: &str, summary: &mut Option<Summary>) {
        self.due = None;
        let Some((since, until)) = self.span.take() else {
            return;
        };
        let summary = summary.get_or_insert_with(|| Summary {
            since,
            until,
            rows: Vec::new(),
        });
        summary.since = summary.since.min(since);
        summary.until = summary.until.max(until);
        for (target, tally) in &mut self.tallies {
            let count = std::mem::take(&mut tally.count);
            if count > 0 {
                summary.rows.push(Row {
                    event: event.into(),
                    target: target.clone(),
                    count,
                    why: Why::Volume,
                });
            }
        }
        let count = std::mem::take(&mut self.opted_out);
        if count > 0 {
            summary.rows.push(Row {
                event: event.into(),
                target: Box::default(),
                count,
                why: Why::OptOut,
            });
        }
    }

    /// Gives up the places of which nothing has to be remembered, and says how many.
    fn forget(&mut self) -> usize {
        let before = self.tallies.len();
        self.tallies.retain(|_, tally| tally.last.is_some());
        before - self.tallies.len()
    }
}

impl Tally {
    fn is_written(&mut self, seen: &Seen<'_>) -> bool {
        match seen.volume {
            Volume::Each => true,
            Volume::OnChange => {
                let before = self.last.replace(seen.answer);
                before != Some(seen.answer) || seen.duty == Duty::Write
            }
            Volume::Summary(_) => false,
            Volume::Sample(of) => {
                let of = of.max(1);
                if let Some(id) = seen.trace {
                    // The last seven bytes of a trace id are random.
                    (u128::from_be_bytes(id) % (1 << 56)).is_multiple_of(of.into())
                } else {
                    let number = self.untraced;
                    self.untraced = (number + 1) % of;
                    number == 0
                }
            }
        }
    }
}

impl Summary {
    pub(crate) fn total(&self) -> u64 {
        self.rows.iter().map(|row| row.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(volume: Volume, target: &str, status: u16, at: i64) -> Seen<'_> {
        Seen {
            event: "http.request",
            target,
            channel: Channel::Audit,
            volume,
            duty: if status < 400 {
                Duty::Free
            } else {
                Duty::Write
            },
            answer: Answer {
                outcome: Some(if status < 400 {
                    Outcome::Success
                } else {
                    Outcome::Fail
                }),
                status: Some(status),
            },
            trace: None,
            at: Timestamp::from_micros(at),
            policy: 1,
        }
    }

    /// By a policy that finds nothing, with one time for both clocks.
    fn judged(counter: &Counter, seen: &Seen<'_>) -> Decision {
        let time = Duration::from_micros(seen.at.as_micros().unsigned_abs());
        counter.decide(seen, || true, || time)
    }

    #[test]
    fn a_target_is_looked_at_once_for_each_policy_and_kept_only_if_it_is_clean() {
        let counter = Counter::default();
        let decide = |policy, is_clean: Option<bool>| {
            let mut seen = seen(Volume::OnChange, "GET /x", 200, 0);
            seen.policy = policy;
            let is_clean = || is_clean.expect("it is known");
            counter.decide(&seen, is_clean, || Duration::ZERO)
        };
        assert_eq!(decide(1, Some(false)), Decision::Write);
        assert_eq!(counter.state().keys, 0);
        assert_eq!(decide(1, Some(true)), Decision::Write, "the first");
        assert_eq!(decide(1, None), Decision::CountedFirst);
        assert_eq!(decide(2, Some(false)), Decision::Write);
        assert_eq!(decide(2, Some(true)), Decision::Counted);
        assert_eq!(decide(2, None), Decision::Counted);
    }

    fn written(counter: &Counter, volume: Volume, statuses: &[u16]) -> Vec<bool> {
        let decide = |status: &u16| judged(counter, &seen(volume, "GET /x", *status, 0));
        statuses
            .iter()
            .map(|status| decide(status) == Decision::Write)
            .collect()
    }

    #[test]
    fn on_change_writes_the_first_each_change_and_each_failure() {
        let statuses = [200, 200, 204, 204, 200, 500, 500, 200, 200];
        assert_eq!(
            written(&Counter::default(), Volume::OnChange, &statuses),
            [true, false, true, false, true, true, true, true, false]
        );
    }

    #[test]
    fn a_summary_writes_failures_alone() {
        let counter = Counter::default();
        let minute = Volume::Summary(Duration::from_secs(60));
        assert_eq!(
            written(&counter, minute, &[200, 500, 200]),
            [false, true, false]
        );
        assert_eq!(counter.due(), Some(Duration::from_secs(60)));
        let early = counter.take(Due::At(Duration::from_secs(59)));
        assert_eq!(early, [None, None]);
        let [Some(audit), None] = counter.take(Due::At(Duration::from_secs(60))) else {
            panic!("one summary, in the channel audit");
        };
        let told = Row {
            event: "http.request".into(),
            target: "GET /x".into(),
            count: 2,
            why: Why::Volume,
        };
        assert_eq!(audit.rows, [told]);
        assert_eq!(counter.due(), None);
        assert_eq!(counter.take(Due::Last), [None, None], "told once");
    }

    #[test]
    fn only_the_first_count_and_an_earlier_time_wake_the_writer() {
        let counter = Counter::default();
        let decide = |seconds| {
            let volume = Volume::Summary(Duration::from_secs(seconds));
            judged(&counter, &seen(volume, "GET /x", 200, 0))
        };
        assert_eq!(decide(60), Decision::CountedFirst);
        assert_eq!(decide(60), Decision::Counted);
        assert_eq!(decide(10), Decision::CountedFirst);
        assert_eq!(decide(60), Decision::Counted);
        assert_eq!(counter.due(), Some(Duration::from_secs(10)));
    }

    #[test]
    fn beyond_the_bound_every_record_is_written() {
        let counter = Counter::default();
        for target in 0..KEYS_MAX {
            let target = target.to_string();
            assert_eq!(
                judged(&counter, &seen(Volume::OnChange, &target, 200, 0)),
                Decision::Write
            );
        }
        let again = |target: &str| judged(&counter, &seen(Volume::OnChange, target, 200, 0));
        assert_eq!(again("0"), Decision::CountedFirst, "a known one");
        assert_eq!(again("one more"), Decision::Write);
        assert_eq!(again("one more"), Decision::Write);
        assert_eq!(again(&"x".repeat(TARGET_BYTES_MAX + 1)), Decision::Write);
    }

    #[test]
    fn what_is_written_in_any_case_takes_no_place() {
        let counter = Counter::default();
        for target in 0..=KEYS_MAX {
            let target = target.to_string();
            let failed = Seen {
                duty: Duty::Write,
                ..seen(Volume::OnChange, &target, 405, 0)
            };
            assert_eq!(judged(&counter, &failed), Decision::Write);
        }
        assert_eq!(counter.state().keys, 0);
        let known = |status| judged(&counter, &seen(Volume::OnChange, "GET /x", status, 0));
        assert_eq!(known(200), Decision::Write);
        assert_eq!(known(200), Decision::CountedFirst);
    }

    #[test]
    fn what_was_told_makes_room_unless_a_change_would_be_missed() {
        let counter = Counter::default();
        let minute = Volume::Summary(Duration::from_secs(60));
        judged(&counter, &seen(Volume::OnChange, "kept", 200, 0));
        for target in 1..KEYS_MAX {
            judged(&counter, &seen(minute, &target.to_string(), 200, 0));
        }
        assert_eq!(
            judged(&counter, &seen(minute, "more", 200, 0)),
            Decision::Write
        );
        counter.take(Due::At(Duration::MAX));
        assert_eq!(counter.state().keys, 1);
        assert_eq!(
            judged(&counter, &seen(minute, "more", 200, 0)),
            Decision::CountedFirst
        );
        let kept = judged(&counter, &seen(Volume::OnChange, "kept", 200, 0));
        assert_ne!(kept, Decision::Write, "no change");
    }

    #[test]
    fn after_the_last_summary_nothing_is_counted() {
        let counter = Counter::default();
        counter.take(Due::Last);
        let minute = Volume::Summary(Duration::from_secs(60));
        assert_eq!(
            judged(&counter, &seen(minute, "x", 200, 0)),
            Decision::Write
        );
    }

    #[test]
    fn a_sample_keeps_whole_traces_and_one_of_so_many_without() {
        let counter = Counter::default();
        let decide = |trace| {
            let mut seen = seen(Volume::Sample(10), "", 200, 0);
            seen.trace = trace;
            judged(&counter, &seen) == Decision::Write
        };
        let traces: Vec<[u8; 16]> = (0_u128..1000).map(|n| (n * 7919).to_be_bytes()).collect();
        let kept: Vec<bool> = traces.iter().map(|trace| decide(Some(*trace))).collect();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 100);
        assert!(
            traces
                .iter()
                .zip(kept)
                .all(|(trace, kept)| decide(Some(*trace)) == kept)
        );
        let untraced = (0..100).filter(|_| decide(None)).count();
        assert_eq!(untraced, 10);
    }

    #[test]
    fn a_sample_of_none_writes_every_record() {
        let counter = Counter::default();
        for trace in [None, Some([7; 16])] {
            let mut seen = seen(Volume::Sample(0), "", 200, 0);
            seen.trace = trace;
            assert_eq!(judged(&counter, &seen), Decision::Write);
        }
    }

    proptest! {
        #[test]
        fn written_and_counted_add_up(
            events in prop::collection::vec((0_usize..4, 0_usize..3, prop::sample::select(vec![200_u16, 204, 500])), 0..200),
            tells in prop::collection::vec(0_usize..200, 0..5),
        ) {
            let counter = Counter::default();
            let modes = [Volume::Each, Volume::OnChange, Volume::Summary(Duration::from_secs(1)), Volume::Sample(3)];
            let mut told = 0;
            let mut take = |due| -> u64 {
                told += counter.take(due).iter().flatten().map(Summary::total).sum::<u64>();
                told
            };
            let mut written = 0;
            for (index, (mode, target, status)) in events.iter().enumerate() {
                let at = i64::try_from(index).unwrap() * 100_000;
                let target = target.to_string();
                let decision = judged(&counter, &seen(modes[*mode], &target, *status, at));
                prop_assert!(*status == 200 || *status == 204 || decision == Decision::Write);
                written += u64::from(decision == Decision::Write);
                if tells.contains(&index) {
                    take(Due::At(Duration::from_micros(at.unsigned_abs())));
                }
            }
            prop_assert_eq!(written + take(Due::Last), events.len() as u64);
        }
    }
}
