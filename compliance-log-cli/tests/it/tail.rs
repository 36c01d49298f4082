use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::tempdir;

use crate::{
    command::{command, run},
    store::{Stream, rewrite},
};

fn seq(line: &str) -> u64 {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"]
        .as_u64()
        .unwrap()
}

fn seqs(text: &str) -> Vec<u64> {
    text.lines().map(seq).collect()
}

#[test]
fn the_newest_records_come_from_as_many_segments_as_it_takes() {
    let dir = tempdir().unwrap();
    Stream::create(dir.path(), "audit")
        .bookings(3)
        .rotate()
        .bookings(1)
        .rotate();
    for (count, expected) in [
        ("0", vec![]),
        ("1", vec![8]),
        ("4", vec![5, 6, 7, 8]),
        ("99", (0..9).collect()),
    ] {
        let said = run(
            dir.path(),
            [
                "tail".as_ref(),
                dir.path().as_os_str(),
                "--json".as_ref(),
                "-n".as_ref(),
                count.as_ref(),
            ],
        );
        assert_eq!((said.code, seqs(&said.out)), (0, expected), "{}", said.err);
    }
}

#[test]
fn nothing_hides_in_a_file_whose_header_was_taken_away() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit")
        .bookings(1)
        .rotate()
        .bookings(2);
    rewrite(&stream.file, &stream.lines[4..].concat());
    for verb in ["tail", "show"] {
        let said = run(
            dir.path(),
            [verb.as_ref(), dir.path().as_os_str(), "--json".as_ref()],
        );
        assert_eq!(seqs(&said.out), [0, 1, 2, 4, 5], "{verb}");
    }
}

#[test]
fn filters_reach_back_as_far_as_they_must() {
    let dir = tempdir().unwrap();
    let mut stream = Stream::create(dir.path(), "audit");
    stream.booking("rare", "{}");
    stream.bookings(3_000);
    let said = run(
        dir.path(),
        [
            "tail".as_ref(),
            dir.path().as_os_str(),
            "--json".as_ref(),
            "--tenant".as_ref(),
            "rare".as_ref(),
        ],
    );
    assert_eq!(seqs(&said.out), [1]);
}

/// `tail -f`, and the sequence numbers it prints.
struct Following {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Following {
    fn start(dir: &std::path::Path, count: &str) -> Self {
        let mut child = command()
            .args(["tail".as_ref(), dir.as_os_str()])
            .args(["--follow", "--json", "-n", count])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn next(&mut self) -> u64 {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        seq(&line)
    }

    fn take(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.next()).collect()
    }

    fn interrupt(self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
}

#[test]
fn it_follows_records_rotation_and_new_streams_until_interrupted() {
    let dir = tempdir().unwrap();
    let mut stream = Stream::create(dir.path(), "audit").bookings(2);
    let mut following = Following::start(dir.path(), "1");
    assert_eq!(following.next(), 2);
    stream.booking("acme", "{}");
    assert_eq!(following.next(), 3);
    stream.footer_and_header();
    stream.booking("acme", "{}");
    assert_eq!(following.take(3), [4, 5, 6]);
    stream.footer_and_header();
    stream.footer_and_header();
    assert_eq!(following.take(4), [7, 8, 9, 10]);
    Stream::create(dir.path(), "app");
    assert_eq!(following.next(), 0);
    following.interrupt();
}

#[test]
fn a_file_that_restates_records_shows_only_new_ones() {
    let dir = tempdir().unwrap();
    let mut stream = Stream::create(dir.path(), "audit").bookings(4);
    let mut following = Following::start(dir.path(), "1");
    assert_eq!(following.next(), 4);
    let old = stream.supersede(3);
    stream.booking("acme", "{}");
    assert_eq!(following.take(2), [5, 6]);
    assert!(old.exists());
    following.interrupt();
}

#[test]
fn half_a_line_waits_for_its_other_half() {
    let dir = tempdir().unwrap();
    let mut stream = Stream::create(dir.path(), "audit");
    let mut following = Following::start(dir.path(), "1");
    assert_eq!(following.next(), 0);
    stream.booking("acme", "{}");
    let whole = stream.lines.concat();
    rewrite(&stream.file, &whole[..whole.len() - 40]);
    stream.lines.pop();
    rewrite(&stream.file, &whole);
    assert_eq!(following.next(), 1);
    following.interrupt();
}

#[test]
fn it_ends_when_its_reader_does_even_if_nothing_comes() {
    let dir = tempdir().unwrap();
    Stream::create(dir.path(), "audit");
    let mut following = Following::start(dir.path(), "1");
    assert_eq!(following.next(), 0);
    let Following { mut child, out } = following;
    drop(out);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
}
