use super::meta::EventMeta;

/// An event type of the running program, as its derive registers it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Registered(pub &'static EventMeta);

inventory::collect!(Registered);

/// Every event type that is linked into the running program, by name and version.
///
/// ```
/// use compliance_log::{audit_event, event};
///
/// #[audit_event(name = "invoice.sent", target = "invoice/{number}")]
/// struct InvoiceSent {
///     number: u64,
/// }
///
/// assert!(event::registered().iter().any(|meta| meta.name == "invoice.sent"));
/// ```
pub fn registered() -> Vec<&'static EventMeta> {
    let mut all: Vec<_> = inventory::iter::<Registered>
        .into_iter()
        .map(|registered| registered.0)
        .collect();
    all.sort_by_key(|meta| (meta.name, meta.version));
    all
}
