use compliance_log::Policy;

use crate::{
    json::{Json, Unread},
    redact_line::{json_line, text_line},
    redact_text::is_bounded,
};

/// What `compliance-log redact` does to a line: JSON stays JSON, with the same keys in the same order and
/// every other byte as it was, but for texts that hold a secret and values under a prohibited name.
pub fn redact_json(line: &str) {
    let policy = Policy::builtin();
    let mut found = Vec::new();
    let clean = json_line(&policy, line, &mut found);
    let given = match Json::parse(line) {
        Err(Unread::TooDeep | Unread::Unholdable) => return,
        given => given.ok(),
    };
    assert_eq!(clean.is_some(), given.is_some(), "is it JSON: {line:?}");
    let (Some(clean), Some(given)) = (clean, given) else {
        // The command takes it for text.
        let clean = text_line(&policy, line, &mut found);
        assert_eq!(text_line(&policy, &clean, &mut Vec::new()), clean);
        return;
    };
    if found.is_empty() {
        assert_eq!(clean, line, "nothing was found, and nothing changed");
    }
    let after = Json::parse(&clean);
    assert!(after.is_ok(), "{line:?} became {clean:?}");
    compare(&policy, &given, &after.unwrap(), Under::Harmless);
    let again = json_line(&policy, &clean, &mut Vec::new());
    assert_eq!(again.as_ref(), Some(&clean), "redacted again: {line:?}");
}

/// Whether a value stands under a prohibited name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Under {
    Harmless,
    Prohibited,
}

fn compare(policy: &Policy, given: &Json, after: &Json, under: Under) {
    match (given, after) {
        (Json::Text(given), Json::Text(after)) => {
            let bounded = is_bounded(after, given);
            assert!(bounded, "{given:?} became {after:?}");
        }
        (Json::Number(given), Json::Text(after)) => {
            assert!(
                under == Under::Prohibited,
                "the number {given} became {after:?}"
            );
        }
        (Json::List(given), Json::List(after)) => {
            assert_eq!(given.len(), after.len());
            for (given, after) in given.iter().zip(after) {
                compare(policy, given, after, under);
            }
        }
        (Json::Object(given), Json::Object(after)) => {
            assert_eq!(given.len(), after.len());
            for ((name, given), (name_after, after)) in given.iter().zip(after) {
                if name != name_after {
                    let redacted = policy.redact_text(name).map(|redacted| redacted.text);
                    assert_eq!(redacted.as_ref(), Some(name_after));
                }
                // Also a key without the secret that was in it may be a prohibited name.
                let under = match policy.prohibits(name).or(policy.prohibits(name_after)) {
                    Some(_) => Under::Prohibited,
                    None => under,
                };
                compare(policy, given, after, under);
            }
        }
        (given, after) => assert_eq!(given, after),
    }
}
