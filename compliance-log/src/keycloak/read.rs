//! JSON to claims: every value of the type, the length and the characters that it should have.

use serde_json::{Map, Value};

use super::{
    claims_error::{ClaimsError, ClaimsErrorKind},
    organization::Organization,
};

/// What a subject may have by its specification; enough for every other name.
const TEXT_BYTES_MAX: usize = 255;
/// Of the realm and of all clients together; a client counts as one too.
const ROLES_MAX: usize = 1024;
const ORGANIZATIONS_MAX: usize = 256;

/// The words of records for a user and a tenant that nobody verified.
const NOBODY: [&str; 2] = ["anonymous", "none"];

pub(super) const ORGANIZATION: &str = "organization";
const REALM_ACCESS: &str = "realm_access";
const RESOURCE_ACCESS: &str = "resource_access";

/// The claims of one token.
#[derive(Clone, Copy)]
pub(super) struct Claims<'a>(&'a Map<String, Value>);

impl<'a> Claims<'a> {
    pub(super) fn new(claims: &'a Value) -> Result<Self, ClaimsError> {
        let wrong = ClaimsError::new("sub", ClaimsErrorKind::Missing);
        claims.as_object().map(Self).ok_or(wrong)
    }

    fn get(self, claim: &str) -> Option<&'a Value> {
        self.0.get(claim).filter(|value| !value.is_null())
    }

    /// A text, if the claim is there.
    pub(super) fn text(self, claim: &'static str) -> Result<Option<&'a str>, ClaimsError> {
        self.get(claim).map(|value| text(claim, value)).transpose()
    }

    /// The same for somebody or something that records name.
    pub(super) fn name(self, claim: &'static str) -> Result<Option<&'a str>, ClaimsError> {
        self.get(claim).map(|value| name(claim, value)).transpose()
    }

    /// The subject of the object that the claim is.
    pub(super) fn name_within(self, claim: &'static str) -> Result<Option<&'a str>, ClaimsError> {
        let Some(value) = self.get(claim) else {
            return Ok(None);
        };
        let subject = object(claim, value)?.get("sub");
        let subject = subject.ok_or(ClaimsError::new(claim, ClaimsErrorKind::Missing))?;
        name(claim, subject).map(Some)
    }

    pub(super) fn organizations(self) -> Result<Vec<Organization>, ClaimsError> {
        let fail = |kind| ClaimsError::new(ORGANIZATION, kind);
        let one = |alias: &str, id: Option<&str>| Organization {
            alias: alias.into(),
            id: id.map(Into::into),
        };
        let mut found: Vec<Organization> = Vec::new();
        match self.get(ORGANIZATION) {
            None => (),
            Some(Value::Array(list)) if list.len() > ORGANIZATIONS_MAX => {
                return Err(fail(ClaimsErrorKind::TooMany));
            }
            Some(Value::Array(list)) => {
                for alias in list {
                    let alias = name(ORGANIZATION, alias)?;
                    if found.iter().all(|other| other.alias.as_str() != alias) {
                        found.push(one(alias, None));
                    }
                }
            }
            Some(Value::Object(map)) if map.len() > ORGANIZATIONS_MAX => {
                return Err(fail(ClaimsErrorKind::TooMany));
            }
            Some(Value::Object(map)) => {
                for (alias, about) in map {
                    let about = match about {
                        Value::Null => None,
                        about => object(ORGANIZATION, about)?.get("id"),
                    };
                    let id = about.filter(|id| !id.is_null());
                    let id = id.map(|id| text(ORGANIZATION, id)).transpose()?;
                    found.push(one(name_of(ORGANIZATION, alias)?, id));
                }
            }
            // What a mapper makes that is not multivalued.
            Some(alias) => found.push(one(name(ORGANIZATION, alias)?, None)),
        }
        Ok(found)
    }

    /// Roles of the realm, then those of each client.
    #[expect(clippy::type_complexity, reason = "taken apart where it is called")]
    pub(super) fn roles(self) -> Result<(Vec<String>, Vec<(String, Vec<String>)>), ClaimsError> {
        let mut left = ROLES_MAX;
        let realm = match self.get(REALM_ACCESS) {
            Some(access) => roles(REALM_ACCESS, access, &mut left)?,
            None => Vec::new(),
        };
        let mut clients = Vec::new();
        if let Some(access) = self.get(RESOURCE_ACCESS) {
            for (client, access) in object(RESOURCE_ACCESS, access)? {
                take(RESOURCE_ACCESS, 1, &mut left)?;
                let client = printable(RESOURCE_ACCESS, client)?;
                let roles = roles(RESOURCE_ACCESS, access, &mut left)?;
                clients.push((client.to_owned(), roles));
            }
        }
        Ok((realm, clients))
    }
}

fn roles(
    claim: &'static str,
    access: &Value,
    left: &mut usize,
) -> Result<Vec<String>, ClaimsError> {
    let roles = match object(claim, access)?.get("roles") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(roles) => roles.as_array(),
    };
    let roles = roles.ok_or(ClaimsError::new(claim, ClaimsErrorKind::WrongType))?;
    take(claim, roles.len(), left)?;
    roles
        .iter()
        .map(|role| text(claim, role).map(str::to_owned))
        .collect()
}

fn take(claim: &'static str, count: usize, left: &mut usize) -> Result<(), ClaimsError> {
    let too_many = ClaimsError::new(claim, ClaimsErrorKind::TooMany);
    *left = left.checked_sub(count).ok_or(too_many)?;
    Ok(())
}

fn object<'a>(
    claim: &'static str,
    value: &'a Value,
) -> Result<&'a Map<String, Value>, ClaimsError> {
    let wrong = ClaimsError::new(claim, ClaimsErrorKind::WrongType);
    value.as_object().ok_or(wrong)
}

fn name<'a>(claim: &'static str, value: &'a Value) -> Result<&'a str, ClaimsError> {
    name_of(claim, text(claim, value)?)
}

fn text<'a>(claim: &'static str, value: &'a Value) -> Result<&'a str, ClaimsError> {
    let wrong = ClaimsError::new(claim, ClaimsErrorKind::WrongType);
    printable(claim, value.as_str().ok_or(wrong)?)
}

/// A record must not read as if there were nobody.
fn name_of<'a>(claim: &'static str, name: &'a str) -> Result<&'a str, ClaimsError> {
    let name = printable(claim, name)?;
    if NOBODY.contains(&name) {
        return Err(ClaimsError::new(claim, ClaimsErrorKind::Reserved));
    }
    Ok(name)
}

fn printable<'a>(claim: &'static str, text: &'a str) -> Result<&'a str, ClaimsError> {
    let kind = if text.trim().is_empty() {
        ClaimsErrorKind::Empty
    } else if text.len() > TEXT_BYTES_MAX {
        ClaimsErrorKind::TooLong
    } else if text.chars().any(shows_nothing) {
        ClaimsErrorKind::Unprintable
    } else {
        return Ok(text);
    };
    Err(ClaimsError::new(claim, kind))
}

/// Characters by which one name can look like another: controls, marks of direction, joiners, tags.
fn shows_nothing(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
