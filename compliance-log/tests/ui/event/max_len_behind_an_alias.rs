use compliance_log::audit_event;

type Seats = u8;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(max_len = 9)]
    seats: Seats,
}

fn main() {}
