//! Every fault site: that a hit is recorded and does what the site says, and what happens without.

mod resources;
mod workers;

use std::collections::BTreeSet;

use fleetsim_agents::sites::{AGENT_RUNAWAY_SPAWN, ALL};
use fleetsim_engine::{AgentId, Attention, Draw, Fact, Fleet, Hit, Injector, SiteVisit, Time, hash_text};

use crate::support::{hit, play_until};
use crate::unhit::press;

/// Something to do to a fleet before it runs.
type Prepare<'a> = dyn Fn(&mut Fleet) + 'a;

/// A story with and without a hit.
struct Case {
    site: &'static str,
    strength: u64,
    /// How many visits are hit.
    times: u64,
    /// Runs a fleet, after whatever is done to it first, and tells what happened.
    tell: fn(&Prepare<'_>) -> Vec<String>,
    without: Vec<&'static str>,
    with: Vec<&'static str>,
}

impl Case {
    /// What is not as it should be.
    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut compare = |what: &str, told: &[String], expected: &[&str]| {
            if told != expected {
                let name = format!("{} with strength {}, {what}", self.site, self.strength);
                mistakes.push(format!("{name}:\n told {told:#?}\n expected {expected:#?}"));
            }
        };
        compare("not hit", &(self.tell)(&|_| {}), &self.without);
        let with = (self.tell)(&|fleet| hit(fleet, self.site, self.strength, self.times));
        compare("hit", &with, &self.with);
        let injected = format!("injected rule {} {}", self.site, self.strength);
        let hits = with.iter().filter(|line| line.ends_with(&injected)).count();
        if hits as u64 != self.times {
            mistakes.push(format!("{}: {hits} hits in the record, not {}", self.site, self.times));
        }
        mistakes
    }
}

#[test]
fn a_hit_is_recorded_and_does_what_the_site_says() {
    let cases: Vec<Case> = resources::cases().into_iter().chain(workers::cases()).collect();
    let hit: BTreeSet<_> = cases.iter().map(|case| case.site).collect();
    let known: BTreeSet<_> = ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(hit, known, "every site has a case");
    let mistakes: Vec<_> = cases.iter().flat_map(Case::mistakes).collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// Hits a share of the visits to all sites, with strengths of all sizes.
struct Everything {
    one_in: u64,
}

impl Injector for Everything {
    fn attention(&self, _now: Time) -> Attention {
        Attention::NEVER
    }

    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        let mut draw = Draw::new(visit.seed, hash_text(visit.site), visit.agent, visit.visit);
        if !draw.happens(1, self.one_in) {
            return None;
        }
        let strengths = [0, 1, 3, 40, 700, 9_000];
        let strength = match visit.site {
            AGENT_RUNAWAY_SPAWN => draw.next() % 12,
            _ => strengths[(draw.next() % 6) as usize],
        };
        Some(Hit { rule: AgentId::rule("everything"), strength, since: None })
    }
}

/// Nobody panics, and everybody understands what they get, whatever goes wrong together.
#[test]
fn everything_at_once_breaks_no_agent() {
    let mut hit = BTreeSet::new();
    for seed in 0..60 {
        let mut fleet = press(seed);
        fleet.name_rule("everything");
        fleet.inject_faults(Box::new(Everything { one_in: 3 + seed % 15 }));
        let run = play_until(fleet, 20_000);
        for (_, _, fact) in run.facts() {
            if let Fact::Injected { fault, .. } = fact {
                hit.insert(fault.to_owned());
            }
        }
    }
    let never: Vec<_> = ALL.iter().filter(|(name, _)| !hit.contains(*name)).collect();
    assert!(never.is_empty(), "{never:?}");
}
