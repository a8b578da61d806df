//! What fault rules did: how often which, and what.

use std::collections::BTreeMap;

use serde::Serialize;

/// How often a fault rule did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FaultTally {
    /// The rule's name.
    pub rule: String,
    /// The kind of fault, such as `loss`; of a fault site its name.
    pub fault: String,
    /// How often: messages hit, agents hit, visits to a site that went wrong.
    pub count: u64,
}

/// Counts by rule and kind of fault.
#[derive(Clone, Debug, Default)]
pub(super) struct FaultCounts(BTreeMap<String, BTreeMap<String, u64>>);

impl FaultCounts {
    pub(super) fn add(&mut self, rule: &str, fault: &str) {
        // Nearly always both are known already.
        if let Some(count) = self.0.get_mut(rule).and_then(|faults| faults.get_mut(fault)) {
            *count += 1;
            return;
        }
        self.0.entry(rule.to_owned()).or_default().insert(fault.to_owned(), 1);
    }

    /// By rule, then by kind.
    pub(super) fn report(&self) -> Vec<FaultTally> {
        let of_rule = |(rule, faults): (&String, &BTreeMap<String, u64>)| {
            let tally = |(fault, count): (&String, &u64)| FaultTally {
                rule: rule.clone(),
                fault: fault.clone(),
                count: *count,
            };
            faults.iter().map(tally).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_rule).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_counted_kind_by_kind_in_order() {
        let mut counts = FaultCounts::default();
        for (rule, fault) in [("b", "loss"), ("a", "restart"), ("a", "crash"), ("b", "loss")] {
            counts.add(rule, fault);
        }
        let shown: Vec<String> = counts
            .report()
            .iter()
            .map(|tally| format!("{} {} {}", tally.rule, tally.fault, tally.count))
            .collect();
        assert_eq!(shown, ["a crash 1", "a restart 1", "b loss 2"]);
    }
}
