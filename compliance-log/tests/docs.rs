//! What the documents say is what there is.

#![expect(clippy::unwrap_used, reason = "what cannot be read ends the test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_readme_shows_the_service_as_it_is_tested() {
    let readme = include_str!("../../README.md");
    let service = include_str!("../../docs/service.rs");
    assert!(readme.contains(&format!("```rust,no_run\n{service}```")));
}

#[test]
fn every_metric_is_in_the_operator_s_table_and_no_other() {
    let mut reported = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(file).unwrap();
        for found in text.split("\"compliance_log_").skip(1) {
            reported.insert(found.split('"').next().unwrap().to_owned());
        }
    }
    let rows = include_str!("../../docs/OPERATIONS.md")
        .split("## Metrics")
        .nth(1)
        .unwrap();
    let told: BTreeSet<String> = rows
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.split(['`', '{']).next())
        .map(str::to_owned)
        .collect();
    assert!(reported.len() > 10, "{reported:?}");
    assert_eq!(told, reported);
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
