//! `AuditLayer` around real servers and around services of our own.
//!
//! Where a case is tested; over HTTP/1.1 and HTTP/2 where the wire is real:
//!
//! | trace | test |
//! |---|---|
//! | the suite of W3C Trace Context, all 41 | `examples/w3c_harness/tests/suite.rs` |
//! | its rules; `+1`, trailing `-`, upper case, a no-break space, 8 KiB, later versions, flags | `rules::a_trace_goes_on_where_it_is_valid_…` |
//! | `tracestate`: 33 members, 513 characters, `foo@@bar` | `rules::the_state_of_a_trace_…` |
//! | what is not sampled is recorded | `rules`, `trace::an_unsampled_trace_is_recorded` |
//! | a new id for each outgoing call | `rules`, `examples/w3c_harness/tests/calls.rs` |
//!
//! | injection | test |
//! |---|---|
//! | CR, LF, NUL, ESC and DEL in a header: refused by the server | `injected::a_control_character_…_over_http_1`, `…_http_2` |
//! | CR, LF, NUL, ESC, bidi, zero width, U+2028, C1, no UTF-8, `"}\n{"fake":1` in path, query, headers, body | `injected::one_request_is_one_line_…` |
//! | escapes in JSON, half a surrogate | `injected::escapes_in_json_…` |
//! | 1 MiB, 10,000 headers | `injected::a_mebibyte_…`, `injected::a_server_that_refuses_…` |
//! | events and `tracing` without HTTP | `crate::injection` |
//!
//! | layer | test |
//! |---|---|
//! | statuses, HEAD, 204, 304, 404, 405, nested routers | `endings::what_was_sent_says_how_it_ended` |
//! | panic; `CatchPanicLayer` inside, outside, none | `endings::a_panic_is_500` |
//! | client gone in the handler, mid-stream | `endings::a_client_that_leaves_…` |
//! | RST_STREAM | `endings::streams_of_http_2_end_on_their_own` |
//! | error or panic mid-stream | `endings::a_body_that_breaks_keeps_its_status` |
//! | timeout inside, outside | `endings::a_timeout_inside_answers_…` |
//! | client gone while its body is unread; truncated upload | `uploads` |
//! | `poll_ready`, buffer, concurrency limit, load shed, clones | `readiness`, `tower::the_instance_that_is_ready_is_called` |
//! | two layers | `identity::two_layers_write_one_record` |
//! | routes, `nest_service`, fallbacks, a flood of 404s | `routed` |
//! | dropped with a full queue, with the runtime, while unwinding | `dropped` |
//! | tasks, blocking threads, rayon; 50 streams at once | `carried` |
//! | one record wherever the caller leaves | `tower::one_record_wherever_…`, `programs` |
//! | a store that fails, a full queue | `refused` |
//! | invented methods, 10,000 forged hops | `hostile` |

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions around a test fail it as the test itself does"
)]

mod carried;
mod client;
mod dropped;
mod client_ip;
mod duration;
mod endings;
mod health;
mod hostile;
mod identity;
mod injected;
mod owed;
mod outlived;
mod programs;
mod readiness;
mod refused;
mod routed;
mod rules;
mod served;
mod tower;
mod trace;
mod uploads;
