//! How many records of an event are written one by one, and the count of those that are not.

mod counter;
mod mode;
mod rules;

pub(crate) use counter::{Answer, Counter, Decision, Due, Duty, Row, Seen, Summary, Why};
pub use mode::Volume;
pub(crate) use rules::Rules;
