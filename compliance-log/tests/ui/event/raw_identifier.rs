use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "{type}")]
struct BookingCreated {
    #[audit(personal)]
    r#type: u8,
    r#token: u64,
}

fn main() {}
