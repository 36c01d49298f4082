//! Whether captured lines are whole chains, by the code that checks stored ones.

use std::collections::BTreeMap;

use crate::chain::{Digest, StreamId, check_line};

/// What is wrong with the first line that does not fit, and which it is, from 1.
///
/// Lines of several streams may be mixed. Nothing at all is not valid either: a check that checked
/// nothing never succeeds.
pub(super) fn check(text: &str) -> Result<(), (usize, String)> {
    let mut ends: BTreeMap<&str, (u64, Digest)> = BTreeMap::new();
    let Some(lines) = text.strip_suffix('\n') else {
        return Err((text.lines().count(), "the last line does not end".into()));
    };
    for (index, line) in lines.split('\n').enumerate() {
        let wrong = |what: String| (index + 1, what);
        let line = check_line(line.as_bytes())
            .map_err(|fault| wrong(format!("it is no record: {fault:?}")))?;
        let (seq, prev) = if let Some(end) = ends.get(line.stream) {
            *end
        } else {
            let stream: StreamId = line
                .stream
                .parse()
                .map_err(|error| wrong(format!("its stream has no name: {error}")))?;
            (0, stream.genesis_prev())
        };
        if line.seq != seq {
            return Err(wrong(format!("it has seq {}, not {seq}", line.seq)));
        }
        if line.prev != prev {
            return Err(wrong("it is not linked to the record before".into()));
        }
        ends.insert(line.stream, (seq + 1, line.hash));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::capture;

    #[test]
    fn every_change_is_seen_and_its_line_is_named() {
        let (log, captured) = capture();
        log.shutdown().unwrap();
        let text = captured.text();
        assert_eq!(check(&text), Ok(()));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() > 3, "{text}");

        let end = lines.len();
        let join = |lines: &[&str]| lines.join("\n") + "\n";
        assert_eq!(check(&text.replacen("INFO", "WARN", 1)).unwrap_err().0, 1);
        assert_eq!(
            check(&join(&lines[1..])).unwrap_err().0,
            first_of(&lines[1..], lines[0])
        );
        let twice = join(&[&lines[..], &lines[end - 1..]].concat());
        assert_eq!(check(&twice).unwrap_err().0, end + 1);
        assert_eq!(check(&text[..text.len() - 1]).unwrap_err().0, end);
        assert!(check("").is_err(), "nothing was checked");
    }

    /// The first of these lines that belongs to the stream of `removed`.
    fn first_of(lines: &[&str], removed: &str) -> usize {
        let stream = check_line(removed.as_bytes()).unwrap().stream;
        let same = |line: &&str| check_line(line.as_bytes()).unwrap().stream == stream;
        lines.iter().position(same).unwrap() + 1
    }
}
