//! Swarm testing: from each seed another plan, with some kinds of faults switched off entirely and the others at wildly
//! different strengths. All faults at once hide those bugs that one fault uncovers and another covers up.
//!
//! Groce, Zhang, Eide, Chen and Regehr, "Swarm testing", ISSTA 2012.

use fleetsim_engine::{ClockChange, Draw, Time, hash_text};

use crate::fault::{Damage, Fault, Luck};
use crate::heal::Heal;
use crate::party::{Party, Who};
use crate::plan::{Plan, Rule};
use crate::share::Share;
use crate::spread::Spread;
use crate::tolerance::Tolerance;
use crate::when::When;

const LUCK: u64 = hash_text("swarm");

/// What a swarm plan must know of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The groups of agents with their sizes.
    pub roles: Vec<(String, u32)>,
    /// When faults are over and everything heals: above zero.
    pub heals_at: Time,
    /// By when, in nanoseconds after that, the fleet must have converged.
    pub converges_within_ns: u64,
}

/// The plan of a seed, within what is borne. It heals, at most one agent of a role is down at a time for one reason, and
/// whatever it breaks is mended: [`unrecoverable`](crate::unrecoverable) finds nothing in it.
#[must_use]
pub fn swarm(seed: u64, tolerance: &Tolerance, world: &World) -> Plan {
    let mut swarm = Swarm { seed, tolerance, world, plan: Plan::default() };
    swarm.network();
    swarm.agents();
    swarm.sites();
    let Swarm { mut plan, .. } = swarm;
    if !plan.is_empty() {
        let (at, converges_within_ns) = (world.heals_at, world.converges_within_ns);
        plan.heal(Some(Heal { at, core: Vec::new(), converges_within_ns }));
    }
    plan
}

struct Swarm<'a> {
    seed: u64,
    tolerance: &'a Tolerance,
    world: &'a World,
    plan: Plan,
}

