//! Clouds and what runs on them.

use super::Rows;

pub(super) const TOKENS: Rows = &[
    ("aws-access-key-id", &["AKIA«base32:16»", "ASIA«base32:16»"]),
    ("aws-bedrock-key", &["ABSKQmVkcm9ja0FQSUtleS«base64:110»="]),
    (
        "gcp-api-key",
        &["AIza«base64url:35»", "AIzaSy«base64url:33»"],
    ),
    (
        "gcp-oauth-token",
        &["ya29.«base64url:160»", "ya29.a0«base64url:200»"],
    ),
    ("gcp-refresh-token", &["1//0«base64url:100»"]),
    ("gcp-client-secret", &["GOCSPX-«base64url:28»"]),
    (
        "azure-client-secret",
        &["‹base62:3›8Q~«azure:34»", "‹base62:3›7Q~«azure:34»"],
    ),
    (
        "digitalocean-token",
        &["dop_v1_«hex:64»", "doo_v1_«hex:64»", "dor_v1_«hex:64»"],
    ),
    (
        "alibaba-access-key-id",
        &["LTAI5t«base62:18»", "LTAI«base62:20»"],
    ),
    ("heroku-api-key", &["HRKU-AA«base64url:58»"]),
    ("cloudflare-origin-key", &["v1.0-«hex:24»-«hex:146»"]),
    ("flyio-token", &["fm2_«base64:180»", "fo1_«base64url:43»"]),
    ("supabase-token", &["sbp_«hex:40»"]),
    (
        "vault-token",
        &["hvs.«base64url:24»", "hvs.CAESI«base64url:90»"],
    ),
    ("vault-batch-token", &["hvb.AAAAAQ«base64url:140»"]),
    (
        "vault-recovery-token",
        &["hvr.«base64url:24»", "hvr.CAESI«base64url:90»"],
    ),
    ("terraform-token", &["«base62:14».atlasv1.«base62:67»"]),
    ("pulumi-token", &["pul-«hex:40»"]),
    (
        "doppler-token",
        &[
            "dp.pt.«base62:43»",
            "dp.st.prd.«base62:43»",
            "dp.ct.«base62:43»",
        ],
    ),
    ("databricks-token", &["dapi«hex:32»", "dapi«hex:32»-2"]),
    (
        "grafana-token",
        &["glsa_«base62:32»_‹hex:8›", "glc_eyJ«base64:120»"],
    ),
    ("new-relic-key", &["NRAK-«BASE36:27»"]),
    (
        "sentry-token",
        &[
            "sntrys_eyJ«base64url:120»_«base64url:43»",
            "sntryu_«hex:64»",
        ],
    ),
    (
        "tailscale-key",
        &[
            "tskey-auth-k‹base62:10›CNTRL-«base62:32»",
            "tskey-api-k‹base62:10›CNTRL-«base62:32»",
        ],
    ),
    (
        "planetscale-secret",
        &[
            "pscale_tkn_«base64url:43»",
            "pscale_pw_«base64url:43»",
            "pscale_oauth_«base64url:43»",
        ],
    ),
    ("dynatrace-token", &["dt0c01.‹base32:24›.«base32:64»"]),
];

pub(super) const TEXTS: Rows = &[
    (
        "gcp-service-account",
        &[concat!(
            r#"{"type": "service_account", "project_id": "bookings-‹digits:6›", "#,
            r#""private_key_id": "‹hex:40›", "private_key": "-----BEGIN "#,
            r#"PRIVATE KEY-----\n«base64:64»\n«base64:64»\n«base64:64»\n«base64:30»==\n"#,
            r#"-----END "#,
            r#"PRIVATE KEY-----\n", "client_id": "‹digits:21›", "#,
            r#""token_uri": "https://oauth2.googleapis.com/token"}"#,
        )],
    ),
    (
        "azure-storage-connection",
        &[
            "DefaultEndpointsProtocol=https;AccountName=bookings‹lower:4›;AccountKey=«base64:86»==;\
             EndpointSuffix=core.windows.net",
            "BlobEndpoint=https://bookings.blob.core.windows.net/;AccountName=bookings;\
             AccountKey=«base64:86»==",
        ],
    ),
    (
        "azure-bus-connection",
        &[
            "Endpoint=sb://bookings.servicebus.windows.net/;SharedAccessKeyName=Root;\
           SharedAccessKey=«base64:43»=",
        ],
    ),
    (
        "azure-sas",
        &[
            "https://bookings.blob.core.windows.net/receipts/2026.pdf?sv=2022-11-02&ss=b&srt=co\
             &sp=rl&se=2026-12-01T00:00:00Z&st=2026-11-01T00:00:00Z&spr=https&sig=«base62:43»%3D",
            "https://bookings.queue.core.windows.net/q?sp=r&sv=2022-11-02&sr=q\
             &sig=«base62:20»%2F«base62:22»%3D",
        ],
    ),
    (
        "aws-presigned-url",
        &[
            "https://receipts.s3.eu-central-1.amazonaws.com/2026/11/1.pdf\
             ?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA«base32:16»%2F20261124%2F\
             eu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261124T100000Z&X-Amz-Expires=900\
             &X-Amz-SignedHeaders=host&X-Amz-Signature=«hex:64»",
        ],
    ),
    (
        "gcp-signed-url",
        &[
            "https://storage.googleapis.com/receipts/1.pdf?X-Goog-Algorithm=GOOG4-RSA-SHA256\
           &X-Goog-Date=20261124T100000Z&X-Goog-Expires=900&X-Goog-Signature=«hex:256»",
        ],
    ),
    (
        "aws-credentials-file",
        &[
            "[default]\naws_access_key_id = AKIA«base32:16»\naws_secret_access_key = «base64:40»\n\
           region = eu-central-1",
        ],
    ),
];
