use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[cfg(any())]
    password: std::collections::HashMap<u8, u8>,
    #[cfg(all())]
    note: String,
}

fn main() {}
