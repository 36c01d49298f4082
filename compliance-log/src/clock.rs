//! Time, passed in: wall-clock instants for records, a monotonic clock for durations.

use std::{
    cell::Cell,
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Microseconds since 1970-01-01T00:00:00Z, between the years 0001 and 9999.
///
/// Displays as RFC 3339 in UTC with microseconds, always 27 characters:
///
/// ```
/// use compliance_log::clock::Timestamp;
///
/// assert_eq!(Timestamp::from_micros(1_785_000_000_123_456).to_string(), "2026-07-25T17:20:00.123456Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MICROS_MIN: i64 = -62_135_596_800_000_000;
// The last second that jiff has in every time zone.
const MICROS_MAX: i64 = 253_402_207_200_999_999;

impl Timestamp {
    /// An instant; those outside the years 0001 to 9999 become the nearest one inside.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < MICROS_MIN {
            Self(MICROS_MIN)
        } else if micros > MICROS_MAX {
            Self(MICROS_MAX)
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970, negative before.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads the text that `Display` writes, and no other form.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 27 || !text.ends_with('Z') {
            return None;
        }
        let time: jiff::Timestamp = text.parse().ok()?;
        let parsed = Self::from_micros(time.as_microsecond());
        (parsed.to_string() == text).then_some(parsed)
    }

    /// The 27 ASCII characters of the text form.
    pub(crate) fn text(self) -> [u8; 27] {
        let second = self.0.div_euclid(1_000_000);
        let mut text = second_text(second);
        let mut micros = self.0.rem_euclid(1_000_000);
        for digit in text[20..26].iter_mut().rev() {
            *digit = b'0' + u8::try_from(micros % 10).unwrap_or(0);
            micros /= 10;
        }
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

thread_local! {
    // Most records of a thread fall into the same second: the calendar is worked out once for each.
    static LAST_SECOND: Cell<(i64, [u8; 27])> = const { Cell::new((i64::MIN, [0; 27])) };
}

fn second_text(second: i64) -> [u8; 27] {
    if let Ok((cached, text)) = LAST_SECOND.try_with(Cell::get)
        && cached == second
    {
        return text;
    }
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    if let Ok(time) = jiff::Timestamp::from_second(second) {
        let civil = jiff::tz::Offset::UTC.to_datetime(time);
        write_digits(&mut text[0..4], i64::from(civil.year()));
        write_digits(&mut text[5..7], i64::from(civil.month()));
        write_digits(&mut text[8..10], i64::from(civil.day()));
        write_digits(&mut text[11..13], i64::from(civil.hour()));
        write_digits(&mut text[14..16], i64::from(civil.minute()));
        write_digits(&mut text[17..19], i64::from(civil.second()));
    }
    // During thread exit there is no cache; the text is right all the same.
    LAST_SECOND
        .try_with(|cache| cache.set((second, text)))
        .unwrap_or(());
    text
}

fn write_digits(out: &mut [u8], mut value: i64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

/// Where time comes from. Called once per record on the thread that captures it, so it must be cheap.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Wall-clock time, UTC; it may step in either direction.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start that never goes back.
    fn monotonic(&self) -> Duration;

    /// As [`monotonic`](Self::monotonic), with the time that the machine slept; the seal tells silence
    /// by it. Default: the monotonic one.
    fn boot_time(&self) -> Duration {
        self.monotonic()
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(MICROS_MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(MICROS_MIN, |m| -m),
        };
        Timestamp::from_micros(micros)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[cfg(target_os = "linux")]
    fn boot_time(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        time.try_into().unwrap_or_else(|_negative| self.monotonic())
    }
}

/// Finds steps of the wall clock: it and the monotonic one should go on together.
#[derive(Debug)]
pub(crate) struct Steps {
    wall: Timestamp,
    monotonic: Duration,
}

/// A step of the wall clock, while the process ran or while it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Milliseconds by which the clock is ahead of where it should be; negative if it was set back.
    pub(crate) delta_ms: i64,
    /// What it said before.
    pub(crate) since: Timestamp,
}

/// Less is the clock being slewed, or a thread that waited between two looks.
const STEP_MICROS_MIN: u64 = 1_000_000;

impl Steps {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    /// Looks at both clocks, and says once if the wall clock stepped by more than a second since the
    /// last look.
    pub(crate) fn look(&mut self, clock: &dyn Clock) -> Option<Step> {
        let (before, wall, monotonic) = (clock.monotonic(), clock.now(), clock.monotonic());
        let waited = monotonic.saturating_sub(before);
        if waited > Duration::from_millis(100) {
            // The thread was held up between the two: what they say does not belong together.
            return None;
        }
        let went = monotonic.saturating_sub(self.monotonic).as_micros();
        let went = i64::try_from(went).unwrap_or(i64::MAX);
        let delta = wall.0.saturating_sub(self.wall.0).saturating_sub(went);
        let since = self.wall;
        *self = Self { wall, monotonic };
        (delta.unsigned_abs() > STEP_MICROS_MIN).then_some(Step {
            delta_ms: delta / 1000,
            since,
        })
    }
}

/// A clock that stands still until a test moves it.
#[cfg(any(test, feature = "test-util"))]
#[derive(Debug)]
pub struct ManualClock {
    wall_micros: std::sync::atomic::AtomicI64,
    monotonic_micros: std::sync::atomic::AtomicU64,
}

#[cfg(any(test, feature = "test-util"))]
impl ManualClock {
    /// Stands at `now`; monotonic time starts at zero.
    pub fn new(now: Timestamp) -> Self {
        Self {
            wall_micros: now.0.into(),
            monotonic_micros: 0.into(),
        }
    }

    /// Lets `by` pass on both clocks.
    pub fn advance(&self, by: Duration) {
        use std::sync::atomic::Ordering::SeqCst;
        self.wall_micros
            .fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), SeqCst);
        self.monotonic_micros
            .fetch_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX), SeqCst);
    }

    /// Sets the wall clock only, as an administrator or NTP would.
    pub fn set(&self, now: Timestamp) {
        self.wall_micros
            .store(now.0, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(any(test, feature = "test-util"))]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.wall_micros.load(std::sync::atomic::Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(
            self.monotonic_micros
                .load(std::sync::atomic::Ordering::SeqCst),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_27_characters_and_reads_back() {
        for micros in [
            MICROS_MIN,
            -1,
            0,
            1,
            999_999,
            1_785_000_000_123_456,
            MICROS_MAX,
        ] {
            let time = Timestamp::from_micros(micros);
            let text = time.to_string();
            assert_eq!(text.len(), 27, "{text}");
            assert_eq!(Timestamp::parse(&text), Some(time), "{text}");
        }
    }

    #[test]
    fn instants_outside_four_digit_years_are_clamped() {
        assert_eq!(
            Timestamp::from_micros(i64::MAX).to_string(),
            "9999-12-30T22:00:00.999999Z"
        );
        assert_eq!(
            Timestamp::from_micros(i64::MIN).to_string(),
            "0001-01-01T00:00:00.000000Z"
        );
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "2026-11-24T03:19:48.123456z",
            "2026-11-24T03:19:48+00:00",
            "2026-11-24 03:19:48.123456Z",
            "",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
