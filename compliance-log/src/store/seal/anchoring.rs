//! Carries checkpoints to the anchors, and puts into the catalog what they say.

use std::{sync::Arc, time::Duration};

use super::{
    anchors::{Judged, Own, Told, judge, no_answer},
    exposure::Exposed,
    place::{Answer, Place},
    receipts::{dropped, read},
    sealer::Sealer,
};
use crate::metric;

/// What checkpoints that no anchor was given yet are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// They cover nothing but what anchors said: that would never end.
    Nothing,
    /// They cover what the seal itself has to say.
    Life,
    /// They cover records.
    Records,
}

/// How long what only shows that the writer lives may wait.
const IDLE: Duration = Duration::from_secs(60);
/// So many receipts that somebody left are told of by one seal.
const RECEIPTS_MAX: usize = 64;

impl Sealer {
    /// Since when records may lie here that the anchors do not cover.
    pub(crate) fn exposed(&self) -> Arc<Exposed> {
        self.exposure.shown()
    }

    /// For how long they may lie here.
    pub(crate) fn exposure(&self) -> Option<Duration> {
        self.exposure.shown().at(self.now())
    }

    /// Whether an anchor has another history of the store, so that it must not be gone on with.
    pub(crate) fn has_another_history(&self) -> bool {
        self.another.is_some()
    }

    /// Takes what the anchors answered, and what was left of those that somebody else serves.
    pub(super) fn hear(&mut self) {
        let places = self.settings.places.clone();
        let deadline = self.settings.deadline();
        for (at, place) in places.iter().enumerate() {
            for answer in place.answers(self.keys.origin()) {
                self.heard(at, place, answer);
            }
            if place.is_late(deadline) {
                let told = self.standing.failed(at, no_answer(deadline));
                self.tell_of(at, place, told);
            }
        }
        self.take_receipts();
    }

    fn heard(&mut self, at: usize, place: &Place, answer: Answer) {
        let found = match answer.newest {
            Err(error) => Err(error.to_string()),
            Ok(note) => self.find(at, place, note.as_deref()),
        };
        let is_given = answer.kept.is_some();
        let kept = match answer.kept {
            Some(((size, root), Ok(receipt))) => {
                if size > self.standing.size(self.standing.name(at)) {
                    self.tell_of(at, place, Some(Told::Receipt { size, receipt }));
                    // Whoever has more than this has no checkpoint of ours, which is found next time.
                    drop(self.standing.agree(at, Some((size, root))));
                }
                Ok(())
            }
            Some((_, Err(error))) => Err(error.to_string()),
            None => Ok(()),
        };
        let told = match found.and(kept) {
            Err(why) => self.standing.failed(at, why),
            Ok(()) if is_given => self.standing.works(at),
            Ok(()) => None,
        };
        self.tell_of(at, place, told);
    }

    /// Looks at the newest note that an anchor has; why it is of no use, if it is not.
    fn find(&mut self, at: usize, place: &Place, note: Option<&[u8]>) -> Result<(), String> {
        let Some(note) = note else {
            return self.standing.agree(at, None);
        };
        let own = Own {
            fs: &*self.fs,
            store: &self.store,
            id: self.catalog.id(),
            origin: self.keys.origin(),
            log: self.keys.log(),
            newest: self.keys.newest(),
        };
        match judge(note, own, self.standing.agreed(at)) {
            Judged::Ours(size, root) => self.standing.agree(at, Some((size, root))),
            Judged::Another(another) => {
                let reason = another.reason();
                self.settings.places.found(another.clone());
                if self.another.is_none() {
                    // Told in any case: the next start reads it, whether it reaches an anchor or not.
                    self.another = Some(another);
                    drop(self.standing.failed(at, String::new()));
                    self.tell_of(at, place, Some(Told::Failed(reason.clone())));
                }
                Err(reason)
            }
            Judged::Useless(why) => Err(why),
        }
    }

    /// What a start found to be the matter with the anchors, in their order.
    pub(super) fn begin_with(&mut self, failures: Vec<Option<String>>) {
        let places = self.settings.places.clone();
        for (at, (place, failure)) in places.iter().zip(failures).enumerate() {
            if let Some(why) = failure {
                let told = self.standing.failed(at, why);
                self.tell_of(at, place, told);
            }
        }
        self.show_exposure();
    }

