use std::collections::BTreeMap;

use super::mode::Volume;
use crate::event::Category;

/// What is set, by event name and by route.
#[derive(Debug, Default)]
pub(crate) struct Rules(BTreeMap<Box<str>, Volume>);

/// The event of which a route is the target.
const ROUTED: &str = "http.request";

impl Rules {
    /// Takes what makes sense and warns of the rest. `category` knows the events of the program.
    pub(crate) fn new(
        entries: impl IntoIterator<Item = (String, Volume)>,
        category: impl Fn(&str) -> Option<Category>,
        warnings: &mut Vec<String>,
    ) -> Self {
        let mut rules = BTreeMap::new();
        for (name, volume) in entries {
            let category = if is_route(&name) || name == ROUTED {
                Some(Category::Access)
            } else {
                category(&name)
            };
            match (category, volume) {
                (Some(category @ (Category::Audit | Category::Security | Category::Admin)), _) => {
                    warnings.push(format!(
                        "volume: `{name}` is of category {}, of which every record is written",
                        category.as_str()
                    ));
                }
                (Some(Category::Access), Volume::Sample(_)) => {
                    warnings.push(format!(
                        "volume: `{name}` is of category access; `sample` is for app only, every record is written"
                    ));
                }
                _ => drop(rules.insert(name.into(), volume)),
            }
        }
        Self(rules)
    }

    /// What is set for an event; that for its route comes first.
    pub(crate) fn of(&self, event: &str, route: Option<&str>) -> Option<Volume> {
        if self.0.is_empty() {
            return None;
        }
        let route = route.filter(|_| event == ROUTED);
        let of_route = route.and_then(|route| self.0.get(route));
        of_route.or_else(|| self.0.get(event)).copied()
    }
}

/// `GET /health`: an event's name has no space.
fn is_route(name: &str) -> bool {
    name.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(entries: &[(&str, Volume)]) -> (Rules, Vec<String>) {
        let mut warnings = Vec::new();
        let entries = entries
            .iter()
            .map(|(name, volume)| ((*name).to_owned(), *volume));
        let category = |name: &str| match name {
            "role.granted" => Some(Category::Admin),
            "file.read" => Some(Category::Access),
            _ => None,
        };
        let rules = Rules::new(entries, category, &mut warnings);
        (rules, warnings)
    }

    #[test]
    fn a_route_comes_before_its_event() {
        let (rules, warnings) = rules(&[
            ("http.request", Volume::OnChange),
            ("GET /live", Volume::Each),
        ]);
        assert!(warnings.is_empty());
        assert_eq!(
            rules.of("http.request", Some("GET /live")),
            Some(Volume::Each)
        );
        assert_eq!(
            rules.of("http.request", Some("GET /x")),
            Some(Volume::OnChange)
        );
        assert_eq!(rules.of("other", Some("GET /live")), None, "no request");
    }

    #[test]
    fn what_must_be_written_cannot_be_lowered() {
        let (rules, warnings) = rules(&[
            ("role.granted", Volume::OnChange),
            ("file.read", Volume::Sample(2)),
            ("GET /x", Volume::Sample(2)),
            ("log", Volume::Sample(2)),
        ]);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(rules.of("role.granted", None), None);
        assert_eq!(rules.of("log", None), Some(Volume::Sample(2)));
    }
}
