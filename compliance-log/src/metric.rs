//! Figures for whatever exporter the service has.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `report`, which calls code that is not ours: a recorder that logs finds no second report
/// inside its own, and one that panics takes nothing down. Never called with a lock held.
pub(crate) fn report(report: impl FnOnce()) {
    if REPORTING.try_with(|reporting| reporting.replace(true)) != Ok(false) {
        return;
    }
    // The figure is lost then; the record is not.
    drop(catch_unwind(AssertUnwindSafe(report)));
    REPORTING
        .try_with(|reporting| reporting.set(false))
        .unwrap_or(());
}

/// Counts one of something that has no labels.
pub(crate) fn count(name: &'static str) {
    report(|| metrics::counter!(name).increment(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_within_a_report_is_left_out_and_a_panic_ends_there() {
        let inner = Cell::new(0);
        report(|| report(|| inner.set(1)));
        assert_eq!(inner.get(), 0);
        report(|| panic!("in a recorder"));
        report(|| inner.set(2));
        assert_eq!(inner.get(), 2, "the next one is made");
    }
}
