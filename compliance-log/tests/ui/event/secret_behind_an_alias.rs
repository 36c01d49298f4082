use compliance_log::audit_event;

struct SecretString;
type Proof = SecretString;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(drop)]
    proof: Option<Proof>,
}

fn main() {}
