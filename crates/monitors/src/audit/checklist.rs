//! The checks of the usual reproducibility checklist that facts can answer: shared state that nobody declared, and what
//! agents did without permission. What a record cannot show is said to be not visible, never passed.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names, Time};
use serde::Serialize;

use super::AuditConfig;
use crate::intern::Interner;
use crate::monitor::Moment;
use crate::role::Role;
use crate::text::{counted, shown};

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// The record shows that it is as it should be.
    #[serde(rename = "pass")]
    Pass,
    /// The record shows that it is not.
    #[serde(rename = "fail")]
    Fail,
    /// The record does not show it.
    #[serde(rename = "not visible")]
    NotVisible,
}

impl Verdict {
    /// The word in text and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::NotVisible => "not visible",
        }
    }
}

/// One line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, in few words.
    pub check: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, in a few words.
    pub reason: String,
    /// The event that shows it, if one does.
    pub event: Option<u64>,
    /// When that was.
    #[serde(rename = "at_ns")]
    pub at: Option<Time>,
}

impl Check {
    /// What `check` came to.
    #[must_use]
    pub fn new(check: &'static str, verdict: Verdict, reason: String) -> Check {
        Check { check, verdict, reason, event: None, at: None }
    }

    /// The check with the event that shows its verdict.
    #[must_use]
    pub fn shown_by(self, moment: Option<Moment>) -> Check {
        Check { event: moment.map(|moment| moment.event), at: moment.map(|moment| moment.at), ..self }
    }
}

/// What a role may read and write, by name: seams, media, artifacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// What it may read.
    pub read: BTreeSet<String>,
    /// What it may write.
    pub write: BTreeSet<String>,
}

/// Watches resources and permissions.
#[derive(Clone, Debug)]
pub(super) struct Checklist {
    declared: Option<BTreeSet<String>>,
    may: BTreeMap<Role, Permissions>,
    texts: Interner,
    /// Who touched each resource.
    touched: BTreeMap<u32, Touched>,
    /// Who began each operation that has not ended.
    operations: BTreeMap<u64, AgentId>,
    /// What carried each seam last.
    carriers: BTreeMap<String, String>,
    /// Uses that were looked at.
    judged: u64,
    breaches: u64,
    first_breach: Option<Breach>,
}

#[derive(Clone, Copy, Debug)]
struct Touched {
    first: AgentId,
    /// Another agent, and when it did.
    other: Option<(AgentId, Moment)>,
}

#[derive(Clone, Debug)]
struct Breach {
    moment: Moment,
    agent: AgentId,
    what: String,
}

impl Checklist {
    pub(super) fn new(config: &AuditConfig) -> Checklist {
        let may = config.may.iter().map(|(role, permissions)| (Role::named(role), permissions.clone()));
        Checklist {
            declared: config.declared.clone(),
            may: may.collect(),
            texts: Interner::default(),
            touched: BTreeMap::new(),
            operations: BTreeMap::new(),
            carriers: BTreeMap::new(),
            judged: 0,
            breaches: 0,
            first_breach: None,
        }
    }

