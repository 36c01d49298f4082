//! Sealed stores, as they stand on disk: read only, while their writer goes on.

mod blocks;
mod records;
mod genesis;
mod store;
mod stream_id;
mod receipts;
mod sealed_at;

pub(crate) use receipts::{Receipt, Receipts};
pub(crate) use sealed_at::SealedAt;
pub(crate) use store::SealedStore;
pub(crate) use stream_id::stream_id;
