//! What travels with requests.

use super::Rows;

pub(super) const TOKENS: Rows = &[
    ("jwt-hs256", &["«jwt:HS256»"]),
    ("jwt-rs256", &["«jwt:RS256»"]),
    ("jwt-es256", &["«jwt:ES256»"]),
    ("jwt-none", &["«jwt:none»"]),
    ("jwe", &["«jwt:JWE»"]),
    (
        "paseto",
        &["v4.local.«base64url:150»", "v2.local.«base64url:120»"],
    ),
];

pub(super) const TEXTS: Rows = &[
    (
        "oauth-code",
        &[
            "https://app.example.com/callback?code=«base64url:43»&state=‹base64url:22›",
            "GET /login/oauth2/code/keycloak?state=‹base64url:22›&session_state=‹uuid›\
             &code=«uuid».‹uuid›.‹uuid› HTTP/1.1",
            "/oauth/callback?code=4/0A«base64url:70»&scope=openid",
        ],
    ),
    (
        "oauth-fragment",
        &["https://app.example.com/#access_token=«base64url:60»&token_type=Bearer&expires_in=3600"],
    ),
    (
        "oauth-token-body",
        &[
            "grant_type=refresh_token&refresh_token=«base64url:64»&client_id=bookings",
            "grant_type=client_credentials&client_id=bookings&client_secret=«base62:32»",
            "grant_type=password&username=ingrid&password=«password:signs»",
        ],
    ),
    (
        "oauth-token-answer",
        &[
            r#"{"access_token":"«base64url:64»","expires_in":300,"token_type":"Bearer","scope":"openid"}"#,
            r#"{"token_type":"Bearer","id_token":"«jwt:RS256»","refresh_token":"«base64url:80»"}"#,
        ],
    ),
    (
        "secret-in-query",
        &[
            "https://api.example.com/v1/seats?api_key=«base62:32»&flight=XY123",
            "/v1/seats?flight=XY123&token=«base64url:40»",
            "wss://push.example.com/ws?access_token=«base64url:40»",
            "https://example.com/reset?password_reset_token=«base64url:32»",
            "GET /v1/files/7?signature=«hex:64»&expires=1800000000 HTTP/1.1",
        ],
    ),
    (
        "basic-in-text",
        &[
            "upstream refused Basic «basic»",
            "Authorization: Basic «basic»",
        ],
    ),
    (
        "bearer-in-text",
        &[
            "upstream refused Bearer «base64url:43»",
            "sent bearer «base62:40» twice",
        ],
    ),
];

/// Name of the format, name of the header, patterns of its value.
pub(super) const HEADERS: &[(&str, &str, &[&str])] = &[
    (
        "authorization-bearer",
        "Authorization",
        &["Bearer «base64url:43»", "Bearer «hex:64»"],
    ),
    ("authorization-basic", "Authorization", &["Basic «basic»"]),
    (
        "authorization-token",
        "Authorization",
        &["Token «hex:40»", "ApiKey «base64:48»=="],
    ),
    (
        "authorization-aws4",
        "Authorization",
        &[
            "AWS4-HMAC-SHA256 Credential=AKIA«base32:16»/20261124/eu-central-1/s3/aws4_request, \
           SignedHeaders=host;x-amz-date, Signature=«hex:64»",
        ],
    ),
    (
        "proxy-authorization",
        "Proxy-Authorization",
        &["Basic «basic»", "Bearer «base64url:43»"],
    ),
    (
        "cookie",
        "Cookie",
        &[
            "sid=«base64url:32»; theme=dark",
            "JSESSIONID=«HEX:32»",
            "lang=de; __Host-session=«hex:64»",
        ],
    ),
    (
        "set-cookie",
        "Set-Cookie",
        &[
            "sid=«base64url:32»; Path=/; HttpOnly; Secure",
            "PHPSESSID=«base36:26»; path=/",
        ],
    ),
    ("x-api-key", "X-API-Key", &["«base62:40»", "«hex:32»"]),
    (
        "x-auth-token",
        "X-Auth-Token",
        &["«base64url:43»", "«hex:40»"],
    ),
    ("x-vault-token", "X-Vault-Token", &["s.«base62:24»"]),
    ("x-csrf-token", "X-CSRF-Token", &["«base64:43»="]),
];
