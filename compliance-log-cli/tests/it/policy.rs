use tempfile::tempdir;

use crate::{command::run, store::rewrite};

#[test]
fn the_built_in_policy_holds_and_says_what_each_rule_costs() {
    let dir = tempdir().unwrap();
    let said = run(dir.path(), ["policy", "test"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let rows: Vec<&str> = said.out.lines().collect();
    assert!(rows[0].starts_with("rule "), "{}", said.out);
    assert!(rows.len() > 60, "{} rows", rows.len());
    let pan = rows.iter().find(|row| row.starts_with("pan ")).unwrap();
    let cells: Vec<&str> = pan.split_whitespace().collect();
    assert_eq!(cells[1], cells[3], "every example is found: {pan}");
    assert!(cells[7].parse::<u64>().unwrap() > 0, "{pan}");
    let last = rows.last().unwrap();
    assert!(last.contains("0 of which do not hold"), "{last}");
}

#[test]
fn a_team_s_file_stands_on_the_built_in_rules_and_a_broken_one_is_refused() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("team.toml");
    let rule = "[[value]]\nid = 'booking'\ndescription = ''\naction = 'drop'\nliterals = ['PNR-']\n\
                pattern = 'PNR-[A-Z0-9]{6}'\nmatch = ['PNR-ABC123']\npass = ['PNR-']\n";
    rewrite(
        &path,
        format!("version = 1\ninclude = [\"builtin\"]\n{rule}").as_bytes(),
    );
    let file = path.to_str().unwrap();
    let said = run(dir.path(), ["policy", "test", file]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.lines().any(|row| row.starts_with("booking ")),
        "{}",
        said.out
    );
    assert!(said.out.lines().any(|row| row.starts_with("pan ")));

    let broken = rule.replace("match = ['PNR-ABC123']", "match = ['nothing']");
    rewrite(&path, format!("version = 1\n{broken}").as_bytes());
    let said = run(dir.path(), ["policy", "test", file]);
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert!(
        said.err.contains("line 3") && said.err.contains("\"nothing\""),
        "{}",
        said.err
    );
}
