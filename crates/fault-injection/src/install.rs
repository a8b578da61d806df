//! From a plan to what acts on a fleet: names are resolved, times are laid out.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, Control, Draw, Fleet, GroupId, Time, hash_text};

use crate::error::Error;
use crate::fault::Fault;
use crate::heal::Heal;
use crate::messages::Messages;
use crate::network::{Harm, MessageRule};
use crate::party::{Matcher, Party, Who};
use crate::plan::{HEAL, Plan, Rule};
use crate::process;
use crate::rules::{Rules, TriggeredRule, pick};
use crate::sites::{SiteName, SiteRule};
use crate::spread::Spread;
use crate::when::{Interval, When};
use crate::windows::Windows;

const CHOICE: u64 = hash_text("whom a fault hits");

impl Plan {
    /// Lets the rules act on a fleet, whose groups have all been added.
    ///
    /// # Errors
    /// When a rule names an agent, role, protocol or kind of message that the fleet does not have, or lets messages be
    /// faster than their link can be.
    pub fn install(&self, fleet: &mut Fleet) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let mut rules = Rules { heal: self.healing().cloned(), ..Rules::default() };
        self.install_heal(fleet)?;
        for (name, rule) in self.rules() {
            fleet.name_rule(name);
            install(name, rule, fleet, &mut rules).map_err(|message| Error::of_rule(name, message))?;
        }
        rules.put_in_order();
        fleet.inject_faults(Box::new(rules));
        Ok(())
    }

    fn install_heal(&self, fleet: &mut Fleet) -> Result<(), Error> {
        let Some(heal) = self.healing() else { return Ok(()) };
        for role in &heal.core {
            Party::role(role)
                .members(fleet)
                .map_err(|message| Error::of_plan(format!("in the core that heals {message}")))?;
        }
        let core: Vec<GroupId> = heal.core.iter().map(|role| GroupId::named(role)).collect();
        fleet.control(HEAL, heal.at, AgentId::WORLD, Control::Heal { core });
        Ok(())
    }
}

impl Rules {
    /// By kind, then by name: rules were added by name, and this keeps it.
    fn put_in_order(&mut self) {
        let mut order: Vec<usize> = (0..self.network.rules.len()).collect();
        order.sort_by_key(|at| self.network.rules[*at].harm.rank());
        for rule in &mut self.triggered {
            rule.message_rule = rule.message_rule.and_then(|at| order.iter().position(|known| *known == at));
        }
        self.network.rules.sort_by_key(|rule| rule.harm.rank());
    }
}

fn install(name: &str, rule: &Rule, fleet: &mut Fleet, rules: &mut Rules) -> Result<(), String> {
    let Rule { fault, when } = rule;
    let (id, purpose) = (AgentId::rule(name), hash_text(name));
    let known = when.intervals(fleet.seed(), name);
    let members = members(fault, fleet)?;
    let befalls = befalls(name, fault, &known, &members, fleet, rules.heal.as_ref());

    let mut message_rule = None;
    if let Some(harm) = harm(fault, &befalls, fleet)? {
        let known = match &rules.heal {
            Some(heal) if heal.core.is_empty() => clipped(&known, heal.at),
            _ => known.clone(),
        };
        announce(name, fault, &known, fleet, rules.heal.as_ref());
        message_rule = Some(rules.network.rules.len());
        rules.network.rules.push(MessageRule { id, purpose, harm, windows: Windows::new(known) });
    }
    let mut site_rule = None;
    if let Fault::Site { site, who, share, luck, strength, armed } = fault {
        site_rule = Some(rules.sites.len());
        if let Some(party) = who {
            party.members(fleet)?;
        }
        rules.sites.push(SiteRule {
            id,
            purpose,
            site: SiteName::of(site),
            who: who.as_ref().map(Matcher::of),
            share: *share,
            luck: *luck,
            strength: sampler(*strength),
            armed: *armed,
            windows: Windows::new(known),
        });
    }
    for (interval, agent) in &befalls {
        befall(name, fault, *interval, *agent, fleet, rules.heal.as_ref());
    }
    if let When::Triggered { by, after_ns, lasts_ns, released, share, times_max } = when {
        for party in by.by.iter().chain(released.iter().flat_map(|trigger| &trigger.by)) {
            party.members(fleet)?;
        }
        rules.triggered.push(TriggeredRule {
            id,
            purpose,
            by: by.clone(),
            released: released.clone(),
            after_ns: *after_ns,
            lasts_ns: *lasts_ns,
            share: *share,
            times_left: *times_max,
            fault: fault.clone(),
            members,
            message_rule,
            site_rule,
            befallen: Vec::new(),
        });
    }
    Ok(())
}

/// The agents of the party that a fault of agents is about.
fn members(fault: &Fault, fleet: &Fleet) -> Result<Vec<AgentId>, String> {
    match fault.who() {
        Some(Who::Each(party) | Who::OneOf(party)) => party.members(fleet),
        Some(Who::Whoever) | None => Ok(Vec::new()),
    }
}

