use compliance_log::audit_event;

#[audit_event(name = "Booking", target = "{nobody}")]
struct BookingCreated {
    seq: u64,
    note: String,
}

fn main() {}
