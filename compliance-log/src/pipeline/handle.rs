//! What callers hold.

use std::{
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{
    deadlines,
    in_flight::InFlight,
    queue::{Claim, Push, Queue},
};
use crate::{
    clock::{Clock, Timestamp},
    context::AuditContext,
    encode::{Scratch, encode, own_target},
    event::{AuditEvent, Category, Channel, Level},
    lifecycle::is_event_name,
    loss::{OnFailure, OnFailures, Reason},
    metric,
    process::Process,
    pseudonym::{PseudonymKeys, Pseudonyms},
    receipt::{Commit, CommitError, CommitErrorKind, Promise},
    redact::Policy,
    schema::{Event, Service, Target},
    volume::{Answer, Counter, Decision, Duty, Rules, Seen, Volume},
};

/// Writes to a log without keeping it open: after the log is shut down, every handle answers
/// `Closed`. Cheap to clone.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Shared>);

pub(super) struct Shared {
    process: Process,
    pub(super) queue: Queue,
    pub(super) policy: ArcSwap<Policy>,
    /// Until the log is shut down.
    pseudonym_keys: ArcSwapOption<Arc<dyn PseudonymKeys>>,
    health: AtomicU8,
    failure: Mutex<Option<Arc<str>>>,
    in_flight: InFlight,
    /// Whether somebody keeps the deadlines of commits that wait; set by the first that may.
    deadlines: OnceLock<Deadlines>,
    service: Service,
    clock: Arc<dyn Clock>,
    app_level: Level,
    mode: Mode,
    rules: Rules,
    on_failure: OnFailures,
    pub(super) counter: Counter,
}

/// What becomes of a request whose records could not be stored, or that lacks a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Mode {
    /// It is refused before anything happens: 503, 401.
    #[default]
    Enforce,
    /// It goes on, and its access record says what would have been refused. For a service that is
    /// being converted. Everything else is as in `Enforce`.
    ///
    /// Also who has no tenant is let in: whom to serve must be decided by the service's own
    /// authentication, never by this log alone.
    Observe,
}

/// Whether records can be stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Records are being stored.
    Ready,
    /// The store cannot be written now; mending it is retried every second. Audited operations are
    /// refused, what cannot be refused is counted.
    Degraded,
    /// The log was shut down.
    Closed,
}

const READY: u8 = 0;
const DEGRADED: u8 = 1;
const CLOSED: u8 = 2;

/// Whether the thread that keeps deadlines could be started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deadlines {
    Kept,
    /// Then nobody can wait.
    Unkept,
}

/// A record that is owed; held until it is queued.
pub(crate) struct Owing {
    shared: Arc<Shared>,
    event: &'static str,
    channel: Channel,
}

impl Drop for Owing {
    fn drop(&mut self) {
        self.shared.in_flight.end(self.event, self.channel);
    }
}

impl fmt::Debug for Owing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owing({})", self.event)
    }
}

/// What a handle needs to know of its log.
pub(crate) struct Plan {
    pub(crate) service: Service,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) pseudonym_keys: Option<Arc<dyn PseudonymKeys>>,
    pub(crate) queue_bytes_max: usize,
    pub(crate) app_level: Level,
    pub(crate) mode: Mode,
    pub(crate) rules: Rules,
    pub(crate) on_failure: OnFailures,
}

impl Handle {
    pub(crate) fn new(plan: Plan) -> Self {
        let process = Process::current();
        Self(Arc::new(Shared {
            process,
            queue: Queue::new(plan.queue_bytes_max, process),
            policy: ArcSwap::new(plan.policy),
            pseudonym_keys: plan.pseudonym_keys.map(Arc::new).into(),
            health: AtomicU8::new(READY),
            failure: Mutex::default(),
            in_flight: InFlight::new(process),
            deadlines: OnceLock::new(),
            service: plan.service,
            clock: plan.clock,
            app_level: plan.app_level,
            mode: plan.mode,
            rules: plan.rules,
            on_failure: plan.on_failure,
            counter: Counter::default(),
        }))
    }

    /// Whether records can be stored now.
    pub fn health(&self) -> Health {
        match self.0.health.load(Ordering::Relaxed) {
            READY => Health::Ready,
            DEGRADED => Health::Degraded,
            _ => Health::Closed,
        }
    }

    /// Why records cannot be stored now, with the path and the system's own words; `None` where they can.
    pub fn failure(&self) -> Option<Arc<str>> {
        match self.health() {
            Health::Degraded => self.0.failure(),
            Health::Ready | Health::Closed => None,
        }
    }

