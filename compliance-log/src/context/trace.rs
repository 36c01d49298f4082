//! Which trace the records of one context belong to, and which span.

use std::sync::OnceLock;

use super::id::{SpanId, TraceFlags, TraceId};

/// A trace, a span in it, and the trace's flags: where a tracer says that the current code runs.
///
/// What [`Builder::trace_ids`](crate::Builder::trace_ids) asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the ids that W3C Trace Context has, no more"
)]
pub struct TraceIds {
    /// The trace.
    pub trace_id: TraceId,
    /// The span, not its parent.
    pub span_id: SpanId,
    /// Whether the tracer exports the trace, and whether its id is random.
    pub flags: TraceFlags,
}

impl TraceIds {
    /// A trace of one's own, which nobody samples.
    pub(super) fn drawn() -> Self {
        Self {
            trace_id: TraceId::random(),
            span_id: SpanId::random(),
            flags: TraceFlags::RANDOM,
        }
    }

    /// With the random flag of the trace's `flags` too: tracers lose that one on the way.
    fn of_same_trace(self, flags: TraceFlags) -> Self {
        let random = flags.as_byte() & TraceFlags::RANDOM.as_byte();
        Self {
            flags: TraceFlags::from_byte(self.flags.as_byte() | random),
            ..self
        }
    }
}

/// Whether a tracer's word on a context was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// It speaks of the context's own trace, or has nothing to say.
    Agreed,
    /// It is in another trace.
    Differs,
}

/// What a context's ids will be, before anybody was told of them. They are drawn only then.
#[derive(Clone, Debug)]
pub(crate) enum Begun {
    /// A trace of its own, so a tracer's does as well; but not one that stands in these bytes, which
    /// somebody sent who is not believed.
    Own { disbelieved: Vec<u8> },
    /// Somebody else's, whom the context was told to follow.
    Continued {
        trace_id: TraceId,
        flags: TraceFlags,
    },
}

impl Begun {
    pub(crate) const fn new() -> Self {
        Self::Own {
            disbelieved: Vec::new(),
        }
    }

    /// Not to follow a trace that stands in `line`, by which way ever.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn disbelieves(&mut self, line: &[u8]) {
        if let Self::Own { disbelieved } = self {
            disbelieved.extend_from_slice(line);
            disbelieved.push(b'\n');
        }
    }

    /// Ids that nobody has.
    fn draw(&self) -> TraceIds {
        match *self {
            Self::Own { .. } => TraceIds::drawn(),
            Self::Continued { trace_id, flags } => TraceIds {
                trace_id,
                span_id: SpanId::random(),
                flags,
            },
        }
    }

    /// The ids, if a tracer's span may stand for them.
    fn taken_over_by(&self, seen: TraceIds) -> Option<TraceIds> {
        match self {
            Self::Own { disbelieved } => {
                let hex = seen.trace_id.hex();
                let is_it = |part: &[u8]| part.eq_ignore_ascii_case(&hex);
                (!disbelieved.windows(hex.len()).any(is_it)).then_some(seen)
            }
            Self::Continued { trace_id, flags } => {
                (seen.trace_id == *trace_id).then(|| seen.of_same_trace(*flags))
            }
        }
    }
}

/// The ids of a context. They are settled when a tracer shows a span for it, or when somebody is
/// told them, whichever comes first, and the trace is the same ever after.
#[derive(Debug)]
pub(super) struct Trace {
    begun: Begun,
    settled: OnceLock<TraceIds>,
}

impl Trace {
    pub(super) fn new(begun: Begun) -> Self {
        Self {
            begun,
            settled: OnceLock::new(),
        }
    }

    /// What everybody is told.
    pub(super) fn ids(&self) -> TraceIds {
        *self.settled.get_or_init(|| self.begun.draw())
    }

    /// Takes over the ids of a tracer's span, unless it is too late or the span is in another trace.
    pub(super) fn meet(&self, seen: TraceIds) {
        // What a client sent to be disbelieved may be long, and each record comes by here.
        if self.settled.get().is_some() {
            return;
        }
        if let Some(ids) = self.begun.taken_over_by(seen) {
            self.settled.get_or_init(|| ids);
        }
    }

    /// The ids for code that runs in this span.
    pub(super) fn ids_within(&self, seen: TraceIds) -> (TraceIds, Agreement) {
        self.meet(seen);
        let ids = self.ids();
        if ids.trace_id == seen.trace_id {
            (seen.of_same_trace(ids.flags), Agreement::Agreed)
        } else {
            (ids, Agreement::Differs)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(trace: u8, span: u8, flags: u8) -> TraceIds {
        TraceIds {
            trace_id: TraceId::from_bytes([trace; 16]).unwrap(),
            span_id: SpanId::from_bytes([span; 8]).unwrap(),
            flags: TraceFlags::from_byte(flags),
        }
    }

    fn continued(flags: u8) -> Trace {
        Trace::new(Begun::Continued {
            trace_id: ids(1, 1, 0).trace_id,
            flags: TraceFlags::from_byte(flags),
        })
    }

    #[test]
    fn a_trace_that_was_drawn_gives_way_to_the_tracers() {
        let trace = Trace::new(Begun::new());
        assert_eq!(trace.ids_within(ids(1, 1, 1)).0, ids(1, 1, 1));
        assert_eq!(trace.ids(), ids(1, 1, 1), "and stands without it");
        let inner = trace.ids_within(ids(1, 2, 1));
        assert_eq!(inner, (ids(1, 2, 1), Agreement::Agreed));
        let other = trace.ids_within(ids(9, 9, 1));
        assert_eq!(other, (ids(1, 1, 1), Agreement::Differs));
    }

    #[test]
    fn a_trace_that_somebody_was_told_of_stays() {
        let trace = Trace::new(Begun::new());
        let told = trace.ids();
        assert_eq!(told.flags, TraceFlags::RANDOM);
        let later = trace.ids_within(ids(1, 1, 1));
        assert_eq!(later, (told, Agreement::Differs));
    }

    #[test]
    fn a_trace_that_is_continued_takes_spans_and_no_other_trace() {
        let trace = continued(3);
        trace.meet(ids(9, 9, 1));
        assert_eq!(trace.ids_within(ids(9, 9, 1)).1, Agreement::Differs);
        let trace = continued(3);
        trace.meet(ids(1, 7, 1));
        assert_eq!(trace.ids(), ids(1, 7, 3));
        // Its own sampler decided otherwise than the caller's.
        assert_eq!(trace.ids_within(ids(1, 8, 0)).0, ids(1, 8, 2));
        let trace = continued(1);
        assert_eq!(trace.ids_within(ids(1, 8, 1)).0, ids(1, 8, 1));
    }

    #[test]
    fn a_trace_of_somebody_who_is_not_believed_does_not_come_in_by_the_tracer() {
        // A tracer may read more than the standard allows.
        for line in [
            "00-abababababababababababababababab-2222222222222222-01",
            "000-ABABABABABABABABABABABABABABABAB-1-1",
        ] {
            let mut begun = Begun::new();
            begun.disbelieves(b"00-11111111111111111111111111111111-2222222222222222-01");
            begun.disbelieves(line.as_bytes());
            let trace = Trace::new(begun.clone());
            let theirs = trace.ids_within(ids(0xab, 1, 1));
            assert_eq!(theirs, (trace.ids(), Agreement::Differs), "{line}");
            assert_ne!(trace.ids().trace_id, ids(0xab, 1, 1).trace_id, "{line}");
            let trace = Trace::new(begun);
            assert_eq!(trace.ids_within(ids(5, 1, 1)).1, Agreement::Agreed);
        }
    }
}
