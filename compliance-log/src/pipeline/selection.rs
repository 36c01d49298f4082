//! Which records are written one by one, and which are counted.

use std::{ops::Deref, sync::Arc, time::Duration};

use crate::{
    context::AuditContext,
    encode::{Scratch, own_target, policy_id},
    event::Category,
    metric,
    redact::Policy,
    schema::{Event, Target},
    volume::{Answer, Counter, Decision, Duty, Rules, Seen, Volume},
};

/// The rules by which events are counted, and the counts.
pub(super) struct Selection {
    rules: Rules,
    opt_outs: OptOuts,
    pub(super) counter: Counter,
}

/// Whether telemetry of those who refused it is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OptOuts {
    Honoured,
    /// Where only the service's authors see it, they see all.
    Ignored,
}

impl Selection {
    pub(super) fn new(rules: Rules, opt_outs: OptOuts) -> Self {
        Self {
            rules,
            opt_outs,
            counter: Counter::default(),
        }
    }

    /// Decides, and counts what is not to be written.
    pub(super) fn decide<P: Deref<Target = Arc<Policy>>>(
        &self,
        event: &Event<'_>,
        awaited: bool,
        policy: impl FnOnce() -> P,
        monotonic: impl FnOnce() -> Duration,
    ) -> Decision {
        if self.suppresses(event, awaited) {
            metric::count("compliance_log_telemetry_suppressed");
            let (counted_as, channel) = (event.counted_as, event.category.channel());
            return (self.counter).suppress(counted_as, channel, event.at, monotonic);
        }
        let route = match event.target {
            Target::Text(route) => Some(route),
            Target::None | Target::OfFields => None,
        };
        let volume = self.rules.of(event.name, route).unwrap_or(event.volume);
        let may_be_counted = match event.category {
            Category::App => volume != Volume::Each,
            Category::Access => !matches!(volume, Volume::Each | Volume::Sample(_)),
            Category::Audit | Category::Security | Category::Admin => false,
        };
        if !may_be_counted {
            return Decision::Write;
        }
        let mut scratch;
        let target = if let Some(route) = route {
            route
        } else {
            scratch = Scratch::take();
            own_target(&mut scratch, event)
        };
        let policy = policy();
        let duty = if awaited || event.is_told_alone() {
            Duty::Write
        } else {
            Duty::Free
        };
        let seen = Seen {
            event: event.name,
            target,
            channel: event.category.channel(),
            volume,
            duty,
            answer: Answer {
                outcome: event.outcome,
                status: event.access.map(|access| access.status),
            },
            // Not unless it matters: whoever asks for ids settles them.
            trace: match volume {
                Volume::Sample(_) => event.trace_ids().map(|ids| *ids.trace_id.as_bytes()),
                Volume::Each | Volume::OnChange | Volume::Summary(_) => None,
            },
            at: event.at,
            policy: policy_id(&policy),
        };
        let is_clean = || policy.clean(target).is_none();
        self.counter.decide(&seen, is_clean, monotonic)
    }

    /// Whether a record is telemetry that the person behind the request refused. What went wrong, and what
    /// somebody waits for, is none: nobody can hide an attack by a header.
    fn suppresses(&self, event: &Event<'_>, awaited: bool) -> bool {
        event.category == Category::App
            && !awaited
            && event.context.is_some_and(|of| self.honours_refusal(of))
            && !event.is_told_alone()
    }

    /// Whether telemetry of this context is left out.
    pub(super) fn honours_refusal(&self, context: &AuditContext) -> bool {
        self.opt_outs == OptOuts::Honoured && context.telemetry_is_refused()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, SystemClock},
        encode::NO_FIELDS,
        event::Outcome,
    };

    fn selection(rules: &[(&str, Volume)]) -> Selection {
        let rules = rules
            .iter()
            .map(|(name, volume)| ((*name).to_owned(), *volume));
        Selection::new(
            Rules::new(rules, |_| None, &mut Vec::new()),
            OptOuts::Honoured,
        )
    }

    fn request() -> Event<'static> {
        let at = SystemClock::new().now();
        let mut event = Event::new("http.request", Category::Access, at, NO_FIELDS);
        event.target = Target::Text("GET /health");
        event.outcome = Some(Outcome::Success);
        event
    }

    fn counted(selection: &Selection, event: &Event<'_>) -> [bool; 3] {
        [(); 3].map(|()| {
            let policy = || Box::new(Arc::new(Policy::builtin()));
            let decision = selection.decide(event, false, policy, || Duration::ZERO);
            decision != Decision::Write
        })
    }

    #[test]
    fn what_a_record_asks_for_counts_unless_the_configuration_says_otherwise() {
        let counts = |rules: &[(&str, Volume)], volume| {
            let mut event = request();
            event.volume = volume;
            counted(&selection(rules), &event)
        };
        let route = "GET /health";
        assert_eq!(counts(&[], Volume::Each), [false, false, false]);
        assert_eq!(counts(&[], Volume::OnChange), [false, true, true]);
        assert_eq!(
            counts(&[(route, Volume::Each)], Volume::OnChange),
            [false; 3]
        );
        assert_eq!(
            counts(&[(route, Volume::OnChange)], Volume::Each),
            [false, true, true]
        );
    }

    #[test]
    fn a_category_that_must_be_whole_is() {
        let selection = selection(&[]);
        let mut event = request();
        for (category, volume) in [
            (Category::Audit, Volume::Summary(Duration::from_secs(60))),
            (Category::Security, Volume::OnChange),
            (Category::Admin, Volume::OnChange),
            (Category::Access, Volume::Sample(10)),
        ] {
            event.category = category;
            event.volume = volume;
            assert_eq!(counted(&selection, &event), [false; 3]);
        }
    }
}
