//! Who acts, and for whom.

use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text as it is; records escape and bound it.
            pub fn new(id: impl Into<Box<str>>) -> Self {
                Self(id.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self::new(id)
            }
        }
    )*};
}

text_id! {
    /// The customer on whose data something was done.
    TenantId
    /// An opaque subject, such as the `sub` of a token.
    UserId
    /// The program that acts, such as the `azp` of a token.
    ClientId
}

/// Who acts, for whom: taken from claims that were verified, never from a header.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Identity {
    /// The tenant; `None` is recorded as `none`.
    pub tenant: Option<TenantId>,
    /// The person; with no client either, recorded as `anonymous`.
    pub user: Option<UserId>,
    /// The program.
    pub client: Option<ClientId>,
    /// The person in whose place the user acts; the row of that name, unless an event sets it.
    pub on_behalf_of: Option<UserId>,
}

impl Identity {
    /// Nobody yet.
    pub const fn new() -> Self {
        Self {
            tenant: None,
            user: None,
            client: None,
            on_behalf_of: None,
        }
    }

    /// Sets the tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets the person.
    #[must_use]
    pub fn user(mut self, user: impl Into<UserId>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Sets the program.
    #[must_use]
    pub fn client(mut self, client: impl Into<ClientId>) -> Self {
        self.client = Some(client.into());
        self
    }

    /// Sets the person in whose place the user acts.
    #[must_use]
    pub fn on_behalf_of(mut self, user: impl Into<UserId>) -> Self {
        self.on_behalf_of = Some(user.into());
        self
    }
}

/// A request speaks for somebody else than was verified for it; what was verified stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// What was verified first and stays; nobody, where nothing was.
    pub verified: Box<Identity>,
    /// What was refused.
    pub refused: Box<Identity>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request speaks for somebody else than was verified for it")
    }
}

impl std::error::Error for Mismatch {}
