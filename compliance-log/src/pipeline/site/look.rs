//! What somebody else did to a store that is open, and what follows.

use std::time::Instant;

use super::{Carried, Opener, Site, WATCH, appended};
use crate::{
    error::{Error, ErrorKind},
    event::Channel,
    lifecycle::Scribe,
    metric,
    pipeline::watch::{altered_record, budget_record},
    store::{self, Altered, Ends, Farewell},
};

/// Whether what was sealed is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Past {
    Whole,
    Changed,
}

impl Site {
    /// Once it is time: looks whether the store's files are still there, and how much room is left. A
    /// store whose folder is gone is left for another one.
    pub(in crate::pipeline) fn watch(&mut self, opener: &Opener, scribe: &Scribe) {
        let Self::Open {
            lanes,
            path,
            sealing,
            lock,
            budget,
            watch_at: Some(watch_at),
            unkept,
        } = self
        else {
            return;
        };
        if Instant::now() < *watch_at {
            return;
        }
        *watch_at = Instant::now() + WATCH;
        let fs = &*opener.fs;
        if let Some(how) = lock.folder_altered(fs, path) {
            metric::count("compliance_log_files_altered");
            let file = String::new();
            let altered = Altered {
                file,
                how,
                records: None,
            };
            let mut carried = Carried::default();
            for (lane, ledger) in lanes.iter_mut().zip(&mut carried.ledgers) {
                let (lost, unsaid) = lane.abandon(scribe);
                *ledger = lost;
                carried.unsaid.extend(unsaid);
            }
            carried.unsaid.push(altered_record(path, &altered, scribe));
            *sealing = None;
            *self = Self::new(opener, scribe, carried);
            return;
        }
        if let Some(how) = lock.renew(fs, path) {
            metric::count("compliance_log_files_altered");
            let altered = Altered {
                file: store::LOCK.to_owned(),
                how,
                records: None,
            };
            let body = altered_record(path, &altered, scribe);
            lanes[Channel::Audit.index()].own(body, scribe);
        }
        for lane in lanes.iter_mut() {
            lane.watch(scribe);
        }
        if let Some(sealing) = sealing {
            sealing.report();
        }
        unkept.retry(path, opener);
        budget.watch(fs, scribe.clock.monotonic(), appended(lanes));
    }

    /// Looks at the files once more before the end, so that what is found is told before `log.stopped`.
    pub(in crate::pipeline) fn last_look(&mut self, scribe: &Scribe) {
        if let Self::Open { lanes, .. } = self {
            lanes.iter_mut().for_each(|lane| lane.watch(scribe));
        }
        self.tell(scribe);
    }

    /// Says in the audit stream, at once, what somebody did to the files and which line the budget
    /// crossed.
    pub(in crate::pipeline) fn tell(&mut self, scribe: &Scribe) -> Past {
        let Self::Open {
            lanes,
            path,
            sealing,
            budget,
            ..
        } = self
        else {
            return Past::Whole;
        };
        let mut altered: Vec<Altered> = lanes
            .iter_mut()
            .flat_map(|lane| lane.stream.take_altered())
            .collect();
        let mut past = Past::Whole;
        if let Some(sealing) = sealing {
            let of_seal = sealing.altered();
            if altered.iter().any(Altered::has_lost)
                || of_seal.is_some()
                || sealing.has_another_history()
            {
                past = Past::Changed;
            }
            altered.extend(of_seal.cloned());
        }
        let mut bodies: Vec<Vec<u8>> = altered
            .iter()
            .map(|altered| altered_record(path, altered, scribe))
            .collect();
        bodies.extend(
            budget
                .crossing()
                .map(|crossing| budget_record(crossing, scribe)),
        );
        if bodies.is_empty() {
            return past;
        }
        let audit = &mut lanes[Channel::Audit.index()];
        for body in bodies {
            audit.own(body, scribe);
        }
        audit.settle(scribe);
        past
    }

    /// Seals what there is of a store whose past was changed, or has another history elsewhere, and goes on with whatever a start finds:
    /// another incarnation, unless the past is there after all.
    pub(in crate::pipeline) fn begin_again(&mut self, opener: &Opener, scribe: &Scribe) {
        let Self::Open { lanes, sealing, .. } = self else {
            return;
        };
        let mut carried = Carried::default();
        let mut ends = Ends::Whole;
        for (lane, ledger) in lanes.iter_mut().zip(&mut carried.ledgers) {
            // What cannot be closed now is as durable as it gets, and is answered.
            drop(lane.close(scribe));
            if lane.ends() == Ends::Open {
                ends = Ends::Open;
            }
            lane.answer_refused();
            let (lost, unsaid) = lane.abandon(scribe);
            *ledger = lost;
            carried.unsaid.extend(unsaid);
        }
        drop(
            sealing
                .take()
                .map(|sealing| sealing.close(ends, Farewell::Go)),
        );
        // The lock ends with the old store, before the start looks for it.
        *self = Self::missing(
            Error::new(ErrorKind::Damaged, "its past was changed"),
            carried,
        );
        if let Self::Missing { carried, .. } = self {
            *self = Self::new(opener, scribe, std::mem::take(carried));
        }
    }
}
