//! The brute-force twin: after every fact it builds the whole graph anew from the facts so far and frees whom it can,
//! one by one, until nobody is left to free. It shares no code with the graph that grows with the facts.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::schema::Shape;
use fleetsim_engine::{AgentId, Fact, GroupEntry, Manifest, Waited};
use proptest::prelude::*;

use super::*;

const ROLES: [(&str, u32); 3] = [("coder", 3), ("reviewer", 2), ("lead", 1)];

#[derive(Clone, Debug)]
enum Act {
    States(AgentId, Fact<'static>),
    Goes(AgentId),
}

#[derive(Default)]
struct Twin {
    waits: BTreeSet<(AgentId, Waited<'static>)>,
    holders: BTreeMap<&'static str, Vec<(AgentId, u64)>>,
}

impl Twin {
    fn of(acts: &[Act]) -> Twin {
        let mut twin = Twin::default();
        for act in acts {
            match act.clone() {
                Act::Goes(agent) => twin.waits.retain(|(waiting, _)| *waiting != agent),
                Act::States(agent, Fact::WaitOn { on }) => drop(twin.waits.insert((agent, on))),
                Act::States(agent, Fact::WaitEnd { on }) => drop(twin.waits.remove(&(agent, on))),
                Act::States(agent, Fact::Acquired { resource, fence }) => {
                    twin.waits.remove(&(agent, Waited::Resource(resource)));
                    let holders = twin.holders.entry(resource).or_default();
                    holders.retain(|(holder, known)| *holder != agent && (*known == 0 || *known >= fence));
                    holders.push((agent, fence));
                }
                Act::States(agent, Fact::Released { resource, .. }) => {
                    twin.holders.entry(resource).or_default().retain(|(holder, _)| *holder != agent);
                }
                Act::States(..) => {}
            }
        }
        twin
    }

    fn members(name: &str) -> Vec<AgentId> {
        ROLES
            .iter()
            .flat_map(|(role, count)| (1..=*count).map(move |ordinal| (*role, ordinal)))
            .filter(|(role, ordinal)| name == *role || name == format!("{role}-{ordinal}"))
            .map(|(role, ordinal)| AgentId::named(role, ordinal))
            .collect()
    }

    /// Whether `agent`'s wait `on` cannot end as long as `stuck` do not move.
    fn is_held_up(&self, agent: AgentId, on: Waited<'static>, stuck: &BTreeSet<AgentId>) -> bool {
        let all =
            |agents: Vec<AgentId>| !agents.is_empty() && agents.iter().all(|other| stuck.contains(other));
        match on {
            Waited::Agent(other) => stuck.contains(&other),
            Waited::Resource(name) => {
                all(self.holders.get(name).into_iter().flatten().map(|(holder, _)| *holder).collect())
            }
            Waited::Gate(name) => all(Twin::members(name)),
            Waited::Join(name) => {
                Twin::members(name).iter().any(|member| *member != agent && stuck.contains(member))
            }
        }
    }

    fn stuck(&self) -> BTreeSet<AgentId> {
        let mut stuck: BTreeSet<AgentId> = self.waits.iter().map(|(agent, _)| *agent).collect();
        while let Some(free) = stuck.iter().copied().find(|agent| {
            !self.waits.iter().any(|(waiting, on)| waiting == agent && self.is_held_up(*agent, *on, &stuck))
        }) {
            stuck.remove(&free);
        }
        stuck
    }

    /// Whether `next` is among those why the wait does not end.
    fn is_blocker(&self, agent: AgentId, on: Waited<'static>, next: AgentId) -> bool {
        self.waits.contains(&(agent, on))
            && match on {
                Waited::Agent(other) => other == next,
                Waited::Resource(name) => self.holders[name].iter().any(|(holder, _)| *holder == next),
                Waited::Gate(name) | Waited::Join(name) => Twin::members(name).contains(&next),
            }
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let agents: Vec<AgentId> = Twin::members("coder")
        .into_iter()
        .chain(Twin::members("reviewer"))
        .chain(Twin::members("lead"))
        .chain([AgentId::spawned(AgentId::WORLD, 0)])
        .collect();
    let agent = prop::sample::select(agents);
    let resource = || prop::sample::select(&["a", "b", "c"][..]);
    let on = prop_oneof![
        3 => resource().prop_map(Waited::Resource),
        3 => agent.clone().prop_map(Waited::Agent),
        2 => prop::sample::select(&["lead", "reviewer", "nobody"][..]).prop_map(Waited::Gate),
        2 => prop::sample::select(&["coder", "coder-2", "reviewer", "coder-9"][..]).prop_map(Waited::Join),
    ];
    let fact = prop_oneof![
        5 => on.clone().prop_map(|on| Fact::WaitOn { on }),
        2 => on.prop_map(|on| Fact::WaitEnd { on }),
        3 => (resource(), 0_u64..4).prop_map(|(resource, fence)| Fact::Acquired { resource, fence }),
        1 => resource().prop_map(|resource| Fact::Released { resource, fence: 0 }),
    ];
    let act = prop_oneof![
        12 => (agent.clone(), fact).prop_map(|(agent, fact)| Act::States(agent, fact)),
        1 => agent.prop_map(Act::Goes),
    ];
    prop::collection::vec(act, 0..60)
}

fn manifest() -> Manifest {
    let group = |(name, count): &(&str, u32)| GroupEntry {
        name: (*name).to_owned(),
        count: *count,
        timers: Shape::Unknown,
    };
    Manifest { groups: ROLES.iter().map(group).collect(), ..Manifest::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn deadlocks_equal_those_of_the_twin(acts in acts()) {
        let mut deadlock = Deadlock::new(&MonitorConfig::default(), &manifest());
        for (number, act) in acts.iter().enumerate() {
            let at = Moment { event: number as u64, ..Moment::ZERO };
            match act {
                Act::States(agent, fact) => deadlock.observe(at, *agent, fact),
                Act::Goes(agent) => deadlock.goes(*agent, at),
            }
            let twin = Twin::of(&acts[..=number]);
            let stuck: BTreeSet<AgentId> = deadlock.circle_of.keys().copied().collect();
            prop_assert_eq!(&stuck, &twin.stuck(), "after {:?}", &acts[..=number]);
            for circle in deadlock.live.values() {
                let agents: BTreeSet<AgentId> = circle.circle.iter().map(|(agent, _)| *agent).collect();
                prop_assert!(!circle.circle.is_empty() && agents.len() == circle.circle.len(), "nobody twice");
                prop_assert!(agents.is_subset(&circle.stuck));
                for (place, (agent, on)) in circle.circle.iter().enumerate() {
                    let (next, _) = circle.circle[(place + 1) % circle.circle.len()];
                    let on = match *on {
                        Awaited::Agent(other) => Waited::Agent(other),
                        Awaited::Resource(_) => Waited::Resource(named(&deadlock, *on)),
                        Awaited::Gate(_) => Waited::Gate(named(&deadlock, *on)),
                        Awaited::Join(_) => Waited::Join(named(&deadlock, *on)),
                    };
                    prop_assert!(twin.is_blocker(*agent, on, next), "{agent:?} does not wait for {next:?}");
                }
            }
        }
    }
}

fn named(deadlock: &Deadlock, on: Awaited) -> &'static str {
    let name = deadlock.graph.resource(on).expect("a thing has a name");
    let known = ["a", "b", "c", "lead", "reviewer", "nobody", "coder", "coder-2", "coder-9"];
    known.into_iter().find(|known| *known == name).expect("it is one of these")
}
