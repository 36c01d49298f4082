use metrics_exporter_prometheus::PrometheusHandle;

use crate::{Bookings, Payments, auth::Directory, figures::exporter};

/// What the handlers work with. Clones share it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Who may use it.
    pub(crate) directory: Directory,
    /// What was booked.
    pub bookings: Bookings,
    /// Where money goes.
    pub payments: Payments,
    /// What is measured.
    pub figures: PrometheusHandle,
}

impl Service {
    /// No bookings yet, and two tenants: `acme` with a clerk and an administrator, `globex` with a clerk.
    pub fn demo() -> Self {
        Self {
            directory: Directory::demo(),
            bookings: Bookings::default(),
            payments: Payments::default(),
            figures: exporter(),
        }
    }
}