    fn tell_of(&mut self, at: usize, place: &Place, told: Option<Told>) {
        let Some(told) = told else { return };
        let name = self.standing.name(at).to_owned();
        match told {
            Told::Receipt { size, receipt } => {
                let anchor = (&*name, place.kind());
                self.standing.has(anchor, size);
                self.tell(|scribe, up| scribe.receipt_fact(up, anchor, size, receipt.as_deref()));
            }
            Told::Failed(why) => {
                metric::count("compliance_log_anchor_failures");
                self.tell(|scribe, up| scribe.anchor_failed_fact(up, &name, &why));
            }
            Told::Recovered => self.tell(|scribe, up| scribe.anchor_recovered_fact(up, &name)),
        }
        self.anchor_facts += 1;
    }

    /// Receipts are believed as far as they can be true: nobody has more than was signed.
    fn take_receipts(&mut self) {
        let Ok(dropped) = dropped(&*self.fs, &self.store) else {
            metric::count("compliance_log_seal_errors");
            return;
        };
        let (mut left, mut told) = (0_usize, 0_usize);
        for dropped in dropped {
            // One for less says nothing that is not known.
            let is_news = dropped.size > self.standing.size(&dropped.anchor);
            if self.taken.contains(&dropped.path) || (is_news && told >= RECEIPTS_MAX) {
                continue;
            }
            let is_signed = dropped.size <= self.keys.newest().0;
            let receipt = is_signed.then(|| read(&*self.fs, &dropped)).flatten();
            let Some(receipt) = receipt else {
                left += 1;
                continue;
            };
            if is_news {
                told += 1;
                let anchor = (&*dropped.anchor, &*receipt.kind);
                let (size, text) = (dropped.size, Some(&*receipt.text));
                self.tell(|scribe, up| scribe.receipt_fact(up, anchor, size, text));
                self.anchor_facts += 1;
                self.standing.has(anchor, dropped.size);
            }
            self.taken.insert(dropped.path);
        }
        let left = f64::from(u32::try_from(left).unwrap_or(u32::MAX));
        metric::report(|| metrics::gauge!("compliance_log_receipts_refused").set(left));
    }

    /// What receipts say is sealed: they are not needed any more. One that cannot be removed is tried again.
    pub(super) fn remove_taken(&mut self) {
        if self.is_told() {
            for path in std::mem::take(&mut self.taken) {
                self.fs.remove_file(&path).unwrap_or(());
            }
        }
    }

    /// Has the newest checkpoint kept, once it is time: by all anchors, or by those that had failed.
    pub(super) fn send(&mut self) {
        let (Some(newest), None) = (&self.newest, &self.another) else {
            return;
        };
        let now = self.now();
        // The seal comes at its own beat: half of it earlier is nearer than half of it later.
        let since = self.sent_at.map(|at| now.saturating_sub(at));
        let since = since.map(|since| since.saturating_add(self.settings.every / 2));
        let is_due = |pause| since.is_none_or(|since| since >= pause);
        let every = self.settings.anchor_every;
        let is_worth = match self.unsent {
            Worth::Nothing => false,
            Worth::Life => is_due(every.max(IDLE)),
            Worth::Records => is_due(every),
        };
        let mut is_sent = false;
        for (at, place) in self.settings.places.iter().enumerate() {
            if is_worth || (is_due(every) && self.standing.has_failed(at)) {
                place.keep(newest);
                is_sent = true;
            }
        }
        if is_sent {
            self.sent_at = Some(now);
        }
        if is_worth {
            self.unsent = Worth::Nothing;
        }
    }

    /// Also where the seal fails: then more and more is exposed.
    pub(super) fn show_exposure(&mut self) {
        let wanted = self.settings.exposure_max.map(|_| 0);
        let anchored = self.standing.anchored().or(wanted);
        let now = self.now();
        let looked = (!self.has_unsealed_records()).then_some(now);
        self.exposure.anchored(anchored, looked);
    }
}
