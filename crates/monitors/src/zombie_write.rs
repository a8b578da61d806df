//! Zombie writes: somebody acted under a fencing token older than one that had been seen, because its lock or claim
//! had passed to another while it was slow.
//!
//! *Source.* Fencing tokens, as Kleppmann, "How to do distributed locking" (2016), asks for them.
//!
//! *Parameters.* none.
//!
//! What counts, by resource: a `Write`, `Acquired` or `Released` with a fence older than the newest that was stated of
//! that resource by any of them. By task: a `TaskFinished` of an agent whose own claim has an older fence than another
//! agent's claim of the task. A `TaskClaimed` with an old fence is no act: it only says that the answer was late.
//!
//! Conservative: fence 0 means that the protocol has none and is not judged; equal fences are one holder's. A store
//! that checks fences refuses the late write, which then is never stated, so that nothing is found.
//!
//! Cost: O(log n) for each of these facts. Memory: at most 64 bytes and a name for each resource that has a fence, and
//! as much for each task and agent that claimed it and has not finished it or given it back.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::number_map::NumberMap;
use crate::text::{dollars, shown, times};

const KIND: &str = "zombie-write";

/// Findings about one resource each; what is about yet others is one more.
const SUBJECTS_MAX: usize = 64;

/// Finds acts under old fencing tokens, folded by resource; those on tasks are one finding.
#[derive(Clone, Debug, Default)]
pub struct ZombieWrite {
    names: Interner,
    newest: BTreeMap<u32, Token>,
    tasks: BTreeMap<u64, Claims>,
    /// Who began or read in the operations that are open, since the stores state the writes.
    writers: BTreeMap<u64, AgentId>,
    spent: NumberMap<AgentId, u64>,
    acts: BTreeMap<Subject, Fold<Act>>,
}

/// A fencing token when it was first seen.
#[derive(Clone, Copy, Debug)]
struct Token {
    fence: u64,
    holder: AgentId,
    seen: Moment,
    /// The holder before, and what it had spent by then, in billionths of a dollar.
    before: (AgentId, u64),
}

const _: () = assert!(core::mem::size_of::<Token>() <= 64);

#[derive(Clone, Debug)]
struct Claims {
    newest: Token,
    /// Claims that were neither finished nor given back.
    unfinished: Vec<(AgentId, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Resource(u32),
    OtherResources,
    Tasks,
}

#[derive(Clone, Copy, Debug)]
struct Act {
    at: Moment,
    agent: AgentId,
    verb: &'static str,
    /// The resource's name by number, or the task.
    object: u64,
    fence: u64,
    newest: Token,
    /// What the agent spent after the newer token was seen, in billionths of a dollar, where that is known.
    saved: Option<u64>,
}

impl ZombieWrite {
    fn touch(&mut self, at: Moment, agent: AgentId, resource: &str, fence: u64, verb: &'static str) {
        if fence == 0 {
            return;
        }
        let resource = self.names.number(resource);
        let known = self.newest.get(&resource).copied();
        match known {
            Some(newest) if fence < newest.fence => {
                let subject = Subject::Resource(resource);
                let has_room = self.acts.contains_key(&subject) || self.acts.len() < SUBJECTS_MAX;
                let subject = if has_room { subject } else { Subject::OtherResources };
                self.act(at, agent, subject, (verb, u64::from(resource)), fence, newest);
            }
            Some(newest) if fence == newest.fence => {}
            _ => {
                let token = self.token(at, agent, fence, known);
                self.newest.insert(resource, token);
            }
        }
    }

    fn token(&self, seen: Moment, holder: AgentId, fence: u64, before: Option<Token>) -> Token {
        let before = before.map_or(AgentId::WORLD, |token| token.holder);
        Token { fence, holder, seen, before: (before, self.spent_by(before)) }
    }

    fn claim(&mut self, at: Moment, agent: AgentId, task: u64, fence: u64) {
        if fence == 0 {
            return;
        }
        let known = self.tasks.get(&task).map(|claims| claims.newest);
        let newest = match known {
            Some(newest) if newest.fence >= fence => newest,
            _ => self.token(at, agent, fence, known),
        };
        let claims = self.tasks.entry(task).or_insert(Claims { newest, unfinished: Vec::new() });
        claims.newest = newest;
        claims.unfinished.retain(|(claimant, _)| *claimant != agent);
        claims.unfinished.push((agent, fence));
    }

    /// The agent's claim of the task is over; its fence and the newest one are given back.
    fn unclaim(&mut self, agent: AgentId, task: u64) -> Option<(u64, Token)> {
        let claims = self.tasks.get_mut(&task)?;
        let place = claims.unfinished.iter().position(|(claimant, _)| *claimant == agent)?;
        let (_, fence) = claims.unfinished.remove(place);
        let newest = claims.newest;
        if claims.unfinished.is_empty() {
            self.tasks.remove(&task);
        }
        Some((fence, newest))
    }

    fn finish(&mut self, at: Moment, agent: AgentId, task: u64) {
        match self.unclaim(agent, task) {
            Some((fence, newest)) if fence < newest.fence && newest.holder != agent => {
                self.act(at, agent, Subject::Tasks, ("finished task", task), fence, newest);
            }
            _ => {}
        }
    }

