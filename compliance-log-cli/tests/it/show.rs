use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use tempfile::tempdir;

use crate::{
    command::{command, run},
    store::{Stream, rewrite},
};

#[test]
fn a_store_reads_as_one_line_per_record_in_the_order_of_time() {
    let dir = tempdir().unwrap();
    let mut audit = Stream::create(dir.path(), "audit");
    audit.booking(
        "acme",
        r#"{"card":"****1111","note":"two words","deep":{"n":1}}"#,
    );
    let mut app = Stream::create(dir.path(), "app");
    app.add(
        r#""timestamp":"2026-11-24T03:20:00.500000Z","category":"app","level":"WARN","event":"log","service_name":"booking-api","env":"prod","message":"slow","data":{"target":"db","line":7},"policy":"5e1c0d7a""#,
    );
    audit.add(
        r#""timestamp":"2026-11-24T03:20:09.000000Z","category":"access","level":"INFO","event":"http.request","outcome":"fail","outcome_detail":"denied","service_name":"booking-api","env":"prod","tenant_id":"acme","user_id":"u-81","target_resource":"GET /bookings/{id}","status_code":403,"latency_ms":1.250,"error_code":"NOT_YOURS","policy":"5e1c0d7a""#,
    );
    let said = run(dir.path(), ["show".as_ref(), dir.path().as_os_str()]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        said.out,
        "\
2026-11-24T03:20:00.000000Z INFO  app      chain.genesis format=1 sealed=false
2026-11-24T03:20:00.000000Z INFO  security chain.genesis format=1 sealed=false
2026-11-24T03:20:00.500000Z WARN  app      log slow target=db line=7
2026-11-24T03:20:01.000000Z INFO  audit    booking.created success acme/u-81 booking/b-1 card=****1111 note=\"two words\" deep.n=1
2026-11-24T03:20:09.000000Z INFO  access   http.request fail(denied) acme/u-81 GET /bookings/{id} 403 1.25ms error_code=NOT_YOURS
"
    );
}

#[test]
fn json_gives_the_stored_bytes_across_segments_and_files_that_restate_them() {
    let dir = tempdir().unwrap();
    let mut stream = Stream::create(dir.path(), "audit")
        .bookings(3)
        .rotate()
        .bookings(2);
    let restated = stream.lines.len() - 1;
    let old = stream.supersede(restated);
    stream.booking("acme", "{}");
    // What the old file ends in was never synced: it may be anything.
    let durable = fs::read(&old).unwrap().len() - stream.lines[restated].len();
    let bytes = fs::read(&old).unwrap();
    rewrite(&old, &[&bytes[..durable], b"\0\0 junk\n"].concat());

    let said = run(
        dir.path(),
        ["show".as_ref(), dir.path().as_os_str(), "--json".as_ref()],
    );
    assert_eq!(said.out.as_bytes(), stream.lines.concat());
}

#[test]
fn a_file_without_its_header_shows_only_what_stands_nowhere_else() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(4);
    // A crash left record 4 in the new file only; 3 stands in both.
    rewrite(&stream.file, &stream.lines[..4].concat());
    rewrite(&stream.segment_path(3), &stream.lines[3..].concat());
    let said = run(
        dir.path(),
        ["show".as_ref(), dir.path().as_os_str(), "--json".as_ref()],
    );
    assert_eq!(said.out.as_bytes(), stream.lines.concat());
}

