use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    timestamp: u64,
    #[audit(rename = "tenant_id")]
    customer: u64,
}

fn main() {}
