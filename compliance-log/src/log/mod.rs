//! Opening, configuring and closing a log.

mod builder;
mod compliance_log;
mod config;

pub use builder::{Builder, StartFailure};
pub use compliance_log::{Closed, ComplianceLog, ShutdownError};