#[test]
fn filters_choose_records() {
    let dir = tempdir().unwrap();
    let mut stream = Stream::create(dir.path(), "audit");
    stream.booking("acme", r#"{"n":{"m":1}}"#);
    stream.booking("umbrella", r#"{"n":{"m":2}}"#);
    stream.add(
        r#""timestamp":"2026-11-24T03:20:09.000000Z","category":"admin","level":"ERROR","event":"user.removed","outcome":"fail","service_name":"booking-api","env":"prod","tenant_id":"acme","user_id":"root","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","request_id":"r-1","target_resource":"user/7","policy":"5e1c0d7a""#,
    );
    Stream::create(dir.path(), "app");
    for (filter, seqs) in [
        (vec!["--channel", "app"], vec![0]),
        (vec!["--stream", "audit"], vec![0, 1, 2, 3]),
        (vec!["--category", "audit"], vec![1, 2]),
        (vec!["--event", "booking.created"], vec![1, 2]),
        (vec!["--event", "user.*"], vec![3]),
        (vec!["--event", "user"], vec![]),
        (vec!["--outcome", "fail"], vec![3]),
        (vec!["--tenant", "acme"], vec![1, 3]),
        (vec!["--tenant", "acme", "--user", "u-81"], vec![1]),
        (vec!["--trace", "4bf92f3577b34da6a3ce929d0e0e4736"], vec![3]),
        (vec!["--request", "r-1"], vec![3]),
        (vec!["--level", "warn"], vec![3]),
        (vec!["--since", "2026-11-24T04:20:02+01:00"], vec![2, 3]),
        (
            vec!["--until", "2026-11-24T03:20:02Z", "--channel", "audit"],
            vec![0, 1],
        ),
        (vec!["--seq", "1..2"], vec![1, 2]),
        (vec!["--seq", "3"], vec![3]),
        (vec!["--where", "data.n.m=2"], vec![2]),
        (
            vec!["--where", "data.n.m=2", "--where", "tenant_id=acme"],
            vec![],
        ),
    ] {
        let mut arguments = vec!["show", dir.path().to_str().unwrap(), "--json"];
        arguments.extend(&filter);
        let said = run(dir.path(), arguments);
        assert_eq!(said.code, 0, "{filter:?}: {}", said.err);
        let shown: Vec<u64> = said
            .out
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"]
                    .as_u64()
                    .unwrap()
            })
            .collect();
        assert_eq!(shown, seqs, "{filter:?}");
    }
}

#[test]
fn what_is_no_record_is_shown_and_cannot_steer_the_terminal() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit").bookings(1);
    let size = fs::metadata(&stream.file).unwrap().len();
    let mut bytes = fs::read(&stream.file).unwrap();
    bytes.extend_from_slice("\u{1b}]0;owned\u{7}\u{202e}\u{200b}\n".as_bytes());
    rewrite(&stream.file, &bytes);

    let said = run(dir.path(), ["show".as_ref(), stream.file.as_os_str()]);
    assert_eq!(
        said.out.lines().last().unwrap(),
        format!(
            "no record at [DIR]/host-1-00112233445566ff/streams/audit/00000000000000000000.jsonl, byte {size}, 16 bytes: \\u001b]0;owned\\u0007\\u202e\\u200b"
        )
    );

    let said = run(
        dir.path(),
        [
            "show".as_ref(),
            dir.path().as_os_str(),
            "--tenant".as_ref(),
            "acme".as_ref(),
        ],
    );
    assert_eq!(said.out.lines().count(), 1);
    assert_eq!(
        said.err,
        "note: 1 line is no record, so that no filter could judge it; `verify` says more\n"
    );
}

#[test]
fn text_in_records_is_cleaned_too() {
    let dir = tempdir().unwrap();
    let mut stream = Stream::create(dir.path(), "audit");
    stream.booking("acme", r#"{"note":"\u001b[2Jgone\u202e"}"#);
    let said = run(dir.path(), ["show".as_ref(), dir.path().as_os_str()]);
    assert!(
        said.out.contains(r"note=\u001b[2Jgone\u202e"),
        "{}",
        said.out
    );
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let dir = tempdir().unwrap();
    Stream::create(dir.path(), "audit").bookings(2_000);
    let mut child = command()
        .args(["show".as_ref(), dir.path().as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_folder_without_a_store_is_an_error() {
    let dir = tempdir().unwrap();
    let said = run(dir.path(), ["show".as_ref(), dir.path().as_os_str()]);
    assert_eq!(said.code, 3);
    assert_eq!(
        said.err,
        "error: [DIR] holds no store\n\
         hint: give the folder that was given to the service as `dir`, or one store in it\n"
    );
}
