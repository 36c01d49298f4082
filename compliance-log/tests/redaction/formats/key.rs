//! Private keys, as files and as lines.

use super::Rows;

pub(super) const TOKENS: Rows = &[
    ("age-key", &["AGE-SECRET-KEY-1«bech32:58»"]),
    (
        "password-hash",
        &[
            "$2b$12$«base62:53»",
            "$argon2id$v=19$m=65536,t=3,p=4$«base62:22»$«base64:43»",
            "$6$«base62:16»$«base62:86»",
            "$6$rounds=5000$«base62:16»$«base62:86»",
            "$y$j9T$«base62:22»$«base62:43»",
        ],
    ),
];

/// The first line of a PEM is put together here, so that no scanner takes this file for a key.
macro_rules! pem {
    ($label:literal, $body:literal) => {
        concat!(
            "-----BEGIN ",
            $label,
            "-----\n",
            $body,
            "\n-----END ",
            $label,
            "-----"
        )
    };
}

macro_rules! one_line {
    ($label:literal, $body:literal) => {
        concat!(
            "-----BEGIN ",
            $label,
            "-----\\n",
            $body,
            "\\n-----END ",
            $label,
            "-----\\n"
        )
    };
}

pub(super) const TEXTS: Rows = &[
    (
        "pem-pkcs8",
        &[
            pem!(
                "PRIVATE KEY",
                "MIIEvQIBADANBgkqhkiG9w0BAQEF\n«lines:25»\n«base64:30»=="
            ),
            pem!(
                "PRIVATE KEY",
                "MIGHAgEAMBMGByqGSM49AgEGCCqG«base64:36»\n«base64:64»\n«base64:40»"
            ),
        ],
    ),
    (
        "pem-rsa",
        &[pem!(
            "RSA PRIVATE KEY",
            "MIIEpAIBAAKCAQEA«base64:48»\n«lines:24»\n«base64:26»=="
        )],
    ),
    (
        "pem-ec",
        &[pem!(
            "EC PRIVATE KEY",
            "MHcCAQEEI«base64:55»\n«base64:64»\n«base64:38»=="
        )],
    ),
    (
        "pem-dsa",
        &[pem!(
            "DSA PRIVATE KEY",
            "MIIBuwIBAAKBgQ«base64:50»\n«lines:8»\n«base64:38»=="
        )],
    ),
    (
        "pem-encrypted",
        &[
            pem!(
                "ENCRYPTED PRIVATE KEY",
                "MIIFHDBOBgkqhkiG9w0BBQ0w\n«lines:26»\n«base64:20»"
            ),
            pem!(
                "RSA PRIVATE KEY",
                "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,‹HEX:32›\n\n«lines:24»\n«base64:26»=="
            ),
        ],
    ),
    (
        "pem-one-line",
        &[
            one_line!("PRIVATE KEY", "«base64:64»\\n«base64:64»\\n«base64:40»"),
            one_line!(
                "EC PRIVATE KEY",
                "«base64:64»\\n«base64:64»\\n«base64:38»=="
            ),
        ],
    ),
    (
        "openssh-key",
        &[pem!(
            "OPENSSH PRIVATE KEY",
            "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE«base64:34»\n«lines:5»\n«base64:20»="
        )],
    ),
    (
        "pgp-key",
        &[pem!(
            "PGP PRIVATE KEY BLOCK",
            "\nlQPGBGP«base64:57»\n«lines:12»\n«base64:40»\n=‹base64:4›"
        )],
    ),
    (
        "putty-key",
        &[
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: deploy\nPublic-Lines: 2\n\
           ‹base64:64›\n‹base64:16›\nPrivate-Lines: 1\n«base64:48»\nPrivate-MAC: ‹hex:64›",
        ],
    ),
    (
        "jwk-private",
        &[
            r#"{"kty":"EC","crv":"P-256","x":"‹base64url:43›","y":"‹base64url:43›","d":"«base64url:43»"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"‹base64url:43›","d":"«base64url:43»","kid":"2026-11"}"#,
            r#"{"kty":"oct","kid":"2026-11","k":"«base64url:43»","alg":"HS256"}"#,
        ],
    ),
    (
        "wireguard-key",
        &[
            "[Interface]\nAddress = 10.8.0.2/32\nPrivateKey = «base64:43»=\n\n[Peer]\nPublicKey = ‹base64:43›=",
        ],
    ),
];
