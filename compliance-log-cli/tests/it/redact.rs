use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Output, Stdio},
};

use tempfile::tempdir;

use crate::{
    command::{Said, command, run},
    store::{Stream, rewrite},
};

/// Runs `redact` with this on stdin.
fn redact(arguments: &[&str], input: &[u8]) -> Said {
    let output = piped(arguments, input);
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The same, for output that is no text.
fn piped(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command()
        .arg("redact")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // It may have ended before it read all.
    drop(feeder.join().unwrap());
    output
}

const LINES: &str = r#"{"user": "bob@example.com", "n" : 1.50e3,	"ok":true}
{"password":12345,"nested":{"api_key":["a1b2c3","d4e5f6"],"note":"fine"}}
{"card_number":"4111 1111 1111 1111","msg":"pay 4111111111111111 now"}

plain text, password=hunter2
{"broken": "token: abcdef12"
{"harmless":"ünï","deep":[[[]]]}
"#;

#[test]
fn lines_come_out_one_for_one_with_only_their_secrets_changed() {
    let said = redact(&[], LINES.as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.err, "");
    assert_eq!(
        said.out,
        r#"{"user": "[redacted:email]", "n" : 1.50e3,	"ok":true}
{"password":"[redacted:credential-name]","nested":{"api_key":["[redacted:credential-name]","[redacted:credential-name]"],"note":"fine"}}
{"card_number":"****1111","msg":"pay ****1111 now"}

plain text, password=[redacted:key-value]
{"broken": "token: [redacted:key-value]"
{"harmless":"ünï","deep":[[[]]]}
"#
    );
    let again = redact(&[], said.out.as_bytes());
    assert_eq!(again.out, said.out, "twice is once");
}

#[test]
fn a_last_line_without_its_end_stays_so() {
    assert_eq!(redact(&[], b"").out, "");
    assert_eq!(redact(&[], b"{\"a\":\"b\"}").out, "{\"a\":\"b\"}");
    assert_eq!(redact(&[], b"a\n\n").out, "a\n\n");
    let noise = redact(&["--text"], b"\xff\xfe password=hunter2\n");
    assert_eq!(
        noise.out,
        "\u{fffd}\u{fffd} password=[redacted:key-value]\n"
    );
}

#[test]
fn what_has_no_secret_comes_out_as_the_bytes_that_went_in() {
    let input = b"{\"a\":\"\xff\xfe\",\"n\":1e999}\r\n\xe9t\xe9\n{\"s\":\"\\ud800\",\"z\":-0}";
    assert_eq!(piped(&[], input).stdout, input);
    assert_eq!(piped(&["--text"], input).stdout, input);
}

#[test]
fn a_line_that_no_program_can_hold_is_read_by_its_names_all_the_same() {
    let lines = r#"{"password":12345,"n":1e999}
{"p\u0061ssword":["hunter2",{"a":"swordfish"}],"x":"\ud800"}
{"name":"DB_PASSWORD","value":"hunter2"}
"#;
    assert_eq!(
        redact(&[], lines.as_bytes()).out,
        r#"{"password":"[redacted:credential-name]","n":1e999}
{"p\u0061ssword":["[redacted:credential-name]",{"a":"[redacted:credential-name]"}],"x":"\ud800"}
{"name":"DB_PASSWORD","value":"[redacted:credential-name]"}
"#
    );
}

#[test]
fn a_key_counts_as_it_is_written_too() {
    let said = redact(&["--explain"], br#"{"token_c=hunter2":897571,"n":1}"#);
    assert_eq!(
        said.out,
        r#"{"token_c=[redacted:key-value]":"[redacted:credential-name]","n":1}"#
    );
    assert!(!said.err.contains("hunter2"), "{}", said.err);
    let again = redact(&[], said.out.as_bytes());
    assert_eq!(again.out, said.out, "twice is once");
}

#[test]
fn explain_says_where_and_by_which_rule() {
    let said = redact(&["--explain"], LINES.as_bytes());
    assert_eq!(said.code, 0);
    let words: Vec<&str> = said.err.lines().collect();
    assert_eq!(words.len(), 8, "{}", said.err);
    assert!(
        words[0].contains("line 1: field user, bytes 0..15: email, drop"),
        "{}",
        said.err
    );
    assert!(
        words[2].contains("line 2: field nested.api_key[0]"),
        "{}",
        said.err
    );
    assert!(
        words[4].contains("line 3: field card_number"),
        "{}",
        said.err
    );
    assert!(
        words[6].contains("line 5: bytes 21..28: key-value, drop"),
        "{}",
        said.err
    );
    assert!(!said.err.contains("hunter2") && !said.err.contains("4111"));
}

#[test]
fn check_writes_nothing_and_says_whether_anything_would_be_redacted() {
    let found = redact(&["--check"], LINES.as_bytes());
    assert_eq!((found.code, found.out.as_str()), (1, ""));
    assert!(
        found.err.contains("5 lines would be redacted"),
        "{}",
        found.err
    );
    let clean = redact(&["--check"], b"{\"a\":\"all is well\"}\n");
    assert_eq!(
        (clean.code, clean.out.as_str(), clean.err.as_str()),
        (0, "", "")
    );
}

#[test]
fn a_team_s_policy_takes_the_place_of_the_built_in_one() {
    let dir = tempdir().unwrap();
    let policy = policy(dir.path());
    let said = redact(
        &["--policy", policy.to_str().unwrap()],
        b"{\"m\":\"PNR-ABC123, bob@example.com\"}\n",
    );
    assert_eq!(
        said.out,
        "{\"m\":\"[redacted:booking], bob@example.com\"}\n"
    );

    rewrite(&policy, b"version = 1\n[[value]]\nid = 'x'");
    let said = redact(&["--policy", policy.to_str().unwrap()], b"secret\n");
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert!(said.err.contains("line 2"), "{}", said.err);
}

fn policy(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("team.toml");
    let text = "version = 1\n[[value]]\nid = 'booking'\ndescription = 'A booking reference'\naction = 'drop'\n\
                literals = ['PNR-']\npattern = 'PNR-[A-Z0-9]{6}'\nmatch = ['PNR-ABC123']\npass = ['PNR-']\n";
    rewrite(&path, text.as_bytes());
    path
}

#[test]
fn a_line_is_written_as_soon_as_it_is_read() {
    let mut child = command()
        .arg("redact")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for line in [&b"password=hunter2\n"[..], b"still here\n"] {
        stdin.write_all(line).unwrap();
        let mut first = [0];
        stdout.read_exact(&mut first).unwrap();
        while first != *b"\n" {
            stdout.read_exact(&mut first).unwrap();
        }
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn deep_and_long_lines_are_taken_and_endless_ones_refused() {
    let depth = 50_000;
    let deep = format!(
        "{}\"password=hunter2\"{}\n",
        "[".repeat(depth),
        "]".repeat(depth)
    );
    let said = redact(&[], deep.as_bytes());
    assert_eq!(said.code, 0);
    assert_eq!(said.out, deep.replace("hunter2", "[redacted:key-value]"));

    let mut endless = b"first\n".to_vec();
    endless.resize((64 << 20) + 16, b'x');
    let said = redact(&["--text"], &endless);
    assert_eq!(said.code, 3);
    assert_eq!(said.out, "first\n");
    assert!(said.err.contains("line 2 is longer than"), "{}", said.err);
}

#[test]
fn stored_records_that_a_new_rule_would_redact_are_found() {
    let dir = tempdir().unwrap();
    let store = dir.path().join("store");
    fs::create_dir(&store).unwrap();
    let mut audit = Stream::create(&store, "audit");
    audit.booking("acme", r#"{"note":"for PNR-ABC123","list":["PNR-DEF456"]}"#);
    audit.booking("acme", r#"{"note":"nothing"}"#);
    let policy = policy(dir.path());
    let policy = policy.to_str().unwrap();
    let said = run(
        dir.path(),
        [
            "redact",
            "--policy",
            policy,
            "--find",
            store.to_str().unwrap(),
        ],
    );
    assert_eq!(said.code, 1, "{}", said.err);
    let rows: Vec<&str> = said.out.lines().collect();
    assert_eq!(rows.len(), 2, "{}", said.out);
    assert!(
        rows[0].ends_with("seq 1  data.note  booking"),
        "{}",
        said.out
    );
    assert!(
        rows[1].ends_with("seq 1  data.list[0]  booking"),
        "{}",
        said.out
    );
    assert!(
        said.err.contains("1 record of 3 records would be redacted"),
        "{}",
        said.err
    );

    let said = run(dir.path(), ["redact", "--find", store.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}
