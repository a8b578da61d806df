//! What goes wrong with messages.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, Draw, Injector, Origin, Outgoing, Verdict, hash_text};

use crate::plan::Share;

/// Which messages a rule looks at. Without roles, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Only those that members of this group send.
    pub from: Option<String>,
    /// Only those to members of this group.
    pub to: Option<String>,
}

/// The network rules of a plan, each kind in order of the rules' names.
#[derive(Debug, Default)]
pub(crate) struct Network {
    losses: Vec<Rule>,
    delays: Vec<(Rule, Sampler)>,
    duplicates: Vec<(Rule, Sampler)>,
}

#[derive(Debug)]
struct Rule {
    /// The rule's name, hashed: the purpose of its draws.
    purpose: u64,
    from: Option<u32>,
    to: Option<u32>,
    share: Share,
}

impl Rule {
    fn new(name: &str, messages: Messages, share: Share) -> Rule {
        let group = |name: String| match AgentId::named(&name, 1).origin() {
            Origin::Member { group, .. } => group,
            _ => unreachable!("a named agent is a member of its group"),
        };
        Rule { purpose: hash_text(name), from: messages.from.map(group), to: messages.to.map(group), share }
    }

    /// The draw of this rule for a message, if it hits it.
    fn hit(&self, message: &Outgoing) -> Option<Draw> {
        let is_of = |group: Option<u32>, id: AgentId| match (group, id.origin()) {
            (None, _) => true,
            (Some(wanted), Origin::Member { group, .. }) => wanted == group,
            (Some(_), _) => false,
        };
        if !is_of(self.from, message.source) || !is_of(self.to, message.target) {
            return None;
        }
        let mut draw = Draw::new(message.seed, self.purpose, message.source, message.sequence);
        draw.happens(self.share.numerator, self.share.denominator).then_some(draw)
    }
}

impl Network {
    pub(crate) fn is_empty(&self) -> bool {
        self.losses.is_empty() && self.delays.is_empty() && self.duplicates.is_empty()
    }

    pub(crate) fn add_loss(&mut self, name: &str, messages: Messages, share: Share) {
        self.losses.push(Rule::new(name, messages, share));
    }

    pub(crate) fn add_delay(&mut self, name: &str, messages: Messages, share: Share, by_ns: Sampler) {
        self.delays.push((Rule::new(name, messages, share), by_ns));
    }

    pub(crate) fn add_duplicate(&mut self, name: &str, messages: Messages, share: Share, after_ns: Sampler) {
        self.duplicates.push((Rule::new(name, messages, share), after_ns));
    }
}

impl Injector for Network {
    fn message(&mut self, message: &Outgoing) -> Verdict {
        let lost = self.losses.iter().any(|rule| rule.hit(message).is_some());
        let mut verdict = Verdict { lost, ..Verdict::default() };
        for (rule, by_ns) in &self.delays {
            if let Some(mut draw) = rule.hit(message) {
                verdict.delay_ns = verdict.delay_ns.saturating_add(by_ns.sample(&mut draw));
            }
        }
        for (rule, after_ns) in &self.duplicates {
            if let Some(mut draw) = rule.hit(message) {
                // Two rules that both duplicate make one duplicate, the earlier one.
                let after_ns = after_ns.sample(&mut draw).max(1);
                verdict.again_after_ns = Some(verdict.again_after_ns.unwrap_or(u64::MAX).min(after_ns));
            }
        }
        verdict
    }
}
