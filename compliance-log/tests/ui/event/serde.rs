use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
#[derive(serde::Serialize)]
struct BookingCreated {
    #[serde(flatten)]
    seats: Seats,
    #[serde(rename = "who", skip)]
    count: u8,
}

#[derive(serde::Serialize)]
struct Seats {
    first: u8,
}

fn main() {}
