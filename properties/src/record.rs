use std::{cell::RefCell, collections::BTreeMap, net::Ipv6Addr};

use arbitrary::{Result, Unstructured};
use compliance_log::{
    ComplianceLog, Policy,
    chain::{Digest, StreamId, check_line},
    context::{AuditContext, Identity},
    test_util::{self, Captured},
};

use crate::{input::text, json::Json, ordinary, redact_line::json_line, typed::Made};

/// A line on standard output is never longer.
const LINE_BYTES_MAX: usize = 15_360;
/// Rows that hold random ids, which are not looked into.
const IDS: [&str; 5] = ["trace_id", "span_id", "stream", "prev_hash", "hash"];
/// What a text that was cut ends in begins so.
const CUT: &str = "\u{2026}[";
/// A log in memory is begun anew when it has so many bytes.
const LOG_BYTES_MAX: usize = 1 << 19;

/// Any event becomes one line: strict JSON without a character that breaks lines or that a terminal
/// obeys, in its bound, linked to the line before, and with nothing in it that the policy would redact.
pub fn record(input: &[u8]) {
    thread_local!(static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) });
    // One that found something is not used again.
    let mut recorder = RECORDER.take().unwrap_or_else(Recorder::new);
    // The bytes end where they end: what was written until then is judged.
    let _ended = recorder.write(&mut Unstructured::new(input));
    recorder.judge();
    if recorder.read < LOG_BYTES_MAX {
        RECORDER.set(Some(recorder));
    }
}

/// A log in memory, and what of it was judged.
struct Recorder {
    log: ComplianceLog,
    captured: Captured,
    read: usize,
    expected: usize,
    scanned: Scanned,
    ends: BTreeMap<String, (u64, Digest)>,
}

/// Whether all that was written was looked at by the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanned {
    All,
    /// A typed id, or a number that is too large to be one in JSON: neither is looked into.
    NotTyped,
}

impl Recorder {
    fn new() -> Self {
        let (log, captured) = test_util::capture();
        let mut recorder = Self {
            log,
            captured,
            read: 0,
            expected: 0,
            scanned: Scanned::All,
            ends: BTreeMap::new(),
        };
        let begun = recorder.captured.text();
        recorder.expected = begun.lines().count();
        recorder.judge();
        recorder
    }

    fn write(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let context = context(input)?;
        for _ in 0..input.int_in_range(1..=3)? {
            let ordinary = input.ratio(1, 2)?;
            let mut scanned = Scanned::All;
            let write = || {
                if ordinary {
                    scanned = ordinary::write(&self.log, input)?;
                } else {
                    let event = Made::draw(input)?;
                    scanned = event.scanned();
                    event.emit(input.int_in_range(0..=4)?);
                }
                Ok(())
            };
            test_util::within_sync(&self.log, || context.scope_sync(write))?;
            if scanned == Scanned::NotTyped {
                self.scanned = scanned;
            }
            self.expected += 1;
        }
        Ok(())
    }

    /// Looks at each line that was written since.
    fn judge(&mut self) {
        let all = self.captured.text();
        let new = &all[self.read..];
        assert!(new.is_empty() || new.ends_with('\n'), "{new:?}");
        assert_eq!(new.split_terminator('\n').count(), self.expected, "{new}");
        for line in new.split_terminator('\n') {
            self.line(line);
        }
        self.read = all.len();
        self.expected = 0;
        self.scanned = Scanned::All;
    }

    fn line(&mut self, line: &str) {
        assert!(line.len() < LINE_BYTES_MAX, "{} bytes", line.len());
        assert!(!line.chars().any(is_unsafe), "{line:?}");
        let record = Json::parse(line);
        assert!(record.is_ok(), "{line}");
        let record = record.unwrap();
        assert!(!record.has_duplicates(), "{line}");
        assert!(matches!(record, Json::Object(_)), "{line}");

        let proven = check_line(line.as_bytes());
        assert!(proven.is_ok(), "{proven:?}: {line}");
        let proven = proven.unwrap();
        let (seq, prev) = match self.ends.get(proven.stream) {
            Some(end) => *end,
            None => (0, proven.stream.parse::<StreamId>().unwrap().genesis_prev()),
        };
        assert_eq!((proven.seq, proven.prev), (seq, prev), "{line}");
        let end = (seq + 1, proven.hash);
        self.ends.insert(proven.stream.to_owned(), end);

        // The marker of a cut right behind a name is taken for the value of that name.
        if self.scanned == Scanned::All && !line.contains(CUT) {
            let mut found = Vec::new();
            let _line = json_line(&Policy::builtin(), line, &mut found);
            // Ids of sixteen digits are card numbers by chance.
            found.retain(|found| {
                !found
                    .field
                    .as_deref()
                    .is_some_and(|field| IDS.contains(&field))
            });
            assert!(found.is_empty(), "{found:?}: {line}");
        }
    }
}

/// What nobody may see as it is in a line.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn context(input: &mut Unstructured<'_>) -> Result<AuditContext> {
    let mut context = match input.int_in_range(0..=2)? {
        0 => AuditContext::job(text(input)?)
            .tenant(text(input)?)
            .actor(text(input)?),
        _ => AuditContext::request(),
    };
    for _ in 0..input.int_in_range(0..=3)? {
        context = match input.int_in_range(0..=6)? {
            0 => context.request_id(text(input)?),
            1 => context.user_agent(text(input)?),
            2 => context.service(text(input)?),
            3 => context.offer_id(text(input)?),
            4 => context.booking_id(text(input)?),
            5 => context.tracestate(text(input)?),
            _ => context.ip(Ipv6Addr::from_bits(input.arbitrary()?).into()),
        };
    }
    let context = context.build();
    if input.ratio(1, 3)? {
        let identity = Identity::new().tenant(text(input)?).user(text(input)?);
        // A job may have an identity already.
        let _refused = context.verified(identity.client(text(input)?));
    }
    Ok(context)
}
