use compliance_log::audit_event;

use std::collections::HashMap;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(internal)]
    request: serde_json::Value,
    #[audit(internal)]
    headers: HashMap<String, String>,
    body: Vec<u8>,
    digest: [u8; 32],
}

fn main() {}
