//! The names that the built-in policy of compliance-log prohibits, and the ones that it allows.

use crate::name::Names;
use std::sync::LazyLock;

/// Rules with an empty line between them: its id and remedy, the names that it prohibits, and after
/// the line `allowed` those that it does not.
const LISTS: &str = include_str!("prohibited.txt");

/// What may be done with a field of a listed name, besides dropping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Nothing.
    Drop,
    /// Its last four digits may be written.
    Mask,
}

/// Names that mean the same kind of secret.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) remedy: Remedy,
    names: Vec<&'static str>,
    allowed: Vec<&'static str>,
}

/// The rule that prohibits `name`.
pub(crate) fn rule(name: &str) -> Option<&'static Rule> {
    static TABLE: LazyLock<(Vec<Rule>, Names)> = LazyLock::new(|| {
        let rules: Vec<Rule> = rules().collect();
        let mut names = Names::default();
        for (index, rule) in rules.iter().enumerate() {
            for name in &rule.names {
                names.prohibit(name, index);
            }
            for name in &rule.allowed {
                names.allow(name);
            }
        }
        (rules, names)
    });
    let (rules, names) = &*TABLE;
    names.find(name).map(|index| &rules[index])
}

fn rules() -> impl Iterator<Item = Rule> {
    LISTS.split("\n\n").map(|text| {
        let (head, lists) = text.split_once('\n').unwrap_or((text, ""));
        let (id, remedy) = head.split_once(' ').unwrap_or((head, ""));
        let (names, allowed) = lists.split_once("\nallowed\n").unwrap_or((lists, ""));
        Rule {
            id,
            remedy: match remedy {
                "mask" => Remedy::Mask,
                _ => Remedy::Drop,
            },
            names: list(names),
            allowed: list(allowed),
        }
    })
}

fn list(names: &str) -> Vec<&str> {
    names
        .split([',', '\n'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}
