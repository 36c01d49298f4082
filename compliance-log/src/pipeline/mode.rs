/// What becomes of a request whose records could not be stored, or that lacks a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Mode {
    /// It is refused before anything happens: 503, 401.
    #[default]
    Enforce,
    /// It goes on, and its access record says what would have been refused. For a service that is
    /// being converted. Everything else is as in `Enforce`.
    ///
    /// Also who has no tenant is let in: whom to serve must be decided by the service's own
    /// authentication, never by this log alone.
    Observe,
}
