//! The built command, run on stores that are hashed here from `docs/FORMAT.md` and not by the code
//! under test.

#[cfg(test)]
mod store;
#[cfg(test)]
mod command;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod witness;

#[cfg(test)]
mod evidence;
#[cfg(test)]
mod expunge;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod observe_report;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod pseudonym;
#[cfg(test)]
mod real_keys;
#[cfg(test)]
mod real_store;
#[cfg(test)]
mod redact;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sealed_reads;
#[cfg(test)]
mod show;
#[cfg(test)]
mod tail;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod verify;
#[cfg(test)]
mod verify_outside;
#[cfg(test)]
mod verify_sealed;
#[cfg(test)]
mod witness_serve;
#[cfg(test)]
mod witness_submit;