    /// The name of the service that writes.
    pub fn service(&self) -> &str {
        &self.0.service.name
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    #[cfg_attr(
        not(feature = "tracing"),
        expect(dead_code, reason = "used by `layer` alone")
    )]
    pub(crate) fn app_level(&self) -> Level {
        self.0.app_level
    }

    /// The policy in force.
    #[cfg(feature = "tracing")]
    pub(crate) fn policy(&self) -> Policy {
        Policy::clone(&self.0.policy.load())
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn pseudonym_keys(&self) -> Option<Arc<dyn PseudonymKeys>> {
        self.0.pseudonym_keys.load().as_deref().map(Arc::clone)
    }

    /// Queues a record and never waits.
    pub(crate) fn emit(&self, event: &Event<'_>) -> Result<(), CommitError> {
        self.submit(event, None, false)
    }

    /// Queues a record that a request owes since it was admitted, whatever the bound; counted where
    /// the log was shut down before the request ended.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn emit_owed(&self, event: &Event<'_>) {
        if self.submit(event, None, true).is_err() {
            lost_after_end();
        }
    }

    /// Queues the record of a request that found no room and was not let in for its sake. The room
    /// above the bound is for those that were, so it is counted where there is none below.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn emit_spare(&self, event: &Event<'_>) {
        let reason = match self
            .submit(event, None, false)
            .map_err(|error| error.kind())
        {
            Ok(()) => return,
            Err(CommitErrorKind::Full) => Reason::QueueFull,
            Err(CommitErrorKind::Closed) => return lost_after_end(),
            Err(_) => Reason::StoreUnavailable,
        };
        let channel = event.category.channel();
        self.0
            .queue
            .count(channel, event.counted_as, reason, event.at);
    }

    /// Queues a record that a request owes since it was admitted, whatever the bound; the answer
    /// comes when it is durable. Its loss is counted, since nobody can try again.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn commit_owed(&self, event: &Event<'_>) -> Commit {
        if let Err(error) = self.check_process() {
            return Commit::refused(error);
        }
        let (commit, promise) = Commit::pair(self.0.process);
        match self.submit(event, Some(promise), true) {
            Ok(()) => commit,
            Err(error) => {
                if error.kind() == CommitErrorKind::Closed {
                    lost_after_end();
                }
                Commit::refused(error)
            }
        }
    }

    /// Whether work that must be recorded may begin: the store can be written and the queue has room.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn admit(&self) -> Result<(), CommitError> {
        self.check_process()?;
        match self.health() {
            Health::Degraded => Err(self.0.unavailable()),
            Health::Closed => Err(CommitError::closed()),
            Health::Ready if self.is_crowded() => Err(CommitError::new(
                CommitErrorKind::Full,
                "the queue is full; nothing was begun, try again",
            )),
            Health::Ready => self.0.queue.check_open(),
        }
    }

    /// Whether the queue has no room for new work.
    pub(crate) fn is_crowded(&self) -> bool {
        self.0.queue.is_crowded()
    }

    /// Whether a defect of the service should be as loud as it can be.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn is_rehearsal(&self) -> bool {
        matches!(&*self.0.service.env, "dev" | "test")
    }

    /// What becomes of requests that cannot be recorded.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn mode(&self) -> Mode {
        self.0.mode
    }

    /// A typed event as a record of this log.
    pub(crate) fn typed<'a, E: AuditEvent>(
        &self,
        event: &'a E,
        context: Option<&'a AuditContext>,
    ) -> Event<'a> {
        const {
            assert!(
                is_event_name(E::META.name),
                "an event's name has two or more lower-case words with dots between them, and is none of compliance-log's own",
            );
        }
        let mut typed = Event::new(E::META.name, E::META.category, self.now(), event);
        typed.version = Some(E::META.version);
        typed.outcome = (E::META.category != Category::App).then_some(E::META.outcome);
        typed.context = context;
        typed.target = Target::OfFields;
        typed.declared = E::META.fields;
        typed
    }

    /// Queues a record; the answer comes when it is durable.
    pub(crate) fn commit(&self, event: &Event<'_>) -> Commit {
        if let Err(error) = self.check_process() {
            return Commit::refused(error);
        }
        let (commit, promise) = Commit::pair(self.0.process);
        match self.submit(event, Some(promise), false) {
            Ok(()) => commit,
            Err(error) => Commit::refused(error),
        }
    }

    /// Waits until all that was queued before is durable, or counted as lost.
    pub(crate) fn flush(&self) -> Result<(), CommitError> {
        self.check_process()?;
        let (audit, audit_promise) = Commit::pair(self.0.process);
        let (app, app_promise) = Commit::pair(self.0.process);
        self.0.queue.push_barriers([audit_promise, app_promise])?;
        let (audit, app) = (audit.wait(), app.wait());
        audit.and(app).map(drop)
    }

    /// Announces a record of `event` that a request owes.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn owe(&self, event: &'static str, channel: Channel) -> Owing {
        self.0.in_flight.begin(event, channel);
        Owing {
            shared: Arc::clone(&self.0),
            event,
            channel,
        }
    }

    /// Lets requests in flight end, for `grace` at most, and then the writer store what is queued.
    /// Says how many records they still owe, which are counted as lost.
    pub(crate) fn close(&self, grace: Duration) -> u64 {
        let owed = self.0.in_flight.wait(grace);
        for (&(event, channel), &count) in &owed {
            for _ in 0..count {
                self.0
                    .queue
                    .count(channel, event, Reason::Unfinished, self.now());
            }
        }
        self.0.queue.close();
        self.0.pseudonym_keys.store(None);
        owed.values().sum()
    }

    /// Whether this is the process that has the writer.
    pub(crate) fn check_process(&self) -> Result<(), CommitError> {
        if self.0.process.is_current() {
            Ok(())
        } else {
            Err(CommitError::forked())
        }
    }

    fn keeps_deadlines(&self) -> bool {
        let kept = self
            .0
            .deadlines
            .get_or_init(|| match deadlines::keep(&self.0) {
                Ok(()) => Deadlines::Kept,
                Err(_) => Deadlines::Unkept,
            });
        *kept == Deadlines::Kept
    }

    fn submit(
        &self,
        event: &Event<'_>,
        promise: Option<Promise>,
        owed: bool,
    ) -> Result<(), CommitError> {
        let shared = &*self.0;
        if shared.counts(event, promise.is_some()) {
            return Ok(());
        }
        let awaited = promise.is_some();
        let counted = owed
            || shared.on_failure.counts(event.category)
            || (shared.mode == Mode::Observe && !awaited);
        let degraded = shared.is_degraded();
        let claim = match shared.on_failure.of(event.category) {
            _ if owed => Claim::Owed,
            OnFailure::Block { deadline } if awaited && self.keeps_deadlines() => {
                if degraded {
                    Claim::WaitForStore(deadline)
                } else {
                    Claim::Wait(deadline)
                }
            }
            _ => Claim::Room,
        };
        if degraded && claim == Claim::Room {
            if counted {
                let channel = event.category.channel();
                let reason = Reason::StoreUnavailable;
                shared
                    .queue
                    .count(channel, event.counted_as, reason, event.at);
            }
            return if counted && !awaited {
                Ok(())
            } else {
                Err(shared.unavailable())
            };
        }
        let mut scratch = Scratch::take();
        let policy = shared.policy.load();
        let keys = shared.pseudonym_keys.load();
        let keys = keys.as_deref().map(|keys| &**keys);
        let pseudonyms = Pseudonyms::new(keys, event.context);
        let encoded = encode(&mut scratch, event, &policy, pseudonyms, &shared.service);
        if encoded.violates_schema {
            count_violation(event.category);
        }
        shared.queue.push(Push {
            bytes: encoded.bytes,
            channel: encoded.category.channel(),
            counted_as: event.counted_as,
            at: event.at,
            promise,
            claim,
            counted,
        })?;
        if let Some(context) = event.context
            && matches!(
                event.category,
                Category::Audit | Category::Security | Category::Admin
            )
        {
            context.set_audited();
        }
        Ok(())
    }
}

