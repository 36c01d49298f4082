use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{
    claims_error::{ClaimsError, ClaimsErrorKind},
    organization::{Organization, Tenancy},
    read::Claims,
};
use crate::context::{ClientId, Identity, TenantId, UserId};

/// What Keycloak calls the user behind the service account of a client.
const SERVICE_ACCOUNT: &str = "service-account-";

/// The claims of a token that was verified, as far as they say who acts.
///
/// Its names are texts of 1 to 255 bytes that show what they are; everything else is a
/// [`ClaimsError`], on which the request should be refused as one without a token.
///
/// As an [`Identity`] it has the person, the program and, if the token speaks for exactly one
/// organization, the tenant. A service account is a program alone. Where somebody acts in the place of
/// another, `user` is who acts and `on_behalf_of` the other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedClaims {
    subject: UserId,
    client: Option<ClientId>,
    kind: Kind,
    actor: Option<UserId>,
    organizations: Vec<Organization>,
    realm_roles: Vec<String>,
    client_roles: Vec<(String, Vec<String>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Person,
    ServiceAccount,
}

impl VerifiedClaims {
    /// Reads the claims of a token that was verified before.
    ///
    /// # Errors
    ///
    /// [`ClaimsError`] for the first claim that is missing or not of its shape.
    pub fn from_json(claims: &Value) -> Result<Self, ClaimsError> {
        let claims = Claims::new(claims)?;
        let subject = claims.name("sub")?;
        let subject = subject.ok_or(ClaimsError::new("sub", ClaimsErrorKind::Missing))?;
        let authorized = claims.name("azp")?;
        let own = match claims.name("client_id")? {
            None => claims.name("clientId")?,
            own => own,
        };
        let client = authorized.or(own);
        let user_name = claims.text("preferred_username")?;
        let kind = match (client, user_name) {
            // Only a token that a client got for itself names it twice: anybody might call himself so.
            (Some(client), Some(name)) if own == Some(client) && is_account_of(client, name) => {
                Kind::ServiceAccount
            }
            _ => Kind::Person,
        };
        let actor = claims.name_within("act")?;
        let (realm_roles, client_roles) = claims.roles()?;
        Ok(Self {
            subject: subject.into(),
            client: client.map(Into::into),
            kind,
            actor: actor.map(Into::into),
            organizations: claims.organizations()?,
            realm_roles,
            client_roles,
        })
    }

    /// `sub`: the person, or the user that stands for a service account.
    pub fn subject(&self) -> &UserId {
        &self.subject
    }

    /// The program to which the token was given.
    pub fn client(&self) -> Option<&ClientId> {
        self.client.as_ref()
    }

    /// Whether the program acts for itself and no person through it: `preferred_username` is
    /// `service-account-<client>`, and `client_id`, which Keycloak's scope `service_account` adds,
    /// names the client too. Without that scope it counts as a person, since a person might bear the
    /// name.
    pub fn is_service_account(&self) -> bool {
        self.kind == Kind::ServiceAccount
    }

    /// Who acts in the place of [`subject`](Self::subject): `sub` of the claim `act` (RFC 8693, section
    /// 4.1). Of actors within actors it is the outermost, who acts now.
    pub fn actor(&self) -> Option<&UserId> {
        self.actor.as_ref()
    }

    /// Every organization that the token names, in its order.
    pub fn organizations(&self) -> &[Organization] {
        &self.organizations
    }

    /// How many tenants the token speaks for.
    pub fn tenancy(&self) -> Tenancy<'_> {
        match &*self.organizations {
            [] => Tenancy::None,
            [one] => Tenancy::One(one.alias()),
            _ => Tenancy::Several,
        }
    }

    /// Who acts, for the organization that the service chose, by its alias: that of the path, say. One
    /// that the token does not name is not believed: then it is who acts without a choice.
    ///
    /// ```
    /// # use compliance_log::keycloak::{Tenancy, VerifiedClaims};
    /// # use serde_json::json;
    /// let token = json!({ "sub": "u-1", "organization": ["acme", "globex"] });
    /// let claims = VerifiedClaims::from_json(&token)?;
    /// assert_eq!(claims.tenancy(), Tenancy::Several);
    /// assert_eq!(claims.as_member_of("globex").tenant.unwrap().as_str(), "globex");
    /// assert_eq!(claims.as_member_of("evil").tenant, None);
    /// # Ok::<(), compliance_log::keycloak::ClaimsError>(())
    /// ```
    pub fn as_member_of(&self, organization: &str) -> Identity {
        let mut aliases = self.organizations.iter().map(Organization::alias);
        let chosen = aliases.find(|alias| alias.as_str() == organization);
        self.identity(chosen.or(match self.tenancy() {
            Tenancy::One(tenant) => Some(tenant),
            Tenancy::None | Tenancy::Several => None,
        }))
    }

    /// Roles in the realm.
    pub fn realm_roles(&self) -> &[String] {
        &self.realm_roles
    }

    /// Roles in one client, by its id; none where the token does not name it.
    pub fn client_roles(&self, client: &str) -> &[String] {
        let mut clients = self.client_roles.iter();
        let found = clients.find(|(id, _)| id == client);
        found.map_or(&[], |(_, roles)| roles)
    }

    fn identity(&self, tenant: Option<&TenantId>) -> Identity {
        let mut identity = Identity::new();
        identity.tenant = tenant.cloned();
        identity.client.clone_from(&self.client);
        let client = self.client.as_ref().map(ClientId::as_str);
        // A program that acts for a person is the client already.
        let actor = self.actor.as_ref();
        let actor = actor.filter(|actor| Some(actor.as_str()) != client);
        match (actor, self.kind) {
            (Some(actor), _) => {
                identity.user = Some(actor.clone());
                identity.on_behalf_of = Some(self.subject.clone());
            }
            (None, Kind::Person) => identity.user = Some(self.subject.clone()),
            (None, Kind::ServiceAccount) => (),
        }
        identity
    }
}

impl From<&VerifiedClaims> for Identity {
    fn from(claims: &VerifiedClaims) -> Self {
        claims.identity(match claims.tenancy() {
            Tenancy::One(tenant) => Some(tenant),
            Tenancy::None | Tenancy::Several => None,
        })
    }
}

/// By [`VerifiedClaims::from_json`].
impl<'de> Deserialize<'de> for VerifiedClaims {
    fn deserialize<D: Deserializer<'de>>(claims: D) -> Result<Self, D::Error> {
        let claims = Value::deserialize(claims)?;
        Self::from_json(&claims).map_err(D::Error::custom)
    }
}

/// Keycloak keeps the names of users in lower case.
fn is_account_of(client: &str, user_name: &str) -> bool {
    let account = user_name.strip_prefix(SERVICE_ACCOUNT);
    account.is_some_and(|account| account == client || account == client.to_lowercase())
}
