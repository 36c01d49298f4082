//! Events and spans of `tracing` with any values under odd names.

use std::{error::Error, sync::LazyLock};

use arbitrary::{Result, Unstructured};
use compliance_log::ComplianceLog;
use tracing::{Level, Metadata, Span, Value, field::FieldSet, subscriber::with_default};
use tracing_core::{Callsite, Event, Interest, Kind, callsite::Identifier};
use tracing_subscriber::layer::SubscriberExt;

use crate::{failed::Failed, input::text, record::Scanned, typed::INTEGER_MAX};

/// Names of fields, some of which mean something to the log or to the policy.
const NAMES: &[&str] = &[
    "message",
    "note",
    "event",
    "password",
    "card.number",
    "apiKey",
    "prev_hash",
    "hash",
    "v",
    "seq",
    "data",
    "redactions",
    "a.b",
    "a",
    "tenant_id",
    "",
    "\u{202e}",
    "\"\n\\",
    "error",
    "\u{430}pi\u{200b}Key",
    "log.target",
    "token_count",
    "\0",
    "user[password]",
    "a name of more than sixty-four bytes, since somebody wrote a sentence where a name belongs, twice",
];

struct Here;

static HERE: Here = Here;

impl Callsite for Here {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &EVENTS[0]
    }
}

fn metadata(level: Level, kind: Kind) -> Metadata<'static> {
    let fields = FieldSet::new(NAMES, Identifier(&HERE));
    Metadata::new("made", "a::target", level, None, None, None, fields, kind)
}

static EVENTS: LazyLock<[Metadata<'static>; 3]> = LazyLock::new(|| {
    [Level::ERROR, Level::WARN, Level::INFO].map(|level| metadata(level, Kind::EVENT))
});

static SPAN: LazyLock<Metadata<'static>> = LazyLock::new(|| metadata(Level::INFO, Kind::SPAN));

/// Writes one event, perhaps within a span.
pub(crate) fn write(log: &ComplianceLog, input: &mut Unstructured<'_>) -> Result<Scanned> {
    let mut scanned = Scanned::All;
    let span = if input.ratio(1, 3)? {
        values(input, &mut scanned)?
    } else {
        Vec::new()
    };
    let event = values(input, &mut scanned)?;
    let metadata = input.choose(&*EVENTS)?;
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    with_default(subscriber, || {
        let refs = refs(&span);
        let span = (!span.is_empty())
            .then(|| Span::new(&SPAN, &SPAN.fields().value_set_all(&refs)).entered());
        Event::dispatch(
            metadata,
            &metadata.fields().value_set_all(&self::refs(&event)),
        );
        drop(span);
    });
    Ok(scanned)
}

/// The values of some fields: places among the names, in their order.
type Values = Vec<Option<Box<dyn Value>>>;

fn refs(values: &Values) -> Vec<Option<&dyn Value>> {
    let values = values.iter();
    values
        .map(|value| value.as_ref().map(|value| &**value))
        .collect()
}

fn values(input: &mut Unstructured<'_>, scanned: &mut Scanned) -> Result<Values> {
    let mut values: Values = NAMES.iter().map(|_| None).collect();
    for _ in 0..input.int_in_range(1..=6)? {
        let at = input.choose_index(NAMES.len())?;
        values[at] = Some(value(input, scanned)?);
    }
    Ok(values)
}

fn value(input: &mut Unstructured<'_>, scanned: &mut Scanned) -> Result<Box<dyn Value>> {
    Ok(match input.int_in_range(0..=9)? {
        0 | 1 => Box::new(text(input)?),
        2 => Box::new(tracing::field::display(text(input)?)),
        3 => Box::new(tracing::field::debug(Some(text(input)?))),
        4 => number(input.arbitrary::<u64>()?, scanned),
        5 => number(input.arbitrary::<i64>()?, scanned),
        6 => Box::new(input.arbitrary::<f64>()?),
        7 => number(input.arbitrary::<i128>()?, scanned),
        8 => Box::new(input.arbitrary::<bool>()?),
        _ => {
            let mut error = Failed(text(input)?, None);
            for _ in 0..input.int_in_range(0..=6)? {
                error = Failed(text(input)?, Some(Box::new(error)));
            }
            let error: Box<dyn Error + 'static> = Box::new(error);
            Box::new(error)
        }
    })
}

fn number<N>(number: N, scanned: &mut Scanned) -> Box<dyn Value>
where
    N: Copy + Value + TryInto<i64> + 'static,
{
    let written: std::result::Result<i64, _> = number.try_into();
    if !written.is_ok_and(|number| number.unsigned_abs() <= INTEGER_MAX) {
        *scanned = Scanned::NotTyped;
    }
    Box::new(number)
}
