//! Derives of `compliance-log`.
