//! What a report says of records that nothing protected, or that nothing protects yet.

use compliance_log::seal::statement::Role;

use super::ledger::Ledger;

#[test]
fn the_unsealed_end_is_counted_and_timed() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.writer.seal();
    let unsealed = |ledger: &Ledger| {
        let report = ledger.verify_itself();
        let streams = report.stores[0].streams.iter();
        let mut audit = streams.filter(|stream| stream.stream.ends_with("/audit"));
        let audit = audit.next().unwrap();
        (audit.unsealed, audit.unsealed_s)
    };
    assert_eq!(unsealed(&ledger), (Some(0), None));
    ledger.world.clock.tick(7);
    ledger.writer.emit("audit", "command.started", "{}");
    ledger.world.clock.tick(2);
    ledger.writer.emit("audit", "command.finished", "{}");
    assert_eq!(unsealed(&ledger), (Some(2), Some(9)));
}

#[test]
fn records_that_were_taken_on_are_listed_sealed_or_not() {
    let mut ledger = Ledger::new(Role::Ops);
    ledger.writer.emit("audit", "command.started", "{}");
    let recovery = r#"{"adopted_from":1,"adopted_to":1}"#;
    ledger.writer.emit("audit", "chain.recovery", recovery);
    ledger
        .writer
        .emit("audit", "chain.recovery", r#"{"torn":{}}"#);
    let adopted = |ledger: &Ledger| {
        let report = ledger.verify_itself();
        let streams = report.stores[0].streams.iter();
        let ranges = streams.flat_map(|stream| &stream.adopted);
        ranges
            .map(|range| (range.first, range.last))
            .collect::<Vec<_>>()
    };
    assert_eq!(adopted(&ledger), [(1, 1)]);
    ledger.writer.seal();
    assert_eq!(adopted(&ledger), [(1, 1)]);
}
