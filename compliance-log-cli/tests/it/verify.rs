use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::tempdir;

use crate::{
    command::{Said, command, run},
    store::{Stream, rewrite},
};

fn verify(dir: &Path) -> Said {
    run(dir, ["verify".as_ref(), dir.as_os_str()])
}

fn report(dir: &Path) -> (i32, Value) {
    let said = run(dir, ["verify".as_ref(), dir.as_os_str(), "--json".as_ref()]);
    assert_eq!(said.err, "");
    (said.code, serde_json::from_str(&said.out).unwrap())
}

#[test]
fn a_whole_store_is_ok() {
    let dir = tempdir().unwrap();
    Stream::create(dir.path(), "audit")
        .bookings(3)
        .rotate()
        .bookings(2)
        .sync();
    Stream::create(dir.path(), "app").bookings(1);
    let said = verify(dir.path());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(
        said.out,
        "\
booking-api/host-1/00112233445566ff/app: 2 records, seq 0..1, 1 segment, no head file
booking-api/host-1/00112233445566ff/audit: 8 records, seq 0..7, 2 segments, synced to 7
OK (not sealed)  [DIR]/host-1-00112233445566ff
"
    );
}

#[test]
fn an_edit_is_named_with_its_place_and_what_is_whole_behind_it() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(5).sync();
    let offset: usize = stream.lines[..3].iter().map(Vec::len).sum();
    let length = stream.lines[3].len();
    stream.tamper(|lines| {
        let at = lines[3].len() - 200;
        lines[3][at] ^= 1;
    });
    let said = verify(dir.path());
    assert_eq!(said.code, 1);
    assert_eq!(
        said.out,
        format!(
            "\
booking-api/host-1/00112233445566ff/audit: 5 records, seq 0..5, 1 segment, synced to 5
  EDIT streams/audit/00000000000000000000.jsonl, line 4, seq 3, byte offset {offset}, length {length}
    its hash is that of other bytes
  whole streams/audit/00000000000000000000.jsonl, byte offset {}: seq 4..5, 2 records fit together
EDIT (not sealed)  [DIR]/host-1-00112233445566ff
",
            offset + length
        )
    );
    assert_eq!(
        said.err,
        "hint: leave the store as it is and copy it (`cp -a`) before anything else; then compare the \
         records named above with a copy that left the machine\n"
    );
}

#[test]
fn what_a_crash_leaves_is_torn_and_says_what_comes_next() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit")
        .bookings(2)
        .sync()
        .bookings(1);
    let bytes = fs::read(&stream.file).unwrap();
    rewrite(&stream.file, &bytes[..bytes.len() - 30]);
    let said = verify(dir.path());
    assert_eq!(said.code, 4);
    assert!(
        said.out
            .ends_with("\nTORN (not sealed)  [DIR]/host-1-00112233445566ff\n"),
        "{}",
        said.out
    );
    assert!(
        said.err.contains("its next start sets these bytes aside"),
        "{}",
        said.err
    );

    // The same bytes missing below what was synced are no crash.
    stream.sync();
    assert_eq!(verify(dir.path()).code, 1);
}

#[test]
fn nothing_checked_is_never_success() {
    let dir = tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("missing")] {
        let said = verify(&path);
        assert_eq!(said.code, 2, "{}", said.err);
        assert_eq!(
            said.out,
            "NOTHING_CHECKED  0 of 0 stores are as they were written\n"
        );
        assert!(
            said.err
                .starts_with("hint: nothing, or not everything, was checked"),
            "{}",
            said.err
        );
    }
    fs::create_dir_all(dir.path().join("host-1-00112233445566ff/streams/audit")).unwrap();
    assert_eq!(verify(dir.path()).code, 2);
}

#[test]
fn of_several_stores_the_gravest_counts_and_each_is_named() {
    let dir = tempdir().unwrap();
    for instance in ["host-1", "host-2", "host-3"] {
        Stream::of_instance(dir.path(), instance, "audit")
            .bookings(2)
            .sync();
    }
    let torn = Stream::of_instance(dir.path(), "host-4", "audit").bookings(2);
    let bytes = fs::read(&torn.file).unwrap();
    rewrite(&torn.file, &bytes[..bytes.len() - 1]);
    let said = verify(dir.path());
    assert_eq!(said.code, 4);
    assert_eq!(
        said.out.lines().last().unwrap(),
        "TORN  3 of 4 stores are as they were written"
    );

    let edited = dir
        .path()
        .join("host-2-00112233445566ff/streams/audit/00000000000000000000.jsonl");
    let mut bytes = fs::read(&edited).unwrap();
    bytes[300] ^= 1;
    rewrite(&edited, &bytes);
    let said = verify(dir.path());
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("\nEDIT (not sealed)  [DIR]/host-2-00112233445566ff\n"),
        "{}",
        said.out
    );
    assert_eq!(
        said.out.lines().last().unwrap(),
        "EDIT  2 of 4 stores are as they were written"
    );
}

