//! Secrets that nothing tells of but their name.

/// Name of the format, names of the field, patterns of its value.
pub(super) const NAMED: &[(&str, &[&str], &[&str])] = &[
    (
        "password",
        &[
            "password",
            "Password",
            "PASSWORD",
            "user_password",
            "new-password",
            "currentPassword",
        ],
        &[
            "«password:word»",
            "«password:signs»",
            "«password:letters»",
            "«password:20»",
        ],
    ),
    (
        "password-short-name",
        &[
            "passwd",
            "pwd",
            "Pwd",
            "db_pass",
            "DB_PASSWD",
            "userPwd",
            "PGPASSWORD",
            "MYSQL_PWD",
        ],
        &["«password:16»", "«password:signs»", "«password:word»"],
    ),
    (
        "passphrase",
        &[
            "passphrase",
            "keyPassphrase",
            "SSH_PASSPHRASE",
            "ssl.key.passphrase",
        ],
        &["«password:20»", "«password:word»"],
    ),
    (
        "passcode",
        &["passcode", "pass_code", "userPasscode"],
        &["«digits:8»", "«base62:10»"],
    ),
    (
        "one-time-code",
        &["otp", "otp_code", "totp_secret", "totpSecret"],
        &["«digits:6»", "«base32:32»"],
    ),
    (
        "secret",
        &["secret", "SECRET", "app_secret", "appSecret", "App-Secret"],
        &["«base62:32»", "«base64:40»", "«hex:64»"],
    ),
    (
        "client-secret",
        &[
            "client_secret",
            "clientSecret",
            "CLIENT_SECRET",
            "client-secret",
            "OIDC_CLIENT_SECRET",
        ],
        &["«base62:32»", "«uuid»", "«base64url:43»"],
    ),
    (
        "api-key",
        &[
            "api_key",
            "apiKey",
            "API_KEY",
            "api-key",
            "apikey",
            "ApiKey",
            "x-api-key",
            "PARTNER_API_KEY",
        ],
        &["«base62:32»", "«hex:40»", "«uuid»"],
    ),
    (
        "access-token",
        &[
            "access_token",
            "accessToken",
            "ACCESS_TOKEN",
            "access-token",
            "oauth_access_token",
        ],
        &["«base64url:43»", "«hex:64»", "«uuid»"],
    ),
    (
        "refresh-token",
        &[
            "refresh_token",
            "refreshToken",
            "REFRESH_TOKEN",
            "refresh-token",
        ],
        &["«base64url:64»", "«uuid»"],
    ),
    (
        "id-token",
        &["id_token", "idToken", "ID_TOKEN", "id_token_hint"],
        &["«base64url:64»"],
    ),
    (
        "auth-token",
        &[
            "auth_token",
            "authToken",
            "AUTH_TOKEN",
            "bearer_token",
            "NPM_AUTH_TOKEN",
            "csrfToken",
        ],
        &["«base62:40»", "«hex:32»"],
    ),
    (
        "token",
        &[
            "token",
            "TOKEN",
            "deploy_token",
            "deployToken",
            "GITHUB_TOKEN",
            "reset_token",
        ],
        &["«base62:40»", "«base64url:43»"],
    ),
    (
        "session-id",
        &[
            "session_id",
            "sessionId",
            "SESSION_ID",
            "JSESSIONID",
            "PHPSESSID",
            "session_token",
        ],
        &["«base64url:32»", "«HEX:32»"],
    ),
    (
        "private-key",
        &[
            "private_key",
            "privateKey",
            "PRIVATE_KEY",
            "ssh_private_key",
        ],
        &["«base64:64»", "«hex:64»"],
    ),
    (
        "encryption-key",
        &[
            "encryption_key",
            "encryptionKey",
            "ENCRYPTION_KEY",
            "signing_key",
            "signingKey",
            "master_key",
        ],
        &["«hex:64»", "«base64:43»="],
    ),
    (
        "secret-key",
        &["secret_key", "secretKey", "SECRET_KEY", "DJANGO_SECRET_KEY"],
        &["«base62:50»", "«base64:40»"],
    ),
    (
        "jwt-secret",
        &[
            "jwt_secret",
            "jwtSecret",
            "JWT_SECRET",
            "webhook_secret",
            "WEBHOOK-SECRET",
        ],
        &["«base62:48»", "«hex:64»"],
    ),
    (
        "aws-secret-access-key",
        &[
            "aws_secret_access_key",
            "AWS_SECRET_ACCESS_KEY",
            "secretAccessKey",
            "SecretAccessKey",
        ],
        &["«base64:40»"],
    ),
    (
        "aws-session-token",
        &["aws_session_token", "AWS_SESSION_TOKEN", "SessionToken"],
        &["IQoJb3JpZ2luX2Vj«base64:300»=="],
    ),
    (
        "azure-client-secret-name",
        &["AZURE_CLIENT_SECRET", "azure_client_secret"],
        &["«base62:40»"],
    ),
    (
        "azure-account-key",
        &["AccountKey", "account_key", "SharedAccessKey"],
        &["«base64:86»=="],
    ),
    (
        "heroku-key-name",
        &["HEROKU_API_KEY", "heroku_api_key"],
        &["«uuid»"],
    ),
    (
        "alibaba-secret",
        &[
            "alibaba_access_key_secret",
            "accessKeySecret",
            "ALICLOUD_SECRET_KEY",
        ],
        &["«base62:30»"],
    ),
    (
        "twilio-auth-token",
        &["TWILIO_AUTH_TOKEN", "twilio_auth_token"],
        &["«hex:32»"],
    ),
    (
        "datadog-key",
        &["DD_API_KEY", "dd_api_key", "datadogApiKey"],
        &["«hex:32»"],
    ),
    (
        "cloudflare-token",
        &["CLOUDFLARE_API_TOKEN", "cloudflare_api_token"],
        &["«base64url:40»"],
    ),
    (
        "cvv",
        &["cvv", "CVV", "cvc", "cvv2", "card_cvv", "cardCvc", "CVC2"],
        &["«cvv:3»", "«cvv:4»"],
    ),
    (
        "security-code",
        &[
            "card_security_code",
            "cardSecurityCode",
            "card_verification_value",
        ],
        &["«cvv:3»", "«cvv:4»"],
    ),
    (
        "credential",
        &["credentials", "db_credential", "serviceCredentials"],
        &["«base62:32»"],
    ),
];
