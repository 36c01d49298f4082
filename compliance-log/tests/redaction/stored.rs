//! Texts through the public interface into a store and back.

use std::{fs, path::Path};

use compliance_log::{
    ComplianceLog, Policy,
    test_util::within_sync,
    verify::{Options, Verdict, verify},
};
use serde_json::Value;
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;

/// What is built in, and passports, which is asked for.
const POLICY: &str = "version = 1\ninclude = [\"builtin\", \"passport\"]";
/// So many texts go into one store.
const BATCH: usize = 400;
/// The two hashes at the end of a line are no text of anybody.
const LINKS: usize = r#","prev_hash":"","hash":""}"#.len() + 2 * 64;

/// What was stored of one text.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The line as it stands in the file, without its links.
    pub(crate) line: String,
    /// The two values that held the text.
    pub(crate) values: [String; 2],
    /// What was done to them: field, rule and action.
    pub(crate) redactions: Vec<[String; 3]>,
}

/// Stores each text as the message of an event and as a field of it, and reads both back. `others`
/// is shown every line of each store that belongs to no text, with the texts of that store.
pub(crate) fn stored(texts: &[&str], mut others: impl FnMut(&str, &[&str])) -> Vec<Stored> {
    let mut all = Vec::new();
    for batch in texts.chunks(BATCH) {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), batch);
        let report = verify(dir.path(), &Options::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Ok, "{report:?}");
        let (own, rest): (Vec<_>, Vec<_>) = lines(dir.path())
            .into_iter()
            .partition(|line| line.contains(r#""event":"log","#));
        assert_eq!(own.len(), batch.len(), "each text has its record");
        for line in &rest {
            others(line, batch);
        }
        all.extend(
            own.into_iter()
                .enumerate()
                .map(|(place, line)| read(line, place)),
        );
    }
    all
}

fn write(dir: &Path, texts: &[&str]) {
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(dir)
        .policy(Policy::parse(POLICY).unwrap())
        .queue_bytes_max(64 * 1024 * 1024)
        .open()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    with_default(subscriber, || {
        within_sync(&log, || {
            for (place, text) in texts.iter().enumerate() {
                tracing::info!(place, detail = *text, "{text}");
            }
        });
    });
    log.shutdown().unwrap();
}

/// Every line of every segment under `dir`, in the order of the records.
fn lines(dir: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            lines.extend(self::lines(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = fs::read_to_string(&path).unwrap();
            lines.extend(
                text.lines()
                    .map(|line| line[..line.len() - LINKS].to_owned()),
            );
        }
    }
    lines
}

fn read(line: String, place: usize) -> Stored {
    let record: Value = serde_json::from_str(&format!("{line}}}")).unwrap();
    assert_eq!(record["data"]["place"], place, "{record}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let redactions = record["redactions"].as_array().into_iter().flatten();
    Stored {
        values: [text(&record["message"]), text(&record["data"]["detail"])],
        redactions: redactions
            .map(|redaction| ["field", "rule", "action"].map(|key| text(&redaction[key])))
            .collect(),
        line,
    }
}
