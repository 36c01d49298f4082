use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    captured::Captured,
    found::Found,
    links,
    secrets::{SECRET_BYTES_MIN, Secret},
};
use crate::{
    chain::SUFFIX_BYTES,
    event::{self, AuditEvent},
    lifecycle::name::GAP,
};

/// So many records are listed when an assertion fails, from the newest back.
const LISTED_MAX: usize = 50;

/// Each panics, at the line of the test, if what it asserts is not so.
impl Captured {
    /// There is exactly one record of this event type, in its version. It is given for further checks.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one; the message lists what was recorded instead.
    #[track_caller]
    pub fn assert_one<E: AuditEvent>(&self) -> Found {
        let mut all = self.all::<E>();
        assert!(
            all.len() == 1,
            "{} was recorded {} times, not once; {}",
            type_name::<E>(),
            all.len(),
            listing(&self.records())
        );
        all.remove(0)
    }

    /// [`Captured::assert_one`] for an event that is no type of the service, such as `http.request`.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one; the message lists what was recorded instead.
    #[track_caller]
    pub fn assert_one_named(&self, event: &str) -> Found {
        let mut all = self.named(event);
        assert!(
            all.len() == 1,
            "{event} was recorded {} times, not once; {}",
            all.len(),
            listing(&self.records())
        );
        all.remove(0)
    }

    /// There is no record of this event type, in its version.
    ///
    /// # Panics
    ///
    /// If there is one; the message shows it.
    #[track_caller]
    pub fn assert_none<E: AuditEvent>(&self) {
        if let Some(found) = self.all::<E>().first() {
            unexpected(&type_name::<E>(), found);
        }
    }

    /// None of these texts was written anywhere: as it is, in hex, in base64 (both alphabets, at any
    /// alignment) or percent-encoded once or twice. The two hashes at the end of a record are left out.
    ///
    /// # Panics
    ///
    /// If one was, naming the record and the place of the text in the list, but not the text. Also if
    /// one has fewer than five bytes: it could occur in a number or a hash by chance.
    #[track_caller]
    pub fn assert_no_secrets<S: AsRef<str>>(&self, secrets: impl IntoIterator<Item = S>) {
        let secrets: Vec<Option<Secret>> = secrets
            .into_iter()
            .map(|secret| Secret::new(secret.as_ref()))
            .collect();
        let short = secrets.iter().position(Option::is_none);
        assert!(
            short.is_none(),
            "secret {} has fewer than {SECRET_BYTES_MIN} bytes, so that it could be found by chance; test with a longer one",
            short.unwrap_or_default() + 1
        );
        for line in self.text().lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            let end = line.len().saturating_sub(SUFFIX_BYTES);
            let body = match line.get(..end) {
                Some(body) if record.is_object() => body,
                _ => line,
            };
            for (index, secret) in secrets.iter().flatten().enumerate() {
                let spelling = secret.spelling_in(body, &record);
                assert!(
                    spelling.is_none(),
                    "secret {} of {} was written {}, in {} (stream {}, seq {})",
                    index + 1,
                    secrets.len(),
                    spelling
                        .map(|spelling| spelling.to_string())
                        .unwrap_or_default(),
                    record["event"],
                    record["stream"],
                    record["seq"],
                );
            }
        }
    }

    /// Every line is a record whose hash is right and that is linked to the one before in its stream,
    /// from the first on.
    ///
    /// # Panics
    ///
    /// If one is not, naming the line; also if nothing was written.
    #[track_caller]
    pub fn assert_chain_valid(&self) {
        let text = self.text();
        if let Err((line, what)) = links::check(&text) {
            let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            broken(line, &what, shown);
        }
    }

    /// No record lacks a row that its category requires, no action ended without its own record, and
    /// none was lost: there is no `schema_violations`, no `audit_gap` and no `log.gap`.
    ///
    /// # Panics
    ///
    /// If there is one; the message shows it.
    #[track_caller]
    pub fn assert_complete(&self) {
        for record in self.records() {
            for row in ["schema_violations", "audit_gap"] {
                assert!(
                    record.get(row).is_none(),
                    "{} has `{row}` {}:\n  {record}",
                    record["event"],
                    record[row]
                );
            }
            assert!(record["event"] != GAP, "records were lost:\n  {record}");
        }
    }

    /// Each event type that is linked into the test was recorded at least once, but for those of these
    /// names: what no test makes happen is not known to be audited.
    ///
    /// # Panics
    ///
    /// If one was not, naming all of them; also if an exception is no registered event.
    #[track_caller]
    pub fn assert_registered_events_all_emitted(&self, except: &[&str]) {
        let registered = event::registered();
        let mut missing: BTreeSet<_> = registered
            .iter()
            .map(|meta| (meta.name, meta.version))
            .collect();
        for name in except {
            assert!(
                registered.iter().any(|meta| meta.name == *name),
                "{name} is no registered event, so it can be no exception"
            );
            missing.retain(|(of, _)| of != name);
        }
        for record in self.records() {
            missing.retain(|(name, version)| {
                record["event"] != *name || record["event_version"] != *version
            });
        }
        let mut names = String::new();
        for (name, version) in &missing {
            // Writing to a string cannot fail.
            write!(names, "\n  {name} version {version}").unwrap_or(());
        }
        assert!(missing.is_empty(), "never recorded:{names}");
    }
}

fn type_name<E: AuditEvent>() -> String {
    format!("{} version {}", E::META.name, E::META.version)
}

#[expect(clippy::panic, reason = "an assertion that failed")]
#[track_caller]
fn unexpected(what: &str, found: &Found) -> ! {
    panic!("{what} was recorded:\n  {found}");
}

#[expect(clippy::panic, reason = "an assertion that failed")]
#[track_caller]
fn broken(line: usize, what: &str, shown: &str) -> ! {
    panic!("line {line} breaks the chain: {what}\n  {shown}");
}

/// What was recorded, one line each.
fn listing(records: &[Found]) -> String {
    if records.is_empty() {
        return "nothing was recorded".to_owned();
    }
    let mut listing = "recorded were:".to_owned();
    let hidden = records.len().saturating_sub(LISTED_MAX);
    if hidden > 0 {
        // Writing to a string cannot fail.
        write!(listing, "\n  … and {hidden} before").unwrap_or(());
    }
    for record in &records[hidden..] {
        listing.push_str("\n ");
        for row in [
            "event",
            "event_version",
            "outcome",
            "error_code",
            "target_resource",
        ] {
            match &record[row] {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => {
                    listing.push(' ');
                    listing.push_str(text);
                }
                other => write!(listing, " {other}").unwrap_or(()),
            }
        }
    }
    listing
}
