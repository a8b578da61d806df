//! What goes wrong with messages.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Act, AgentId, Attention, Corruption, Draw, GroupId, Outgoing, Time, Verdict};

use crate::fault::Damage;
use crate::heal::Heal;
use crate::messages::Filter;
use crate::party::Matcher;
use crate::share::Share;
use crate::when::Interval;
use crate::windows::{Windows, earlier};

/// A rule about messages.
#[derive(Debug)]
pub(crate) struct MessageRule {
    pub(crate) id: AgentId,
    /// The rule's name, hashed: the purpose of its draws.
    pub(crate) purpose: u64,
    pub(crate) harm: Harm,
    pub(crate) windows: Windows,
}

/// What a rule does to a message, in the order in which rules apply: what is lost cannot come late, and so on.
#[derive(Debug)]
pub(crate) enum Harm {
    Loss(Filter, Share),
    Partition {
        sides: Vec<Vec<Matcher>>,
        one_way: bool,
    },
    /// With the times in which each agent is cut off; `inbound` when it only does not hear.
    Isolate {
        agents: Vec<(Interval, AgentId)>,
        inbound: bool,
    },
    Hold(Filter),
    Latency(Filter, Share, Sampler),
    Delay(Filter, Share, Sampler),
    Reorder(Filter, Share, u64),
    Duplicate(Filter, Share, Sampler),
    Corrupt(Filter, Share, Damage),
}

impl Harm {
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Harm::Loss(..) => 0,
            Harm::Partition { .. } => 1,
            Harm::Isolate { .. } => 2,
            Harm::Hold(..) => 3,
            Harm::Latency(..) => 4,
            Harm::Delay(..) => 5,
            Harm::Reorder(..) => 6,
            Harm::Duplicate(..) => 7,
            Harm::Corrupt(..) => 8,
        }
    }

    /// Whether it stands between agents, rather than befalling messages one by one.
    fn is_a_cut(&self) -> bool {
        matches!(self, Harm::Partition { .. } | Harm::Isolate { .. })
    }

    fn fault(&self) -> &'static str {
        match self {
            Harm::Loss(..) => "loss",
            Harm::Partition { .. } => "partition",
            Harm::Isolate { inbound: false, .. } => "isolate",
            Harm::Isolate { inbound: true, .. } => "zombie",
            Harm::Hold(..) => "hold",
            Harm::Latency(..) => "latency",
            Harm::Delay(..) => "delay",
            Harm::Reorder(..) => "reorder",
            Harm::Duplicate(..) => "duplicate",
            Harm::Corrupt(..) => "corrupt",
        }
    }

    /// Whether some message from one group to another may be hit.
    fn may_hit(&self, from: GroupId, to: GroupId) -> bool {
        match self {
            Harm::Loss(filter, ..)
            | Harm::Hold(filter)
            | Harm::Latency(filter, ..)
            | Harm::Delay(filter, ..)
            | Harm::Reorder(filter, ..)
            | Harm::Duplicate(filter, ..)
            | Harm::Corrupt(filter, ..) => filter.may_contain(from, to),
            Harm::Partition { sides, .. } => {
                let has = |group| sides.iter().flatten().any(|matcher| matcher.group() == group);
                has(from) || has(to)
            }
            Harm::Isolate { .. } => true,
        }
    }
}

/// The rules about messages, in the order in which they apply: by kind, then by name.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) rules: Vec<MessageRule>,
}

impl Network {
    pub(crate) fn attention(&self, now: Time) -> Attention {
        self.rules.iter().map(|rule| rule.windows.attention(now)).reduce(earlier).unwrap_or(Attention::NEVER)
    }

    pub(crate) fn judges(&self, from: GroupId, to: GroupId) -> bool {
        self.rules.iter().any(|rule| rule.harm.may_hit(from, to))
    }

    pub(crate) fn message(
        &mut self,
        message: &Outgoing,
        heal: Option<&Heal>,
        acts: &mut Vec<Act>,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let healed = |at: Time| {
            heal.is_some_and(|heal| {
                heal.protects(at, message.from, message.source)
                    && heal.protects(at, message.to, message.target)
            })
        };
        if healed(message.now) {
            return verdict;
        }
        for rule in &mut self.rules {
            // A cable that is cut takes with it what is under way; everything else is decided at the send.
            let to = if rule.harm.is_a_cut() { message.arrives } else { message.now };
            let Some(during) = rule.windows.between(message.now, to) else { continue };
            if healed(during.from) {
                continue;
            }
            let Some((amount, since)) = rule.apply(message, during, &mut verdict) else { continue };
            acts.push(Act { rule: rule.id, fault: rule.harm.fault(), amount, since });
            if verdict.lost {
                break;
            }
        }
        verdict
    }
}