/// Whom a fault of agents befalls, and when. Nothing befalls anybody who is healed.
fn befalls(
    name: &str,
    fault: &Fault,
    known: &[Interval],
    members: &[AgentId],
    fleet: &Fleet,
    heal: Option<&Heal>,
) -> Vec<(Interval, AgentId)> {
    let mut befalls = Vec::new();
    for interval in known {
        let choice = [hash_text(name), interval.from.as_ns()];
        let chosen = match fault.who() {
            Some(Who::OneOf(_)) => {
                pick(members, &mut Draw::keyed(fleet.seed(), CHOICE, choice)).into_iter().collect()
            }
            _ => members.to_vec(),
        };
        befalls.extend(chosen.into_iter().map(|agent| (*interval, agent)));
    }
    let protected = |at: Time, agent: AgentId| {
        heal.zip(GroupId::of(agent)).is_some_and(|(heal, group)| heal.protects(at, group, agent))
    };
    befalls.retain(|(interval, agent)| !protected(interval.from, *agent));
    for (interval, agent) in &mut befalls {
        if let Some(heal) = heal
            && interval.until > heal.at
            && protected(heal.at, *agent)
        {
            interval.until = heal.at;
        }
    }
    befalls
}

/// Orders the beginning and the end of what befalls an agent. What heals with the world needs no end of its own.
fn befall(
    name: &str,
    fault: &Fault,
    interval: Interval,
    agent: AgentId,
    fleet: &mut Fleet,
    heal: Option<&Heal>,
) {
    let Some(begins) = process::begins(fault) else { return };
    fleet.control(name, interval.from, agent, begins);
    let heals_then = heal.is_some_and(|heal| heal.at == interval.until);
    if interval.until < Time::MAX
        && !heals_then
        && let Some(ends) = process::ends(fault, interval)
    {
        fleet.control(name, interval.until, agent, ends);
    }
}

fn announce(name: &str, fault: &Fault, known: &[Interval], fleet: &mut Fleet, heal: Option<&Heal>) {
    let Some((begins, ends)) = process::announced(fault) else { return };
    for interval in known {
        if interval.from > Time::ZERO {
            fleet.control(name, interval.from, AgentId::WORLD, Control::Announce { fault: begins });
        }
        let heals_then = heal.is_some_and(|heal| heal.at == interval.until);
        if interval.until < Time::MAX && !heals_then {
            fleet.control(name, interval.until, AgentId::WORLD, Control::Announce { fault: ends });
        }
    }
}

fn clipped(known: &[Interval], end: Time) -> Vec<Interval> {
    let before = known.iter().filter(|interval| interval.from < end);
    before.map(|interval| Interval { until: interval.until.min(end), ..*interval }).collect()
}

/// What a fault does to messages, if it is of that sort.
fn harm(fault: &Fault, befalls: &[(Interval, AgentId)], fleet: &Fleet) -> Result<Option<Harm>, String> {
    let filter = |messages: &Messages| messages.filter(fleet);
    Ok(Some(match fault {
        Fault::Loss { messages, share } => Harm::Loss(filter(messages)?, *share),
        Fault::Partition { groups, one_way } => {
            for party in groups.iter().flatten() {
                party.members(fleet)?;
            }
            let side = |side: &Vec<Party>| side.iter().map(Matcher::of).collect();
            Harm::Partition { sides: groups.iter().map(side).collect(), one_way: *one_way }
        }
        Fault::Isolate { .. } => Harm::Isolate { agents: befalls.to_vec(), inbound: false },
        Fault::Zombie { .. } => Harm::Isolate { agents: befalls.to_vec(), inbound: true },
        Fault::Hold { messages } => Harm::Hold(filter(messages)?),
        Fault::Latency { messages, share, takes_ns } => {
            check_minimum(messages, *takes_ns, fleet)?;
            Harm::Latency(filter(messages)?, *share, sampler(*takes_ns))
        }
        Fault::Delay { messages, share, by_ns } => Harm::Delay(filter(messages)?, *share, sampler(*by_ns)),
        Fault::Reorder { messages, share, within_ns } => Harm::Reorder(filter(messages)?, *share, *within_ns),
        Fault::Duplicate { messages, share, after_ns } => {
            Harm::Duplicate(filter(messages)?, *share, sampler(*after_ns))
        }
        Fault::Corrupt { messages, share, damage } => Harm::Corrupt(filter(messages)?, *share, *damage),
        _ => return Ok(None),
    }))
}

/// Later parallel runs rely on the minimum that a link declares.
fn check_minimum(messages: &Messages, takes_ns: Spread, fleet: &Fleet) -> Result<(), String> {
    let filter = messages.filter(fleet)?;
    let least_ns = sampler(takes_ns).minimum().max(1);
    for (from, _) in fleet.groups() {
        for (to, _) in fleet.groups() {
            let minimum_ns = fleet.link_minimum_ns(from, to);
            if filter.may_contain(GroupId::named(from), GroupId::named(to)) && least_ns < minimum_ns {
                return Err(format!(
                    "messages would take {least_ns} ns, less than the {minimum_ns} ns that the link from {} to {} \
                     takes at least",
                    from.escape_debug(),
                    to.escape_debug()
                ));
            }
        }
    }
    Ok(())
}

fn sampler(spread: Spread) -> Sampler {
    spread.sampler().expect("a plan's spreads are checked when its rules are added")
}
