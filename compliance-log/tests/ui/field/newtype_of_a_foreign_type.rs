use compliance_log::event::AuditField;

type Proof = std::process::Command;

#[derive(AuditField)]
#[audit(internal)]
struct Key(Proof);

fn main() {}