impl MessageRule {
    /// Adds what the rule does to a message to the verdict. Returns how much it was, and since when.
    fn apply(
        &self,
        message: &Outgoing,
        during: Interval,
        verdict: &mut Verdict,
    ) -> Option<(u64, Option<Time>)> {
        let draw = |filter: &Filter, share: Share| {
            let mut draw = Draw::new(message.seed, self.purpose, message.source, message.sequence);
            (filter.contains(message) && share.hits(&mut draw)).then_some(draw)
        };
        let since = Some(during.from).filter(|from| *from > Time::ZERO);
        match &self.harm {
            Harm::Loss(filter, share) => {
                draw(filter, *share)?;
                verdict.lost = true;
                Some((0, since))
            }
            Harm::Partition { sides, one_way } => {
                verdict.lost = are_apart(sides, *one_way, message);
                verdict.lost.then_some((0, since))
            }
            Harm::Isolate { agents, inbound } => {
                let cut = |(interval, agent): &&(Interval, AgentId)| {
                    let met = match inbound {
                        true => interval.contains(message.arrives),
                        false => interval.meets(message.now, message.arrives),
                    };
                    met && (*agent == message.target || (!inbound && *agent == message.source))
                };
                let (interval, _) = agents.iter().find(cut)?;
                verdict.lost = true;
                Some((0, Some(interval.from)))
            }
            Harm::Hold(filter) => {
                let held_ns = during.until.since(message.arrives);
                if !filter.contains(message) || during.until <= message.arrives {
                    return None;
                }
                verdict.not_before = Some(verdict.not_before.unwrap_or(Time::ZERO).max(during.until));
                Some((held_ns, since))
            }
            Harm::Latency(filter, share, takes_ns) => {
                let takes_ns = takes_ns.sample(&mut draw(filter, *share)?).max(1);
                verdict.latency_ns = Some(verdict.latency_ns.unwrap_or(0).max(takes_ns));
                Some((takes_ns, since))
            }
            Harm::Delay(filter, share, by_ns) => {
                let by_ns = by_ns.sample(&mut draw(filter, *share)?);
                verdict.delay_ns = verdict.delay_ns.saturating_add(by_ns);
                Some((by_ns, since))
            }
            Harm::Reorder(filter, share, within_ns) => {
                let mut draw = draw(filter, *share)?;
                let by_ns = 1 + ((u128::from(draw.next()) * u128::from(*within_ns)) >> 64) as u64;
                verdict.delay_ns = verdict.delay_ns.saturating_add(by_ns);
                Some((by_ns, since))
            }
            Harm::Duplicate(filter, share, after_ns) => {
                // Two rules that both duplicate make one duplicate, the earlier one.
                let after_ns = after_ns.sample(&mut draw(filter, *share)?).max(1);
                verdict.again_after_ns = Some(verdict.again_after_ns.unwrap_or(u64::MAX).min(after_ns));
                Some((after_ns, since))
            }
            Harm::Corrupt(filter, share, damage) => {
                if message.length == 0 || verdict.corruption.is_some() {
                    return None;
                }
                let place = draw(filter, *share)?.next();
                let bytes = message.length as u64;
                let (corruption, amount) = match damage {
                    Damage::Flip => (Corruption::Flip { bit: place % (bytes * 8) }, place % (bytes * 8)),
                    Damage::Truncate => (Corruption::Truncate { bytes: place % bytes }, place % bytes),
                };
                verdict.corruption = Some(corruption);
                Some((amount, since))
            }
        }
    }
}

/// Whether a partition stands between sender and receiver.
fn are_apart(sides: &[Vec<Matcher>], one_way: bool, message: &Outgoing) -> bool {
    let side_of = |group, agent| {
        sides.iter().position(|side| side.iter().any(|matcher| matcher.contains(group, agent)))
    };
    let from = side_of(message.from, message.source);
    let to = side_of(message.to, message.target);
    let apart = match (from, to) {
        (Some(from), Some(to)) => from != to,
        // With one side, everybody else is the other.
        (Some(_), None) | (None, Some(_)) => sides.len() == 1,
        (None, None) => false,
    };
    apart && (!one_way || from == Some(0))
}
