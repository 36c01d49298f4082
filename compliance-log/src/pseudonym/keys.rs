use std::{error::Error, fmt, sync::Arc};

use super::key::PseudonymKey;

/// The tenant under which the key of a record without a tenant is looked up, as in its `tenant_id`: what
/// happens before anybody is known, jobs, records of category `app`.
pub const NO_TENANT: &str = "none";

/// Where the keys of pseudonyms come from; [`KeyFile`](super::KeyFile) is one.
///
/// ```
/// use compliance_log::pseudonym::{PseudonymKey, PseudonymKeys};
/// # use std::num::NonZeroU32;
///
/// #[derive(Debug)]
/// struct OneTenant(PseudonymKey);
///
/// impl PseudonymKeys for OneTenant {
///     fn key(&self, tenant: &str, field: &str) -> Option<PseudonymKey> {
///         (tenant == "acme" && field == "data.passenger").then(|| self.0.clone())
///     }
/// }
/// # let keys = OneTenant(PseudonymKey::new(NonZeroU32::MIN, &[7; 32]));
/// # assert!(keys.key("acme", "data.passenger").is_some());
/// ```
///
/// A log lets go of its keys when it ends; one that has a thread ends it when it is dropped.
pub trait PseudonymKeys: fmt::Debug + Send + Sync {
    /// The key that is in use for values of `field` of `tenant`; `None` has the value left out.
    ///
    /// Asked on the thread of whoever logs, once for each such value: it must answer from memory and
    /// may not wait. One that panics has said `None`.
    fn key(&self, tenant: &str, field: &str) -> Option<PseudonymKey>;

    /// Looks for newer keys. Asked twice a second, first while the log is opened, then on the thread
    /// that stores records, so it may read a small local file and no more.
    ///
    /// # Errors
    ///
    /// Why the newest keys are not in use. It never holds a key; the log warns of it once, and counts it.
    fn refresh(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

impl<K: PseudonymKeys + ?Sized> PseudonymKeys for Arc<K> {
    fn key(&self, tenant: &str, field: &str) -> Option<PseudonymKey> {
        (**self).key(tenant, field)
    }

    fn refresh(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        (**self).refresh()
    }
}
