//! What a request says of who acts, without proof: read to be compared, never to be believed.

use std::borrow::Cow;

use http::{HeaderMap, header::HeaderName};

use super::arrival::{BAGGAGE, lines};
use crate::{context::Identity, text::beginning, wire};

/// What a request may claim about who acts, in a header or baggage that anybody can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// In `x-tenant-id` or `x-tenant`, in `tenant_id` or `tenant.id` of `baggage`.
    Tenant,
    /// In `x-user-id` or `x-user`, in `user_id`, `user.id` or `enduser.id` of `baggage`.
    User,
}

static TENANT_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("x-tenant-id"),
    HeaderName::from_static("x-tenant"),
];
static USER_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("x-user-id"),
    HeaderName::from_static("x-user"),
];
const TENANT_MEMBERS: [&str; 2] = ["tenant_id", "tenant.id"];
const USER_MEMBERS: [&str; 3] = ["user_id", "user.id", "enduser.id"];

/// More of a value is not kept. A verified name is at most as long, so nothing that was cut equals one.
const VALUE_BYTES_MAX: usize = 256;
const CUT: char = '…';

/// The claims of one request.
#[derive(Debug, Default)]
pub(super) struct Claims {
    tenant: Said,
    user: Said,
}

/// The first two values that differ from each other: whatever was verified, one of them differs from it
/// if any value of the request does.
#[derive(Debug, Default)]
struct Said([Option<Value>; 2]);

/// One claim: where it stood, and what it said.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) place: &'static str,
    pub(super) text: Box<str>,
}

/// Those claims that are not what was verified.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unproven<'a> {
    pub(super) tenant: Option<&'a Value>,
    pub(super) user: Option<&'a Value>,
}

impl Claims {
    /// The claims of a request but for the `ignored` ones; `None` if there are none, which costs no
    /// allocation.
    pub(super) fn of(headers: &HeaderMap, ignored: &[Claim]) -> Option<Box<Self>> {
        let mut claims = Self::default();
        for claim in [Claim::Tenant, Claim::User] {
            if !ignored.contains(&claim) {
                for name in claim.headers() {
                    for line in lines(headers, name) {
                        claims.add(claim, name.as_str(), &String::from_utf8_lossy(line));
                    }
                }
            }
        }
        if headers.contains_key(&BAGGAGE) {
            for (key, text) in wire::baggage_members(lines(headers, &BAGGAGE)) {
                let claim = Claim::of_member(key).filter(|claim| !ignored.contains(claim));
                if let Some(claim) = claim {
                    claims.add(claim, BAGGAGE.as_str(), &text);
                }
            }
        }
        let any = claims.tenant.0[0].is_some() || claims.user.0[0].is_some();
        any.then(|| Box::new(claims))
    }

    fn add(&mut self, claim: Claim, place: &'static str, text: &str) {
        let Said(values) = match claim {
            Claim::Tenant => &mut self.tenant,
            Claim::User => &mut self.user,
        };
        let text = bounded(text.trim());
        if text.is_empty() {
            return;
        }
        for value in values {
            match value {
                None => {
                    let text = text.into();
                    *value = Some(Value { place, text });
                    return;
                }
                Some(value) if *value.text == *text => return,
                Some(_) => (),
            }
        }
    }

    /// What of it is not verified; of nobody, that is all.
    pub(super) fn against(&self, verified: Option<&Identity>) -> Unproven<'_> {
        let tenant = verified.and_then(|identity| identity.tenant.as_ref());
        let user = verified.and_then(|identity| identity.user.as_ref());
        let other = verified.and_then(|identity| identity.on_behalf_of.as_ref());
        Unproven {
            tenant: self
                .tenant
                .first(|text| tenant.is_some_and(|id| id.as_str() == text)),
            user: self.user.first(|text| {
                let mut known = [user, other].into_iter().flatten();
                known.any(|id| id.as_str() == text)
            }),
        }
    }
}

impl Said {
    fn first(&self, is_verified: impl Fn(&str) -> bool) -> Option<&Value> {
        let mut values = self.0.iter().flatten();
        values.find(|value| !is_verified(&value.text))
    }
}

impl Value {
    pub(super) fn new(place: &'static str, text: &str) -> Self {
        Self {
            place,
            text: bounded(text).into(),
        }
    }
}

impl Unproven<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.tenant.is_none() && self.user.is_none()
    }
}

