//! Bytes in, bytes out: a store's folders, segments, locks and head files.
//!
//! A store is `<dir>/<instance>-<incarnation>/`, with one folder per channel under `streams/`. It
//! is made whole under another name and renamed, so that a store always has its first records. Only
//! this module touches its files. Reading for verification is `verify`'s own affair: it trusts
//! nothing that was written here.

mod altered;
mod budget;
mod create;
mod durable;
#[cfg(any(test, feature = "test-util"))]
mod fault;
mod fs;
mod head;
mod open;
mod policies;
mod print;
mod recover;
mod scan;
mod seal;
mod segment;
mod stream;
mod tree;
mod volume;

pub(crate) use crate::layout::LOCK;
pub(crate) use altered::Altered;
pub use budget::Level as BudgetLevel;
pub(crate) use budget::{Budget, Crossing};
pub(crate) use create::Lock;
#[cfg(any(test, feature = "test-util"))]
pub(crate) use fault::FaultFs;
#[cfg(any(test, feature = "test-util"))]
pub use fault::{Effect, Fault};
pub(crate) use fs::{Fs, RealFs};
pub(crate) use open::{Open, Start, open, open_ended};
pub(crate) use policies::{find as find_policy, keep as keep_policy};
pub(crate) use print::PrintFs;
pub(crate) use recover::says;
pub(crate) use seal::{Begun, Ends, Exposed, Farewell, Sealer};
pub use seal::{DirAnchor, Seal};
pub(crate) use stream::{Left, Settings, Stream, WriteError};
pub(crate) use volume::{kind as volume_kind, warning as volume_warning};
