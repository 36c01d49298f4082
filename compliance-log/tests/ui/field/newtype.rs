use compliance_log::event::AuditField;

#[derive(AuditField)]
struct Unclassed(u64);

#[derive(AuditField)]
#[audit(internal)]
struct Two(u64, u64);

#[derive(AuditField)]
#[audit(public)]
struct Note(String);

#[derive(AuditField)]
#[audit(secret)]
struct Key(u64);

fn main() {}
