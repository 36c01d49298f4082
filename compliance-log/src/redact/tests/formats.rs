//! A generator for each format that the built-in policy knows: no secret stands in the source.

use proptest::{strategy::ValueTree, test_runner::TestRunner};

use super::*;

/// Where a secret can stand and still be told from what is beside it.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Right between other letters.
    Anywhere,
    /// Where a word can stand.
    Word,
}
use Place::{Anywhere, Word};

/// Rule, place, and the shape of what it finds as a regular expression.
const FORMATS: &[(&str, Place, &str)] = &[
    (
        "private-key",
        Anywhere,
        r"-----BEGIN (RSA |EC |OPENSSH |DSA |ENCRYPTED )?PRIVATE KEY-----\n[A-Za-z0-9+/]{64}\n-----END PRIVATE KEY-----",
    ),
    (
        "private-key",
        Anywhere,
        r"-----BEGIN PGP PRIVATE KEY BLOCK-----\\n[A-Za-z0-9+/]{64}\\n-----END PGP PRIVATE KEY BLOCK-----",
    ),
    ("aws-access-key", Anywhere, "(AKIA|ASIA)[A-Z2-7]{16}"),
    (
        "aws-session-token",
        Word,
        "IQoJb3JpZ2luX2Vj[A-Za-z0-9+/]{200}==",
    ),
    ("github-token", Anywhere, "gh[pousr]_[A-Za-z0-9]{36}"),
    (
        "github-token",
        Anywhere,
        "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    ),
    (
        "gitlab-pat",
        Anywhere,
        "gl(pat|rt|dt|soat)-[A-Za-z0-9_-]{20}",
    ),
    ("gitlab-pat", Anywhere, "glagent-[A-Za-z0-9_-]{50}"),
    ("paseto", Word, r"v[24]\.(local|public)\.[A-Za-z0-9_-]{120}"),
    (
        "plaid-token",
        Anywhere,
        "access-production-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    ("resend-key", Word, "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}"),
    (
        "langsmith-key",
        Anywhere,
        "lsv2_(pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
    ),
    (
        "go-dsn",
        Anywhere,
        r"[a-z]{4}:[A-Za-z0-9]{16}@(tcp|unix)\(db:3306\)/x",
    ),
    (
        "request-signature",
        Anywhere,
        "SignedHeaders=host, Signature=[0-9a-f]{64}",
    ),
    (
        "element",
        Anywhere,
        "<(password|apiKey|w:Password)>[A-Za-z0-9]{16}</(password|apiKey|w:Password)>",
    ),
    (
        "gitlab-pat",
        Anywhere,
        r"glpat-[A-Za-z0-9_-]{27}\.[a-z0-9]{2}\.[a-z0-9]{9}",
    ),
    (
        "gitlab-pat",
        Anywhere,
        "glcbt-[0-9a-f]{2}_[A-Za-z0-9_-]{20}",
    ),
    ("gitlab-pat", Anywhere, "glptt-[0-9a-f]{40}"),
    ("gitlab-pat", Anywhere, "gloas-[0-9a-f]{64}"),
    (
        "slack-token",
        Anywhere,
        "xox[bpsare]-[0-9]{12}-[A-Za-z0-9]{24}",
    ),
    (
        "slack-token",
        Anywhere,
        "xapp-1-A[A-Z0-9]{10}-[0-9]{13}-[0-9a-f]{64}",
    ),
    (
        "slack-webhook",
        Anywhere,
        r"https://hooks\.slack\.com/services/T[A-Z0-9]{8}/B[A-Z0-9]{8}/[A-Za-z0-9]{24}",
    ),
    (
        "stripe-key",
        Anywhere,
        "(sk|rk)_(live|test)_[A-Za-z0-9]{24,99}",
    ),
    ("stripe-key", Anywhere, "whsec_[A-Za-z0-9]{32}"),
    ("google-api-key", Anywhere, "AIza[A-Za-z0-9_-]{35}"),
    ("google-oauth", Anywhere, r"ya29\.[A-Za-z0-9_-]{60,200}"),
    ("google-oauth", Anywhere, "GOCSPX-[A-Za-z0-9_-]{28}"),
    ("google-oauth", Anywhere, "1//0[A-Za-z0-9_-]{60,100}"),
    (
        "azure-client-secret",
        Anywhere,
        r"[A-Za-z0-9]{3}8Q~[A-Za-z0-9_~.-]{34}",
    ),
    (
        "azure-key",
        Anywhere,
        "[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}",
    ),
    (
        "azure-key",
        Anywhere,
        r"[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==",
    ),
    ("digitalocean-token", Anywhere, "do[opr]_v1_[0-9a-f]{64}"),
    ("alibaba-access-key", Word, "LTAI[A-Za-z0-9]{20}"),
    ("tencent-secret-id", Word, "AKID[A-Za-z0-9]{32}"),
    ("cloudflare-token", Anywhere, "cf(k|ut|at)_[A-Za-z0-9]{48}"),
    (
        "cloudflare-token",
        Anywhere,
        r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
    ),
    (
        "heroku-key",
        Anywhere,
        "HRKU-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    ("heroku-key", Anywhere, "HRKU-AA[A-Za-z0-9_-]{58}"),
    (
        "fly-token",
        Anywhere,
        "fm2_lJPECAAAAAAA[A-Za-z0-9+/]{80,200}={0,2}",
    ),
    ("fly-token", Anywhere, "fo1_[A-Za-z0-9]{43}"),
    (
        "atlassian-token",
        Anywhere,
        "ATATT3xFfGF0[A-Za-z0-9_=-]{180}",
    ),
    (
        "atlassian-token",
        Anywhere,
        "ATCTT3xFfGN0[A-Za-z0-9_=-]{170}",
    ),
    ("atlassian-token", Word, "ATBB[A-Za-z0-9]{32}"),
    (
        "circleci-token",
        Anywhere,
        "CCIP(AT|RJ)_[A-Za-z0-9]{22}_[0-9a-f]{40}",
    ),
    ("buildkite-token", Anywhere, "bkua_[0-9a-f]{40}"),
    (
        "discord-webhook",
        Anywhere,
        r"https://discord\.com/api/webhooks/[0-9]{18,19}/[A-Za-z0-9_-]{68}",
    ),
    (
        "telegram-token",
        Anywhere,
        "[1-9][0-9]{8,9}:AA[A-Za-z0-9_-]{33}",
    ),
    (
        "teams-webhook",
        Anywhere,
        "/IncomingWebhook/[0-9a-f]{32}/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    (
        "square-token",
        Anywhere,
        "sq0(atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})",
    ),
    ("square-token", Word, "EAAA[A-Za-z0-9_-]{60}"),
    (
        "braintree-token",
        Anywhere,
        r"access_token\$(production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    ("shopify-token", Anywhere, "shp(at|ca|pa|ss)_[0-9a-f]{32}"),
    (
        "adyen-key",
        Word,
        r"AQE[A-Za-z0-9+/]{90}==-[A-Za-z0-9+/]{43}=-[A-Za-z0-9^{}]{16}",
    ),
    (
        "sendgrid-key",
        Anywhere,
        r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    ),
    ("mailgun-key", Word, "key-[0-9a-f]{32}"),
    ("mailchimp-key", Word, "[0-9a-f]{32}-us(1?[0-9]|2[01])"),
    (
        "brevo-key",
        Anywhere,
        "x(key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
    ),
    (
        "openai-key",
        Anywhere,
        "sk-(proj|svcacct|admin)-[A-Za-z0-9_-]{74}T3BlbkFJ[A-Za-z0-9_-]{74}",
    ),
    (
        "openai-key",
        Word,
        "sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
    ),
    ("openai-key", Anywhere, "sk-or-v1-[0-9a-f]{64}"),
    (
        "anthropic-key",
        Anywhere,
        "sk-ant-(api|admin)0[13]-[A-Za-z0-9_-]{93}AA",
    ),
    ("hugging-face-token", Anywhere, "hf_[A-Za-z]{34}"),
    ("groq-key", Anywhere, "gsk_[A-Za-z0-9]{52}"),
    ("perplexity-key", Anywhere, "pplx-[A-Za-z0-9]{48}"),
    ("replicate-token", Anywhere, "r8_[A-Za-z0-9]{37}"),
    ("xai-key", Anywhere, "xai-[A-Za-z0-9]{80}"),
    ("npm-token", Anywhere, "npm_[A-Za-z0-9]{36}"),
    (
        "pypi-token",
        Anywhere,
        "pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{100,150}",
    ),
    ("crates-io-token", Word, "cio[A-Za-z0-9]{32}"),
    ("rubygems-key", Anywhere, "rubygems_[0-9a-f]{48}"),
    ("nuget-key", Word, "oy2[a-z0-9]{43}"),
    ("docker-token", Anywhere, "dckr_(pat|oat)_[A-Za-z0-9_-]{27}"),
    ("artifactory-key", Word, "AKCp[A-Za-z0-9]{69}"),
    ("vault-token", Anywhere, r"hv[sbr]\.[A-Za-z0-9_-]{24,100}"),
    (
        "vault-token-legacy",
        Word,
        r"s\.[a-z][A-Z][0-9][A-Za-z0-9]{21}",
    ),
    (
        "terraform-token",
        Anywhere,
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{67}",
    ),
    ("pulumi-token", Anywhere, "pul-[0-9a-f]{40}"),
    (
        "doppler-token",
        Anywhere,
        r"dp\.(pt|ct|sa|scim|audit|st\.prd)\.[A-Za-z0-9]{43}",
    ),
    ("databricks-token", Word, "dapi[0-9a-f]{32}(-[23])?"),
    (
        "grafana-token",
        Anywhere,
        "glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
    ),
    (
        "grafana-token",
        Anywhere,
        "glc_eyJvIjoi[A-Za-z0-9+/]{80,120}={0,2}",
    ),
    ("new-relic-key", Anywhere, "NRAK-[A-Z0-9]{27}"),
    (
        "sentry-token",
        Anywhere,
        "sntrys_eyJpYXQiOjE3[A-Za-z0-9+/]{80,120}={0,2}_[A-Za-z0-9+/]{43}",
    ),
    ("sentry-token", Anywhere, "sntryu_[0-9a-f]{64}"),
    ("okta-token", Anywhere, "SSWS 00[A-Za-z0-9_-]{40}"),
    (
        "tailscale-key",
        Anywhere,
        "tskey-(auth|api|client)-k[A-Za-z0-9]{10}CNTRL-[A-Za-z0-9]{20,32}",
    ),
    ("linear-key", Anywhere, "lin_api_[A-Za-z0-9]{40}"),
    ("notion-token", Anywhere, "ntn_[0-9]{11}[A-Za-z0-9]{35}"),
    ("notion-token", Word, "secret_[A-Za-z0-9]{43}"),
    ("airtable-token", Word, r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    ("figma-token", Anywhere, "figd_[A-Za-z0-9_-]{40}"),
    (
        "planetscale-token",
        Anywhere,
        "pscale_(tkn|pw|oauth)_[A-Za-z0-9_.-]{43}",
    ),
    ("supabase-key", Anywhere, "sbp_[0-9a-f]{40}"),
    (
        "supabase-key",
        Anywhere,
        "sb_secret_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{8}",
    ),
    ("postman-key", Anywhere, "PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    (
        "dynatrace-token",
        Anywhere,
        r"dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
    ),
    ("netlify-token", Anywhere, "nf[pcou]_[A-Za-z0-9]{36}"),
    ("sonarqube-token", Anywhere, "sq[upa]_[0-9a-f]{40}"),
    ("twilio-key", Word, "SK[0-9a-f]{32}"),
    (
        "mapbox-token",
        Anywhere,
        r"sk\.eyJ1Ijoi[A-Za-z0-9]{40,60}\.[A-Za-z0-9_-]{22}",
    ),
    ("age-key", Anywhere, "AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}"),
    (
        "putty-key",
        Anywhere,
        r"Private-Lines: 1\n[A-Za-z0-9+/]{64}\nPrivate-MAC",
    ),
    ("jwk", Word, r#"\{"kty":"EC","d":"[A-Za-z0-9_-]{43}"\}"#),
    (
        "jwt",
        Anywhere,
        r"eyJhbGciOiJIUzI1NiJ9\.eyJ[A-Za-z0-9_-]{40}\.[A-Za-z0-9_-]{43}",
    ),
    (
        "url-userinfo",
        Anywhere,
        "(postgres|mysql|mongodb\\+srv|redis|amqps|clickhouse)://[a-z]{4}:[A-Za-z0-9]{12}@host",
    ),
    (
        "oracle-url",
        Anywhere,
        "jdbc:oracle:thin:[a-z]{4}/[A-Za-z0-9]{12}@//db:1521/x",
    ),
    (
        "bearer",
        Anywhere,
        "[Bb][Ee][Aa][Rr][Ee][Rr] [A-Za-z]{2}[0-9][A-Za-z0-9]{29}",
    ),
    (
        "command-option",
        Word,
        "--(password|token|api-key|client-secret|db-password|session-id|db-credential) [A-Za-z0-9]{7}[0-9]",
    ),
    (
        "command-option",
        Word,
        "--(cvv|card-cvc|card-security-code|otp) [0-9]{3,6}",
    ),
    (
        "quoted-password",
        Word,
        "(password|identified by) '[a-z]{4}[0-9][A-Za-z0-9]{9}'",
    ),
    (
        "password-hash",
        Anywhere,
        r"\$2[aby]\$1[0-4]\$[./A-Za-z0-9]{53}",
    ),
    (
        "password-hash",
        Anywhere,
        r"\$argon2(id|i)\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}",
    ),
    (
        "password-hash",
        Anywhere,
        r"\$6\$[./A-Za-z0-9]{16}\$[./A-Za-z0-9]{86}",
    ),
    (
        "command-password",
        Word,
        "(mysql -u root -p|sshpass -p |redis-cli -h cache -a |curl -u bob:)[A-Za-z0-9]{12}",
    ),
];

/// Made by more than a shape: user numbers in Base64, a checksum, the check digit of a card.
fn made() -> Vec<(&'static str, Place, BoxedStrategy<String>)> {
    let discord = ("[1-9][0-9]{17}", "[A-Za-z0-9_-]{6}", "[A-Za-z0-9_-]{38}");
    let discord = discord.prop_map(|(user, time, mac)| format!("{}.{time}.{mac}", base64(&user)));
    let github = "[A-Za-z0-9]{30}".prop_map(|random| {
        let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let (mut crc, mut sum) = (check::crc_32(random.as_bytes()), [b'0'; 6]);
        for place in sum.iter_mut().rev() {
            *place = digits[crc as usize % 62];
            crc /= 62;
        }
        format!("ghp_{random}{}", String::from_utf8_lossy(&sum))
    });
    let basic = "[a-z]{4}:[a-zA-Z0-9]{12}".prop_map(|pair| format!("bAsIc {}", base64(&pair)));
    let track_1 = (card(), "[0-9]{3}1018[0-9]{9}").prop_map(|(pan, rest)| {
        let pan = digits(&pan);
        format!("%B{pan}^FAKE/FAKE^29{rest}?")
    });
    let track_2 = (card(), "[0-9]{3}1018[0-9]{9}")
        .prop_map(|(pan, rest)| format!(";{}=29{rest}?", digits(&pan)));
    vec![
        ("discord-token", Word, discord.boxed()),
        ("github-token", Anywhere, github.boxed()),
        ("basic-auth", Anywhere, basic.boxed()),
        ("track-data", Word, track_1.boxed()),
        ("track-data", Word, track_2.boxed()),
    ]
}

fn digits(pan: &str) -> String {
    pan.chars().filter(char::is_ascii_digit).collect()
}

fn base64(text: &str) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte))
            << (8 * (3 - chunk.len()));
        let places = (0..=chunk.len()).map(|place| bits >> (18 - 6 * place) & 63);
        out.extend(places.map(|digit| char::from(digits[digit])));
    }
    out
}

fn all() -> Vec<(&'static str, Place, BoxedStrategy<String>)> {
    let shaped = FORMATS.iter().map(|&(rule, place, shape)| {
        let strategy = proptest::string::string_regex(shape).unwrap();
        (rule, place, strategy.boxed())
    });
    shaped.chain(made()).collect()
}

/// A secret of any format that can stand between letters.
pub(super) fn anywhere() -> impl Strategy<Value = String> {
    let all = all().into_iter();
    proptest::strategy::Union::new(
        all.filter(|(_, place, _)| *place == Anywhere)
            .map(|(_, _, secret)| secret),
    )
}

/// The parts of a made secret that must not be left: half of each long run of what it is made of.
pub(super) fn cores(secret: &str) -> Vec<String> {
    let part = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/'));
    let public = [
        "-----BEGIN",
        "https://",
        "postgres",
        "mongodb",
        "clickhouse",
        "IncomingWebhook",
        "api/webhooks",
        "Private-Lines",
    ];
    let runs = secret.split(part).filter(|run| run.len() >= 16);
    let runs = runs.filter(|run| !public.iter().any(|word| run.contains(word)));
    runs.map(|run| run[run.len() / 2..].to_owned()).collect()
}

#[test]
fn each_format_is_found_wherever_it_can_stand() {
    let mut runner = TestRunner::deterministic();
    for (rule, place, strategy) in all() {
        for _ in 0..24 {
            let secret = strategy.new_tree(&mut runner).unwrap().current();
            let (clean, rules) = redact(&secret);
            assert!(
                rules.iter().any(|found| found == rule),
                "{rule}: {secret:?} {rules:?}"
            );
            assert!(looks(&secret), "{rule}: {secret:?}");
            let mut texts = vec![
                format!("failed with {secret} after 3 tries"),
                format!("a\n{secret}\nb"),
                format!("\u{85}\t({secret})"),
                format!("x={secret}"),
                format!("{{\"x\":\"{secret}\"}}"),
                format!("[{secret}, {secret}]"),
            ];
            if place == Anywhere {
                texts.push(format!("zz{secret}"));
            }
            for text in texts {
                assert!(looks(&text), "{rule}: {text:?}");
                let (found, _) = redact(&text);
                for core in cores(&secret) {
                    assert!(!found.contains(&core), "{rule}: {text:?}\n{found:?}");
                }
                assert_eq!(redact(&found), (found.clone(), vec![]), "{rule}: {text:?}");
            }
            assert_eq!(redact(&clean), (clean.clone(), vec![]), "{rule}");
        }
    }
}

#[test]
fn each_rule_for_a_secret_has_a_generator() {
    // Covered by tests of their own: values of names, cards, accounts and addresses.
    let others = [
        "aws-secret-key",
        "cookie",
        "url-secret-query",
        "key-value",
        "authorization",
        "sql-password",
        "form-part",
        "card-code",
        "pan",
        "iban",
        "email",
    ];
    let all = all();
    for rule in examples().value {
        let made = all.iter().any(|(id, _, _)| *id == rule.id);
        assert!(made || others.contains(&rule.id.as_str()), "{}", rule.id);
    }
    assert!(examples().value.len() >= 60);
}