    pub(super) fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let (agent, moment) = (step.target, Moment::of(step));
        for fact in facts {
            match *fact {
                Fact::OperationBegin { operation } => {
                    self.operations.insert(operation, agent);
                }
                Fact::OperationCommit { operation } | Fact::OperationAbort { operation } => {
                    self.operations.remove(&operation);
                }
                Fact::Read { resource, .. } => {
                    self.touch(resource, agent, moment);
                    // The store that answered may be what is permitted.
                    self.judge(agent, Access::Read, &[resource, family(resource)], Some(step.source), moment);
                }
                Fact::Acquired { resource, .. } => self.touch(resource, agent, moment),
                Fact::Write { operation, resource, .. } => {
                    // Where nobody began an operation, nobody knows who writes.
                    if let Some(writer) = self.operations.get(&operation).copied() {
                        self.touch(resource, writer, moment);
                        let things = [resource, family(resource)];
                        self.judge(writer, Access::Write, &things, Some(agent), moment);
                    }
                }
                Fact::Offered { seam, medium, .. } => {
                    if self.carriers.get(seam).is_none_or(|known| known != medium) {
                        self.carriers.insert(seam.to_owned(), medium.to_owned());
                    }
                    self.judge(agent, Access::Write, &[seam, medium], None, moment);
                }
                Fact::Received { seam, .. } => {
                    let medium = self.carriers.get(seam).cloned().unwrap_or_default();
                    self.judge(agent, Access::Read, &[seam, &medium], None, moment);
                }
                Fact::Breach { permission } => self.breach(agent, permission, moment),
                _ => {}
            }
        }
    }

    fn touch(&mut self, resource: &str, agent: AgentId, moment: Moment) {
        let resource = self.texts.number(resource);
        let touched = self.touched.entry(resource).or_insert(Touched { first: agent, other: None });
        if touched.first != agent {
            touched.other.get_or_insert((agent, moment));
        }
    }

    /// Whether a role that has permissions used one of the things that it may; `keeper` is the agent that keeps it.
    fn judge(
        &mut self,
        agent: AgentId,
        access: Access,
        things: &[&str],
        keeper: Option<AgentId>,
        moment: Moment,
    ) {
        let Some(permissions) = self.may.get(&Role::of(agent)) else { return };
        let listed = match access {
            Access::Read => &permissions.read,
            Access::Write => &permissions.write,
        };
        self.judged += 1;
        let keeper = keeper.map(Role::of);
        let is_permitted = things.iter().any(|thing| listed.contains(*thing))
            || listed.iter().any(|name| Some(Role::named(name)) == keeper);
        if !is_permitted {
            let verb = match access {
                Access::Read => "read",
                Access::Write => "write",
            };
            self.breach(agent, &format!("{verb} {}", things[0]), moment);
        }
    }

    fn breach(&mut self, agent: AgentId, what: &str, moment: Moment) {
        self.breaches += 1;
        self.first_breach.get_or_insert_with(|| Breach { moment, agent, what: what.to_owned() });
    }

    pub(super) fn checks(&self, names: &Names) -> Vec<Check> {
        vec![self.shared_state(names), self.permissions(names)]
    }

    fn shared_state(&self, names: &Names) -> Check {
        const CHECK: &str = "shared state is declared";
        let Some(declared) = &self.declared else {
            let reason = "nothing says which shared state the fleet declares";
            return Check::new(CHECK, Verdict::NotVisible, reason.to_owned());
        };
        if self.touched.is_empty() {
            let reason = "no agent stated that it read or wrote anything";
            return Check::new(CHECK, Verdict::NotVisible, reason.to_owned());
        }
        let shared = self.touched.iter().filter_map(|(resource, touched)| {
            touched.other.map(|(other, moment)| (self.texts.name(*resource), touched.first, other, moment))
        });
        let is_declared = |name: &str| declared.contains(name) || declared.contains(family(name));
        let (known, unknown): (Vec<_>, Vec<_>) = shared.partition(|(name, ..)| is_declared(name));
        match unknown.iter().min_by_key(|(.., moment)| *moment) {
            Some((name, first, other, moment)) => {
                let more = match unknown.len() {
                    1 => String::new(),
                    count => format!(", and {} more", count - 1),
                };
                let agents = [*first, *other].map(|agent| shown(&names.of(agent)));
                let reason = format!(
                    "{} is touched by {} and {}, and declared nowhere{more}",
                    shown(name),
                    agents[0],
                    agents[1]
                );
                Check::new(CHECK, Verdict::Fail, reason).shown_by(Some(*moment))
            }
            None => {
                let count = counted(known.len() as u64, "thing");
                let reason =
                    format!("{count} touched by two agents, all declared, as far as agents stated it");
                Check::new(CHECK, Verdict::Pass, reason)
            }
        }
    }

    fn permissions(&self, names: &Names) -> Check {
        const CHECK: &str = "permissions are kept";
        if let Some(first) = &self.first_breach {
            let agent = shown(&names.of(first.agent));
            let more = match self.breaches {
                1 => String::new(),
                count => format!(", first of {count} breaches"),
            };
            let reason = format!("{agent} may not {}{more}", shown(&first.what));
            return Check::new(CHECK, Verdict::Fail, reason).shown_by(Some(first.moment));
        }
        if self.may.is_empty() {
            let reason = "nothing says what the roles may do";
            return Check::new(CHECK, Verdict::NotVisible, reason.to_owned());
        }
        let (uses, roles) = (counted(self.judged, "use"), counted(self.may.len() as u64, "role"));
        let reason = format!("{uses} by the {roles} that have permissions; others are not judged");
        Check::new(CHECK, Verdict::Pass, reason)
    }
}

#[derive(Clone, Copy, Debug)]
enum Access {
    Read,
    Write,
}

/// What a resource belongs to: cells of a medium are called `medium/item`.
fn family(resource: &str) -> &str {
    resource.split('/').next().unwrap_or(resource)
}
