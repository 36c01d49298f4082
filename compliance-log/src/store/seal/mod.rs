//! The seal of a store: its catalog, its keys, and what a start must find before it goes on signing.

mod anchoring;
mod anchors;
mod begin;
mod dir_anchor;
mod epochs;
mod exposure;
mod facts;
mod keys;
mod note_log;
mod place;
mod rebuild;
mod receipts;
mod resume;
mod root_key;
mod sealer;
mod settings;

pub(super) use begin::{Making, begin, undo};
pub use dir_anchor::DirAnchor;
pub(crate) use exposure::Exposed;
pub(super) use rebuild::Rebuilt;
pub(super) use resume::{Refusal, Resumed, resume};
pub(super) use root_key::RootKey;
pub(crate) use sealer::{Begun, Ends, Farewell, Sealer};
pub use settings::Seal;
