//! Text made to be slow to search costs no more for each byte when there is more of it.

use std::time::Duration;

use super::*;

const SMALL: usize = 4 << 10;
const TIMES: u8 = 8;
/// So much more a byte of the large text may cost; if time grew by the square, it would be 8 times.
const RATIO_MAX: f64 = 4.0;
/// So little is no sign of anything: going over the large text once for each of its bytes takes longer.
const QUICK: Duration = Duration::from_millis(25);

/// What is repeated: beginnings without ends, ends without beginnings, and all that nests.
const SEEDS: &[&str] = &[
    "eyJ.eyJ.",
    "eyJhbGciOiJub25lIn0.",
    "eyJ",
    "password=",
    "password=\"",
    "password: ",
    "password='",
    "password={",
    "password=(",
    "password[",
    "token=Some(",
    "a=b&",
    "?token=x&",
    "--password ",
    "--password \"",
    "--password '",
    "--p",
    "--",
    "1",
    "4",
    "41 ",
    "4111-",
    "4111.",
    "4111 1111 1111 111",
    "4111\u{a0}",
    "DE89 ",
    "DE89370400440532013",
    "D",
    "@",
    "a@",
    "a.b@c.",
    "://",
    "://a:b@",
    "://a@@",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY----------END ",
    "cookie: a=",
    "cookie=\"",
    "cookie\\\"",
    "cookie ",
    "Bearer ",
    "basic ",
    "AKIA",
    "sk-",
    "sk-proj-",
    "xox",
    "SG.",
    "SG.aaaaaaaaaaaaaaaaaaaaaa.",
    "s.",
    "AQE",
    "AQEaaaaaaaaaaaaaaaaaaaaaa-",
    "EAAA",
    "1//0",
    "8Q~",
    "JQQJ99",
    "+ASt",
    "mysql -u ",
    "mysql ",
    "curl -u ",
    "redis-cli -a ",
    "jdbc:oracle:thin:a/",
    "Private-Lines: 1 ",
    "\"kty\":\"d\":\"",
    "\\\\\\\"d\\\\\\\"",
    "%B4111111111111111^",
    ";4111111111111111=",
    "MDAwMDAwMDAwMDAwMDAwMDAw.",
    "aaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaa.",
    "aaaaaaaaaaaaaaaa_",
    "secret_access_key ",
    "secretsecret",
    "\\",
    "\\\\\\\"",
    "\"",
    "{\"a\":",
    "[redacted:",
    "<<<",
    "A<",
    "A<<B",
    "P<AAA",
    "+1 (0)",
    "+1",
    "00",
    "bsn ",
    "2341 2341 ",
    "</password>",
    "</password",
    "]]></password>",
    "<![CDATA[]]></password>",
    "<password>",
    "password=${",
    "{{ ",
    "$(",
    "a:b@tcp(",
    "a:b@tcp( ",
    "a:",
    "v4.local.",
    "Signature=",
    "re_a_",
    "arn:",
    "TokenError: {",
    "TokenError: [",
    "PWD=/",
    "token: [REDACTED a::",
    "token: $(",
    "(token,\"token\",",
    "arn:secret:x",
    "bearer aB3bearer ",
    "aB3aB3aBbearer ",
    "ä",
    "раssword=",
    "://ä@",
    "user%5Bpassword%5D=",
    "password=''",
    "password=''a",
    "password='a",
    "password=a'b",
    "password=a<",
    "password: |\n ",
    "password:\n",
    "password                ",
    "password=b\"",
    "name=\"token\" value=",
    "\"name\":\"token\",\"value\":\"",
    "value=",
    "; name=\"pin\"",
    "; name=\"pin\"\n\n",
    "PASSWORD 'a''",
    "PASSWORD 'a",
    "IDENTIFIED WITH a BY '",
    "authorization: a b=c,",
    "authorization: a ",
    "authorization:",
    "4111+",
    "4111 - ",
    "****4",
];

fn once(work: impl FnOnce()) -> Duration {
    let start = cpu_time();
    work();
    cpu_time().saturating_sub(start)
}

fn quickest(mut work: impl FnMut()) -> Duration {
    (0..5).map(|_| once(&mut work)).min().unwrap()
}

fn text(seed: &str, bytes: usize) -> String {
    seed.repeat(bytes / seed.len())
}

/// What searching took, of the small texts and of the large ones.
#[derive(Clone, Copy, Default)]
struct Growth {
    small: Duration,
    large: Duration,
}

impl Growth {
    fn add(&mut self, other: Self) {
        self.small += other.small;
        self.large += other.large;
    }

    /// How much more a byte of the large texts took.
    fn ratio(self) -> f64 {
        self.large.as_secs_f64() / self.small.as_secs_f64() / f64::from(TIMES)
    }
}

/// Asserts that `search` is linear in what `seed` makes, for rule `rule`.
fn linear(rule: &str, seed: &str, mut search: impl FnMut(&str)) -> Growth {
    let (small, large) = (text(seed, SMALL), text(seed, SMALL * usize::from(TIMES)));
    let first = Growth {
        small: once(|| search(&small)),
        large: once(|| search(&large)),
    };
    if first.large <= QUICK {
        return first;
    }
    let growth = Growth {
        small: quickest(|| search(&small)),
        large: quickest(|| search(&large)),
    };
    let ratio = growth.ratio();
    assert!(
        ratio <= RATIO_MAX,
        "{rule} {seed:?}: {ratio:.1} times more a byte, {:?}",
        growth.large
    );
    growth
}

fn said(what: &str, growth: Growth) -> String {
    format!(
        "{what}: of texts {TIMES} times as large a byte takes {:.2} times as long, over {} beginnings",
        growth.ratio(),
        SEEDS.len()
    )
}

fn everything() -> Policy {
    Policy::parse("version = 1\ninclude = [\"builtin\", \"phone\", \"national-id\", \"passport\"]")
        .unwrap()
}

#[test]
fn long_each_rule_takes_time_in_proportion_to_its_text() {
    let policy = everything();
    let mut growth = Growth::default();
    for seed in SEEDS {
        for detector in &policy.0.net.detectors {
            growth.add(linear(detector.id(), seed, |text| {
                detector.each(text, &policy.0.words, |_| ());
            }));
        }
    }
    println!("{}", said("rules one by one", growth));
}

#[test]
fn long_looking_and_redacting_take_time_in_proportion_to_the_text() {
    let policy = everything();
    let (mut looking, mut redacting) = (Growth::default(), Growth::default());
    for seed in SEEDS {
        looking.add(linear("suspicious", seed, |text| {
            policy.suspicious(text.as_bytes(), text.len());
            policy.suspicious_text(text.as_bytes());
        }));
        redacting.add(linear("redact", seed, |text| {
            policy.redact(text, &mut String::new(), &mut |_| ());
        }));
    }
    println!("{}", said("looking", looking));
    println!("{}", said("redacting", redacting));
}
