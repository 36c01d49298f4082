use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    seats: u8,
    price: f64,
}

fn main() {
    let _ = BookingCreated { seats: 2 }.emit();
}
