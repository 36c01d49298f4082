use super::{
    finding::{Change, Finding, Impact},
    lock::{LockedEvent, LockedField, SchemaLock},
    words::Word,
};
use crate::event::{Action, Presence};

impl SchemaLock {
    /// What differs in `newer`, by event, version and field; nothing if they say the same. The
    /// [module](super) says what is compatible.
    pub fn compare(&self, newer: &Self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for old in self.events() {
            match newer.event(&old.name, old.version) {
                Some(new) => compare_events(old, new, &mut findings),
                None => findings.push(gone(old, newer.newest(&old.name))),
            }
        }
        for new in newer.events() {
            let replaces = self.events().any(|old| {
                old.name == new.name
                    && newer.event(&old.name, old.version).is_none()
                    && newer.newest(&old.name) == Some(new.version)
            });
            if self.event(&new.name, new.version).is_none() && !replaces {
                findings.push(Finding::of(new, Change::EventAdded, Impact::Compatible));
            }
        }
        findings.sort_by(|one, other| place_of(one).cmp(&place_of(other)));
        findings
    }
}

fn place_of(finding: &Finding) -> (&str, u16, Option<&str>) {
    (&finding.event, finding.version, finding.field.as_deref())
}

/// An event of which this version is no more.
fn gone(old: &LockedEvent, newest: Option<u16>) -> Finding {
    match newest {
        None => Finding::of(old, Change::EventRemoved, Impact::Breaking),
        Some(version) if version > old.version => {
            Finding::of(old, Change::VersionRaised, Impact::Compatible)
                .values(&old.version, &version)
        }
        Some(version) => Finding::of(old, Change::VersionLowered, Impact::Breaking)
            .values(&old.version, &version),
    }
}

fn compare_events(old: &LockedEvent, new: &LockedEvent, findings: &mut Vec<Finding>) {
    let of_event = [
        (Change::Category, old.category.word(), new.category.word()),
        (Change::Outcome, old.outcome.word(), new.outcome.word()),
    ];
    for (change, from, to) in of_event {
        if from != to {
            findings.push(Finding::of(old, change, Impact::Breaking).values(from, to));
        }
    }
    for (name, field) in &old.fields {
        let path = field.path(name);
        let Some(now) = new.fields.get(name) else {
            let finding = Finding::of(old, Change::FieldRemoved, Impact::Breaking);
            findings.push(finding.field(path));
            continue;
        };
        for (change, impact, from, to) in changes(*field, *now) {
            let finding = Finding::of(old, change, impact).values(from, to);
            findings.push(finding.field(path.clone()));
        }
    }
    for (name, field) in &new.fields {
        if !old.fields.contains_key(name) {
            let impact = breaking_if(field.presence == Presence::Always);
            let mut finding = Finding::of(old, Change::FieldAdded, impact);
            finding.to = Some(field.presence.word().to_owned());
            findings.push(finding.field(field.path(name)));
        }
    }
}

type FieldChange = (Change, Impact, &'static str, &'static str);

fn changes(old: LockedField, new: LockedField) -> impl Iterator<Item = FieldChange> {
    fn change<W: Word>(change: Change, impact: Impact, old: W, new: W) -> FieldChange {
        (change, impact, old.word(), new.word())
    }
    let weaker = breaking_if(new.class < old.class);
    let less = breaking_if(taken_away(new.action) <= taken_away(old.action));
    [
        change(Change::Place, Impact::Breaking, old.place, new.place),
        change(Change::Kind, Impact::Breaking, old.kind, new.kind),
        change(
            Change::Presence,
            Impact::Breaking,
            old.presence,
            new.presence,
        ),
        change(Change::Class, weaker, old.class, new.class),
        change(Change::Action, less, old.action, new.action),
    ]
    .into_iter()
    .filter(|(_, _, from, to)| from != to)
}

/// How much an action takes away. A mask and a pseudonym are two different values: neither stands for
/// the other.
fn taken_away(action: Action) -> u8 {
    match action {
        Action::Keep => 0,
        Action::MaskPan | Action::Pseudonym => 1,
        Action::Drop => 2,
    }
}

fn breaking_if(breaks: bool) -> Impact {
    if breaks {
        Impact::Breaking
    } else {
        Impact::Compatible
    }
}

impl Finding {
    fn of(event: &LockedEvent, change: Change, impact: Impact) -> Self {
        Self {
            impact,
            event: event.name.clone(),
            version: event.version,
            field: None,
            change,
            from: None,
            to: None,
        }
    }

    fn field(mut self, path: String) -> Self {
        self.field = Some(path);
        self
    }

