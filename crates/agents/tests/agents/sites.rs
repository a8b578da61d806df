//! Every fault site: that a hit is recorded and does what the site says, and what happens without.

mod resources;
mod workers;

use std::collections::BTreeSet;

use fleetsim_agents::sites::ALL;

use crate::support::hit;

/// A story with and without a hit.
struct Case {
    site: &'static str,
    strength: u64,
    /// How many visits are hit.
    times: u64,
    /// Runs a fleet, after whatever is done to it first, and tells what happened.
    tell: fn(&dyn Fn(&mut fleetsim_engine::Fleet)) -> Vec<String>,
    without: Vec<&'static str>,
    with: Vec<&'static str>,
}

impl Case {
    fn check(&self) {
        let name = format!("{} with strength {}", self.site, self.strength);
        assert_eq!((self.tell)(&|_| {}), self.without, "{name}, not hit");
        let with = (self.tell)(&|fleet| hit(fleet, self.site, self.strength, self.times));
        assert_eq!(with, self.with, "{name}, hit");
        let injected = format!("injected rule {} {}", self.site, self.strength);
        let hits = with.iter().filter(|line| line.ends_with(&injected)).count();
        assert_eq!(hits as u64, self.times, "{name}: every hit is in the record");
    }
}

#[test]
fn a_hit_is_recorded_and_does_what_the_site_says() {
    let cases: Vec<Case> = resources::cases().into_iter().chain(workers::cases()).collect();
    let hit: BTreeSet<_> = cases.iter().map(|case| case.site).collect();
    let known: BTreeSet<_> = ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(hit, known, "every site has a case");
    for case in cases {
        case.check();
    }
}
