//! Chat, payment, mail, models and other services.

use super::Rows;

pub(super) const TOKENS: Rows = &[
    (
        "slack-bot-token",
        &["xoxb-‹digits:12›-‹digits:13›-«base62:24»"],
    ),
    (
        "slack-user-token",
        &["xoxp-‹digits:12›-‹digits:12›-‹digits:13›-«hex:32»"],
    ),
    (
        "slack-app-token",
        &["xapp-1-A‹BASE36:10›-‹digits:13›-«hex:64»"],
    ),
    (
        "slack-webhook",
        &["https://hooks.slack.com/services/T‹BASE36:10›/B‹BASE36:10›/«base62:24»"],
    ),
    (
        "discord-bot-token",
        &["MTI‹base62:23›.‹base64url:6›.«base64url:38»"],
    ),
    (
        "discord-webhook",
        &[
            "https://discord.com/api/webhooks/1‹digits:18›/«base64url:68»",
            "https://discordapp.com/api/webhooks/1‹digits:17›/«base64url:68»",
        ],
    ),
    (
        "telegram-bot-token",
        &[
            "7‹digits:9›:AA«base64url:33»",
            "5‹digits:8›:AA«base64url:33»",
        ],
    ),
    (
        "teams-webhook",
        &[
            "https://airline.webhook.office.com/webhookb2/‹uuid›@‹uuid›/IncomingWebhook/«hex:32»/‹uuid›",
        ],
    ),
    (
        "stripe-key",
        &[
            "sk_live_«base62:24»",
            "sk_live_51«base62:97»",
            "sk_test_51«base62:97»",
        ],
    ),
    (
        "stripe-restricted-key",
        &["rk_live_«base62:24»", "rk_live_51«base62:97»"],
    ),
    ("stripe-webhook-secret", &["whsec_«base62:32»"]),
    (
        "square-access-token",
        &["sq0atp-«base64url:22»", "EAAA«base64url:60»"],
    ),
    ("square-secret", &["sq0csp-«base64url:43»"]),
    (
        "braintree-token",
        &["access_token$production$‹base36:16›$«hex:32»"],
    ),
    (
        "shopify-token",
        &["shpat_«hex:32»", "shpca_«hex:32»", "shppa_«hex:32»"],
    ),
    ("shopify-secret", &["shpss_«hex:32»"]),
    ("plaid-token", &["access-production-«uuid»"]),
    ("sendgrid-key", &["SG.«base64url:22».«base64url:43»"]),
    ("mailgun-key", &["key-«hex:32»"]),
    ("mailchimp-key", &["«hex:32»-us12", "«hex:32»-us7"]),
    ("brevo-key", &["xkeysib-«hex:64»-«base62:16»"]),
    ("resend-key", &["re_«base62:8»_«base62:24»"]),
    (
        "openai-key",
        &[
            "sk-proj-«base64url:74»T3BlbkFJ«base64url:74»",
            "sk-«base62:20»T3BlbkFJ«base62:20»",
            "sk-svcacct-«base64url:74»T3BlbkFJ«base64url:74»",
        ],
    ),
    (
        "anthropic-key",
        &[
            "sk-ant-api03-«base64url:93»AA",
            "sk-ant-admin01-«base64url:93»AA",
        ],
    ),
    ("openrouter-key", &["sk-or-v1-«hex:64»"]),
    ("hugging-face-token", &["hf_«letters:34»"]),
    ("groq-key", &["gsk_«base62:20»WGdyb3FY«base62:24»"]),
    ("replicate-token", &["r8_«base62:37»"]),
    ("xai-key", &["xai-«base62:80»"]),
    ("perplexity-key", &["pplx-«base62:48»"]),
    ("langsmith-key", &["lsv2_pt_«hex:32»_«hex:10»"]),
    ("linear-key", &["lin_api_«base62:40»"]),
    ("figma-token", &["figd_«base64url:40»"]),
    ("notion-token", &["ntn_«digits:11»«base62:35»"]),
    ("airtable-token", &["pat‹base62:14›.«hex:64»"]),
];
