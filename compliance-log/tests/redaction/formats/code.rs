//! Code hosts, build servers and package registries.

use super::Rows;

pub(super) const TOKENS: Rows = &[
    ("github-personal-token", &["ghp_«base62:30»«crc»"]),
    ("github-oauth-token", &["gho_«base62:30»«crc»"]),
    ("github-user-token", &["ghu_«base62:30»«crc»"]),
    ("github-server-token", &["ghs_«base62:30»«crc»"]),
    ("github-refresh-token", &["ghr_«base62:30»«crc»"]),
    (
        "github-fine-token",
        &["github_pat_11«BASE36:20»_«base62:59»"],
    ),
    (
        "gitlab-personal-token",
        &["glpat-«base64url:20»", "glpat-«base64url:27».01.«base36:9»"],
    ),
    (
        "gitlab-runner-token",
        &["glrt-«base64url:20»", "glrt-t1_«base64url:20»"],
    ),
    ("gitlab-deploy-token", &["gldt-«base64url:20»"]),
    ("gitlab-job-token", &["glcbt-‹hex:2›_«base64url:20»"]),
    ("gitlab-trigger-token", &["glptt-«hex:40»"]),
    ("gitlab-agent-token", &["glagent-«base64url:50»"]),
    ("atlassian-token", &["ATATT3xFfGF0«base64url:171»=«HEX:8»"]),
    ("bitbucket-app-password", &["ATBB«base62:24»«HEX:8»"]),
    ("circleci-token", &["CCIPAT_‹base58:22›_«hex:40»"]),
    ("buildkite-token", &["bkua_«hex:40»"]),
    ("npm-token", &["npm_«base62:30»«crc»"]),
    (
        "pypi-token",
        &[
            "pypi-AgEIcHlwaS5vcmc«base64url:150»",
            "pypi-AgENdGVzdC5weXBpLm9yZw«base64url:120»",
        ],
    ),
    ("crates-io-token", &["cio«base62:32»"]),
    ("rubygems-key", &["rubygems_«hex:48»"]),
    ("nuget-key", &["oy2«base36:43»"]),
    (
        "docker-token",
        &["dckr_pat_«base64url:27»", "dckr_oat_«base62:32»"],
    ),
    ("jfrog-key", &["AKCp8«base62:68»"]),
    (
        "sonar-token",
        &["squ_«hex:40»", "sqp_«hex:40»", "sqa_«hex:40»"],
    ),
    ("postman-key", &["PMAK-«hex:24»-«hex:34»"]),
];
