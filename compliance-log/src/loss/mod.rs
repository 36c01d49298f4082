//! What happens to a record that cannot be stored, and the count of those that were not.

mod ledger;
mod on_failure;

pub(crate) use ledger::{Ledger, Reason};
pub use on_failure::OnFailure;
pub(crate) use on_failure::{OnFailures, category_of};