impl Swarm<'_> {
    /// The luck of a rule; `None` when it is switched off in this seed.
    fn luck(&self, rule: &str) -> Option<Draw> {
        let mut draw = Draw::keyed(self.seed, LUCK, [hash_text(rule)]);
        draw.happens(1, 2).then_some(draw)
    }

    fn add(&mut self, rule: &str, fault: Fault, when: When) {
        self.plan.add(rule, Rule::new(fault, when)).expect("what a swarm makes is a rule");
    }

    fn network(&mut self) {
        let tolerance = self.tolerance;
        let messages = &tolerance.messages;
        let harms: [(&str, Option<Fault>); 6] = [
            ("loss", tolerance.loss.map(|share| Fault::Loss { messages: messages.clone(), share })),
            (
                "delay",
                tolerance.delay_ns.map(|most_ns| Fault::Delay {
                    messages: messages.clone(),
                    share: Share::ALL,
                    by_ns: Spread::Uniform { low: 0, high: most_ns },
                }),
            ),
            (
                "reorder",
                tolerance.reorder_ns.map(|within_ns| Fault::Reorder {
                    messages: messages.clone(),
                    share: Share::ALL,
                    within_ns: within_ns.max(1),
                }),
            ),
            (
                "duplicate",
                tolerance.duplicate.map(|share| Fault::Duplicate {
                    messages: messages.clone(),
                    share,
                    after_ns: Spread::Exponential { mean: 1_000_000_000 },
                }),
            ),
            (
                "flip",
                tolerance.corrupt.map(|share| Fault::Corrupt {
                    messages: messages.clone(),
                    share,
                    damage: Damage::Flip,
                }),
            ),
            (
                "truncate",
                tolerance.corrupt.map(|share| Fault::Corrupt {
                    messages: messages.clone(),
                    share,
                    damage: Damage::Truncate,
                }),
            ),
        ];
        for (rule, worst) in harms {
            if let Some(worst) = worst
                && let Some(mut draw) = self.luck(rule)
            {
                let when = self.some_time(&mut draw);
                self.add(rule, weakened(worst, &mut draw), when);
            }
        }
        if let Some(most_ns) = tolerance.hold_ns
            && let Some(mut draw) = self.luck("hold")
        {
            let when = self.times(&mut draw, most_ns);
            self.add("hold", Fault::Hold { messages: messages.clone() }, when);
        }
        if let Some(most_ns) = tolerance.partition_ns {
            self.partition(most_ns);
        }
    }

    fn partition(&mut self, most_ns: u64) {
        let Some(mut draw) = self.luck("partition") else { return };
        let mut sides = vec![Vec::new(), Vec::new()];
        for (role, count) in &self.world.roles {
            // Nobody counts the members of a large role one by one.
            if *count > 64 {
                sides[(draw.next() % 2) as usize].push(Party::role(role));
                continue;
            }
            for member in 1..=*count {
                // One in five is a bridge.
                match draw.next() % 5 {
                    0 | 1 => sides[0].push(Party::member(role, member)),
                    2 | 3 => sides[1].push(Party::member(role, member)),
                    _ => {}
                }
            }
        }
        sides.retain(|side| !side.is_empty());
        if sides.is_empty() {
            return;
        }
        let one_way = draw.happens(1, 4);
        let when = self.times(&mut draw, most_ns);
        self.add("partition", Fault::Partition { groups: sides, one_way }, when);
    }

    fn agents(&mut self) {
        let tolerance = self.tolerance;
        for (role, count) in self.world.roles.clone() {
            let is_meant = tolerance.roles.is_empty() || tolerance.roles.contains(&role);
            if !is_meant || count == 0 {
                continue;
            }
            let who = || Who::OneOf(Party::role(&role));
            let slow = |permille: u64| Fault::Slow { who: who(), permille: permille.max(1_001) };
            let quarter_ns = self.world.heals_at.as_ns() / 4;
            let clock =
                |drift_ppb, jump_ns| Fault::Clock { who: who(), change: ClockChange { drift_ppb, jump_ns } };
            let signed = |most: u64, draw: &mut Draw| {
                let size = i64::try_from(below(draw, most) + 1).unwrap_or(i64::MAX);
                if draw.happens(1, 2) { size } else { -size }
            };
            let worst: [(&str, Option<u64>); 6] = [
                ("crash", tolerance.crash_ns),
                ("pause", tolerance.pause_ns),
                ("zombie", tolerance.zombie_ns),
                ("slow", tolerance.slow_permille),
                ("clock-jump", tolerance.clock_jump_ns),
                ("clock-drift", tolerance.clock_drift_ppb),
            ];
            for (kind, most) in worst {
                let rule = format!("{kind} {role}");
                let Some((most, mut draw)) = most.zip(self.luck(&rule)) else { continue };
                let (fault, lasts_ns) = match kind {
                    "crash" => (Fault::Crash { who: who() }, most),
                    "pause" => (Fault::Pause { who: who() }, most),
                    "zombie" => (Fault::Zombie { who: who() }, most),
                    "slow" => (slow(1_000 + below(&mut draw, most.saturating_sub(1_000)) + 1), quarter_ns),
                    "clock-jump" => (clock(0, signed(most, &mut draw)), quarter_ns),
                    _ => (clock(signed(most, &mut draw), 0), quarter_ns),
                };
                let when = self.times(&mut draw, lasts_ns);
                self.add(&rule, fault, when);
            }
        }
    }

    fn sites(&mut self) {
        for (site, borne) in &self.tolerance.sites {
            let rule = format!("site {site}");
            let Some(mut draw) = self.luck(&rule) else { continue };
            let fault = Fault::Site {
                site: site.clone(),
                who: None,
                share: borne.share,
                luck: Luck::Visit,
                strength: borne.strength,
                armed: Share::ALL,
            };
            let when = self.some_time(&mut draw);
            self.add(&rule, weakened(fault, &mut draw), when);
        }
    }

    /// All the time until the world heals, or a part of it.
    fn some_time(&self, draw: &mut Draw) -> When {
        let heals_at = self.world.heals_at;
        let from = below(draw, heals_at.as_ns());
        let until = from + 1 + below(draw, heals_at.as_ns() - from);
        match draw.next() % 2 {
            0 => When::Window { from: Time::ZERO, until: heals_at },
            _ => When::Window { from: Time::from_ns(from), until: Time::from_ns(until) },
        }
    }

    /// Once or several times, each for at most `most_ns`.
    fn times(&self, draw: &mut Draw, most_ns: u64) -> When {
        let heals_at = self.world.heals_at;
        let lasts_ns = 1 + below(draw, most_ns.min(heals_at.as_ns()));
        let mean_gap_ns = (heals_at.as_ns() >> (draw.next() % 6)).max(2);
        let from = Time::from_ns(below(draw, heals_at.as_ns()));
        match draw.next() % 3 {
            0 => When::Window { from, until: later(from, lasts_ns) },
            1 => When::Periodic {
                first: from,
                every_ns: mean_gap_ns,
                lasts_ns: lasts_ns.min(mean_gap_ns - 1),
                until: heals_at,
            },
            _ => When::Random { mean_gap_ns, lasts_ns, from: Time::ZERO, until: heals_at },
        }
    }
}

fn later(from: Time, by_ns: u64) -> Time {
    from.checked_add(by_ns).unwrap_or(Time::MAX)
}

/// The same with a share of a half to a thirty-second of what is borne, or all of it.
fn weakened(worst: Fault, draw: &mut Draw) -> Fault {
    let halvings = draw.next() % 6;
    let weaker = |share: Share| Share::new(share.numerator, share.denominator.saturating_mul(1 << halvings));
    match worst {
        Fault::Loss { messages, share } => Fault::Loss { messages, share: weaker(share) },
        Fault::Delay { messages, share, by_ns } => Fault::Delay { messages, share: weaker(share), by_ns },
        Fault::Reorder { messages, share, within_ns } => {
            Fault::Reorder { messages, share: weaker(share), within_ns }
        }
        Fault::Duplicate { messages, share, after_ns } => {
            Fault::Duplicate { messages, share: weaker(share), after_ns }
        }
        Fault::Corrupt { messages, share, damage } => {
            Fault::Corrupt { messages, share: weaker(share), damage }
        }
        Fault::Site { site, who, share, luck, strength, armed } => {
            Fault::Site { site, who, share: weaker(share), luck, strength, armed }
        }
        other => other,
    }
}

/// A number below `end`, or 0.
fn below(draw: &mut Draw, end: u64) -> u64 {
    ((u128::from(draw.next()) * u128::from(end)) >> 64) as u64
}
