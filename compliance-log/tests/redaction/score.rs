//! Counting what was found, and printing it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
};

use crate::{negatives::Negative, positives::Positive, sought::Views, stored::Stored};

/// Least shares, of a hundred: over all, of each format, and of each rule.
const OVERALL_MIN: usize = 99;
const FORMAT_RECALL_MIN: usize = 90;
const RULE_PRECISION_MIN: usize = 95;

/// How many were right, of how many.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    right: usize,
    wrong: usize,
}

impl Share {
    fn count(&mut self, right: bool) {
        *(if right {
            &mut self.right
        } else {
            &mut self.wrong
        }) += 1;
    }

    fn all(self) -> usize {
        self.right + self.wrong
    }

    fn reaches(self, percent: usize) -> bool {
        self.right * 100 >= self.all() * percent
    }

    /// Of a thousand, in the form `99.5`.
    fn percent(self) -> String {
        let thousandths = self.right * 1000 / self.all().max(1);
        format!("{}.{}", thousandths / 10, thousandths % 10)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Score {
    recall: Share,
    precision: Share,
    formats: BTreeMap<&'static str, Share>,
    groups: BTreeMap<&'static str, Share>,
    rules: BTreeMap<String, Share>,
    misses: Vec<String>,
    false_positives: Vec<String>,
}

impl Score {
    /// A secret was found if nothing of it is left.
    pub(crate) fn positive(&mut self, positive: &Positive, stored: &Stored) {
        let left = is_left(positive, stored);
        self.recall.count(!left);
        self.formats
            .entry(positive.format)
            .or_default()
            .count(!left);
        if !stored.redactions.is_empty() {
            self.precision.count(true);
        }
        for rule in rules(stored) {
            self.rules.entry(rule.to_owned()).or_default().count(true);
        }
        if left {
            let Positive {
                format,
                wrap,
                seed,
                text,
                ..
            } = positive;
            let by = rules(stored).into_iter().collect::<Vec<_>>().join(", ");
            let mut miss = format!("{format} / {wrap} / {seed:016x} [{by}]");
            if shows_misses() {
                miss += &shown(text, stored);
            }
            self.misses.push(miss);
        }
    }

    /// A text without a secret was left alone if it came back as it was.
    pub(crate) fn negative(&mut self, negative: &Negative, stored: &Stored) {
        let same = stored.redactions.is_empty()
            && stored.values.iter().all(|value| *value == negative.text);
        self.groups.entry(negative.group).or_default().count(same);
        if same {
            return;
        }
        self.precision.count(false);
        for rule in rules(stored) {
            self.rules.entry(rule.to_owned()).or_default().count(false);
        }
        let Negative { group, seed, text } = negative;
        let by = rules(stored).into_iter().collect::<Vec<_>>().join(", ");
        let shown = shown(text, stored);
        self.false_positives
            .push(format!("{group} / {seed:016x} [{by}]{shown}"));
    }

    pub(crate) fn print(&self) {
        println!(
            "\n{:<32} {:>6} {:>6} {:>7}",
            "rule", "hits", "false", "precise"
        );
        for (rule, share) in &self.rules {
            println!(
                "{rule:<32} {:>6} {:>6} {:>7}",
                share.right,
                share.wrong,
                share.percent()
            );
        }
        println!(
            "\n{:<32} {:>6} {:>6} {:>7}",
            "format", "found", "missed", "recall"
        );
        for (format, share) in &self.formats {
            println!(
                "{format:<32} {:>6} {:>6} {:>7}",
                share.right,
                share.wrong,
                share.percent()
            );
        }
        println!(
            "\n{:<32} {:>6} {:>6} {:>7}",
            "no secrets", "left", "false", "left"
        );
        for (group, share) in &self.groups {
            println!(
                "{group:<32} {:>6} {:>6} {:>7}",
                share.right,
                share.wrong,
                share.percent()
            );
        }
        println!("\nmissed: format / wrap / seed [rules that had a part in it]");
        self.misses.iter().for_each(|miss| println!("  {miss}"));
        println!("\nfalse: group / seed [rules]");
        self.false_positives
            .iter()
            .for_each(|text| println!("  {text}"));
        let all = |share: Share| format!("{} % of {}", share.percent(), share.all());
        println!(
            "\nrecall {}, precision {}",
            all(self.recall),
            all(self.precision)
        );
    }

    /// What falls short of the least share.
    pub(crate) fn shortcomings(&self) -> Vec<String> {
        let overall = [("recall", self.recall), ("precision", self.precision)]
            .map(|(name, share)| (name.to_owned(), share, OVERALL_MIN));
        let formats = self
            .formats
            .iter()
            .map(|(format, share)| (format!("recall of {format}"), *share, FORMAT_RECALL_MIN));
        let rules = self
            .rules
            .iter()
            .map(|(rule, share)| (format!("precision of {rule}"), *share, RULE_PRECISION_MIN));
        overall
            .into_iter()
            .chain(formats)
            .chain(rules)
            .filter(|(_, share, least)| !share.reaches(*least))
            .map(|(name, share, least)| format!("{name} is {} %, not {least}", share.percent()))
            .collect()
    }
}

/// Long parts are looked for in the whole line; short ones, such as three digits, only in the values,
/// since a time stamp may hold them by chance.
fn is_left(positive: &Positive, stored: &Stored) -> bool {
    let values = Views::of(&stored.values.join("\n"));
    let long = positive.parts.iter().filter(|part| part.window >= 8);
    values.show(&positive.parts) || Views::of(&stored.line).show(long)
}

fn rules(stored: &Stored) -> BTreeSet<&str> {
    stored
        .redactions
        .iter()
        .map(|[_, rule, _]| rule.as_str())
        .collect()
}

/// What became of a text.
fn shown(text: &str, stored: &Stored) -> String {
    let [message, detail] = &stored.values;
    let also = if message == detail {
        ""
    } else {
        "\n      as a field it differs"
    };
    format!("\n      was {text:?}\n      is  {message:?}{also}")
}

/// A text that holds a secret stands in no report of CI, only in that of who asks for it.
fn shows_misses() -> bool {
    env::var_os("SHOW_MISSES").is_some_and(|asked| asked == "1")
}
