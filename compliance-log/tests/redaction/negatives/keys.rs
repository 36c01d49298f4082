//! Public keys, certificates, images: much base64, and nothing to hide.

use super::Rows;

pub(super) const KEYS: Rows = &[
    (
        "image",
        4,
        &[
            "data:image/png;base64,‹png:300›",
            "data:image/jpeg;base64,‹jpeg:420›",
            "data:image/gif;base64,‹gif:260›",
            "<img src=\"data:image/png;base64,‹png:240›\" alt=\"logo\">",
            ".icon { background: url(data:image/png;base64,‹png:200›) }",
            r#"{"thumbnail":"data:image/png;base64,‹png:340›","width":64}"#,
            "data:font/woff2;base64,d09GMgABAAAAA‹base64:350›",
            "data:application/octet-stream;base64,‹raw:300›",
        ],
    ),
    (
        "ssh-public-key",
        4,
        &[
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC‹base64:500›",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI‹base64:43› deploy",
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB‹base64:88›=",
            "256 SHA256:‹base64:43› deploy (ED25519)",
            "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI‹base64:43›",
            "Added ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC‹base64:340› to authorized_keys",
            "MD5:‹mac›:‹mac›:‹hex:2›:‹hex:2›:‹hex:2›:‹hex:2›",
        ],
    ),
    (
        "certificate",
        4,
        &[
            "-----BEGIN CERTIFICATE-----\nMIIDQjCCAiqgAwIBAgIU‹base64:44›\n‹lines:12›\n‹base64:40›==\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE REQUEST-----\nMIICijCCAXICAQAw‹base64:48›\n‹lines:9›\n-----END CERTIFICATE REQUEST-----",
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n‹lines:5›\n‹base64:30›==\n-----END PUBLIC KEY-----",
            "-----BEGIN RSA PUBLIC KEY-----\\n‹base64:64›\\n‹base64:64›\\n-----END RSA PUBLIC KEY-----\\n",
            "-----BEGIN PGP SIGNATURE-----\n\n‹lines:4›\n=‹base64:4›\n-----END PGP SIGNATURE-----",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n‹lines:6›\n=‹base64:4›\n-----END PGP PUBLIC KEY BLOCK-----",
            "-----BEGIN X509 CRL-----\n‹lines:4›\n-----END X509 CRL-----",
            "-----BEGIN DH PARAMETERS-----\n‹lines:4›\n-----END DH PARAMETERS-----",
            r#"{"x5c":["‹der:500›"],"x5t":"‹base64url:27›"}"#,
            "certificate CN=api.example.com serial=‹HEX:32› expires ‹time:date›",
            "Subject Key Identifier: ‹HEX:40›",
            "pin-sha256=\"‹base64:43›=\"; max-age=5184000",
        ],
    ),
    (
        "jwk-public",
        4,
        &[
            r#"{"kty":"RSA","kid":"‹base64url:43›","use":"sig","alg":"RS256","n":"‹base64url:342›","e":"AQAB"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"‹base64url:43›","y":"‹base64url:43›","kid":"2026-11"}"#,
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"‹base64url:43›","kid":"‹hex:8›"}]}"#,
            "jwk thumbprint ‹base64url:43›",
            "signing key kid=‹hex:16› alg=ES256 is active",
            "PublicKey = ‹base64:43›=",
            "peer: ‹base64:43›=\n  endpoint: ‹ip›:51820\n  allowed ips: 10.8.0.0/24\n  latest handshake: 3 s ago",
            "age1‹base36:58›",
            "public_key=‹base64:43›= verified=true",
            "\"public_key\": \"‹hex:64›\"",
            "minisign public key RWQ‹base64:53›",
            "pubkey 02‹hex:64›",
            "verify_key: ‹hex:64›",
            "signature ok: ed25519 by key id ‹hex:16›",
        ],
    ),
];
