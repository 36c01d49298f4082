use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(public)]
    note: &'static str,
    #[audit(public, max_len = 5000)]
    remark: String,
}

fn main() {}
