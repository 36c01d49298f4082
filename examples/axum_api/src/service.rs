use crate::{Bookings, Directory, Payments};

/// What the handlers work with. Clones share it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Who may use it.
    pub directory: Directory,
    /// What was booked.
    pub bookings: Bookings,
    /// Where money goes.
    pub payments: Payments,
}

impl Service {
    /// No bookings yet, and the users of [`Directory::demo`].
    pub fn demo() -> Self {
        Self {
            directory: Directory::demo(),
            bookings: Bookings::default(),
            payments: Payments::default(),
        }
    }
}
