use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Stdio,
};

use compliance_log::{
    ComplianceLog, audit_event, context::AuditContext, pseudonym::KeyFile, test_util::within_sync,
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    command::{Said, command, run},
    store::rewrite,
};

#[audit_event(name = "trip.booked", target = "trip")]
struct Booked {
    #[audit(pseudonym)]
    passenger: &'static str,
    #[audit(internal)]
    note: String,
}

/// The key file and arguments that name it.
struct Keys {
    dir: TempDir,
    file: PathBuf,
}

impl Keys {
    fn new() -> Self {
        let dir = tempdir().unwrap();
        let file = dir.path().join("keys.toml");
        Self { dir, file }
    }

    fn say(&self, verb: &str, more: &[&str]) -> Said {
        let file = self.file.to_str().unwrap();
        let arguments = ["pseudonym", verb, "--keys", file];
        run(self.dir.path(), arguments.iter().chain(more))
    }

    fn add(&self, tenant: &str, field: &str) -> Said {
        self.say("new-key", &["--tenant", tenant, "--field", field])
    }

    /// Gives the value on stdin.
    fn find(&self, tenant: &str, value: &str, more: &[&str]) -> Said {
        let mut child = command()
            .args(["pseudonym", "find", "--keys"])
            .arg(&self.file)
            .args(["--tenant", tenant, "--field", "data.passenger"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(value.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn secrets(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("secret = "));
        lines
            .map(|secret| secret.trim_matches('"').to_owned())
            .collect()
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn keys_are_made_rotated_listed_and_forgotten_and_never_shown() {
    let keys = Keys::new();
    let said = keys.add("acme", "data.passenger");
    assert_eq!(
        (said.code, &*said.out),
        (0, "acme  data.passenger  epoch 1 is in use\n")
    );
    let mode = fs::metadata(&keys.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = keys.say(
        "new-key",
        &["--tenant", "acme", "--field", "data.passenger", "--json"],
    );
    let key: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        key,
        json!({"tenant": "acme", "field": "data.passenger", "epoch": 2})
    );
    keys.add("acme", "user_id");
    keys.add("bolt-und-söhne", "user_id");

    let list = keys.say("list", &[]);
    assert_eq!(
        list.out,
        "tenant          field           epochs\n\
         acme            data.passenger  1 2\n\
         acme            user_id         1\n\
         bolt-und-söhne  user_id         1\n"
    );
    let secrets = keys.secrets();
    assert_eq!(secrets.len(), 4);
    for said in [&said, &list, &keys.say("list", &["--json"])] {
        for secret in &secrets {
            assert!(!said.out.contains(secret) && !said.err.contains(secret));
        }
    }

    let said = keys.say("forget", &["--tenant", "acme"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(
        said.err.contains("3 keys") && said.err.contains("--yes"),
        "{}",
        said.err
    );
    assert_eq!(keys.secrets(), secrets);

    let field = ["--tenant", "acme", "--field", "user_id", "--yes"];
    let said = keys.say("forget", &field);
    assert_eq!((said.code, &*said.out), (0, "1 key forgotten\n"));
    assert_eq!(keys.say("forget", &field).code, 2, "it is gone");
    let said = keys.say("forget", &["--tenant", "acme", "--yes", "--json"]);
    assert_eq!(said.out, "{\"forgotten\":2}\n");
    assert_eq!(keys.secrets(), secrets[3..]);
    assert_eq!(names(keys.dir.path()), ["keys.toml"]);
}

#[test]
fn the_records_of_somebody_are_found_over_all_epochs() {
    let keys = Keys::new();
    let store = tempdir().unwrap();
    keys.add("acme", "data.passenger");
    let mut ours = Vec::new();
    for epoch in 1..=2 {
        let log = ComplianceLog::builder("booking-api")
            .env("test")
            .dir(store.path())
            .pseudonym_keys(KeyFile::new(&keys.file))
            .open()
            .unwrap();
        let acme = AuditContext::job("import").tenant("acme").build();
        for passenger in ["Ada", "Bob"] {
            let note = String::new();
            let event = Booked { passenger, note };
            let receipt = within_sync(&log, || acme.scope_sync(|| event.commit().wait())).unwrap();
            if passenger == "Ada" {
                ours.push((receipt.stream().to_string(), receipt.seq()));
            }
        }
        log.shutdown().unwrap();
        if epoch == 1 {
            keys.add("acme", "data.passenger");
        }
    }

    let said = keys.find("acme", "Ada\n", &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let lines: Vec<Vec<&str>> = said
        .out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0][0] == "1" && lines[0][1].starts_with("ps_1_"),
        "{}",
        said.out
    );
    assert!(
        lines[1][0] == "2" && lines[1][1].starts_with("ps_2_"),
        "{}",
        said.out
    );

    // Somebody else wrote one of them down; the log did not make it.
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(store.path())
        .open()
        .unwrap();
    let copied = Booked {
        passenger: "Cyd",
        note: format!("as in {}", lines[0][1]),
    };
    let copied = within_sync(&log, || copied.commit().wait()).unwrap();
    log.shutdown().unwrap();

    let dir = store.path().to_str().unwrap();
    let said = keys.find("acme", "Ada", &["--in", dir]);
    assert_eq!(said.code, 0, "{}", said.err);
    let found: Vec<&str> = said.out.lines().skip(2).collect();
    let expected = [
        format!("{}  {}  {}", lines[0][1], ours[0].0, ours[0].1),
        format!("{}  {}  {}", lines[1][1], ours[1].0, ours[1].1),
        format!(
            "{}  {}  {}  passed in by the service, not made by its log",
            lines[0][1],
            copied.stream(),
            copied.seq()
        ),
    ];
    assert_eq!(found, expected);

    let said = keys.find("acme", "Ada", &["--in", dir, "--json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["pseudonyms"][1]["pseudonym"], lines[1][1]);
    assert_eq!(
        report["records"][2],
        json!({
            "stream": copied.stream().to_string(), "seq": copied.seq(),
            "pseudonym": lines[0][1], "made_here": false,
        })
    );

    let same = keys.say(
        "find",
        &[
            "--tenant",
            "acme",
            "--field",
            "data.passenger",
            "--value",
            "Ada",
        ],
    );
    assert_eq!(same.out.lines().collect::<Vec<_>>(), said_lines(&lines));
    assert_eq!(
        keys.find("acme", "Zoe", &["--in", dir]).out.lines().count(),
        2
    );
}

fn said_lines(lines: &[Vec<&str>]) -> Vec<String> {
    lines
        .iter()
        .map(|line| format!("{:<5} {}", line[0], line[1]))
        .collect()
}

#[test]
fn where_there_is_no_key_nothing_is_found_and_that_is_said() {
    let keys = Keys::new();
    let by_name = ["--tenant", "acme", "--field", "data.passenger"];
    let said = keys.say("find", &[&by_name[..], &["--value", "Ada"]].concat());
    assert_eq!(said.code, 3);
    assert!(said.err.contains("new-key"), "{}", said.err);
    keys.add("acme", "user_id");
    let said = keys.find("acme", "Ada", &[]);
    assert_eq!((said.code, &*said.out), (2, ""));
    assert!(said.err.contains("pseudonym list"), "{}", said.err);
    keys.add("acme", "data.passenger");
    assert_eq!(keys.find("acme", "\n", &[]).code, 3, "no value");
}

#[test]
fn a_file_that_is_not_whole_ours_or_private_is_left_alone() {
    let keys = Keys::new();
    keys.add("acme", "user_id");
    let before = fs::read(&keys.file).unwrap();
    let secret = keys.secrets().remove(0);
    let refused = |wanted: &str| {
        let said = keys.add("acme", "user_id");
        assert_eq!(said.code, 3, "{}", said.out);
        assert!(said.err.contains(wanted), "{}", said.err);
        assert!(!said.err.contains(&secret[..8]), "{}", said.err);
    };

    let beside = keys.dir.path().join("keys.toml.new");
    rewrite(&beside, b"half");
    refused("keys.toml.new is there");
    fs::remove_file(&beside).unwrap();

    for wrong in [&before[..before.len() - 30], b"[package]\n", b""] {
        rewrite(&keys.file, wrong);
        refused("line ");
        assert_eq!(fs::read(&keys.file).unwrap(), wrong);
    }
    rewrite(&keys.file, &before);

    fs::set_permissions(&keys.file, fs::Permissions::from_mode(0o644)).unwrap();
    refused("use 0600");
    fs::set_permissions(&keys.file, fs::Permissions::from_mode(0o600)).unwrap();

    let link = keys.dir.path().join("link.toml");
    symlink(&keys.file, &link).unwrap();
    let arguments = [
        "pseudonym",
        "new-key",
        "--tenant",
        "acme",
        "--field",
        "user_id",
        "--keys",
    ];
    let said = run(
        keys.dir.path(),
        arguments.iter().chain([&link.to_str().unwrap()]),
    );
    assert!(
        said.code == 3 && said.err.contains("it is a link"),
        "{}",
        said.err
    );
    assert_eq!(fs::read(&keys.file).unwrap(), before);
    assert_eq!(names(keys.dir.path()), ["keys.toml", "link.toml"]);
}