    fn act(
        &mut self,
        at: Moment,
        agent: AgentId,
        subject: Subject,
        (verb, object): (&'static str, u64),
        fence: u64,
        newest: Token,
    ) {
        let (before, spent) = newest.before;
        let saved =
            (before == agent && agent != AgentId::WORLD).then(|| self.spent_by(agent).saturating_sub(spent));
        let act = Act { at, agent, verb, object, fence, newest, saved };
        let agents = [agent, newest.holder].into_iter().filter(|agent| *agent != AgentId::WORLD);
        self.acts.entry(subject).or_default().add(act, agents);
    }

    fn spent_by(&self, agent: AgentId) -> u64 {
        self.spent.get(agent).copied().unwrap_or(0)
    }

    fn object(&self, subject: Subject, act: &Act) -> String {
        match subject {
            Subject::Tasks => act.object.to_string(),
            Subject::Resource(_) | Subject::OtherResources => shown(self.name_of(act)),
        }
    }

    fn name_of(&self, act: &Act) -> &str {
        self.names.name(u32::try_from(act.object).expect("a resource's number is a short one"))
    }

    fn finding(&self, subject: Subject, acts: &Fold<Act>, names: &Names) -> Finding {
        let first = acts.first();
        let (agent, holder) = (agent_name(first.agent, names), agent_name(first.newest.holder, names));
        let object = self.object(subject, first);
        let (fence, newest) = (first.fence, first.newest.fence);
        let more =
            if acts.count == 1 { String::new() } else { format!("; it happened {}", times(acts.count)) };
        let cost = first.saved.filter(|saved| *saved > 0).map_or(String::new(), |saved| {
            format!("; {agent} spent {} after it had lost its hold", dollars(saved))
        });
        let text = format!(
            "{agent} {} {object} under fence {fence} after {holder} had fence {newest}{more}{cost}",
            first.verb
        );
        let told = |act: &Act| {
            let text = format!(
                "{} {} {} under fence {}",
                agent_name(act.agent, names),
                act.verb,
                self.object(subject, act),
                act.fence
            );
            Evidence::new(act.at, text)
        };
        let signal =
            Evidence::new(first.newest.seen, format!("{holder} came with fence {newest} for {object}"));
        let mut evidence = vec![signal.clone()];
        evidence.extend(acts.kept.iter().map(told));
        let (subject_name, about) = match subject {
            Subject::Resource(_) => (self.name_of(first), ("resource", vec![self.name_of(first).to_owned()])),
            Subject::OtherResources => ("other resources", ("resource", Vec::new())),
            Subject::Tasks => ("tasks", ("task", vec![object])),
        };
        let agents = acts.agents(names);
        Finding {
            count: acts.count,
            numbers: Numbers(vec![("acts", acts.count), ("fence", fence), ("newest_fence", newest)]),
            about: BTreeMap::from([about, ("agent", agents.clone())]),
            agents,
            evidence,
            lead_time_ns: Some(first.at.at.since(first.newest.seen.at)),
            earliest_signal: Some(signal),
            saved_nano_dollars: first.saved,
            remedy: Some("let the store refuse fencing tokens older than the newest it has seen".to_owned()),
            ..Finding::new(KIND, Class::Safety, Severity::High, KIND, first.at, subject_name, &text)
        }
    }
}

fn agent_name(agent: AgentId, names: &Names) -> String {
    if agent == AgentId::WORLD { "somebody unknown".to_owned() } else { shown(&names.of(agent)) }
}

impl Monitor for ZombieWrite {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::OperationBegin,
            FactKind::Read,
            FactKind::OperationCommit,
            FactKind::OperationAbort,
            FactKind::OperationIndeterminate,
            FactKind::Write,
            FactKind::Acquired,
            FactKind::Released,
            FactKind::TaskClaimed,
            FactKind::TaskFinished,
            FactKind::TaskReleased,
            FactKind::Spent,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let (at, agent) = (Moment::of(step), step.target);
        for fact in facts {
            match *fact {
                Fact::OperationBegin { operation } => {
                    self.writers.insert(operation, agent);
                }
                Fact::Read { operation, .. } => {
                    self.writers.entry(operation).or_insert(agent);
                }
                Fact::OperationCommit { operation }
                | Fact::OperationAbort { operation }
                | Fact::OperationIndeterminate { operation } => {
                    self.writers.remove(&operation);
                }
                Fact::Write { operation, resource, fence, .. } => {
                    let writer = self.writers.get(&operation).copied().unwrap_or(AgentId::WORLD);
                    self.touch(at, writer, resource, fence, "wrote");
                }
                Fact::Acquired { resource, fence } => self.touch(at, agent, resource, fence, "acquired"),
                Fact::Released { resource, fence } => self.touch(at, agent, resource, fence, "released"),
                Fact::TaskClaimed { task, fence } => self.claim(at, agent, task, fence),
                Fact::TaskFinished { task, .. } => self.finish(at, agent, task),
                Fact::TaskReleased { task, .. } => {
                    self.unclaim(agent, task);
                }
                Fact::Spent { nano_dollars, .. } => {
                    let spent = self.spent.or_default(agent);
                    *spent = spent.saturating_add(nano_dollars);
                }
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.acts.iter().map(|(subject, acts)| self.finding(*subject, acts, names)).collect()
    }
}