fn holds_secret(policy: &Policy, text: &str) -> bool {
    let bytes = text.as_bytes();
    (policy.suspicious(bytes) || policy.suspicious_value(bytes))
        && policy.redact(text, &mut String::new(), &mut |_| {})
}

#[cold]
fn lost_after_end() {
    metric::report(|| {
        metrics::counter!("compliance_log_lost", "reason" => "closed").increment(1);
    });
}

#[cold]
fn count_violation(category: Category) {
    metric::report(|| {
        metrics::counter!("compliance_log_schema_violations", "category" => category.as_str())
            .increment(1);
    });
}

impl Shared {
    /// Whether the event was counted, and so needs no record of its own.
    fn counts(&self, event: &Event<'_>, awaited: bool) -> bool {
        let route = match event.target {
            Target::Text(route) => Some(route),
            Target::None | Target::OfFields => None,
        };
        let volume = self.rules.of(event.name, route).unwrap_or(event.volume);
        let may_be = match event.category {
            Category::App => volume != Volume::Each,
            Category::Access => !matches!(volume, Volume::Each | Volume::Sample(_)),
            Category::Audit | Category::Security | Category::Admin => false,
        };
        may_be && self.counts_as(event, volume, route, awaited)
    }

    fn counts_as(
        &self,
        event: &Event<'_>,
        volume: Volume,
        route: Option<&str>,
        awaited: bool,
    ) -> bool {
        let mut scratch = Scratch::take();
        let target = route.unwrap_or_else(|| own_target(&mut scratch, event));
        // Kept in memory until it is told, so it may hold nothing that redaction would take out.
        if holds_secret(&self.policy.load(), target) {
            return false;
        }
        let duty = if awaited || event.is_told_alone() {
            Duty::Write
        } else {
            Duty::Free
        };
        let decision = self.counter.decide(&Seen {
            event: event.name,
            target,
            channel: event.category.channel(),
            volume,
            duty,
            answer: Answer {
                outcome: event.outcome,
                status: event.access.map(|access| access.status),
            },
            trace: event.context.map(|context| *context.trace_id().as_bytes()),
            at: event.at,
            monotonic: self.clock.monotonic(),
        });
        if decision == Decision::CountedFirst {
            self.queue.wake();
        }
        decision != Decision::Write
    }

