//! What must hold of redaction, records, parsers and verification for any input.
//!
//! Each property is a function that takes an input and panics if it does not hold. The tests of this
//! crate call them with inputs that proptest makes, and the targets in `fuzz/` with those of libFuzzer;
//! `seeds` writes the inputs that libFuzzer begins with.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    reason = "a property that does not hold is a panic, and files are made anew for each input"
)]

mod failed;
mod input;
mod json;
mod forwarded;
mod ordinary;
mod policy_file;
mod record;
mod redact_json;
mod redact_text;
mod seed;
mod typed;
mod verify;
mod way;
mod wire;

// The corpus of secrets, as the test of recall has it.
#[path = "../../compliance-log/tests/redaction/checksum.rs"]
mod checksum;
#[path = "../../compliance-log/tests/redaction/draw.rs"]
mod draw;
#[path = "../../compliance-log/tests/redaction/formats/mod.rs"]
mod formats;
#[path = "../../compliance-log/tests/redaction/noise.rs"]
mod noise;
#[path = "../../compliance-log/tests/redaction/positives.rs"]
#[expect(
    dead_code,
    reason = "the test of recall names the seed of what was missed"
)]
mod positives;
#[path = "../../compliance-log/tests/redaction/secret.rs"]
mod secret;
#[path = "../../compliance-log/tests/redaction/sought.rs"]
mod sought;
#[path = "../../compliance-log/tests/redaction/wraps/mod.rs"]
mod wraps;

// What the command `redact` does to a line.
#[path = "../../compliance-log-cli/src/json_line.rs"]
mod json_line;
#[path = "../../compliance-log-cli/src/redact_line.rs"]
#[expect(dead_code, reason = "the command tells what was found")]
mod redact_line;

pub use forwarded::forwarded;
pub use policy_file::policy_file;
pub use record::record;
pub use redact_json::redact_json;
pub use redact_text::redact_text;
pub use seed::seeds;
pub use verify::verify;
pub use way::secret_on_every_way;
pub use wire::{baggage, traceparent, tracestate};
