#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| compliance_log_properties::tracestate(input));
