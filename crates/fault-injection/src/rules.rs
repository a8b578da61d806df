//! A plan at work: what the engine asks while a run goes on.

use fleetsim_engine::{
    Act, AgentId, Attention, Control, Draw, FactKinds, GroupId, Hit, Injector, Order, Outgoing, SiteVisit,
    Time, Verdict, Watched,
};

use crate::fault::Fault;
use crate::heal::Heal;
use crate::network::{Harm, Network};
use crate::party::Who;
use crate::process;
use crate::share::Share;
use crate::sites::{self, SiteRule};
use crate::trigger::Trigger;
use crate::when::Interval;

/// The rules of a plan, with their names resolved for one fleet.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) heal: Option<Heal>,
    pub(crate) network: Network,
    pub(crate) sites: Vec<SiteRule>,
    pub(crate) triggered: Vec<TriggeredRule>,
}

/// A rule that waits for a fact.
#[derive(Debug)]
pub(crate) struct TriggeredRule {
    pub(crate) id: AgentId,
    pub(crate) purpose: u64,
    pub(crate) by: Trigger,
    pub(crate) released: Option<Trigger>,
    pub(crate) after_ns: u64,
    pub(crate) lasts_ns: Option<u64>,
    pub(crate) share: Share,
    pub(crate) times_left: u32,
    pub(crate) fault: Fault,
    /// The members of the party that the fault is about, if it is about one.
    pub(crate) members: Vec<AgentId>,
    /// Where the rule is in `network.rules` or `sites`, if it is of that sort.
    pub(crate) message_rule: Option<usize>,
    pub(crate) site_rule: Option<usize>,
    /// Whom it befell, until when, to be undone on release.
    pub(crate) befallen: Vec<(AgentId, Interval)>,
}

impl Injector for Rules {
    fn attention(&self, now: Time) -> Attention {
        self.network.attention(now)
    }

    fn judges(&self, from: GroupId, to: GroupId) -> bool {
        self.network.judges(from, to)
    }

    fn message(&mut self, message: &Outgoing, acts: &mut Vec<Act>) -> Verdict {
        self.network.message(message, self.heal.as_ref(), acts)
    }

    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        sites::visit(&mut self.sites, visit, self.heal.as_ref())
    }

    fn watches(&self) -> FactKinds {
        let triggers = self.triggered.iter().flat_map(|rule| [Some(&rule.by), rule.released.as_ref()]);
        triggers.flatten().fold(FactKinds::NONE, |kinds, trigger| kinds.with(trigger.kinds()))
    }

    fn step(&mut self, step: &Watched<'_>, orders: &mut Vec<Order>) {
        for at in 0..self.triggered.len() {
            if self.triggered[at].released.as_ref().is_some_and(|trigger| trigger.count(step) > 0) {
                self.release(at, step.now, orders);
            }
            for occasion in 0..self.triggered[at].by.count(step) {
                self.set_off(at, occasion as u64, step, orders);
            }
        }
    }
}

impl Rules {
    /// Lets a rule act because of a step, if its luck says so.
    fn set_off(&mut self, at: usize, occasion: u64, step: &Watched<'_>, orders: &mut Vec<Order>) {
        let rule = &mut self.triggered[at];
        let cause = [step.cause.source.as_u64(), u64::from(step.cause.sequence), occasion];
        let mut draw = Draw::keyed(step.seed, rule.purpose, cause);
        if rule.times_left == 0 || !rule.share.hits(&mut draw) {
            return;
        }
        let Some(from) = step.now.checked_add(rule.after_ns.max(1)) else { return };
        if self.heal.as_ref().is_some_and(|heal| heal.protects(from, step.group, step.agent)) {
            return;
        }
        let until = rule.lasts_ns.and_then(|lasts_ns| from.checked_add(lasts_ns)).unwrap_or(Time::MAX);
        let interval = Interval { from, until };
        rule.times_left -= 1;
        let whom = match rule.fault.who() {
            Some(Who::Whoever) => vec![step.agent],
            Some(Who::OneOf(_)) => pick(&rule.members, &mut draw).into_iter().collect(),
            Some(Who::Each(_)) => rule.members.clone(),
            None => Vec::new(),
        };
        if let Some(control) = process::begins(&rule.fault) {
            for agent in &whom {
                rule.order(*agent, control.clone(), step.now, from, orders);
                if until < Time::MAX
                    && let Some(end) = process::ends(&rule.fault, interval)
                {
                    rule.order(*agent, end, step.now, until, orders);
                }
                rule.befallen.push((*agent, interval));
            }
        }
        if let Some((begins, ends)) = process::announced(&rule.fault) {
            rule.order(AgentId::WORLD, Control::Announce { fault: begins }, step.now, from, orders);
            if until < Time::MAX {
                rule.order(AgentId::WORLD, Control::Announce { fault: ends }, step.now, until, orders);
            }
        }
        if let Some(index) = rule.message_rule {
            let message_rule = &mut self.network.rules[index];
            message_rule.windows.open(interval);
            if let Harm::Isolate { agents, .. } = &mut message_rule.harm {
                agents.retain(|(known, _)| known.until > step.now);
                agents.extend(whom.iter().map(|agent| (interval, *agent)));
            }
        }
        if let Some(index) = self.triggered[at].site_rule {
            self.sites[index].windows.open(interval);
        }
    }

    /// Ends what a rule has begun and not ended.
    fn release(&mut self, at: usize, now: Time, orders: &mut Vec<Order>) {
        let Some(end) = now.checked_add(1) else { return };
        let rule = &mut self.triggered[at];
        let mut befallen = core::mem::take(&mut rule.befallen);
        befallen.retain(|(_, interval)| interval.until > end);
        for (agent, interval) in befallen {
            if let Some(control) = process::ends(&rule.fault, Interval { until: end, ..interval }) {
                rule.order(agent, control, now, end, orders);
            }
        }
        let mut closed = false;
        if let Some(index) = rule.message_rule {
            let message_rule = &mut self.network.rules[index];
            closed = message_rule.windows.close(end);
            if let Harm::Isolate { agents, .. } = &mut message_rule.harm {
                for (interval, _) in agents {
                    interval.until = interval.until.min(end);
                }
            }
        }
        if let Some(index) = rule.site_rule {
            self.sites[index].windows.close(end);
        }
        if closed && let Some((_, ends)) = process::announced(&rule.fault) {
            rule.order(AgentId::WORLD, Control::Announce { fault: ends }, now, end, orders);
        }
    }
}

impl TriggeredRule {
    fn order(&self, target: AgentId, control: Control, now: Time, at: Time, orders: &mut Vec<Order>) {
        orders.push(Order { rule: self.id, after_ns: at.since(now), target, control });
    }
}

/// One of some agents, each as likely as the others.
pub(crate) fn pick(agents: &[AgentId], draw: &mut Draw) -> Option<AgentId> {
    let at = (u128::from(draw.next()) * agents.len() as u128) >> 64;
    agents.get(at as usize).copied()
}
