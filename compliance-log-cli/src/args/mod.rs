//! The arguments of the verbs about the seal, one file for each of them.

mod witness;

pub(crate) use witness::{WitnessArgs, WitnessServeArgs, WitnessSubmitArgs, WitnessVerb};
