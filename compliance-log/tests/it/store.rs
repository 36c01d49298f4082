//! A log on disk, opened, written, closed and opened again.

use compliance_log::{ComplianceLog, audit_event, test_util::within_sync};

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
struct BookingCreated {
    booking_id: u64,
    passengers: u8,
}

#[test]
fn a_log_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    for start in 0..3 {
        let log = ComplianceLog::builder("booking-api")
            .env("test")
            .instance("i")
            .dir(dir.path())
            .open()
            .unwrap();
        for booking_id in 0..10 {
            let event = BookingCreated {
                booking_id,
                passengers: 2,
            };
            let receipt = within_sync(&log, || event.commit().wait()).unwrap();
            assert!(receipt.seq() > start * 12, "{receipt:?}");
        }
        log.shutdown().unwrap();
    }
    let stores: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(stores.len(), 1, "{stores:?}");
}
