//! The arguments of the verbs about the seal, one file for each of them.

mod evidence;
mod expunge;
mod keys;
mod ledger;
mod proof;
mod verify;
mod witness;

pub(crate) use evidence::{EvidenceArgs, EvidenceShowArgs, EvidenceVerb};
pub(crate) use expunge::{
    ExpungeApplyArgs, ExpungeApproveArgs, ExpungeArgs, ExpungeRequestArgs, ExpungeVerb,
};
pub(crate) use keys::{
    KeysArgs, KeysCertifyArgs, KeysInitArgs, KeysRequestArgs, KeysRevokeArgs, KeysRotateArgs,
    KeysShowArgs, KeysVerb,
};
pub(crate) use ledger::{LedgerArgs, LedgerInitArgs, LedgerVerb};
pub(crate) use proof::{CheckProofArgs, ProveArgs};
pub(crate) use verify::{SealArgs, VerifyArgs};
pub(crate) use witness::{
    WitnessArgs, WitnessOriginsArgs, WitnessServeArgs, WitnessSubmitArgs, WitnessVerb,
};
