use compliance_log::event::AuditField;

#[derive(AuditField)]
enum State {
    Paid { amount: u64 },
    #[audit(rename = "Part")]
    PaidInPart,
    #[audit(skip)]
    Unpaid,
}

fn main() {}
