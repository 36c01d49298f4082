use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use super::{Policy, rule::Detector};

/// What harmless records hold, one value a line.
const SAMPLE: &str = include_str!("sample.txt");
/// The quickest of so many runs is what a rule costs.
const RUNS: usize = 7;

/// How one rule of a [`Policy`] stands to its examples, and what it costs; from [`Policy::trial`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleTrial<'p> {
    /// The rule's id.
    pub id: &'p str,
    /// How many of its `match` examples it finds.
    pub found: usize,
    /// How many `match` examples it has.
    pub matches: usize,
    /// How many of its `pass` examples it leaves.
    pub left: usize,
    /// How many `pass` examples it has.
    pub passes: usize,
    /// What it costs to search text; nothing for a rule of names, which are looked up once each.
    pub cost: Option<RuleCost>,
}

impl RuleTrial<'_> {
    /// Whether each example holds. A policy that was read has no rule of which one does not.
    pub fn holds(&self) -> bool {
        self.found == self.matches && self.left == self.passes
    }
}

/// What a value rule costs over a fixed sample of harmless values.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RuleCost {
    /// Nanoseconds for 1,024 bytes that its pattern or finder searches, on this machine.
    pub ns_per_kib: f64,
    /// In how many values of the sample something leads to the rule, so that it searches them.
    pub entered: usize,
    /// In how many of those it finds something, each a false alarm.
    pub alarms: usize,
    /// How many values the sample has.
    pub values: usize,
}

impl Policy {
    /// Tries each rule on its own examples and measures it over a fixed sample of harmless values: what an
    /// operator looks at before a policy goes live. Takes about a millisecond a rule, as the iterator
    /// comes to it.
    pub fn trial(&self) -> impl Iterator<Item = RuleTrial<'_>> {
        let names = self.0.name_rules.iter().enumerate();
        let names = names.map(|(number, rule)| {
            let hit = |name: &&String| self.0.fields.find(name) == Some(number);
            RuleTrial {
                id: rule.id.get_ref(),
                found: rule.matches.iter().filter(hit).count(),
                matches: rule.matches.len(),
                left: rule.pass.iter().filter(|name| !hit(name)).count(),
                passes: rule.pass.len(),
                cost: None,
            }
        });
        let values = self.0.net.detectors.iter().enumerate();
        let values = values.map(|(number, detector)| {
            let finds = |text: &&String| detector.finds(text, &self.0.words);
            RuleTrial {
                id: detector.id(),
                found: detector.rule.matches.iter().filter(finds).count(),
                matches: detector.rule.matches.len(),
                left: detector
                    .rule
                    .pass
                    .iter()
                    .filter(|text| !finds(text))
                    .count(),
                passes: detector.rule.pass.len(),
                cost: Some(self.cost(number, detector)),
            }
        });
        names.chain(values)
    }

    fn cost(&self, number: usize, detector: &Detector) -> RuleCost {
        let finds = |text: &str| detector.finds(text, &self.0.words);
        let leads = |text: &str| self.0.net.prefilter.rules(text.as_bytes()).contains(number);
        let entered = SAMPLE.lines().filter(|text| leads(text));
        let took = (0..RUNS).map(|_| {
            let start = Instant::now();
            for text in SAMPLE.lines() {
                black_box(finds(black_box(text)));
            }
            start.elapsed()
        });
        let took = took.min().unwrap_or(Duration::ZERO);
        let bytes: u32 = SAMPLE.lines().fold(0, |bytes, text| {
            bytes + u32::try_from(text.len()).unwrap_or(u32::MAX)
        });
        RuleCost {
            ns_per_kib: took.as_secs_f64() * 1e9 * 1024.0 / f64::from(bytes),
            entered: entered.clone().count(),
            alarms: entered.filter(|text| finds(text)).count(),
            values: SAMPLE.lines().count(),
        }
    }
}
