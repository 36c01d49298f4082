use compliance_log::audit_event;

struct SecretString;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(internal)]
    proof: SecretString,
    #[audit(secret)]
    answer: u64,
}

fn main() {}
