use compliance_log::{
    audit_event,
    event::{AuditField, Class, Classified, Raw},
};

struct Answer;

impl AuditField for Answer {
    fn raw(&self) -> Option<Raw<'_>> {
        None
    }
}

impl Classified for Answer {
    const CLASS: Class = Class::Secret;
}

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    answer: Answer,
}

fn main() {}