    fn values(mut self, from: &(impl ToString + ?Sized), to: &(impl ToString + ?Sized)) -> Self {
        self.from = Some(from.to_string());
        self.to = Some(to.to_string());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
compliance-log schema lock 1

event a.b version=2 category=audit outcome=success
  field booking_id kind=integer presence=always class=internal action=keep
  field data.card kind=text presence=always class=cardholder action=mask
  field data.who kind=text presence=optional class=personal action=pseudonym

event x.y version=1 category=admin outcome=fail
";

    /// What is said of `LOCK` with one change, and whether it breaks anything.
    fn said(from: &str, to: &str) -> (Impact, String) {
        let changed = LOCK.replacen(from, to, 1);
        assert_ne!(changed, LOCK, "{from}");
        let findings = parse(LOCK).compare(&parse(&changed));
        let [finding] = &findings[..] else {
            panic!("one finding, not {findings:?}");
        };
        (finding.impact, finding.to_string())
    }

    fn parse(text: &str) -> SchemaLock {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_reader_cannot_notice_is_compatible() {
        let added = "event x.y version=1 category=admin outcome=fail\nevent x.z version=1 category=app outcome=success";
        let next = "event x.y version=1 category=admin outcome=fail\nevent x.y version=2 category=app outcome=success";
        let field = "outcome=success\n  field data.new kind=text presence=optional class=public action=keep";
        for (from, to, expected) in [
            (
                "event x.y version=1 category=admin outcome=fail",
                added,
                "x.z version 1: added",
            ),
            (
                "event x.y version=1 category=admin outcome=fail",
                next,
                "x.y version 2: added",
            ),
            (
                "outcome=success",
                field,
                "a.b version 2, field data.new: added, presence is optional",
            ),
            (
                "class=internal",
                "class=personal",
                "a.b version 2, field booking_id: class was internal, is personal",
            ),
            (
                "action=keep",
                "action=pseudonym",
                "a.b version 2, field booking_id: action was keep, is pseudonym",
            ),
            (
                "action=mask",
                "action=drop",
                "a.b version 2, field data.card: action was mask, is drop",
            ),
            (
                "a.b version=2",
                "a.b version=3",
                "a.b version 2: version was raised to 3",
            ),
            (
                "x.y version=1 category=admin",
                "x.y version=4 category=audit",
                "x.y version 1: version was raised to 4",
            ),
        ] {
            assert_eq!(said(from, to), (Impact::Compatible, expected.to_owned()));
        }
        assert_eq!(parse(LOCK).compare(&parse(LOCK)), []);
    }

    #[test]
    fn what_some_reader_cannot_read_is_breaking_and_named() {
        let card = "  field data.card kind=text presence=always class=cardholder action=mask\n";
        let field =
            "outcome=success\n  field data.new kind=text presence=always class=public action=keep";
        for (from, to, expected) in [
            (
                "event x.y version=1 category=admin outcome=fail\n",
                "",
                "x.y version 1: removed",
            ),
            (
                "a.b version=2",
                "a.b version=1",
                "a.b version 2: version was lowered to 1",
            ),
            (
                "presence=optional",
                "presence=always",
                "a.b version 2, field data.who: presence was optional, is always",
            ),
            (
                "category=admin",
                "category=app",
                "x.y version 1: category was admin, is app",
            ),
            (
                "outcome=fail",
                "outcome=success",
                "x.y version 1: outcome was fail, is success",
            ),
            (card, "", "a.b version 2, field data.card: removed"),
            (
                "outcome=success",
                field,
                "a.b version 2, field data.new: added, presence is always",
            ),
            (
                "field data.who",
                "field who",
                "a.b version 2, field data.who: place was data, is root",
            ),
            (
                "kind=integer",
                "kind=text",
                "a.b version 2, field booking_id: kind was integer, is text",
            ),
            (
                "presence=always",
                "presence=optional",
                "a.b version 2, field booking_id: presence was always, is optional",
            ),
            (
                "class=cardholder",
                "class=public",
                "a.b version 2, field data.card: class was cardholder, is public",
            ),
            (
                "action=mask",
                "action=keep",
                "a.b version 2, field data.card: action was mask, is keep",
            ),
            (
                "action=pseudonym",
                "action=mask",
                "a.b version 2, field data.who: action was pseudonym, is mask",
            ),
        ] {
            assert_eq!(said(from, to), (Impact::Breaking, expected.to_owned()));
        }
    }

    #[test]
    fn a_raised_version_may_change_everything_and_one_that_stays_beside_it_nothing() {
        let whole = LOCK.split("\n\n").nth(1).unwrap();
        let other = "event a.b version=3 category=app outcome=fail\n  field data.card kind=any presence=always class=public action=keep";
        let raised = parse(LOCK).compare(&parse(&LOCK.replace(whole, other)));
        assert_eq!(raised.len(), 1, "{raised:?}");
        assert_eq!(raised[0].impact, Impact::Compatible);

        let beside = format!("{other}\n\n{}", whole.replace("kind=integer", "kind=text"));
        let beside = parse(LOCK).compare(&parse(&LOCK.replace(whole, &beside)));
        let said: Vec<_> = beside
            .iter()
            .map(|finding| (finding.impact, finding.change))
            .collect();
        let expected = [
            (Impact::Breaking, Change::Kind),
            (Impact::Compatible, Change::EventAdded),
        ];
        assert_eq!(said, expected, "{beside:?}");
    }

    #[test]
    fn several_changes_of_one_field_are_told_apart() {
        let changed = LOCK.replace(
            "data.card kind=text presence=always class=cardholder action=mask",
            "card kind=any presence=optional class=secret action=drop",
        );
        let findings = parse(LOCK).compare(&parse(&changed));
        let changes: Vec<_> = findings.iter().map(|finding| finding.change).collect();
        assert_eq!(
            changes,
            [
                Change::Place,
                Change::Kind,
                Change::Presence,
                Change::Class,
                Change::Action
            ]
        );
        assert!(
            findings
                .iter()
                .all(|finding| finding.field.as_deref() == Some("data.card"))
        );
    }
}