#[test]
fn json_has_the_documented_shape() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(4).sync();
    let offset: usize = stream.lines[..2].iter().map(Vec::len).sum();
    stream.tamper(|lines| drop(lines.remove(2)));
    let (code, report) = report(dir.path());
    assert_eq!(code, 1);
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&report), ["verdict", "exit", "stores"]);
    assert_eq!(
        (&report["verdict"], &report["exit"]),
        (&"DELETE".into(), &1.into())
    );
    let store = &report["stores"][0];
    assert_eq!(
        keys(store),
        ["path", "verdict", "streams", "findings", "sealed"]
    );
    assert_eq!(store["sealed"], false);
    assert_eq!(
        keys(&store["streams"][0])[..6],
        [
            "stream",
            "first",
            "last",
            "records",
            "segments",
            "durable_seq"
        ]
    );
    assert_eq!(
        keys(&store["findings"][0]),
        [
            "verdict", "stream", "file", "segment", "seq", "line", "offset", "length", "detail"
        ]
    );
    let finding = &store["findings"][0];
    assert_eq!((&finding["seq"], &finding["line"]), (&2.into(), &3.into()));
    assert_eq!(finding["offset"], offset);
}

#[test]
fn json_speaks_even_of_nothing() {
    let dir = tempdir().unwrap();
    let (code, report) = report(dir.path());
    assert_eq!(code, 2);
    assert_eq!(report["verdict"], "NOTHING_CHECKED");
}

#[test]
fn any_number_of_threads_says_the_same() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(50).sync();
    stream.tamper(|lines| lines.swap(7, 8));
    let said = verify(dir.path());
    for threads in ["1", "7"] {
        let other = run(
            dir.path(),
            [
                "verify".as_ref(),
                dir.path().as_os_str(),
                "--threads".as_ref(),
                threads.as_ref(),
            ],
        );
        assert_eq!((other.code, &other.out), (said.code, &said.out));
    }
}

#[test]
fn names_from_a_store_cannot_steer_the_terminal() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(1);
    rewrite(&stream.folder.join("x\u{1b}[2J\u{202e}"), b"");
    let said = verify(dir.path());
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']), "{:?}", said.out);
    assert!(
        said.out.contains(r"\u001b[2J\u202e is not of the log"),
        "{}",
        said.out
    );
}

#[test]
fn colour_is_only_for_those_who_want_it() {
    let dir = tempdir().unwrap();
    Stream::create(dir.path(), "audit").sync();
    let out = |name: &str, value: &str| {
        let mut command = command();
        command.args(["verify".as_ref(), dir.path().as_os_str()]);
        let output = command.env(name, value).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(out("CLICOLOR_FORCE", "1").contains('\u{1b}'));
    assert!(!out("NO_COLOR", "1").contains('\u{1b}'));
}

#[test]
fn the_verdict_stands_when_its_reader_has_gone() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(3_000).sync();
    stream.tamper(|lines| {
        for at in (1..3_000).step_by(2) {
            let middle = lines[at].len() / 2;
            lines[at][middle] ^= 1;
        }
    });
    let mut child = command()
        .args(["verify".as_ref(), dir.path().as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .starts_with("hint: ")
    );
}

#[test]
fn the_python_checker_agrees() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", "test_verify.py"])
        .current_dir(docs)
        .env("COMPLIANCE_LOG_BIN", env!("CARGO_BIN_EXE_compliance-log"))
        .output()
        .expect("python3 is needed to compare with docs/verify.py");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn it_writes_nothing_into_what_it_judges() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(2);
    rewrite(&stream.file, b"junk");
    let names = || {
        let mut names: Vec<_> = fs::read_dir(&stream.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = names();
    verify(dir.path());
    run(dir.path(), ["show".as_ref(), dir.path().as_os_str()]);
    run(dir.path(), ["tail".as_ref(), dir.path().as_os_str()]);
    assert_eq!(names(), before);
    assert_eq!(fs::read(&stream.file).unwrap(), b"junk");
}

#[test]
fn a_pipe_in_the_place_of_a_file_holds_up_no_verb() {
    let dir = tempdir().unwrap();
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../compliance-log/tests/golden/rotated");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&golden)
        .arg(dir.path().join("stores"))
        .status();
    assert!(copied.unwrap().success());
    let stores = dir.path().join("stores");
    let store = fs::read_dir(&stores)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    for name in ["head", "00000000000000009999.jsonl"] {
        let path = store.join("streams/audit").join(name);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
    }
    for verb in ["verify", "show", "tail"] {
        let said = run(dir.path(), [verb, stores.to_str().unwrap()]);
        assert_eq!(said.code, 0, "{verb}: {}", said.err);
    }
}