    /// Set by the writer thread after each batch: why records cannot be stored, if they cannot.
    pub(super) fn set_failure(&self, why: Option<&str>) {
        let code = if why.is_some() { DEGRADED } else { READY };
        let before = self.health.load(Ordering::Relaxed);
        if before == code && why.is_none() {
            return;
        }
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.as_deref() != why {
            *failure = why.map(Into::into);
        }
        drop(failure);
        if before != CLOSED {
            self.health.store(code, Ordering::Relaxed);
        }
        let degraded = f64::from(u8::from(why.is_some()));
        metric::report(|| metrics::gauge!("compliance_log_degraded").set(degraded));
    }

    pub(super) fn set_closed(&self) {
        self.health.store(CLOSED, Ordering::Relaxed);
    }

    fn failure(&self) -> Option<Arc<str>> {
        self.process.lock(&self.failure)?.clone()
    }

    fn is_degraded(&self) -> bool {
        self.health.load(Ordering::Relaxed) == DEGRADED
    }

    /// Why a record waits.
    pub(super) fn cause(&self) -> Reason {
        if self.is_degraded() {
            Reason::StoreUnavailable
        } else {
            Reason::QueueFull
        }
    }

    /// What a commit is told that has waited so long in vain.
    pub(super) fn overdue(&self, deadline: Duration) -> CommitError {
        if self.is_degraded() {
            self.unavailable()
        } else {
            self.queue.full(Some(deadline))
        }
    }

    #[cold]
    fn unavailable(&self) -> CommitError {
        let why = self
            .failure()
            .unwrap_or_else(|| "the store cannot be written now".into());
        CommitError::new(
            CommitErrorKind::Unavailable,
            format!("{why}; the record is not stored"),
        )
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("service", &self.service())
            .field("health", &self.health())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SystemClock, encode::NO_FIELDS, event::Outcome};

    fn handle(rules: &[(&str, Volume)]) -> Handle {
        let rules = rules
            .iter()
            .map(|(name, volume)| ((*name).to_owned(), *volume));
        Handle::new(Plan {
            service: Service {
                name: "svc".into(),
                env: "test".into(),
                line_bytes_max: 65_535,
            },
            clock: Arc::new(SystemClock::new()),
            policy: Arc::new(Policy::builtin()),
            pseudonym_keys: None,
            queue_bytes_max: 64 * 1024,
            app_level: Level::Info,
            mode: Mode::Enforce,
            rules: Rules::new(rules, |_| None, &mut Vec::new()),
            on_failure: OnFailures::default(),
        })
    }

    fn request(handle: &Handle) -> Event<'static> {
        let mut event = Event::new("http.request", Category::Access, handle.now(), NO_FIELDS);
        event.target = Target::Text("GET /health");
        event.outcome = Some(Outcome::Success);
        event
    }

    #[test]
    fn what_a_record_asks_for_counts_unless_the_configuration_says_otherwise() {
        let counts = |rules: &[(&str, Volume)], volume| {
            let handle = handle(rules);
            let mut event = request(&handle);
            event.volume = volume;
            [(); 3].map(|()| handle.0.counts(&event, false))
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
        let handle = handle(&[]);
        let mut event = request(&handle);
        for (category, volume) in [
            (Category::Audit, Volume::Summary(Duration::from_secs(60))),
            (Category::Security, Volume::OnChange),
            (Category::Admin, Volume::OnChange),
            (Category::Access, Volume::Sample(10)),
        ] {
            event.category = category;
            event.volume = volume;
            assert_eq!([(); 3].map(|()| handle.0.counts(&event, false)), [false; 3]);
        }
    }
}
