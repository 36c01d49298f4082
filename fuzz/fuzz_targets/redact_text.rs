#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| compliance_log_properties::redact_text(text));