impl Claim {
    pub(super) fn headers(self) -> &'static [HeaderName] {
        match self {
            Self::Tenant => &TENANT_HEADERS,
            Self::User => &USER_HEADERS,
        }
    }

    fn of_member(key: &str) -> Option<Self> {
        if TENANT_MEMBERS.contains(&key) {
            Some(Self::Tenant)
        } else if USER_MEMBERS.contains(&key) {
            Some(Self::User)
        } else {
            None
        }
    }
}

fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= VALUE_BYTES_MAX {
        return text.into();
    }
    let mut cut = beginning(text, VALUE_BYTES_MAX).to_owned();
    cut.push(CUT);
    cut.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims(headers: &[(&'static str, &str)]) -> Option<Box<Claims>> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Claims::of(&map, &[])
    }

    /// `place=text` of tenant and user; `-` for what is not flagged.
    fn flagged(claims: &Claims, verified: Option<&Identity>) -> [String; 2] {
        let Unproven { tenant, user } = claims.against(verified);
        [tenant, user].map(|value| match value {
            Some(Value { place, text }) => format!("{place}={text}"),
            None => "-".to_owned(),
        })
    }

    #[test]
    fn nothing_is_kept_of_a_request_that_claims_nothing() {
        assert!(claims(&[("baggage", "offer_id=o-1"), ("x-tenant-id", " ")]).is_none());
    }

    #[test]
    fn what_equals_the_verified_identity_is_not_flagged() {
        let acme = Identity::new().tenant("acme").user("u-1");
        for (headers, expected) in [
            (
                &[("x-tenant-id", "acme"), ("x-user-id", "u-1")][..],
                ["-", "-"],
            ),
            (
                &[("x-tenant-id", "acme"), ("x-tenant", "evil")],
                ["x-tenant=evil", "-"],
            ),
            (
                &[("x-tenant-id", "acme"), ("x-tenant-id", "evil")],
                ["x-tenant-id=evil", "-"],
            ),
            (
                &[
                    ("x-tenant-id", "a"),
                    ("x-tenant-id", "b"),
                    ("x-tenant-id", "acme"),
                ],
                ["x-tenant-id=a", "-"],
            ),
            (
                &[("baggage", "user.id=admin,tenant_id=acme")],
                ["-", "baggage=admin"],
            ),
            (
                &[("baggage", "bad,user_id=admin%0d%0aFAKE")],
                ["-", "baggage=admin%0d%0aFAKE"],
            ),
        ] {
            let claims = claims(headers).unwrap();
            assert_eq!(flagged(&claims, Some(&acme)), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_program_or_nobody_is_no_user() {
        let claims = claims(&[("x-user-id", "u-1")]).unwrap();
        let program = Identity::new().tenant("acme").client("batch");
        assert_eq!(flagged(&claims, Some(&program))[1], "x-user-id=u-1");
        assert_eq!(flagged(&claims, None)[1], "x-user-id=u-1");
        let support = Identity::new().user("support").on_behalf_of("u-1");
        assert_eq!(flagged(&claims, Some(&support))[1], "-");
    }

    #[test]
    fn ignored_claims_are_not_read() {
        let mut map = HeaderMap::new();
        map.insert("x-user", "anna".parse().unwrap());
        map.insert("baggage", "user_id=anna".parse().unwrap());
        assert!(Claims::of(&map, &[Claim::User]).is_none());
        assert!(Claims::of(&map, &[Claim::Tenant]).is_some());
    }

    proptest! {
        #[test]
        fn whatever_is_sent_little_is_kept(
            lines in prop::collection::vec((0_usize..5, prop::collection::vec(any::<u8>(), 0..2000)), 0..40),
        ) {
            let names = ["x-tenant-id", "x-tenant", "x-user-id", "x-user", "baggage"];
            let mut map = HeaderMap::new();
            for (name, value) in lines {
                if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                    map.append(names[name], value);
                }
            }
            if let Some(claims) = Claims::of(&map, &[]) {
                for value in [&claims.tenant, &claims.user].into_iter().flat_map(|said| said.0.iter().flatten()) {
                    prop_assert!(value.text.len() <= VALUE_BYTES_MAX + CUT.len_utf8());
                }
                prop_assert!(!claims.against(None).is_empty());
            }
        }

        #[test]
        fn one_that_differs_is_flagged_wherever_it_stands(
            mut values in prop::collection::vec(Just("acme"), 0..4),
            at in 0_usize..4,
        ) {
            values.insert(at.min(values.len()), "evil");
            let headers: Vec<_> = values.iter().map(|value| ("x-tenant-id", *value)).collect();
            let claims = claims(&headers).unwrap();
            let acme = Identity::new().tenant("acme");
            prop_assert_eq!(&flagged(&claims, Some(&acme))[0], "x-tenant-id=evil");
        }
    }
}
