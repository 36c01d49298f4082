//! One record whose text is to be taken out, and the file that it stands in.

mod order;
mod replace;
mod target;

pub(crate) use order::{check_reason, read_certificates, read_order, write_order};
pub(crate) use replace::replace;
pub(crate) use target::Target;
