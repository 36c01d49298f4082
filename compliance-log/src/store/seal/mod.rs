//! The seal of a store: its catalog, its keys, and what a start must find before it goes on signing.

mod begin;
mod keys;
mod note_log;
mod rebuild;
mod resume;
mod sealer;
mod settings;

pub(super) use begin::{Making, begin, undo};
pub(super) use rebuild::Rebuilt;
pub(super) use resume::{Refusal, Resumed, resume};
pub(crate) use sealer::{Begun, Sealer};
pub use settings::Seal;
