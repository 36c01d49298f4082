//! The macros run where this crate is not yet built, so they have copies of four things. Each must
//! be the same as the one that counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

use crate::{Policy, lifecycle::RESERVED_PREFIXES, schema::ROWS};

#[path = "../../compliance-log-macros/src/reserved.rs"]
mod reserved;
#[path = "../../compliance-log-macros/src/rows.rs"]
mod rows;

fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn they_reserve_the_same_event_names() {
    assert_eq!(reserved::RESERVED, RESERVED_PREFIXES);
}

#[test]
fn they_know_the_same_rows() {
    let links = ["v", "stream", "seq", "prev_hash", "hash"];
    let ours: BTreeSet<_> = ROWS.iter().map(|meta| meta.name).chain(links).collect();
    let keys = || rows::ROWS.iter().flat_map(|(keys, _)| *keys).copied();
    assert_eq!(keys().collect::<BTreeSet<_>>(), ours);
    assert_eq!(keys().count(), ours.len(), "a key stands twice");
    assert!(keys().all(|key| rows::row(key).is_some()));
}

#[test]
fn they_read_names_the_same_way() {
    for file in ["name.rs", "fold.rs"] {
        let ours = format!("src/redact/{file}");
        let copy = format!("../compliance-log-macros/src/{file}");
        assert!(source(&ours) == source(&copy), "{ours} and {copy} differ");
    }
}

#[test]
fn they_prohibit_the_same_names() {
    #[derive(Deserialize)]
    struct Lists {
        name: Vec<List>,
    }
    #[derive(Deserialize)]
    struct List {
        id: String,
        action: String,
        names: Vec<String>,
        #[serde(default)]
        allowed: Vec<String>,
    }
    let policy: Lists = toml::from_str(Policy::builtin().document()).unwrap();
    let ours: BTreeMap<_, _> = policy
        .name
        .into_iter()
        .map(|list| {
            (
                format!("{} {}", list.id, list.action),
                (list.names, list.allowed),
            )
        })
        .collect();

    let text = source("../compliance-log-macros/src/prohibited.txt");
    let names = |text: &str| -> Vec<String> {
        let names = text.split([',', '\n']).map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let copy: BTreeMap<_, _> = text
        .split("\n\n")
        .map(|rule| {
            let (head, lists) = rule.split_once('\n').unwrap();
            let (prohibited, allowed) = lists.split_once("\nallowed\n").unwrap_or((lists, ""));
            (head.to_owned(), (names(prohibited), names(allowed)))
        })
        .collect();
    assert_eq!(copy, ours);
}
