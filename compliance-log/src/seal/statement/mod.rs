//! What is signed, each as the text of a [note](super::note).
//!
//! | type | file | lines of text | signed by |
//! |---|---|---|---|
//! | [`Checkpoint`] | `.ckpt` beside a segment of the catalog | origin; size; root | log key, then epoch key |
//! | [`EpochNote`] | `seal/epochs` | `compliance-log/v1/epoch`; origin; next epoch; size; root; vkey of the next epoch's key | key of the epoch |
//! | [`Certificate`] | `seal/cert` | `compliance-log/v1/cert`; `store` or `ops`; origin; vkey of the log key; vkey of the key of epoch 0 | root, or an issuer |
//! | [`IssuerCertificate`] | `seal/cert` | `compliance-log/v1/cert`; `issuer`; prefix of origins; vkey of the issuer; `-` | root |
//! | [`Revocation`] | given to a verifier | `compliance-log/v1/revoke`; vkey; origin or prefix; last size that is trusted; root at that size or `-` | root |
//! | [`OperatorCertificate`] | given with what that person signed | `compliance-log/v1/cert`; `ops`; prefix of origins; vkey of the person's key; `-` | root |
//! | [`Expunge`] | operators' ledger | `compliance-log/v1/expunge`; origin; stream; sequence; hash of the record; reason | two people with such certificates |
//! | [`Evidence`] | kept by a verifier | `compliance-log/v1/evidence`; a JSON object | the verifier's key |
//!
//! Numbers are decimal, roots are Base64. Nothing else is read: no further line, and no other spelling.

mod signed;
mod checkpoint;
mod epoch_note;
mod certificate;
mod certificates;
mod revocation;
mod evidence;
mod operator;
mod expunge;

pub use certificate::{Certificate, IssuerCertificate, Role};
pub use certificates::Certificates;
pub use checkpoint::Checkpoint;
pub use epoch_note::EpochNote;
pub use evidence::Evidence;
pub use expunge::Expunge;
pub use operator::OperatorCertificate;
pub use revocation::{Revocation, Revoked};
pub use signed::{Signed, Statement};
