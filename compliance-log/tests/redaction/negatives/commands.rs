//! Command lines whose options are named like a secret and hold none.

use super::Rows;

pub(super) const COMMANDS: Rows = &[
    (
        "command-line",
        1,
        &[
            "curl --cookie-jar cookies.txt https://api.example.com/v1/seats",
            "curl --cookie-jar /tmp/jar --location https://example.com",
            "deploy --credentials-file /etc/bookings/credentials.json --region eu",
            "vault write --token-ttl 30m --token-type service auth/approle",
            "aws configure --credential-process /usr/local/bin/credentials",
            "docker login --username deploy --password-stdin registry.example.com",
            "psql --no-password --host db.internal --port 5432",
            "train --pin-memory yes --workers 4 --batch 64",
            "git log --oneline --author bob -- src/token.rs",
            "git commit --amend --no-edit",
            "cargo test --package bookings --test session -- --nocapture",
            "kubectl create secret generic db --from-file ./db.txt --namespace bookings",
            "use --otp to enter the code, or --pin if you have one",
            "--session-id is missing",
            "the option --cookie was removed in version 3",
            "error: unexpected argument '--sid' found",
            "error: the argument '--pin' cannot be used with '--otp'",
            "openssl req --newkey rsa:4096 --keyout key.pem --out req.pem",
            "ssh-keygen --sort-key name --key-length 4096",
            "sort --key 2 --field-separator , bookings.csv",
            "report --pass-rate 98 --max-tokens 512 --from 2026-01-01",
            "serve --bind 0.0.0.0 --cookies-enabled --session-timeout 900",
            "nmap --script ssl-cert --reason api.example.com",
            "awk '{ print $1\"$6$\"$2 }' fares.csv",
            "crypt(3) knows $1$, $5$, $6$, $y$ and $2b$; Argon2 begins with $argon2id$v=19$",
            "2026-05-17 -- the pin was changed -- see above",
        ],
    ),
    (
        "command-list",
        1,
        &[
            "[\"curl\", \"--cookie-jar\", \"cookies.txt\"]",
            "[\"/bin/app\", \"--token-file\", \"/run/secrets/token\"]",
            "args: [--session-store, redis, --otp-length, 6]",
            "Command { program: \"git\", args: [\"log\", \"--sort-key\", \"date\"] }",
        ],
    ),
];
