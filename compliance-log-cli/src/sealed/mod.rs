//! Sealed stores, as they stand on disk: read only, while their writer goes on.

mod blocks;
mod records;
mod genesis;
mod store;
mod receipts;

pub(crate) use receipts::{Receipt, Receipts};
pub(crate) use records::{Record, Records};
pub(crate) use store::SealedStore;
