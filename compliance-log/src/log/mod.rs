//! Opening, configuring and closing a log.

mod builder;
mod compliance_log;
mod config;
mod init;
mod machine;
mod opening;
mod policy_file;
mod rotate_keys;
mod seal_table;
mod watch;

pub use builder::{Builder, StartFailure};
pub use compliance_log::{Closed, ComplianceLog, ShutdownError};
